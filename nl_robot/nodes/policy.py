"""The policy node: looks, lets the agent decide, sends waypoints, tells how it goes."""

from __future__ import annotations

import math
import sys
import time

from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from std_msgs.msg import String

from nl_robot.geometry import waypoint_pose
from nl_robot.mission.pursuit import Drive, Pursuit, PursuitSettings, Report, Think
from nl_robot.nodes.conversions import diagnostic, nanoseconds, waypoint_message
from nl_robot.nodes.parameters import declare, declare_settings
from nl_robot.nodes.process import every, leave, run
from nl_robot.nodes.qos import EVENTS, LATEST
from nl_robot.nodes.senses import Senses
from nl_robot.nodes.thinking import Look, Thinker, Thought, told

STATES = {GoalStatus.STATUS_EXECUTING: 'driving', GoalStatus.STATUS_SUCCEEDED: 'arrived',
          GoalStatus.STATUS_ABORTED: 'blocked', GoalStatus.STATUS_CANCELED: 'blocked'}


class Policy:
    """Wires senses, thinker and pursuit together."""

    def __init__(self) -> None:
        self.node = node = Node('policy')
        headings = declare(node, 'headings', [0.0], 'degrees at which frames are taken at each '
                           'place; several for a robot that has to turn to see all around')
        settings = declare_settings(node, PursuitSettings)
        self._pursuit = Pursuit(PursuitSettings(**{
            **vars(settings), 'headings': tuple(math.radians(h) for h in headings)}))
        agent = declare(node, 'agent', '', 'checkpoint directory (empty: the one of the package) '
                        'or python:module:function that makes an agent')
        detector = declare(node, 'detector', 'embedded', 'embedded, zero-shot:<path or hub name>, '
                           'topic (vision_msgs) or python:module:function that makes one')
        self._senses = Senses(node, detections=detector == 'topic')
        self._thinker = Thinker(agent, detector)
        self._looks: list[Look] = []
        self._words, self._still_at, self._waypoint_stamp = '', 0, 0
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
        """Take a goal: first line the words, second the id of the command."""
        self._words, _, id_ = message.data.partition('\n')
        self._pursuit.abandon()
        if self._words:
            self._pursuit.begin(id_, time.monotonic())
            self._still_at = self._senses.odometry_stamp
        self._beat()

    def _on_bridge(self, message: GoalStatus) -> None:
        self._senses.note('bridge')
        state, pursuit = STATES.get(message.status), self._pursuit
        if (state is None or pursuit.phase != 'driving'
                or nanoseconds(message.goal_info.stamp) != self._waypoint_stamp):
            return
        report = pursuit.bridge_report(pursuit.waypoint, state, time.monotonic())
        if pursuit.phase == 'looking':
            self._still_at = self._senses.odometry_stamp
        self._do(report)

    def _on_tick(self) -> None:
        while (thought := self._thinker.answer()) is not None:
            self._take(thought)
        if self._pursuit.phase == 'looking':
            self._look()
        self._do(self._pursuit.tick(time.monotonic()))

    def _look(self) -> None:
        """Take one frame of each camera, all newer than the moment the robot came to rest."""
        senses = self._senses
        frames = senses.frames_after(self._still_at)
        if (frames is None or senses.pose is None or senses.scan is None
                or nanoseconds(senses.scan.header.stamp) <= self._still_at):
            return
        self._looks[self._pursuit.looks:] = [Look(frames, senses.pose)]
        self._do(self._pursuit.looked(senses.pose, time.monotonic()))

    def _take(self, thought: Thought) -> None:
        """Act on a finished thought, unless it is about a goal that is over."""
        if self._pursuit.phase != 'thinking' or thought.id != self._pursuit.id:
            return
        observation, decision = thought.observation, thought.decision
        if decision is None or observation is None:
            self.node.get_logger().error(thought.error)
            self._do(self._pursuit.failed('perception_error', thought.error.split('\n')[0]))
            return
        ends = [waypoint_pose(observation.pose, way) for way in observation.waypoints]
        effect = self._pursuit.decided(decision, ends, thought.arrived, time.monotonic())
        self._tell(Report(thought.id, 'running', '', told(thought, isinstance(effect, Drive))))
        self._do(effect)

    def _do(self, effect: Drive | Think | Report | None) -> None:
        """Turn an effect into a message or a job."""
        senses, pursuit = self._senses, self._pursuit
        if isinstance(effect, Report):
            self._tell(effect)
        elif isinstance(effect, Think) and senses.pose is not None:
            self._thinker.decide(pursuit.id, self._words, tuple(self._looks), senses.cameras,
                                 senses.scan, senses.pose, first=pursuit.decisions == 0)
        elif isinstance(effect, Drive):
            now = self.node.get_clock().now().nanoseconds
            self._waypoint_stamp = max(self._waypoint_stamp + 1, now)
            self._waypoint.publish(waypoint_message(effect.target, self._waypoint_stamp))
        if effect is not None:
            self._beat()

    def _tell(self, report: Report) -> None:
        self._report.publish(diagnostic('policy', report.state, vars(report), report.id))

    def _beat(self) -> None:
        """Tell that the policy lives, which waypoint it pursues, and what it still waits for."""
        lacks = self._senses.lacks() + ([] if self._thinker.ready else ['agent'])
        if error := self._thinker.complaint():
            self.node.get_logger().error(f'the agent cannot act: {error}')
        phase = self._pursuit.phase
        waypoint = self._waypoint_stamp if phase == 'driving' else 0
        values = {'lacks': ','.join(lacks), 'waypoint': str(waypoint), **self._senses.why()}
        self._heartbeat.publish(diagnostic('policy', phase, values, self._pursuit.id))


def main() -> int:
    """Entry point."""
    return leave(run(Policy))


if __name__ == '__main__':
    sys.exit(main())
