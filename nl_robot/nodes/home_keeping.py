"""What the policy node does beside commands: keeps the home's map, takes agents, looks on."""

from __future__ import annotations

import math
import time

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from std_msgs.msg import String

from nl_robot.datatypes import Observation, Pose
from nl_robot.geometry import wrap_angle
from nl_robot.homes.odometry_watch import OdometryWatch
from nl_robot.language.commands import Rejected, clean
from nl_robot.mission.pursuit import Pursuit
from nl_robot.nodes.home_entering import HomeEntering
from nl_robot.nodes.looking import Look, Scene, Thought
from nl_robot.nodes.process import every
from nl_robot.nodes.qos import EVENTS, STATE
from nl_robot.nodes.senses import Senses
from nl_robot.nodes.statuses import diagnostic
from nl_robot.nodes.thinking import Thinker

STEP_METRES, STEP_TURN = 0.9, 1.0       # between two places of a demonstration
SHOWN = 'demonstration'


class HomeKeeping:
    """Wires topics to the keeper in the thinker's thread."""

    def __init__(self, node: Node, senses: Senses, thinker: Thinker, pursuit: Pursuit) -> None:
        self._node, self._senses, self._thinker, self._pursuit = node, senses, thinker, pursuit
        self._watch = OdometryWatch()
        self._entering = HomeEntering(node, senses, thinker, self._watch, self.scene)
        self._demonstrating = False
        self._shown: Pose | None = None
        self._asked: Pose | None = None
        self._silent: set[str] = set()
        self._report = node.create_publisher(DiagnosticStatus, 'policy/report', EVENTS)
        self._checkpoint = node.create_publisher(DiagnosticStatus, 'policy/checkpoint', STATE)
        node.create_subscription(String, 'checkpoint', self._on_checkpoint, STATE)
        node.create_subscription(String, 'demonstrate', self._on_demonstrate, EVENTS)
        senses.on_pose = self._on_pose
        every(node, 0.1, self._on_tick)

    def scene(self, looks: tuple[Look, ...], pose: Pose) -> Scene:
        """All that an observation here is made of."""
        self._asked, senses = pose, self._senses
        return Scene(looks, senses.cameras, senses.scan, pose, self._watch.map_from_odom)

    def lacks(self) -> list[str]:
        """What is still being loaded."""
        return (([] if self._thinker.ready else ['agent'])
                + (['home'] if self._entering.waits else []))

    def goal_changes(self, ends: bool) -> None:
        """What was pursued is over; an exploration that was stopped teaches nothing."""
        if self._pursuit.exploring and self._pursuit.phase != 'idle':
            self._fault('stopped' if ends else '')

    def takes(self, thought: Thought) -> bool:
        """Whether a thought is nothing to act on: about the home, or about another place."""
        if thought.id not in ('', SHOWN):
            return thought.observation is not None and thought.observation.pose != self._asked
        if thought.error:
            self._node.get_logger().error(thought.error)
        if thought.id == SHOWN:
            state = 'failed' if thought.error else ('running' if self._demonstrating
                                                    else 'succeeded')
            values = {'state': state, 'reason': '', 'text': thought.error.split('\n')[0],
                      'id': SHOWN, 'places': f'{thought.arrived or 0:.0f}'}
            self._report.publish(diagnostic('policy', state, values, SHOWN))
        return True

    def _on_checkpoint(self, message: String) -> None:
        self._thinker.agents.ask(message.data)

    def _on_pose(self, pose: Pose) -> None:
        """Hear every pose of the odometry."""
        driving = self._pursuit.phase == 'driving' or self._demonstrating
        if fault := self._watch.take(pose, driving, self._senses.odometry_stamp / 1e9):
            self._node.get_logger().warning(f'nothing is learned from this part: {fault}')
            self._fault(fault)
            if self._pursuit.exploring:
                self._pursuit.look_again(time.monotonic())
                self._senses.rest()

    def _fault(self, reason: str) -> None:
        def job() -> None:
            self._thinker.keeper.fault(reason)
        self._thinker.later('', job)

    def _on_tick(self) -> None:
        thinker = self._thinker
        while (news := thinker.agents.news()) is not None:
            if news.refused:
                self._node.get_logger().error(f'{news.name}: {news.refused}')
            self._checkpoint.publish(diagnostic('policy', news.refused or 'accepted', {
                'asked': news.name, 'serving': thinker.agents.serving,
                'refused': news.refused}))
        silent = {name.split('/')[0] for name in self._senses.lacks()} - {'bridge'}
        if silent - self._silent and thinker.ready:
            self._fault(f'sensor_lost:{sorted(silent)[0]}')
        self._silent = silent
        self._entering.tick()
        if self._demonstrating:
            self._show()

    def _on_demonstrate(self, message: String) -> None:
        """Words: a person drives to that goal from now on; none: there it is."""
        thinker, frame, pose = self._thinker, self._watch.map_from_odom, self._senses.pose
        if message.data and not self._demonstrating:
            try:
                words = clean(message.data)
            except Rejected as refusal:
                why = str(refusal)
                thinker.later(SHOWN, lambda: Thought(SHOWN, error=why))
                return
            self._demonstrating, self._shown = True, None
            thinker.later(SHOWN, lambda: thinker.keeper.demonstrate(words))
        elif not message.data and self._demonstrating and pose is not None:
            self._show(last=True)
            self._demonstrating = False
            thinker.later(SHOWN, lambda: Thought(SHOWN, arrived=float(
                thinker.keeper.end_demonstration(pose, frame))))

    def _show(self, last: bool = False) -> None:
        """Look, where the robot has come some way since the last look."""
        look, pose, was = self._senses.look(at_rest=False), self._senses.pose, self._shown
        if pose is None or look is None:
            return
        if was is not None and not last and math.hypot(
                pose.x - was.x, pose.y - was.y) < STEP_METRES and abs(
                wrap_angle(pose.yaw - was.yaw)) < STEP_TURN:
            return
        self._shown, frame = pose, self._watch.map_from_odom

        def show(seen: Observation) -> Thought:
            return Thought(SHOWN, arrived=float(self._thinker.keeper.shown(seen, frame)))
        self._thinker.observe(self.scene((look,), pose), show)
