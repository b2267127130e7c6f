"""The bridge: waypoints of the policy become wanted velocities for the gate, by a driver."""

from __future__ import annotations

import sys
import time

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TwistStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import LaserScan

from nl_robot.motion.driver import Driver, MockDriver
from nl_robot.motion.errand import Errand, ErrandSettings
from nl_robot.motion.nav2 import Nav2Driver, Nav2Settings
from nl_robot.motion.velocity import DriverSettings, VelocityDriver
from nl_robot.nodes.bridge_report import Teller
from nl_robot.nodes.conversions import nanoseconds, pose_of_odometry, pose_of_waypoint, stamp_of
from nl_robot.nodes.frames import Frames
from nl_robot.nodes.navigator import Navigator
from nl_robot.nodes.parameters import declare, declare_settings
from nl_robot.nodes.process import every, run
from nl_robot.nodes.qos import LATEST, SENSOR
from nl_robot.nodes.statuses import values_of


class Bridge:
    """Wires topics to the errand."""

    def __init__(self) -> None:
        self.node = node = Node('bridge')
        rate = declare(node, 'rate', 20.0, 'velocities a second', 5, 50)
        self._off = frozenset(declare(node, 'test_without', [''], 'names of protections to switch '
                                      'off; for tests alone, which must then fail'))
        self._name = declare(node, 'driver', 'velocity', 'what moves the robot: velocity (this '
                             'node), nav2 (navigate_to_pose) or mock (arrives at once)')
        self._velocity = node.create_publisher(TwistStamped, 'cmd_vel_raw', LATEST)
        self._navigator: Navigator | None = None
        self._errand = Errand(self._make_driver(), declare_settings(node, ErrandSettings),
                              self._off)
        self._teller = Teller(node, self._errand, self._name, self._navigator)
        self._frames, self._frame = Frames(node), 'odom'
        node.create_subscription(PoseStamped, 'waypoint', self._on_waypoint, LATEST)
        node.create_subscription(DiagnosticStatus, 'policy/heartbeat', self._on_heartbeat, LATEST)
        node.create_subscription(Odometry, 'odom', self._on_odometry, SENSOR)
        node.create_subscription(LaserScan, 'scan', self._on_scan, SENSOR)
        every(node, 1.0 / rate, self._on_tick)

    def _make_driver(self) -> Driver:
        """The driver of that name; ValueError for an unknown one."""
        settings = declare_settings(self.node, DriverSettings)
        if self._name == 'nav2':
            driver = Nav2Driver(declare_settings(self.node, Nav2Settings), settings.tolerance,
                                self._off)
            self._navigator = Navigator(self.node, driver, self._pass_on)
            return driver
        if self._name not in ('velocity', 'mock'):
            raise ValueError(f'driver must be velocity, nav2 or mock, got {self._name!r}')
        return VelocityDriver(settings) if self._name == 'velocity' else MockDriver()

    def farewell(self) -> None:
        """Ask for zero once more; the gate falls silent to zero anyway."""
        self._wish(0.0, 0.0)
        self._errand.drop(time.monotonic())
        if self._navigator is not None:
            self._navigator.flush()

    def trouble(self) -> str:
        """Whether something is not heard, or not understood."""
        return self._teller.trouble(time.monotonic())

    def _on_waypoint(self, message: PoseStamped) -> None:
        try:
            target = self._frames.pose_in(self._frame, pose_of_waypoint(message))
        except ValueError as error:
            self.node.get_logger().error(f'refused a waypoint: {error}',
                                         throttle_duration_sec=1.0)
            return
        self._errand.begin(nanoseconds(message.header.stamp), target, time.monotonic())
        self._teller.tell(time.monotonic())

    def _on_heartbeat(self, message: DiagnosticStatus) -> None:
        values = values_of(message)
        number, newest = (int(text) if text.isdigit() else 0
                          for text in (values.get(key, '0') for key in ('waypoint', 'newest')))
        self._errand.heartbeat(number, time.monotonic(), values.get('pace') == 'exploring', newest)
        if self._navigator is not None:
            self._navigator.flush()     # a goal that was given up just now is cancelled just now

    def _on_odometry(self, message: Odometry) -> None:
        twist = message.twist.twist
        try:
            pose = pose_of_odometry(message)
        except ValueError as error:
            self.node.get_logger().error(f'refused odometry: {error}', throttle_duration_sec=1.0)
            return
        self._frame = pose.frame
        self._errand.odometry(pose, max(abs(twist.linear.x), abs(twist.angular.z)),
                              time.monotonic())

    def _on_scan(self, message: LaserScan) -> None:
        if len(message.ranges):
            self._errand.scan(self._frames.scan(message), time.monotonic())

    def _on_tick(self) -> None:
        now = time.monotonic()
        speeds = self._errand.tick(now)
        if self._navigator is not None:
            self._navigator.flush()
        if speeds is not None:
            self._wish(*speeds)
        self._teller.tell(now)

    def _pass_on(self, linear: float, angular: float) -> None:
        """A velocity of Nav2: it may pass while its goal is wanted and everybody is alive."""
        if self._errand.passes(time.monotonic()):
            self._wish(*self._errand.paced(linear, angular))

    def _wish(self, linear: float, angular: float) -> None:
        """Publish a wanted velocity; its stamp is the steady clock of this machine."""
        message = TwistStamped()
        message.header.frame_id = self._frames.base
        message.header.stamp = stamp_of(time.monotonic_ns())
        message.twist.linear.x, message.twist.angular.z = float(linear), float(angular)
        self._velocity.publish(message)


def main() -> int:
    """Entry point."""
    return run(Bridge)


if __name__ == '__main__':
    sys.exit(main())
