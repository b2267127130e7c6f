"""Nav2 behind its action `navigate_to_pose`: requests out, what the server says in, no waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from geometry_msgs.msg import Twist, TwistStamped
from rclpy.action import ActionClient
from rclpy.node import Node

from nl_robot.datatypes import Pose
from nl_robot.motion.nav2 import CancelGoal, Nav2Driver, SendGoal
from nl_robot.nodes.conversions import fill_pose
from nl_robot.nodes.parameters import declare
from nl_robot.nodes.process import every
from nl_robot.nodes.qos import LATEST

TICK = 0.05  # seconds


def navigate_to_pose() -> Any:
    """nav2_msgs/action/NavigateToPose.

    :raises ValueError: nav2_msgs is not installed
    """
    try:
        from nav2_msgs.action import NavigateToPose
    except ImportError as error:
        raise ValueError('driver:=nav2 needs nav2_msgs, which is not installed: type sudo apt '
                         'install ros-$ROS_DISTRO-navigation2, or choose driver:=velocity'
                         ) from error
    return NavigateToPose


class Navigator:
    """Does what `Nav2Driver` asks for, and tells it what came of it.

    :param moves: called with every velocity (m/s, rad/s) that Nav2 asks for
    """

    def __init__(self, node: Node, driver: Nav2Driver, moves: Callable[[float, float], None]
                 ) -> None:
        self._action, self._driver, self._moves = navigate_to_pose(), driver, moves
        stamped = declare(node, 'nav2_stamped', False, 'Nav2 publishes TwistStamped: its '
                          'enable_stamped_cmd_vel, true by default since Kilted')
        self.ready = False
        self._client: Any = ActionClient(node, self._action, 'navigate_to_pose')
        self._handles: dict[int, Any] = {}
        self._futures: dict[int, list[Any]] = {}
        self.kind = TwistStamped if stamped else Twist
        node.create_subscription(self.kind, 'cmd_vel_nav2', self._on_velocity, LATEST)
        every(node, TICK, self._on_tick)

    @property
    def held(self) -> int:
        """Goals of which a handle or a future is kept."""
        return len(self._handles.keys() | self._futures.keys())

    def trouble(self) -> str:
        """What is wrong with Nav2 just now."""
        if self._driver.disobeyed:
            return 'Nav2 goes on with a goal that was cancelled; its velocities are held back'
        return '' if self.ready else 'waits for navigate_to_pose'

    def flush(self) -> None:
        """Make the requests that the driver has by now."""
        for request in self._driver.take():
            if isinstance(request, SendGoal):
                self._send(request.number, request.target)
            elif isinstance(request, CancelGoal) and request.number in self._handles:
                self._await(request.number, self._handles[request.number].cancel_goal_async(),
                            self._on_cancel_answer)
            elif not isinstance(request, CancelGoal):
                self._handles.pop(request.number, None)
                for future in self._futures.pop(request.number, []):
                    future.cancel()   # lets the action client forget it, too

    def _send(self, number: int, target: Pose) -> None:
        """Ask for a goal; a stamp of zero lets Nav2 take the newest transform of its frame."""
        goal = self._action.Goal()
        goal.pose.header.frame_id = target.frame
        fill_pose(goal.pose.pose, target)
        future = self._client.send_goal_async(
            goal, feedback_callback=lambda _: self._driver.feedback(number, time.monotonic()))
        self._await(number, future, self._on_response)

    def _await(self, number: int, future: Any, callback: Callable[[int, Any], None]) -> None:
        self._futures.setdefault(number, []).append(future)
        future.add_done_callback(partial(self._on_done, number, callback))

    def _on_done(self, number: int, callback: Callable[[int, Any], None], future: Any) -> None:
        """A future is done: with an answer, an error, or because it was forgotten."""
        if future.cancelled() or future.exception() is not None or future.result() is None:
            return
        callback(number, future.result())
        self.flush()

    def _on_response(self, number: int, handle: Any) -> None:
        if handle.accepted:
            self._handles[number] = handle
            self._await(number, handle.get_result_async(), self._on_result)
        self._driver.responded(number, bool(handle.accepted), time.monotonic())

    def _on_result(self, number: int, answer: Any) -> None:
        """Take a result; older distributions have no error_code, and some no error_msg."""
        result = answer.result
        self._driver.finished(number, int(answer.status), int(getattr(result, 'error_code', 0)),
                              str(getattr(result, 'error_msg', '')))

    def _on_cancel_answer(self, number: int, answer: Any) -> None:
        self._driver.cancel_answered(number, int(answer.return_code))

    def _on_velocity(self, message: Twist | TwistStamped) -> None:
        twist = message.twist if isinstance(message, TwistStamped) else message
        self._moves(float(twist.linear.x), float(twist.angular.z))

    def _on_tick(self) -> None:
        self.ready = self._client.server_is_ready()
        self._driver.tick(time.monotonic(), self.ready)
        self.flush()
