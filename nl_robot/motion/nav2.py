"""The Nav2 driver: what to ask of `navigate_to_pose`, and when to stop believing in it.

A pure state machine: monotonic seconds and what the action server said go in, small records that
a node turns into requests come out of `take`.  What it is built on was measured with servers that
were killed: nothing in the graph, no future and no `server_is_ready` tells for 20 s that a server
is gone, so the only sign of life is its feedback (rclcpp issue 2241, rclpy issue 1123); and a goal
has no handle before it is accepted, so that a cancel is remembered until then (rclpy issue 790).
Every goal has a number; what is told of a goal that is not the current one moves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from nl_robot.datatypes import Pose
from nl_robot.motion.velocity import LaserScan

SUCCEEDED, CANCELED, ABORTED = 4, 5, 6
"""Of action_msgs/GoalStatus."""
CANCEL_ACCEPTED, CANCEL_REJECTED = 0, 1
"""Of action_msgs/CancelGoal; every other answer says that the goal is over."""
SET_UP_CODES = {101: 'no such controller', 102: 'the controller lacks a transform',
                201: 'no such planner', 202: 'the planner lacks a transform',
                9001: 'the behavior tree could not be loaded',
                9002: 'bt_navigator lacks a transform'}
"""Error codes that no other waypoint can mend: constants of the nav2_msgs actions FollowPath,
ComputePathToPose (Jazzy and later) and NavigateToPose (Kilted and later).  With every other code
this way is closed and another may be open."""


@dataclass(frozen=True)
class Nav2Settings:
    """Seconds.

    :param server_wait: from a waypoint until the server must be there
    :param response_timeout: from a request until the goal is accepted or rejected
    :param ask_again: a request without an answer is made once more after this: it or its answer
        may be lost where a server has just been started, while the graph tells of a dead one
    :param feedback_timeout: between two feedbacks; the behavior tree sends one each tick
    :param cancel_timeout: from a cancel until the goal must be over; a cancel that was not even
        answered is sent again, for it may be lost where a server was found a moment ago
    :param forget_after: a goal that nobody wants is not listened to after this
    """

    server_wait: float = 2.0
    response_timeout: float = 2.0
    ask_again: float = 1.0
    feedback_timeout: float = 2.0
    cancel_timeout: float = 1.0
    forget_after: float = 30.0


@dataclass(frozen=True)
class SendGoal:
    """Ask the server to drive to a pose; `number` names the goal."""

    number: int
    target: Pose


@dataclass(frozen=True)
class CancelGoal:
    """Ask the server to give up a goal that it accepted."""

    number: int


@dataclass(frozen=True)
class ForgetGoal:
    """Let go of every future and handle of a goal."""

    number: int


Request = SendGoal | CancelGoal | ForgetGoal


@dataclass
class _Goal:
    """A goal that the server was asked for; `heard_at` is its last sign of life.

    :param wish: number of the target it is for; the goals of one wish are alike
    """

    wish: int
    asked_at: float
    heard_at: float
    accepted: bool = False
    unwanted: bool = False
    unwanted_at: float | None = None
    cancelled_at: float | None = None
    answered: bool = False
    cancel_refused: bool = False


class Nav2Driver:
    """A `Driver` whose motion is Nav2's; its velocities may pass while its goal runs.

    :param off: names of protections that a test switches off: deadlines, answers, cancels,
        forgetting
    """

    def __init__(self, settings: Nav2Settings | None = None, tolerance: float = 0.15,
                 off: frozenset[str] = frozenset()) -> None:
        self.settings, self._tolerance = settings or Nav2Settings(), tolerance
        self._off = off
        self.state, self.reason, self.text = 'idle', '', ''
        self.disobeyed = False
        self._number = self._wish = self._current = 0   # the newest goal; wanted; accepted
        self._target: Pose | None = None
        self._wanted_at = 0.0
        self._goals: dict[int, _Goal] = {}
        self._requests: list[Request] = []

    @property
    def tolerance(self) -> float:
        """Metres; Nav2's goal checker decides on arrival, this on what needs no driving."""
        return self._tolerance

    @property
    def passes(self) -> bool:
        """True while the server works on the goal that is wanted now."""
        return self.state == 'driving' and self._current in self._goals

    @property
    def pending(self) -> int:
        """How many goals are not over yet, wanted or not."""
        return len(self._goals)

    def set_target(self, target: Pose, now: float, final_yaw: float | None = None) -> None:
        """Want a goal; it is sent with the next tick that finds the server."""
        self.cancel()
        self._wish, self._wanted_at = self._number + 1, now
        self._target = target if final_yaw is None else replace(target, yaw=final_yaw)
        self.state, self.reason, self.text = 'driving', '', ''

    def cancel(self) -> None:
        """Want nothing; the goal under way is cancelled, at the latest when it is accepted."""
        self._give_up()
        self.state = 'idle'

    def update(self, now: float, pose: Pose, scan: LaserScan) -> tuple[float, float] | None:
        """None while Nav2 moves the robot, zero otherwise."""
        return None if self.passes else (0.0, 0.0)

    def tick(self, now: float, server_ready: bool) -> None:
        """Look at every deadline; call it at 10 Hz or more, whatever the state."""
        if self.state == 'driving':
            self._tick_current(now, server_ready)
        self.disobeyed = False
        for number, goal in list(self._goals.items()):
            if not goal.unwanted:
                continue
            if goal.unwanted_at is None:
                goal.unwanted_at = goal.cancelled_at = now
            elif goal.accepted and now - goal.unwanted_at > self.settings.cancel_timeout:
                self.disobeyed = True
                self._cancel_again(number, goal, now)
            if now - max(goal.unwanted_at, goal.heard_at) > self.settings.forget_after:
                self._forget(number)
        self.disobeyed |= any(g.unwanted and g.cancel_refused for g in self._goals.values())

    def responded(self, number: int, accepted: bool, now: float) -> None:
        """The server took a goal, or rejected it; of two that are alike the later one counts."""
        goal = self._goals.get(number)
        if goal is None or (not accepted and 'answers' in self._off):
            return
        wanted = goal.wish == self._wish and not goal.unwanted
        if not accepted:
            self._forget(number)
            if wanted and not self._current:
                self._fail('nav2_failed:rejected', 'Nav2 rejected the goal: is it active, and '
                           'does it know where it is?')
            return
        goal.accepted, goal.heard_at = True, now
        if wanted and self._current < number:
            self._drop(self._current)
            self._current = number
        elif 'cancels' not in self._off:
            self._drop(number)

    def feedback(self, number: int, now: float) -> None:
        """A goal gave a sign of life."""
        if goal := self._goals.get(number):
            goal.heard_at = now

    def finished(self, number: int, status: int, code: int = 0, text: str = '') -> None:
        """A goal is over.

        :param status: of action_msgs/GoalStatus
        :param code, text: error_code and error_msg of the result where it has them
        """
        if 'answers' in self._off:
            return
        known = self._goals.get(number) is not None
        self._forget(number)
        if not known or number != self._current or self.state != 'driving':
            return
        self._current = 0
        if status != SUCCEEDED and self._asked():
            return      # it made room for one that is like it
        self._give_up()
        if status == SUCCEEDED:
            self.state = 'arrived'
        elif status == ABORTED and code not in SET_UP_CODES:
            self.state, self.text = 'blocked', _sentence('Nav2 gave up', code, text)
        elif status == ABORTED:
            self._fail(f'nav2_failed:{code}', _sentence('Nav2 gave up', code,
                                                        text or SET_UP_CODES[code]))
        elif status == CANCELED:
            self._fail('nav2_failed:canceled', 'Somebody else cancelled the goal of Nav2.')
        else:
            self._fail('nav2_lost', 'Nav2 does not know its goal any more.')

    def cancel_answered(self, number: int, answer: int) -> None:
        """The server answered a cancel; `answer` is action_msgs/CancelGoal's return code."""
        goal = self._goals.get(number)
        if goal is None or not goal.unwanted:
            return
        goal.answered, goal.cancel_refused = True, answer == CANCEL_REJECTED
        if answer not in (CANCEL_ACCEPTED, CANCEL_REJECTED):
            self._forget(number)

    def take(self) -> list[Request]:
        """The requests to make now, in order; each is given once."""
        requests, self._requests = self._requests, []
        return requests

    def _tick_current(self, now: float, server_ready: bool) -> None:
        settings, asked = self.settings, self._asked()
        if 'deadlines' in self._off and (self._current or asked):
            return
        if self._current:
            if now - self._goals[self._current].heard_at > settings.feedback_timeout:
                self._fail('nav2_lost', 'Nav2 went silent.')
        elif not asked and server_ready:
            self._ask(now)
        elif not asked:
            if now - self._wanted_at > settings.server_wait:
                self._fail('nav2_unavailable', 'There is no navigate_to_pose server: start Nav2.')
        elif now - asked[0].asked_at > settings.response_timeout:
            self._fail('nav2_unavailable', 'Nav2 does not answer.')
        elif len(asked) == 1 and now - asked[0].asked_at > settings.ask_again:
            self._ask(now)

    def _asked(self) -> list[_Goal]:
        """The goals for the present wish, first things first."""
        return [goal for goal in self._goals.values() if goal.wish == self._wish]

    def _ask(self, now: float) -> None:
        assert self._target is not None
        self._number += 1
        self._goals[self._number] = _Goal(self._wish, now, now)
        self._requests.append(SendGoal(self._number, self._target))

    def _cancel_again(self, number: int, goal: _Goal, now: float) -> None:
        if goal.answered or 'cancels' in self._off:
            return
        if goal.cancelled_at is None or now - goal.cancelled_at > self.settings.cancel_timeout:
            goal.cancelled_at = now
            self._requests.append(CancelGoal(number))

    def _give_up(self) -> None:
        """Nobody wants the present target any more."""
        for number, goal in self._goals.items():
            if goal.wish == self._wish and not goal.unwanted:
                self._drop(number)
        self._wish = self._current = 0

    def _drop(self, number: int) -> None:
        """Nobody wants that goal any more: it is cancelled now, or when it is accepted."""
        if goal := self._goals.get(number):
            goal.unwanted = True
            if goal.accepted:
                self._requests.append(CancelGoal(number))

    def _fail(self, reason: str, text: str) -> None:
        self._give_up()
        self.state, self.reason, self.text = 'failed', reason, text

    def _forget(self, number: int) -> None:
        if self._goals.pop(number, None) is not None and 'forgetting' not in self._off:
            self._requests.append(ForgetGoal(number))


def _sentence(start: str, code: int, text: str) -> str:
    """`Nav2 gave up (code 105): no progress`, with what is known."""
    start = f'{start} (code {code})' if code else start
    return f'{start}: {text}' if text else f'{start}.'
