"""The life of one command on the robot's side of it: look, think, drive, again.

A pure state machine on monotonic seconds; it knows neither cameras nor messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nl_robot.datatypes import Decision, Pose
from nl_robot.mission.doubt import SURE, SecondLook


@dataclass(frozen=True)
class Drive:
    """Send the bridge to a pose; `number` names this waypoint in heartbeats and answers."""

    number: int
    target: Pose


@dataclass(frozen=True)
class Think:
    """Let the agent decide on what was just seen."""


@dataclass(frozen=True)
class Resume:
    """Go on after a question; `second`: to the second of the two places that were asked about."""

    second: bool


@dataclass(frozen=True)
class Report:
    """What the policy says of the command it pursues; `state` as in `Status`."""

    id: str
    state: str
    reason: str = ''
    text: str = ''


@dataclass(frozen=True)
class PursuitSettings:
    """Bounds of one pursuit.

    :param headings: radians relative to the first at which frames are taken at each place
    :param sure: the agent's own belief to be there from which a stop counts as succeeded
    :param timeout, image_patience, bridge_patience: seconds
    :param answer_patience: seconds that a question waits for its answer before the likelier place
        is taken; 0: nothing is asked
    """

    max_decisions: int = 30
    max_blocked: int = 4
    timeout: float = 300.0
    sure: float = SURE
    headings: tuple[float, ...] = (0.0,)
    image_patience: float = 5.0
    bridge_patience: float = 3.0
    answer_patience: float = 10.0


@dataclass
class Pursuit:
    """Look, think, drive, again; `phase` is idle, looking, thinking, asking or driving.

    `since` is when the phase began: frames count only when they are newer.
    """

    settings: PursuitSettings = field(default_factory=PursuitSettings)
    phase: str = 'idle'
    id: str = ''
    since: float = 0.0
    looks: int = 0
    decisions: int = 0
    blocked: int = 0
    moved: bool = False
    waypoint: int = 0
    exploring: bool = False
    _started: float = 0.0
    _here: Pose | None = None
    _first_look: Pose | None = None
    _numbers: int = 0
    _second: SecondLook = field(default_factory=SecondLook)

    def begin(self, id_: str, now: float, exploring: bool = False) -> None:
        """Start over for a new command, or an exploration, which ends by itself."""
        self.exploring = exploring
        self.id, self._started, self.moved = id_, now, False
        self.decisions = self.blocked = 0
        self._second = SecondLook(self.settings.sure)
        self._look(now)

    def abandon(self) -> None:
        """Pursue nothing."""
        self.phase, self.id, self.waypoint = 'idle', '', 0

    def look_again(self, now: float) -> None:
        """Where it is, and so where it goes, means nothing any more: look anew."""
        if self.phase in ('driving', 'thinking'):
            self._look(now)

    def looked(self, pose: Pose, now: float) -> Drive | Think:
        """Fresh frames of this heading are in: turn to the next heading, or think."""
        if self.looks == 0:
            self._first_look = pose
        self.looks += 1
        self._here = pose
        if self.looks >= len(self.settings.headings):
            self.phase, self.since = 'thinking', now
            return Think()
        assert self._first_look is not None
        return self._drive(Pose(pose.x, pose.y, self._first_look.yaw
                                + self.settings.headings[self.looks], pose.frame), now)

    def decided(self, decision: Decision, ends: Sequence[Pose], arrived: float | None, now: float
                ) -> Drive | Report:
        """The agent chose a way, or to stop, which `SecondLook` may turn into a way once.

        :param ends: the pose at the end of every way that it could choose
        """
        assert self._here is not None
        self.decisions += 1
        is_last = not self.exploring and self.decisions >= self.settings.max_decisions
        way = self._second.choose(decision, self._here, () if is_last else ends, arrived)
        if way is None:
            return self._stop(self._second.is_sure(arrived, self.moved))
        if is_last:
            return self._end('timeout', 'too_many_decisions',
                             f'Not there after {self.decisions} decisions.')
        self.moved = True
        self._first_look = None
        return self._drive(ends[way], now)

    def asked(self, question: str, now: float) -> Report | Resume:
        """The words fit two places alike: stand still until somebody says which, or nobody does.
        """
        if not self.settings.answer_patience:
            return self._resume(second=False, now=now)
        self.phase, self.since = 'asking', now
        return Report(self.id, 'running', 'asking', question)

    def answered(self, id_: str, which: str, now: float) -> Resume | None:
        """Somebody said `first` or `second`; None where nothing was asked, or not about this."""
        if self.phase != 'asking' or id_ != self.id:
            return None
        return self._resume(which == 'second', now)

    def _resume(self, second: bool, now: float) -> Resume:
        self.phase, self.since = 'thinking', now
        return Resume(second)

    def bridge_report(self, number: int, state: str, now: float) -> Report | None:
        """Hear from the bridge: `driving`, `arrived` or `blocked`, about waypoint `number`."""
        if self.phase != 'driving' or number != self.waypoint:
            return None
        self.since = now
        if state == 'driving':
            return None
        turning = self._first_look is not None
        if state == 'blocked':
            self.blocked += 1
            if self.blocked >= self.settings.max_blocked and not self.exploring:
                return self._end('blocked', 'no_way', f'The way was blocked {self.blocked} times.')
        if turning and state == 'arrived':
            self.phase, self.waypoint = 'looking', 0
        else:
            self._look(now)
        return None

    def failed(self, reason: str, text: str) -> Report:
        """Give up for a reason of the list."""
        return self._end('failed', reason, text)

    def tick(self, now: float) -> Report | Resume | None:
        """Give up when it takes too long or somebody went silent; a person may: see `asked`."""
        if self.phase == 'idle':
            return None
        if now - self._started > self.settings.timeout and not self.exploring:
            return self._end('timeout', 'too_long_a_time',
                             f'Not there after {self.settings.timeout:.0f} s.')
        waited = now - self.since
        if self.phase == 'asking' and waited > self.settings.answer_patience:
            return self._resume(second=False, now=now)
        if self.phase == 'looking' and waited > self.settings.image_patience:
            return self._end('failed', 'sensor_lost:camera', 'No new camera frames came.')
        if self.phase == 'driving' and waited > self.settings.bridge_patience:
            return self._end('failed', 'bridge_lost', 'The bridge does not answer.')
        return None

    def _look(self, now: float) -> None:
        self.phase, self.since, self.looks, self.waypoint = 'looking', now, 0, 0
        self._first_look = None

    def _drive(self, target: Pose, now: float) -> Drive:
        self._numbers += 1
        self.phase, self.since, self.waypoint = 'driving', now, self._numbers
        return Drive(self._numbers, target)

    def _stop(self, is_sure: bool) -> Report:
        """End where the agent stopped."""
        if self.exploring:
            return self._end('succeeded', 'explored', 'I have looked around.')
        if self.moved:
            return self._end('succeeded' if is_sure else 'unsure', '', 'I am there.' if is_sure
                             else 'I stopped here, but I am not sure that this is it.')
        return self._end(*(('succeeded', 'already_there', 'I am there already.') if is_sure else
                           ('unsure', 'not_moved', 'I see no way to go on from here.')))

    def _end(self, state: str, reason: str, text: str) -> Report:
        report = Report(self.id, state, reason, text)
        self.abandon()
        return report
