"""The gate: the only publisher of `cmd_vel`.  Its rules are in `nl_robot.motion.gate`.

Tiny, single-threaded and without numerical libraries of its own; all its times are monotonic.
"""

from __future__ import annotations

import sys
import threading
import time

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from geometry_msgs.msg import Twist, TwistStamped
from rclpy.duration import Duration
from rclpy.node import Node
from sensor_msgs.msg import LaserScan
from std_msgs.msg import Empty, UInt64
from std_srvs.srv import Trigger

from nl_robot.motion.gate import Gate, GateOutput, GateSettings
from nl_robot.nodes.parameters import declare, declare_settings
from nl_robot.nodes.process import every, run
from nl_robot.nodes.qos import EVENTS, LATEST, SENSOR, STATE

SECOND = 1_000_000_000
ZEROS_FOR = 1.0  # seconds of zeros at full rate after the last motion or stop
FAREWELL_ZEROS, FAREWELL_PAUSE = 8, 0.02


class SafetyGate:
    """Wires topics to the rules."""

    def __init__(self) -> None:
        self.node = node = Node('safety_gate')
        rate = declare(node, 'rate', 50.0, 'velocities a second', 10, 200)
        self._stamped = declare(node, 'stamped', False,
                                'publish TwistStamped instead of Twist on cmd_vel')
        off = declare(node, 'test_without', [''], 'names of protections to switch off; for tests '
                      'alone, which must then fail')
        self._off = frozenset(name for name in off if name)
        self._gate = Gate(declare_settings(node, GateSettings), time.monotonic(), self._off)
        self._moved_at = self._zero_at = self._told_at = time.monotonic()
        self._reason, self._told, self._scan_stamp = '', ('', False), (-1, 0)
        self._kind = TwistStamped if self._stamped else Twist
        self._velocity = node.create_publisher(self._kind, 'cmd_vel', LATEST)
        self._state = node.create_publisher(DiagnosticStatus, 'gate/state', STATE)
        node.create_subscription(TwistStamped, 'cmd_vel_raw', self._on_velocity, LATEST)
        node.create_subscription(LaserScan, 'scan', self._on_scan, SENSOR)
        node.create_subscription(Empty, 'stop', self._on_stop, EVENTS)
        node.create_subscription(Empty, 'gate/stop', self._on_stop, EVENTS)
        node.create_subscription(UInt64, 'gate/release', self._on_release, EVENTS)
        node.create_service(Trigger, 'gate/stop', self._on_stop_service)
        every(node, 1.0 / rate, self._on_tick)

    def farewell(self) -> None:
        """The last messages are zeros."""
        if 'farewell' in self._off:
            return
        for _ in range(FAREWELL_ZEROS):
            self._publish(0.0, 0.0)
            threading.Event().wait(FAREWELL_PAUSE)
        self._velocity.wait_for_all_acked(Duration(seconds=0.2))

    def trouble(self) -> str:
        """What holds the robot back."""
        return '' if self._told[0] in ('open', 'idle') else self._told[0]

    def _on_stop(self, message: Empty | None) -> None:
        now = time.monotonic()
        self._gate.stop(now)
        if self._gate.latched:
            self._publish(0.0, 0.0)
        self._moved_at = now  # zeros at full rate follow
        self._tell('stopped', now)

    def _on_stop_service(self, request: Trigger.Request, response: Trigger.Response
                         ) -> Trigger.Response:
        self._on_stop(None)
        response.success, response.message = self._gate.latched, 'stopped'
        return response

    def _on_release(self, message: UInt64) -> None:
        stamp = message.data / SECOND
        if self._gate.latched and self._gate.release(stamp):
            self._tell('idle', time.monotonic())

    def _on_velocity(self, message: TwistStamped) -> None:
        stamp = message.header.stamp
        taken = self._gate.command(time.monotonic(), stamp.sec + stamp.nanosec / SECOND,
                                   message.twist.linear.x, message.twist.angular.z)
        if not taken and not self._gate.latched:
            self.node.get_logger().error('refused a velocity that is old or not a number',
                                         throttle_duration_sec=1.0)

    def _on_scan(self, message: LaserScan) -> None:
        stamp = (message.header.stamp.sec, message.header.stamp.nanosec)
        if stamp == self._scan_stamp != (0, 0):
            return  # the same scan again says nothing about now
        self._scan_stamp = stamp
        fault = self._gate.scan(time.monotonic(), message.ranges, message.angle_min,
                                message.angle_max, message.angle_increment, message.range_min,
                                message.range_max)
        if fault:
            self.node.get_logger().error(f'refused a scan: {fault}', throttle_duration_sec=1.0)

    def _on_tick(self) -> None:
        now = time.monotonic()
        output = self._gate.tick(now)
        self._publish_when_due(output, now)
        if (output.reason, self._gate.latched) != self._told or now - self._told_at > 0.1:
            self._tell(output.reason, now)

    def _publish_when_due(self, output: GateOutput, now: float) -> None:
        """All motion; zeros for a while after it; 5 Hz while latched; silence when idle."""
        if not output.is_zero or output.reason in ('obstacle', 'slow', 'open'):
            self._moved_at = now
        due = now - self._moved_at <= ZEROS_FOR
        if due or (self._gate.latched and now - self._zero_at >= 0.18):
            self._publish(output.linear, output.angular)

    def _publish(self, linear: float, angular: float) -> None:
        message = self._kind()
        twist = message.twist if self._stamped else message
        if self._stamped:
            message.header.stamp = self.node.get_clock().now().to_msg()
        twist.linear.x, twist.angular.z = float(linear), float(angular)
        self._velocity.publish(message)
        self._zero_at = time.monotonic()

    def _tell(self, reason: str, now: float) -> None:
        latched = self._gate.latched
        self._told, self._told_at = (reason, latched), now
        values = {'reason': reason, 'latched': str(latched).lower(),
                  'stop_stamp': str(round(self._gate.stop_stamp * SECOND))}
        level = DiagnosticStatus.OK if reason in ('open', 'idle') else DiagnosticStatus.WARN
        self._state.publish(DiagnosticStatus(
            name='safety_gate', message=reason, level=level,
            values=[KeyValue(key=key, value=value) for key, value in values.items()]))


def main() -> int:
    """Entry point."""
    return run(SafetyGate)


if __name__ == '__main__':
    sys.exit(main())
