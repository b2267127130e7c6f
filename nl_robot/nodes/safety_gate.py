"""The gate: the only publisher of motion on `cmd_vel`.  Its rules are in `nl_robot.motion.gate`.

Tiny, single-threaded, without numerical libraries; all its times are of the steady clock.
"""

from __future__ import annotations

import sys
import time

from nl_robot.nodes.light_messages import TwistStamped  # isort: skip - before all of ROS

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from rclpy.node import Node
from std_msgs.msg import Empty, UInt64
from std_srvs.srv import Trigger

from nl_robot.motion.gate import Gate, GateOutput
from nl_robot.nodes.gate_parameters import (
    declare_commissioning,
    declare_gate_settings,
    declare_laser,
    declare_protections_off,
    let_tighten,
)
from nl_robot.nodes.gate_senses import GateSenses
from nl_robot.nodes.parameters import declare, refuse_unknown
from nl_robot.nodes.process import every, run
from nl_robot.nodes.qos import EVENTS, LATEST, LIVELY, STATE
from nl_robot.nodes.velocity_output import VelocityOutput

SECOND = 1_000_000_000
ZEROS_FOR = 1.0  # seconds of zeros at full rate after the last motion or stop


class SafetyGate:
    """Wires topics to the rules."""

    def __init__(self) -> None:
        self.node = node = Node('safety_gate')
        rate = declare(node, 'rate', 50.0, 'velocities a second', 10, 200)
        stamped = declare(node, 'stamped', False,
                          'publish TwistStamped instead of Twist on cmd_vel')
        self._off = declare_protections_off(node)
        self._gate = Gate(declare_gate_settings(node), time.monotonic(), self._off,
                          declare_laser(node))
        declare_commissioning(node)
        wait = declare(node, 'standby_wait', 3.0, 'seconds that the gate waits at its start for a '
                       'standby that hears it', 0.0, 10.0)
        self._gate.hold(time.monotonic() + wait)
        self._unguarded = True
        self._moved_at = self._zero_at = self._told_at = time.monotonic()
        self._told, self._beats = ('', False), 0
        self._velocity = VelocityOutput(node, stamped)
        self._senses = GateSenses(node, self._gate, self._velocity.kind)
        refuse_unknown(node)
        let_tighten(node, self._gate)
        self._state = node.create_publisher(DiagnosticStatus, 'gate/state', STATE)
        self._heartbeat = node.create_publisher(UInt64, 'gate/heartbeat', LIVELY)
        node.create_subscription(TwistStamped, 'cmd_vel_raw', self._on_velocity, LATEST)
        node.create_subscription(Empty, 'stop', self._on_stop, EVENTS)
        node.create_subscription(Empty, 'gate/stop', self._on_stop, EVENTS)
        node.create_subscription(UInt64, 'gate/release', self._on_release, EVENTS)
        node.create_subscription(Empty, 'gate/alive', lambda message: self._gate.alive(
            time.monotonic()), LATEST)
        node.create_service(Trigger, 'gate/stop', self._on_stop_service)
        every(node, 1.0 / rate, self._on_tick)

    def farewell(self) -> None:
        """The last messages are zeros."""
        if 'farewell' not in self._off:
            self._velocity.farewell()

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
        if self._gate.latched and self._gate.release(message.data / SECOND):
            self._tell('idle', time.monotonic())

    def _on_velocity(self, message: TwistStamped) -> None:
        stamp = message.header.stamp
        taken = self._gate.command(time.monotonic(), stamp.sec + stamp.nanosec / SECOND,
                                   message.twist.linear.x, message.twist.angular.z)
        if not taken and not self._gate.latched:
            self.node.get_logger().error('refused a velocity that is old or not a number',
                                         throttle_duration_sec=1.0)

    def _on_tick(self) -> None:
        now = time.monotonic()
        if self._unguarded and self._heartbeat.get_subscription_count():
            self._unguarded = False
            self._gate.hold(now)
        output = self._gate.tick(now)
        self._publish_when_due(output, now)
        self._beats += 1
        if self._beats % 2:
            self._heartbeat.publish(UInt64(data=self._beats))
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
        self._zero_at = time.monotonic()
        self._gate.sent(self._zero_at, linear, angular)
        self._velocity.publish(linear, angular)

    def _tell(self, reason: str, now: float) -> None:
        latched = self._gate.latched
        if reason != self._told[0] and reason == 'loop_gap':
            self.node.get_logger().warn('stood still for a moment; what was wanted is dropped')
        self._told, self._told_at = (reason, latched), now
        values = {'reason': reason, 'latched': str(latched).lower(),
                  'fault': self._gate.fault(now),
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
