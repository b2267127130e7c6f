"""The bridge: waypoints of the policy become wanted velocities for the gate."""

from __future__ import annotations

import math
import sys
import time

from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped, TwistStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import LaserScan

from nl_robot.motion.errand import Errand, ErrandSettings
from nl_robot.motion.velocity import DriverSettings, VelocityDriver
from nl_robot.nodes.conversions import (
    nanoseconds,
    pose_of_odometry,
    pose_of_waypoint,
    stamp_of,
    values_of,
)
from nl_robot.nodes.parameters import declare, declare_settings
from nl_robot.nodes.process import every, run
from nl_robot.nodes.qos import EVENTS, LATEST, SENSOR

STATES = {'driving': GoalStatus.STATUS_EXECUTING, 'arrived': GoalStatus.STATUS_SUCCEEDED,
          'blocked': GoalStatus.STATUS_ABORTED, 'dropped': GoalStatus.STATUS_CANCELED}
TELL_EVERY, TELL_FOR, READY_EVERY = 0.2, 2.0, 0.5  # seconds


class Bridge:
    """Wires topics to the errand."""

    def __init__(self) -> None:
        self.node = node = Node('bridge')
        rate = declare(node, 'rate', 20.0, 'velocities a second', 5, 50)
        off = declare(node, 'test_without', [''], 'names of protections to switch off; for tests '
                      'alone, which must then fail')
        self._errand = Errand(VelocityDriver(declare_settings(node, DriverSettings)),
                              declare_settings(node, ErrandSettings), frozenset(off))
        self._told, self._told_at, self._changed_at = ('idle', 0), 0.0, 0.0
        self._velocity = node.create_publisher(TwistStamped, 'cmd_vel_raw', LATEST)
        self._status = node.create_publisher(GoalStatus, 'waypoint_status', EVENTS)
        node.create_subscription(PoseStamped, 'waypoint', self._on_waypoint, LATEST)
        node.create_subscription(DiagnosticStatus, 'policy/heartbeat', self._on_heartbeat, LATEST)
        node.create_subscription(Odometry, 'odom', self._on_odometry, SENSOR)
        node.create_subscription(LaserScan, 'scan', self._on_scan, SENSOR)
        every(node, 1.0 / rate, self._on_tick)

    def farewell(self) -> None:
        """Ask for zero once more; the gate falls silent to zero anyway."""
        self._wish(0.0, 0.0)

    def trouble(self) -> str:
        """Whether something is not heard."""
        return '' if self._errand.ready(time.monotonic()) else 'waits for odom, scan or policy'

    def _on_waypoint(self, message: PoseStamped) -> None:
        try:
            target = pose_of_waypoint(message)
        except ValueError as error:
            self.node.get_logger().error(f'refused a waypoint: {error}',
                                         throttle_duration_sec=1.0)
            return
        self._errand.begin(nanoseconds(message.header.stamp), target, time.monotonic())
        self._tell(time.monotonic())

    def _on_heartbeat(self, message: DiagnosticStatus) -> None:
        values = values_of(message)
        number = values.get('waypoint', '0')
        self._errand.heartbeat(int(number) if number.isdigit() else 0, time.monotonic(),
                               values.get('pace') == 'exploring')

    def _on_odometry(self, message: Odometry) -> None:
        twist = message.twist.twist
        try:
            self._errand.odometry(pose_of_odometry(message),
                                  max(abs(twist.linear.x), abs(twist.angular.z)),
                                  time.monotonic())
        except ValueError as error:
            self.node.get_logger().error(f'refused odometry: {error}', throttle_duration_sec=1.0)

    def _on_scan(self, message: LaserScan) -> None:
        if len(message.ranges):
            self._errand.scan(message, time.monotonic())

    def _on_tick(self) -> None:
        now = time.monotonic()
        speeds = self._errand.tick(now)
        if speeds is not None:
            self._wish(*speeds)
        self._tell(now)

    def _wish(self, linear: float, angular: float) -> None:
        """Publish a wanted velocity; its stamp is the steady clock of this machine."""
        message = TwistStamped()
        message.header.frame_id = 'base_link'
        message.header.stamp = stamp_of(time.monotonic_ns())
        message.twist.linear.x, message.twist.angular.z = float(linear), float(angular)
        self._velocity.publish(message)

    def _tell(self, now: float) -> None:
        """Say how the waypoint stands: at once when it changes, and again for a while.

        Later STATUS_UNKNOWN says that the bridge is ready for the next one.
        """
        state = (self._errand.state, self._errand.number)
        if state != self._told:
            self._told, self._changed_at, self._told_at = state, now, -math.inf
        recent = state[0] == 'driving' or now - self._changed_at < TELL_FOR
        if recent and state[0] in STATES and now - self._told_at >= TELL_EVERY:
            message = GoalStatus(status=STATES[state[0]])
            message.goal_info.stamp = stamp_of(state[1])
        elif now - self._told_at >= READY_EVERY and self._errand.ready(now):
            message = GoalStatus(status=GoalStatus.STATUS_UNKNOWN)
        else:
            return
        self._told_at = now
        self._status.publish(message)


def main() -> int:
    """Entry point."""
    return run(Bridge)


if __name__ == '__main__':
    sys.exit(main())
