"""What policy and bridge report of a command: heard, and handed to the mission."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node

from nl_robot.mission.command import Effect, Mission
from nl_robot.nodes.qos import EVENTS
from nl_robot.nodes.statuses import values_of


class Reports:
    """Listens to `policy/report` and `bridge/report`.

    :param do: called with the effects of a report
    """

    def __init__(self, node: Node, mission: Mission, do: Callable[[Iterable[Effect]], None]
                 ) -> None:
        self._mission, self._do = mission, do
        node.create_subscription(DiagnosticStatus, 'policy/report', self._on_policy, EVENTS)
        node.create_subscription(DiagnosticStatus, 'bridge/report', self._on_bridge, EVENTS)

    def _on_policy(self, message: DiagnosticStatus) -> None:
        values = values_of(message)
        self._do(self._mission.policy_report(message.hardware_id, values.get('state', ''),
                                             values.get('reason', ''), values.get('text', '')))

    def _on_bridge(self, message: DiagnosticStatus) -> None:
        values = values_of(message)
        lacks, why = lacks_of(message)
        self._do(self._mission.bridge_report(
            time.monotonic(), lacks, values.get('reason', ''), values.get('text', ''), why))


def lacks_of(message: DiagnosticStatus) -> tuple[tuple[str, ...], dict[str, str]]:
    """What a node waits for, and why, by name, where it knows."""
    values = values_of(message)
    return (tuple(name for name in values.get('lacks', '').split(',') if name),
            {key[4:]: text for key, text in values.items() if key.startswith('why/')})
