"""The adaptation node: a home, and the robot's teaching itself that home, on request.

It starts the process that learns and watches it; nothing here learns, looks or drives.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from sensor_msgs.msg import BatteryState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from nl_robot.homes.adapting import AdaptingSettings
from nl_robot.homes.caretaker import Caretaker, Say
from nl_robot.homes.store import Homes, homes_folder
from nl_robot.nodes.parameters import declare, declare_settings
from nl_robot.nodes.process import every, run
from nl_robot.nodes.qos import EVENTS, LATCHED, SENSOR, STATE
from nl_robot.nodes.statuses import diagnostic, values_of


class Adaptation:
    """Wires topics and services to the caretaker of a home."""

    def __init__(self) -> None:
        self.node = node = Node('adaptation')
        homes = declare(node, 'homes', '', 'folder of all homes (empty: $NL_ROBOT_HOMES, or the '
                        'data folder of the user)')
        name = declare(node, 'home', 'home', 'name of the home that the robot is in')
        agent = declare(node, 'agent', '', 'checkpoint that a home begins with (empty: that of '
                        'the package); the same as that of the policy')
        cache = declare(node, 'cache', str(Path.home() / '.cache' / 'nl_robot'),
                        'folder for what learning need not make twice')
        trainer = declare(node, 'trainer', 'nl_robot.cli.main', 'module whose main learns; '
                          'another one for tests alone')
        self._care = Caretaker(Homes(homes_folder(homes)), declare_settings(
            node, AdaptingSettings), agent, cache, trainer)
        publish, listen = node.create_publisher, node.create_subscription
        texts = (publish(String, 'explore', STATE), publish(String, 'home', STATE),
                 publish(String, 'checkpoint', STATE), publish(String, 'adapt/labels', STATE))
        self._texts = dict(zip(('explore', 'home', 'checkpoint', 'adapt/labels'), texts))
        self._progress = publish(DiagnosticStatus, 'adapt/progress', STATE)
        self._say(self._care.enter(name, 0.0, time.monotonic()))
        listen(DiagnosticStatus, 'status', self._on_status, LATCHED)
        listen(DiagnosticStatus, 'policy/checkpoint', self._on_checkpoint, STATE)
        listen(BatteryState, 'battery', self._on_battery, SENSOR)
        listen(String, 'adapt/home', self._on_home, EVENTS)
        node.create_service(Trigger, 'adapt/start', self._on_start)
        node.create_service(Trigger, 'adapt/stop', self._on_stop)
        node.create_service(Trigger, 'adapt/rollback', self._on_rollback)
        every(node, 0.5, self._on_tick)

    def farewell(self) -> None:
        """The process that learns ends with it."""
        self._care.end()

    def trouble(self) -> str:
        """Why the last adaptation came to nothing."""
        progress = self._care.life.progress
        return progress.reason if progress.phase == 'failed' else ''

    def _on_home(self, message: String) -> None:
        """A name, and on a second line minutes to explore: another home, or another budget."""
        name, _, minutes = message.data.partition('\n')
        try:
            self._say(self._care.enter(name, float(minutes or 0), time.monotonic()))
        except ValueError as error:
            self.node.get_logger().error(str(error), throttle_duration_sec=1.0)
        self._tell()

    def _on_start(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._answer(response, *self._care.start(time.monotonic()))

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._answer(response, *self._care.stop(time.monotonic()))

    def _on_rollback(self, request: Trigger.Request, response: Trigger.Response
                     ) -> Trigger.Response:
        return self._answer(response, *self._care.roll_back(time.monotonic()))

    def _answer(self, response: Trigger.Response, success: bool, text: str, said: Iterable[Say]
                ) -> Trigger.Response:
        self._say(said)
        self._tell()
        response.success, response.message = success, text
        return response

    def _on_status(self, message: DiagnosticStatus) -> None:
        self._say(self._care.status(values_of(message), time.monotonic()))

    def _on_checkpoint(self, message: DiagnosticStatus) -> None:
        self._say(self._care.checkpoint(values_of(message), time.monotonic()))

    def _on_battery(self, message: BatteryState) -> None:
        if 0.0 <= message.percentage <= 1.0:    # nan where the robot does not know
            self._care.life.battery(message.percentage)

    def _on_tick(self) -> None:
        self._say(self._care.tick(time.monotonic()))
        self._tell()

    def _say(self, said: Iterable[Say]) -> None:
        for topic, text in said:
            self._texts[topic].publish(String(data=text))

    def _tell(self) -> None:
        told = self._care.life.told()
        level = DiagnosticStatus.ERROR if told['phase'] == 'failed' else DiagnosticStatus.OK
        self._progress.publish(diagnostic('adaptation', f'{told["phase"]}: {told["reason"]}',
                                          told, told['home'], level))


def main() -> int:
    """Entry point."""
    return run(Adaptation)


if __name__ == '__main__':
    sys.exit(main())
