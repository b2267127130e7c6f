"""The command node: takes what people say, tells them how it goes, and always knows stop."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from std_msgs.msg import Empty, String, UInt64
from std_srvs.srv import Trigger

from nl_robot.language.commands import Rejected, caveat, clean, control_word, which_one
from nl_robot.mission.command import (
    Effect,
    Language,
    Mission,
    MissionSettings,
    Release,
    SetGoal,
    Status,
    StopRobot,
)
from nl_robot.mission.journal import Journal, journal_path
from nl_robot.nodes.conversions import said_at
from nl_robot.nodes.parameters import declare, declare_settings
from nl_robot.nodes.process import every, run
from nl_robot.nodes.qos import EVENTS, FLOOD, LATCHED, LATEST, STATE
from nl_robot.nodes.reports import Reports, lacks_of
from nl_robot.nodes.statuses import diagnostic, values_of

SECOND = 1_000_000_000
LEVELS = {'failed': DiagnosticStatus.ERROR, **dict.fromkeys(
    ('unsure', 'rejected', 'blocked', 'timeout', 'not_found'), DiagnosticStatus.WARN)}


class Command:
    """Wires topics and services to the mission."""

    def __init__(self) -> None:
        self.node = node = Node('command')
        rate = declare(node, 'status_rate', 2.0, 'repeated statuses a second', 1, 20)
        self._mission = Mission(Language(clean, control_word, caveat, Rejected, which_one),
                                f'{os.getpid():x}', time.monotonic(),
                                declare_settings(node, MissionSettings))
        journal = declare(node, 'journal', '', 'file of the running command, for after a restart; '
                          'empty: one of its own in ~/.ros; none: no file')
        self._begun, self._journal = False, Journal(journal_path(
            journal, node.get_fully_qualified_name(), node.context.get_domain_id()))
        self._status = node.create_publisher(DiagnosticStatus, 'status', LATCHED)
        self._goal = node.create_publisher(String, 'goal', EVENTS)
        self._stop = node.create_publisher(Empty, 'gate/stop', EVENTS)
        self._release = node.create_publisher(UInt64, 'gate/release', EVENTS)
        self._alive = node.create_publisher(Empty, 'gate/alive', LATEST)
        hear: Any = node.create_subscription    # with what tells when it was said
        hear(String, 'command', self._on_command, FLOOD)
        hear(Empty, 'stop', self._on_stop, EVENTS)
        node.create_subscription(String, 'explore', self._on_explore, STATE)
        node.create_subscription(DiagnosticStatus, 'gate/state', self._on_gate, STATE)
        self._reports = Reports(node, self._mission, self._do)
        node.create_subscription(DiagnosticStatus, 'policy/heartbeat', self._on_policy, LATEST)
        node.create_service(Trigger, 'stop', self._on_stop_service)
        node.create_service(Trigger, 'cancel', self._on_cancel_service)
        every(node, 1.0 / rate, lambda: self._tell(self._mission.heard(time.monotonic())))
        every(node, 0.1, self._on_tick)
        control_word('go to the kitchen')  # makes its tables now, not when the first stop comes

    def farewell(self) -> None:
        """End what runs: nobody would hear of it any more."""
        self._do(self._mission.stop(time.monotonic(), 'interrupted'))

    def trouble(self) -> str:
        """What a command has to wait for."""
        obstacle = self._mission.obstacle(time.monotonic())
        return self._journal.trouble or (obstacle[0] if obstacle else '')

    def _on_tick(self) -> None:
        if not self._begun:  # whatever ran before a restart is over
            self._begun = True
            self._goal.publish(String(data=''))
            before = self._journal.left_over()
            self._do(self._mission.interrupted(before, time.monotonic()) if before else ())
        self._alive.publish(Empty())
        self._do(self._mission.tick(time.monotonic()))

    def _on_command(self, message: String, info: dict[str, int]) -> None:
        self._do(self._mission.command(message.data, time.monotonic(), said_at(info)))

    def _on_explore(self, message: String) -> None:
        self._do(self._mission.leisure(message.data, time.monotonic()))

    def _on_stop(self, message: Empty, info: dict[str, int]) -> None:
        effects = self._mission.stop(time.monotonic(), 'by_topic', said_at(info))
        self._do(e for e in effects if not isinstance(e, StopRobot))  # the gate heard it too

    def _on_stop_service(self, request: Trigger.Request, response: Trigger.Response
                         ) -> Trigger.Response:
        self._do(self._mission.stop(time.monotonic(), 'by_service'))
        response.success, response.message = True, 'stopped'
        return response

    def _on_cancel_service(self, request: Trigger.Request, response: Trigger.Response
                           ) -> Trigger.Response:
        self._do(effects := self._mission.cancel(time.monotonic(), 'by_service'))
        response.success = bool(effects)
        response.message = 'cancelled' if effects else 'there is nothing to cancel'
        return response

    def _on_gate(self, message: DiagnosticStatus) -> None:
        values = values_of(message)
        self._do(self._mission.gate_report(
            time.monotonic(), values.get('latched') != 'false',
            int(values.get('stop_stamp', '0')) / SECOND,
            values.get('fault') or values.get('reason', '')))

    def _on_policy(self, message: DiagnosticStatus) -> None:
        lacks, why = lacks_of(message)
        deaf = () if self._goal.get_subscription_count() else ('policy',)  # heard, hears not yet
        self._mission.policy_alive(time.monotonic(), lacks + deaf, why)

    def _do(self, effects: Iterable[Effect]) -> None:
        """Turn effects into messages, in order."""
        for effect in effects:
            if isinstance(effect, Status):
                self._tell(effect)
            elif isinstance(effect, SetGoal):
                self._goal.publish(String(data=f'{effect.words}\n{effect.id}\n{effect.kind}'))
            elif isinstance(effect, Release):
                self._release.publish(UInt64(data=round(effect.stop_stamp * SECOND)))
            else:
                self._stop.publish(Empty())
        self._journal.note(self._mission.current)

    def _tell(self, status: Status) -> None:
        """Publish one status."""
        message = f'{status.state}: {status.reason}' if status.reason else status.state
        self._status.publish(diagnostic('command', message, vars(status), status.id,
                                        LEVELS.get(status.state, DiagnosticStatus.OK)))


def main() -> int:
    """Entry point."""
    return run(Command)


if __name__ == '__main__':
    sys.exit(main())
