"""What the bridge says: how its waypoint stands, to the policy; what it lacks, to the command."""

from __future__ import annotations

import math

from action_msgs.msg import GoalStatus
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node

from nl_robot.motion.errand import Errand
from nl_robot.nodes.conversions import stamp_of
from nl_robot.nodes.navigator import Navigator
from nl_robot.nodes.process import every
from nl_robot.nodes.qos import EVENTS
from nl_robot.nodes.statuses import diagnostic
from nl_robot.ros_graph import Mismatch, mismatch

STATES = {'driving': GoalStatus.STATUS_EXECUTING, 'arrived': GoalStatus.STATUS_SUCCEEDED,
          'blocked': GoalStatus.STATUS_ABORTED, 'failed': GoalStatus.STATUS_ABORTED,
          'dropped': GoalStatus.STATUS_CANCELED}
TELL_EVERY, TELL_FOR, READY_EVERY, REPORT_EVERY = 0.2, 2.0, 0.5, 0.5  # seconds


class Teller:
    """Publishes `waypoint_status` and `bridge/report`.

    :param driver: its name
    :param navigator: Nav2, where it is the driver
    """

    def __init__(self, node: Node, errand: Errand, driver: str, navigator: Navigator | None
                 ) -> None:
        self._node, self._errand, self._driver = node, errand, driver
        self._navigator = navigator
        self._told, self._told_at, self._changed_at = ('idle', 0), 0.0, 0.0
        self._mismatch: dict[str, Mismatch] = {}
        self._status = node.create_publisher(GoalStatus, 'waypoint_status', EVENTS)
        self._report = node.create_publisher(DiagnosticStatus, 'bridge/report', EVENTS)
        every(node, REPORT_EVERY, self._on_report)

    def tell(self, now: float) -> None:
        """Say how the waypoint stands: at once when it changes, and again for a while.

        Later STATUS_UNKNOWN says that the bridge is ready for the next one.
        """
        state = (self._errand.state, self._errand.number)
        if state != self._told:
            self._told, self._changed_at, self._told_at = state, now, -math.inf
            self._tell_the_end()
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

    def trouble(self, now: float) -> str:
        """Whether something is not heard, or not understood."""
        lacks = '' if self._errand.ready(now) else 'waits for odom, scan or policy'
        nav2 = self._navigator.trouble() if self._navigator is not None else ''
        return '; '.join(filter(None, (lacks, nav2, *(m.text for m in self._mismatch.values()))))

    def _tell_the_end(self) -> None:
        """An errand that ended badly: its reason goes to the command, its sentence to the log."""
        errand = self._errand
        if errand.text:
            self._node.get_logger().warning(errand.text)
        if errand.state == 'failed':
            self._publish(errand.reason, errand.text)

    def _on_report(self) -> None:
        topics = ['cmd_vel'] + (['cmd_vel_nav2'] if self._navigator is not None else [])
        for topic in topics:
            found = mismatch(self._node, topic)
            if found.text and found != self._mismatch.get(topic):
                self._node.get_logger().error(f'{found.text}: choose the type with the parameter '
                                              'stamped (safety_gate) or nav2_stamped (bridge)')
            self._mismatch[topic] = found
        self._publish('', '')

    def _publish(self, reason: str, text: str) -> None:
        lacks = ['nav2'] if self._navigator is not None and not self._navigator.ready else []
        goals = {'goals': str(self._navigator.held)} if self._navigator is not None else {}
        deaf = {topic: found.text for topic, found in self._mismatch.items() if found.deaf}
        self._report.publish(diagnostic('bridge', reason or 'running', {
            'driver': self._driver, 'lacks': ','.join([*lacks, *deaf]), 'reason': reason,
            'text': text, **goals, **{f'why/{topic}': why for topic, why in deaf.items()}},
            level=DiagnosticStatus.ERROR if reason else DiagnosticStatus.OK))
