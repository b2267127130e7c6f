"""The standby of the gate: says zero on `cmd_vel` when the gate is lost, and nothing else ever.

A process of its own, so that it outlives the gate.  It trusts two signs of life: the lease of the
gate's liveliness, which the gate renews by hand while it ticks, and its own steady clock.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from nl_robot.nodes.light_messages import LightPackage  # noqa: F401 isort: skip - before all

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from std_msgs.msg import UInt64

from nl_robot.motion.standby import Standby, StandbySettings
from nl_robot.nodes.gate_parameters import declare_protections_off
from nl_robot.nodes.parameters import declare, declare_settings, refuse_unknown
from nl_robot.nodes.process import every, run
from nl_robot.nodes.qos import LIVELY
from nl_robot.nodes.velocity_output import VelocityOutput


class StandbyGate:
    """Wires the gate's signs of life to zeros."""

    def __init__(self) -> None:
        self.node = node = Node('standby_gate')
        rate = declare(node, 'rate', 25.0, 'zeros a second right after the loss', 10, 200)
        stamped = declare(node, 'stamped', False,
                          'publish TwistStamped instead of Twist on cmd_vel')
        self._off = declare_protections_off(node)
        self._standby = Standby(declare_settings(node, StandbySettings), time.monotonic())
        self._velocity = VelocityOutput(node, stamped)
        refuse_unknown(node)
        self._was_lost = False
        node.create_subscription(
            UInt64, 'gate/heartbeat', self._on_heartbeat, LIVELY,
            event_callbacks=SubscriptionEventCallbacks(liveliness=self._on_liveliness))
        every(node, 1.0 / rate, self._on_tick)

    def farewell(self) -> None:
        """Where the gate is lost, zeros are the last messages too."""
        if self._standby.lost:
            self._velocity.farewell()

    def trouble(self) -> str:
        """Whether it stands in."""
        kind = self._velocity.type_name
        others = {info.topic_type for info in self.node.get_publishers_info_by_topic('cmd_vel')}
        if others - {kind}:
            return (f'the gate publishes {", ".join(others - {kind})} on cmd_vel, the standby '
                    f'{kind}: give both the same `stamped`')
        if self._standby.lost:
            return 'the gate is lost; saying zero in its place'
        return '' if self._standby.met else 'it has not heard the gate yet'

    def _on_heartbeat(self, message: UInt64) -> None:
        self._standby.heard(time.monotonic())

    def _on_liveliness(self, info: Any) -> None:
        if info.alive_count == 0:
            self._standby.lease_lost(time.monotonic())

    def _on_tick(self) -> None:
        if self._standby.tick(time.monotonic()) and 'standby' not in self._off:
            self._velocity.publish(0.0, 0.0)
        if self._standby.lost != self._was_lost:
            self._was_lost = self._standby.lost
            text = 'the gate is lost: saying zero' if self._was_lost else 'the gate is back'
            self.node.get_logger().warn(text)


def main() -> int:
    """Entry point."""
    return run(StandbyGate)


if __name__ == '__main__':
    sys.exit(main())
