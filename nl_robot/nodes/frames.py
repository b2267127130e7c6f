"""Frames: where the laser is on the robot, and waypoints in other frames than the odometry's.

By tf where tf2_ros is installed, by parameters where it is not.
"""

from __future__ import annotations

import array
import math
from typing import Any

from rclpy.node import Node
from sensor_msgs.msg import LaserScan

from nl_robot.datatypes import Pose
from nl_robot.geometry import yaw_from_quaternion
from nl_robot.motion.laser_mount import LaserMount
from nl_robot.motion.laser_view import seen_from_base
from nl_robot.nodes.parameters import declare
from nl_robot.nodes.transforms import transforms_of


class Frames:
    """Knows base_from_laser, and how to bring a pose into the frame of the odometry."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.base = declare(node, 'base_frame', 'base_link', 'frame of the middle of the robot')
        use_tf = declare(node, 'use_tf', True, 'ask tf where the laser is, if tf2_ros is '
                         'installed; otherwise laser_x, laser_y, laser_yaw and laser_flipped hold')
        x, y = (declare(node, f'laser_{axis}', 0.0, f'{axis} of the laser on the robot, m',
                        -2.0, 2.0) for axis in 'xy')
        yaw = declare(node, 'laser_yaw', 0.0, 'where the laser looks on the robot, degrees, left '
                      'is positive', -180.0, 180.0)
        flipped = declare(node, 'laser_flipped', False, 'the laser hangs upside down')
        self._mount = LaserMount(x, y, math.radians(yaw), flipped)
        self._mounts: dict[str, LaserMount] = {}
        self._tf = transforms_of(node) if use_tf else None

    def scan(self, message: LaserScan) -> LaserScan:
        """A scan as seen from the middle of the robot."""
        mount = self._mount_of(message.header.frame_id)
        if mount.is_middle:
            return message
        ranges, first, step = seen_from_base(message, mount)
        if step < 0:    # counter-clockwise, as everybody expects it
            ranges, first, step = ranges[::-1], first + step * (len(ranges) - 1), -step
        first = math.remainder(first, 2 * math.pi)
        seen = LaserScan(header=message.header, angle_min=float(first),
                         angle_max=float(first + step * (len(ranges) - 1)),
                         angle_increment=float(step), range_min=message.range_min,
                         range_max=message.range_max, scan_time=message.scan_time,
                         ranges=array.array('f', ranges.tobytes()))
        seen.header.frame_id = self.base
        return seen

    def pose_in(self, frame: str, pose: Pose) -> Pose:
        """A pose in another frame.

        :raises ValueError: no transform is known; the sentence says which
        """
        if pose.frame.lstrip('/') == frame.lstrip('/'):
            return pose
        if self._tf is None:
            raise ValueError(f'it is in the frame {pose.frame!r}, the odometry in {frame!r}, and '
                             'without tf2_ros nothing tells how they lie')
        try:
            found = self._tf.between(frame, pose.frame, moving=True)
        except LookupError as error:
            raise ValueError(f'no transform from {pose.frame!r} to {frame!r}: {error}') from error
        x, y, yaw = planar(found)
        return Pose(x + pose.x * math.cos(yaw) - pose.y * math.sin(yaw),
                    y + pose.x * math.sin(yaw) + pose.y * math.cos(yaw), yaw + pose.yaw, frame)

    def _mount_of(self, frame: str) -> LaserMount:
        """base_from_laser by tf, asked until tf knows it; the parameters until then."""
        if self._tf is None or not frame or frame == self.base:
            return self._mount
        if frame not in self._mounts:
            try:
                found = self._tf.between(self.base, frame)
            except LookupError:     # not known yet
                return self._mount
            x, y, yaw = planar(found)
            turn = found.rotation
            flipped = 1.0 - 2.0 * (turn.x ** 2 + turn.y ** 2) < 0.0    # z of the laser points down
            self._mounts[frame] = LaserMount(x, y, yaw, flipped)
            if not self._mounts[frame].is_near(self._mount):
                self._node.get_logger().error(
                    f'by tf, {frame} is elsewhere on {self.base} than the parameters say, by '
                    f'which alone the safety gate goes: set laser_x: {x:.3f}, laser_y: {y:.3f}, '
                    f'laser_yaw: {math.degrees(yaw):.1f}, laser_flipped: {str(flipped).lower()}')
        return self._mounts[frame]


def planar(transform: Any) -> tuple[float, float, float]:
    """x, y and yaw of a geometry_msgs/Transform."""
    place, turn = transform.translation, transform.rotation
    return place.x, place.y, yaw_from_quaternion(turn.x, turn.y, turn.z, turn.w)

