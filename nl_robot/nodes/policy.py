"""The policy node: looks, lets the agent decide, sends waypoints, tells how it goes."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import replace

from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from std_msgs.msg import String

from nl_robot.geometry import waypoint_pose
from nl_robot.mission.pursuit import Drive, Pursuit, PursuitSettings, Report, Resume, Think
from nl_robot.nodes.conversions import DRIVES, nanoseconds, waypoint_message
from nl_robot.nodes.home_keeping import HomeKeeping
from nl_robot.nodes.looking import Look, Thought, told
from nl_robot.nodes.parameters import declare, declare_settings
from nl_robot.nodes.process import every, leave, run
from nl_robot.nodes.qos import EVENTS, LATEST
from nl_robot.nodes.senses import Senses
from nl_robot.nodes.statuses import diagnostic
from nl_robot.nodes.thinking import Thinker


class Policy:
    """Wires senses, thinker and pursuit together."""

    def __init__(self) -> None:
        self.node = node = Node('policy')
        headings = declare(node, 'headings', [0.0], 'degrees at which frames are taken at each '
                           'place; several for a robot that turns to see all around')
        self._pursuit = Pursuit(replace(declare_settings(node, PursuitSettings),
                                        headings=tuple(map(math.radians, headings))))
        detector = declare(node, 'detector', 'embedded', 'embedded, zero-shot:<path or hub name>, '
                           'topic (vision_msgs) or python:module:function that makes one')
        self._senses = Senses(node, detections=detector == 'topic')
        self._thinker = Thinker(declare(node, 'agent', '', 'checkpoint directory (empty: that of '
                                        'the package) or python:module:function'), detector)
        self._home = HomeKeeping(node, self._senses, self._thinker, self._pursuit)
        self._looks, self._words, self._waypoint_stamp = list[Look](), '', 0
        self._waypoint = node.create_publisher(PoseStamped, 'waypoint', LATEST)
        self._heartbeat = node.create_publisher(DiagnosticStatus, 'policy/heartbeat', LATEST)
        self._report = node.create_publisher(DiagnosticStatus, 'policy/report', EVENTS)
        node.create_subscription(String, 'goal', self._on_goal, EVENTS)
        node.create_subscription(GoalStatus, 'waypoint_status', self._on_bridge, EVENTS)
        every(node, 0.05, self._on_tick)
        every(node, 0.1, self._beat)

    def farewell(self) -> None:
        """Pursue nothing any more."""
        self._pursuit.abandon()
        self._beat()
        self._thinker.end()

    def trouble(self) -> str:
        """What is silent."""
        return ', '.join(self._senses.lacks())

    def _on_goal(self, message: String) -> None:
        """Take a goal: words, id of the command, `explore` for an order, `answer` for one."""
        words, id_, kind = (message.data + '\n\n').split('\n')[:3]
        if kind == 'answer':
            return self._do(self._pursuit.answered(id_, words, time.monotonic()))
        self._words = words
        self._home.goal_changes(ends=not self._words)
        self._pursuit.abandon()
        if self._words:
            self._pursuit.begin(id_, time.monotonic(), exploring=kind == 'explore')
            self._senses.rest()
        self._beat()

    def _on_bridge(self, message: GoalStatus) -> None:
        self._senses.note('bridge')
        state, pursuit = DRIVES.get(message.status), self._pursuit
        if (state is None or pursuit.phase != 'driving'
                or nanoseconds(message.goal_info.stamp) != self._waypoint_stamp):
            return
        self._do(pursuit.bridge_report(pursuit.waypoint, state, time.monotonic()))
        if pursuit.phase == 'looking':
            self._senses.rest()

    def _on_tick(self) -> None:
        while (thought := self._thinker.answer()) is not None:
            self._take(thought)
        self._look()
        self._do(self._pursuit.tick(time.monotonic()))

    def _look(self) -> None:
        """Take one frame of each camera, all newer than the moment the robot came to rest."""
        if self._pursuit.phase == 'looking' and (look := self._senses.look()) is not None:
            self._looks[self._pursuit.looks:] = [look]
            self._do(self._pursuit.looked(look.pose, time.monotonic()))

    def _take(self, thought: Thought) -> None:
        """Act on a finished thought, unless it is about a goal that is over."""
        if (self._home.takes(thought) or self._pursuit.phase != 'thinking'
                or thought.id != self._pursuit.id):
            return
        observation, decision = thought.observation, thought.decision
        if decision is None or observation is None:
            self.node.get_logger().error(thought.error)
            return self._do(self._pursuit.failed('perception_error', thought.error.split('\n')[0]))
        if thought.question:
            return self._do(self._pursuit.asked(thought.question, time.monotonic()))
        ends = [waypoint_pose(observation.pose, way) for way in observation.waypoints]
        effect = self._pursuit.decided(decision, ends, thought.arrived, time.monotonic())
        self._tell(Report(thought.id, 'running', '', told(thought, isinstance(effect, Drive))))
        self._do(effect)

    def _do(self, effect: Drive | Think | Resume | Report | None) -> None:
        """Turn an effect into a message or a job."""
        senses, pursuit = self._senses, self._pursuit
        if isinstance(effect, Report):
            self._tell(effect)
        elif isinstance(effect, Think) and senses.pose is not None:
            self._thinker.decide(pursuit.id, self._words, self._home.scene(tuple(
                self._looks), senses.pose), pursuit.decisions == 0, pursuit.exploring)
        elif isinstance(effect, Resume):
            self._thinker.resume(pursuit.id, effect.second)
        elif isinstance(effect, Drive):
            now = self.node.get_clock().now().nanoseconds
            self._waypoint_stamp = max(self._waypoint_stamp + 1, now)
            self._waypoint.publish(waypoint_message(effect.target, self._waypoint_stamp))
        if effect is not None:
            self._beat()

    def _tell(self, report: Report) -> None:
        self._report.publish(diagnostic('policy', report.state, vars(report), report.id))

    def _beat(self) -> None:
        if error := self._thinker.complaint():
            self.node.get_logger().error(f'the agent cannot act: {error}')
        doing, stamp = self._pursuit, self._waypoint_stamp
        self._heartbeat.publish(diagnostic('policy', doing.phase, {
            'lacks': ','.join(self._senses.lacks() + self._home.lacks()), 'newest': str(stamp),
            'waypoint': str(stamp if doing.phase == 'driving' else 0), **self._senses.why(),
            'pace': 'exploring' if doing.exploring else ''}, doing.id))


def main() -> int:
    """Entry point."""
    return leave(run(Policy))


if __name__ == '__main__':
    sys.exit(main())
