"""The simulated robot: speaks on topics exactly what a real one does, in wall-clock time."""

from __future__ import annotations

import math
import sys
import threading
import time

import numpy as np
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, LaserScan
from std_msgs.msg import UInt32

from nl_robot.datatypes import Pose
from nl_robot.embodied.home_episodes import start_pose
from nl_robot.nodes.conversions import (
    camera_info_message,
    fill_pose,
    image_message,
    scan_message,
    stamp_of,
)
from nl_robot.nodes.parameters import declare
from nl_robot.nodes.process import every, run
from nl_robot.nodes.qos import EVENTS, LATEST
from nl_robot.sim.homes import free_poses, generate_home
from nl_robot.sim.rig import RIGS, camera_topic
from nl_robot.sim.simulator import Simulator

TICK, SCAN_PERIOD, COMMAND_TIMEOUT = 0.02, 0.1, 0.5  # seconds
LONGEST_STEP = 0.2  # seconds of simulation at once: a machine that is slower falls behind
APART = 0.02  # between two pictures: four at once overflow the buffers of whoever is busy


class Sim:
    """Steps the simulator in its timer, and draws pictures in a thread of its own."""

    def __init__(self) -> None:
        self.node = node = Node('sim')
        seed = declare(node, 'seed', 2000, 'of the home', 0, 2**31 - 1)
        start = [declare(node, f'start_{axis}', math.nan, 'pose in the home, m and radians; all '
                         'three, or a random free place') for axis in ('x', 'y', 'yaw')]
        noise = declare(node, 'noise_seed', 0, 'of the noise of the senses', 0, 2**31 - 1)
        rig = declare(node, 'rig', 'four_cameras', 'four_cameras or one_camera')
        self._factor = declare(node, 'real_time_factor', 1.0, 'simulated seconds per second',
                               0.1, LONGEST_STEP / TICK)
        self._image_rate = declare(node, 'image_rate', 5.0, 'pictures a second', 0.2, 30)
        if rig not in RIGS:
            raise ValueError(f'rig must be one of {", ".join(RIGS)}, got {rig!r}')
        home = generate_home(seed)
        pose = (start_pose(home, start) if all(map(math.isfinite, start))
                else free_poses(home, np.random.default_rng(seed), 1)[0])
        self._sim = Simulator(home, pose, RIGS[rig](), noise)
        self._wish, self._wished_at, self._scanned_at = (0.0, 0.0), -math.inf, -math.inf
        self._ticked_at = time.monotonic()
        self._make_publishers(node)
        self._ended = threading.Event()
        self._painter = threading.Thread(target=self._paint, daemon=True)
        self._painter.start()
        node.create_subscription(Twist, 'cmd_vel', self._on_velocity, LATEST)
        every(node, TICK, self._on_tick)

    def _make_publishers(self, node: Node) -> None:
        clock = declare(node, 'clock', True, 'publish /clock; of several simulators only one may')
        self._clock = node.create_publisher(Clock, '/clock', LATEST) if clock else None
        self._odom = node.create_publisher(Odometry, 'odom', EVENTS)
        self._scan = node.create_publisher(LaserScan, 'scan', EVENTS)
        self._truth = node.create_publisher(Odometry, 'sim/ground_truth', EVENTS)
        self._touches = node.create_publisher(UInt32, 'sim/collisions', EVENTS)
        self._cameras, mounts = [], self._sim.rig.cameras
        for mount in mounts:
            base = camera_topic(mount, len(mounts))
            self._cameras.append((mount, node.create_publisher(Image, f'{base}/image_raw', LATEST),
                                  node.create_publisher(CameraInfo, f'{base}/camera_info',
                                                        LATEST)))

    def farewell(self) -> None:
        """Let the painter free what it drew with."""
        self._ended.set()
        self._painter.join(timeout=2.0)

    def trouble(self) -> str:
        """Whether pictures come."""
        return '' if self._painter.is_alive() else 'no pictures'

    def _on_velocity(self, message: Twist) -> None:
        if math.isfinite(message.linear.x) and math.isfinite(message.angular.z):
            self._wish, self._wished_at = (message.linear.x, message.angular.z), self._sim.time

    def _on_tick(self) -> None:
        """Step as much as time has passed, and publish what is due."""
        now = time.monotonic()
        step = min((now - self._ticked_at) * self._factor, LONGEST_STEP)
        self._ticked_at = now
        if self._sim.time - self._wished_at > COMMAND_TIMEOUT:
            self._wish = (0.0, 0.0)  # as a good base does
        self._sim.step(*self._wish, step)
        stamp = stamp_of(round(self._sim.time * 1e9))
        if self._clock is not None:
            self._clock.publish(Clock(clock=stamp))
        self._odom.publish(self._odometry(self._sim.odometry, 'odom', stamp))
        if self._sim.time - self._scanned_at < SCAN_PERIOD - TICK / 2:
            return
        self._scanned_at = self._sim.time
        scan = self._sim.scan()
        self._scan.publish(scan_message(scan.ranges, scan.angle_min, scan.angle_increment,
                                        scan.range_min, scan.range_max, stamp))
        self._truth.publish(self._odometry(self._sim.pose, 'map', stamp))
        self._touches.publish(UInt32(data=int(self._sim.collisions)))

    def _odometry(self, pose: Pose, frame: str, stamp: object) -> Odometry:
        message = Odometry(child_frame_id='base_link')
        message.header.frame_id, message.header.stamp = frame, stamp
        fill_pose(message.pose.pose, pose)
        twist = message.twist.twist
        twist.linear.x, twist.angular.z = map(float, self._sim.velocity)
        return message

    def _paint(self) -> None:
        """Draw, half of the time at most, and publish what the cameras see, until the end."""
        try:
            while not self._ended.is_set():
                began, stamp = time.monotonic(), stamp_of(round(self._sim.time * 1e9))
                pictures = self._sim.images()
                spent = time.monotonic() - began
                for mount, image, info in self._cameras:
                    frame = f'camera_{mount.name}'
                    image.publish(image_message(pictures[mount.name], frame, stamp))
                    info.publish(camera_info_message(mount.width, mount.image_height,
                                                     mount.focal, frame, stamp))
                    self._ended.wait(APART)
                self._ended.wait(began - time.monotonic() + max(1 / self._image_rate, 2 * spent))
        except Exception as error:  # noqa: BLE001 - without pictures the robot must not seem well
            if not self._ended.is_set():
                self.node.get_logger().error(f'no more pictures: {error}')
        finally:
            self._sim.close()


def main() -> int:
    """Entry point."""
    return run(Sim)


if __name__ == '__main__':
    sys.exit(main())
