"""What the policy node knows of the world right now: frames, scan and odometry, with their age.

Frames count only when newer than a moment of the odometry's stamps: both come from the robot, so
no clock of this machine is compared with the robot's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image, LaserScan

from nl_robot.datatypes import Pose
from nl_robot.nodes.cameras import calibrated, declare_cameras
from nl_robot.nodes.conversions import nanoseconds, picture_of, pose_of_odometry
from nl_robot.nodes.detections import detections_type
from nl_robot.nodes.frames import Frames
from nl_robot.nodes.looking import Look
from nl_robot.nodes.qos import SENSOR
from nl_robot.perception.detection_topic import detections_from_message
from nl_robot.perception.panorama import Camera
from nl_robot.ros_graph import why_silent

TIMEOUT, CAMERA_TIMEOUT = 1.0, 2.0  # seconds until a sense counts as silent


class Senses:
    """Subscribes to the sensors and keeps the newest of each.

    :param detections: the robot's own detections are heard in the place of images
    """

    def __init__(self, node: Node, detections: bool = False) -> None:
        self._node = node
        cameras, topics = declare_cameras(node)
        self._cameras = {camera.name: camera for camera in cameras}
        self._frames: dict[str, tuple[int, Any]] = {}
        self._seen_at: dict[str, float] = {}
        self._kinds: dict[str, tuple[str, Any]] = {'scan': ('scan', LaserScan),
                                                   'odom': ('odom', Odometry)}
        self._why, self._asked_at = dict[str, str](), -math.inf
        self._mounts = Frames(node)
        self.scan: LaserScan | None = None
        self.pose: Pose | None = None
        self.odometry_stamp = self._rest_at = 0
        self.on_pose: Callable[[Pose], None] = lambda pose: None
        for name, topic in zip(self._cameras, topics):
            beside = topic.rpartition('/')[0]
            kind, topic, hear = ((detections_type(), f'{beside}/detections', self._on_detections)
                                 if detections else (Image, topic, self._on_image))
            self._kinds[f'camera/{name}'] = topic, kind
            node.create_subscription(kind, topic, partial(hear, name), SENSOR)
            node.create_subscription(CameraInfo, f'{beside}/camera_info',
                                     partial(self._on_info, name), SENSOR)
        node.create_subscription(LaserScan, 'scan', self._on_scan, SENSOR)
        node.create_subscription(Odometry, 'odom', self._on_odometry, SENSOR)

    @property
    def cameras(self) -> tuple[Camera, ...]:
        """The cameras as they are known now."""
        return tuple(self._cameras.values())

    def lacks(self) -> list[str]:
        """The sensors that are silent, and the bridge when it is."""
        limits = {f'camera/{name}': CAMERA_TIMEOUT for name in self._cameras}
        limits |= {name: TIMEOUT for name in ('scan', 'odom', 'bridge')}
        now = time.monotonic()
        return [name for name, limit in limits.items()
                if now - self._seen_at.get(name, -math.inf) > limit]

    def why(self) -> dict[str, str]:
        """For each silent sensor, as `why/<name>`, what the graph knows; asked once a second."""
        now = time.monotonic()
        if now - self._asked_at > 1.0:
            self._asked_at = now
            silent = {name: self._kinds[name] for name in self.lacks() if name in self._kinds}
            self._why = {f'why/{name}': why_silent(self._node, *pair, SENSOR)
                         for name, pair in silent.items()}
        return self._why

    def note(self, name: str) -> None:
        """Something good was heard of `name` just now."""
        self._seen_at[name] = time.monotonic()

    def rest(self) -> None:
        """The robot comes to rest now, or is about to: only later frames are looked at."""
        self._rest_at = self.odometry_stamp

    def look(self, at_rest: bool = True) -> Look | None:
        """Frames and where the robot is, once frames and scan are from when it rested, or any."""
        stamp = self._rest_at if at_rest else 0
        frames, scan = self.frames_after(stamp), self.scan
        if frames is None or self.pose is None or scan is None:
            return None
        return Look(frames, self.pose) if nanoseconds(scan.header.stamp) > stamp else None

    def frames_after(self, stamp: int) -> dict[str, Any] | None:
        """A picture (or detections) of each camera, all newer than `stamp` ns, or None."""
        if any(self._frames.get(name, (-1, None))[0] <= stamp for name in self._cameras):
            return None
        return {name: picture for name, (_, picture) in self._frames.items()}

    def _guarded(self, name: str, take: Callable[[], None]) -> None:
        """Note the moment of a good message; refuse a bad one with a sentence."""
        try:
            take()
        except ValueError as error:
            self._node.get_logger().error(f'refused a message of {name}: {error}',
                                          throttle_duration_sec=1.0)
            return
        self.note(name)

    def _on_image(self, name: str, message: Image) -> None:
        def take() -> None:
            stamp = nanoseconds(message.header.stamp)
            if stamp == self._frames.get(name, (-1, None))[0]:
                raise ValueError('the same frame again')
            self._frames[name] = (stamp, picture_of(message))
            self._cameras[name] = replace(self._cameras[name], width=int(message.width),
                                          image_height=int(message.height))
        self._guarded(f'camera/{name}', take)

    def _on_detections(self, name: str, message: Any) -> None:
        """Take a vision_msgs/Detection2DArray."""
        self._frames[name] = (nanoseconds(message.header.stamp), detections_from_message(message))
        self.note(f'camera/{name}')

    def _on_info(self, name: str, message: CameraInfo) -> None:
        self._cameras[name] = calibrated(self._cameras[name], message)

    def _on_scan(self, message: LaserScan) -> None:
        def take() -> None:
            if not len(message.ranges) or not message.angle_increment:
                raise ValueError('it has no beams or no angle_increment')
            self.scan = self._mounts.scan(message)
        self._guarded('scan', take)

    def _on_odometry(self, message: Odometry) -> None:
        def take() -> None:
            self.pose = pose_of_odometry(message)
            self.odometry_stamp = nanoseconds(message.header.stamp)
            self.on_pose(self.pose)
        self._guarded('odom', take)
