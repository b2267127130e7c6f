"""The life of one command on the people's side of it, as a pure state machine.

It takes monotonic seconds and gives back effects, small records that a node turns into messages.
Every command gets an id, statuses, and exactly one terminal status out of a closed list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from nl_robot.mission.leisure import Leisure

TERMINAL = ('succeeded', 'unsure', 'not_found', 'blocked', 'timeout', 'cancelled', 'superseded',
            'stopped', 'rejected', 'failed')

REASONS = ('', 'already_there', 'not_moved', 'too_many_decisions', 'too_long_a_time', 'no_way',
           'by_command', 'by_topic', 'by_service', 'by_gate', 'by_new_command', 'empty',
           'too_long', 'unreadable', 'rate_limited', 'not_ready', 'unsupported',
           'nothing_to_cancel', 'policy_lost', 'bridge_lost', 'gate_lost', 'sensor_lost',
           'perception_error', 'interrupted', 'conflict', 'localization_fault', 'qos_incompatible',
           'clock_skew', 'nav2_unavailable', 'nav2_lost', 'nav2_failed', 'explored', 'asking')


GATE_FAULTS = {
    'conflict': 'Somebody else moves the base.',
    'localization_fault': 'The odometry cannot be believed.',
    'qos_incompatible': 'A sensor publishes in a way that cannot be heard.',
    'clock_skew': 'The stamps of a sensor say that what it sends is not of now.',
}
"""What the gate tells that ends a command at once, and the sentence for a person."""
EXPLORING = '-explore-'
"""In the id of what runs while nobody wants anything."""


@dataclass(frozen=True)
class Status:
    """What people hear of one command.

    :param state: `accepted`, `running` or a terminal state; `idle` belongs to no command
    :param reason: one of REASONS, with details after a colon (`not_ready:scan,policy`)
    :param text: one sentence for a person
    """

    id: str
    state: str
    reason: str = ''
    text: str = ''
    words: str = ''
    caveat: str = ''

    def __post_init__(self) -> None:
        if self.state not in ('idle', 'accepted', 'running', *TERMINAL):
            raise ValueError(f'Status.state is not in the list: {self.state!r}')
        if self.reason.partition(':')[0] not in REASONS:
            raise ValueError(f'Status.reason is not in the list: {self.reason!r}')

    @property
    def is_terminal(self) -> bool:
        """True for the last status of its command."""
        return self.state in TERMINAL


@dataclass(frozen=True)
class SetGoal:
    """Tell the policy what to pursue; empty words: nothing.

    :param kind: `explore` where the words are an order to explore, `answer` where they are
        `first` or `second`, about the goal that runs
    """

    id: str
    words: str
    kind: str = ''


@dataclass(frozen=True)
class StopRobot:
    """Latch the gate, now."""


@dataclass(frozen=True)
class Release:
    """Lift the one stop that came at `stop_stamp`, monotonic seconds."""

    stop_stamp: float


Effect = Status | SetGoal | StopRobot | Release


class Refusal(Protocol):
    """What `clean` raises: an exception with a reason and a sentence."""

    reason: str
    sentence: str


@dataclass(frozen=True)
class Language:
    """The functions of the language room that a command passes through.

    :param refused: the exception that `clean` raises, a `Refusal`
    :param which_one: `first` or `second` where the text answers a question, else None
    """

    clean: Callable[[str], str]
    control_word: Callable[[str], str | None]
    caveat: Callable[[str], str | None]
    refused: type[Exception]
    which_one: Callable[[str], str | None] = lambda text: None


class TokenBucket:
    """At most `rate` a second in the long run and `burst` at once."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst, self._tokens, self._at = rate, burst, burst, now

    def take(self, now: float) -> bool:
        """True, and one token less, when there is one."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


@dataclass(frozen=True)
class MissionSettings:
    """Seconds, but for `rate` (commands a second) and `burst` (commands)."""

    rate: float = 10.0
    burst: float = 20.0
    policy_timeout: float = 0.7
    gate_timeout: float = 1.0
    sensor_patience: float = 2.0


class Mission:
    """Takes commands, stops and reports; says what people hear and what the robot is told.

    :param prefix: of the ids, so that a restarted node never gives an id twice
    """

    def __init__(self, language: Language, prefix: str, now: float,
                 settings: MissionSettings | None = None) -> None:
        self.settings = settings or MissionSettings()
        self.current: Status | None = None
        self.last: Status | None = None
        self._language, self._prefix, self._count = language, prefix, 0
        self._bucket = TokenBucket(self.settings.rate, self.settings.burst, now)
        self._accepted_at = now
        self._stopped = now - 60.0, ''      # when the latest stop was said, and how
        self._policy_at = self._gate_at = float('-inf')
        self._policy_lacks: tuple[str, ...] = ()
        self._bridge_lacks: tuple[str, ...] = ()
        self._notes: dict[str, dict[str, str]] = {}
        self._gate_latched, self._stop_stamp, self._gate_reason = True, now, ''
        self._gate_fault = ''
        self._sensor_lost_since: float | None = None
        self._leisure = Leisure()

    def command(self, text: str, now: float, said: float | None = None) -> list[Effect]:
        """What one command causes; stop is classified before anything can refuse it.

        :param said: when it was said: what waited in a queue while a stop overtook it never begins
        """
        self._count += 1
        id_, word = f'{self._prefix}-{self._count}', self._language.control_word(text)
        if word == 'stop':
            return [*self.stop(now, 'by_command', said),
                    self._said(Status(id_, 'stopped', 'by_command', 'Stopped.'))]
        if said is not None and said < self._stopped[0]:
            return [self._said(Status(id_, 'stopped', self._stopped[1],
                                      'A stop came after it was said.'))]
        if not self._bucket.take(now):
            return [self._reject(id_, 'rate_limited', 'More than '
                                 f'{self.settings.rate:g} commands a second: say it again later.')]
        if word is not None:
            return self._control(id_, word, now)
        asked = self.current is not None and self.current.reason == 'asking'
        if asked and (which := self._language.which_one(text)) is not None:
            return self._answer(which)
        try:
            words = self._language.clean(text)
        except self._language.refused as refusal:
            return [self._reject(id_, getattr(refusal, 'reason', 'unreadable'),
                                 getattr(refusal, 'sentence', str(refusal)))]
        if obstacle := self.obstacle(now):
            return [self._reject(id_, *obstacle)]
        return self._accept(id_, words, now)

    def _answer(self, which: str) -> list[Effect]:
        """Tell the policy which of the two places it asked about is meant."""
        status = self._say('running', '', f'All right, the {which} one.')
        return [status, SetGoal(status.id, which, 'answer')]

    def leisure(self, order: str, now: float) -> list[Effect]:
        """What to do while nobody wants anything; '' ends it.  See `mission.leisure`."""
        changed = self._leisure.ask(order, now)
        if not changed or self.current is None or not self.exploring:
            return []
        return ([SetGoal(self.current.id, order, 'explore')] if order
                else self._end('cancelled', 'by_command', 'Exploring is over.'))

    @property
    def exploring(self) -> bool:
        """Whether what runs is no command but an exploration."""
        return self.current is not None and EXPLORING in self.current.id

    def missing(self, now: float) -> tuple[str, ...]:
        """What a command has to wait for; empty when the robot is ready."""
        lacks = list(self._policy_lacks)
        if now - self._policy_at > self.settings.policy_timeout:
            lacks = ['policy']
        lacks += [name for name in self._bridge_lacks if name not in lacks]
        if (now - self._gate_at > self.settings.gate_timeout
                or self._gate_reason == 'held_at_zero'):
            lacks.append('gate')
        elif self._sensor_lost_since is not None and 'scan' not in lacks:
            lacks.append('scan')
        elif self._gate_reason == 'localization_fault:silent' and 'odom' not in lacks:
            lacks.append('odom')
        return tuple(lacks)

    def obstacle(self, now: float) -> tuple[str, str] | None:
        """Why no command can begin now, as a reason and a sentence; None when one can."""
        fault = self._gate_fault if now - self._gate_at <= self.settings.gate_timeout else ''
        missing = self.missing(now)
        if missing and fault in ('', 'localization_fault'):
            return f'not_ready:{",".join(missing)}', self._waiting(missing)
        return (self._gate_reason, GATE_FAULTS[fault]) if fault else None

    def interrupted(self, before: Status, now: float) -> list[Effect]:
        """End a command that ran when this node was ended; the robot stays where it is.

        An exploration is ended, too; where it is still ordered, another one begins.
        """
        self._leisure.own_stop(now)
        what = '.' if EXPLORING in before.id else ': say it again.'
        return [StopRobot(), SetGoal('', ''),
                self._said(Status(before.id, 'failed', 'interrupted', 'The command node was ended '
                                  f'and started again{what}', before.words))]

    def stop(self, now: float, reason: str, said: float | None = None) -> list[Effect]:
        """Stop the robot and end what runs; always, whatever the state.

        :param said: when, if not now
        """
        self._stopped = max(self._stopped, (now if said is None else said, reason))
        self._leisure.person()
        return [StopRobot(), *self._end('stopped', reason, 'Stopped.')]

    def cancel(self, now: float, reason: str) -> list[Effect]:
        """End what runs without latching the gate; nothing when nothing runs."""
        if self.exploring:
            self._leisure.person()
        return self._end('cancelled', reason, 'Cancelled.')

    def policy_alive(self, now: float, lacks: tuple[str, ...],
                     why: dict[str, str] | None = None) -> None:
        """Note a sign of life of the policy, what it still waits for, and why, where it knows."""
        self._policy_at, self._policy_lacks = now, lacks
        self._notes['policy'] = why or {}

    def bridge_report(self, now: float, lacks: tuple[str, ...], reason: str, text: str,
                      why: dict[str, str] | None = None) -> list[Effect]:
        """Hear what the bridge waits for; a reason says that it cannot drive, just now."""
        self._bridge_lacks, self._notes['bridge'] = lacks, why or {}
        return self._lost(reason, text, now) if reason and self.current is not None else []

    def policy_report(self, id_: str, state: str, reason: str, text: str) -> list[Effect]:
        """Hear from the policy about a command; what is not about the current one is dropped."""
        if self.current is None or self.current.id != id_:
            return []
        if state in TERMINAL:
            if self.exploring and state == 'succeeded':
                self._leisure.done = self._leisure.order
            return self._end(state, reason, text)
        return [self._say('running', reason, text)]

    def gate_report(self, now: float, latched: bool, stop_stamp: float, reason: str
                    ) -> list[Effect]:
        """Hear from the gate.

        A stop older than the running command is released for it; a newer one ends it.
        """
        if now - self._gate_at > self.settings.gate_timeout and stop_stamp > self._gate_at:
            self._leisure.gate_came_back(stop_stamp)
        self._gate_at, self._gate_latched = now, latched
        self._stop_stamp, self._gate_reason = stop_stamp, reason
        if not reason.startswith('sensor_lost'):
            self._sensor_lost_since = None
        elif self._sensor_lost_since is None:
            self._sensor_lost_since = now
        fault = reason.partition(':')[0]
        self._gate_fault = fault if fault in GATE_FAULTS else ''
        if self._gate_fault and self.current is not None:
            return self._lost(reason, GATE_FAULTS[fault], now)
        return self._unlatch()

    def tick(self, now: float) -> list[Effect]:
        """Fail the running command when the policy, the gate or the laser went silent.

        The robot is stopped then: what comes back to life must not go on by itself.
        """
        if self.current is None:
            return self._explore(now)
        self._leisure.busy(now)
        if now - self._policy_at > self.settings.policy_timeout:
            return self._lost('policy_lost', 'The policy does not answer.', now)
        if now - self._gate_at > self.settings.gate_timeout:
            return self._lost('gate_lost', 'The safety gate does not answer.', now)
        lost = self._sensor_lost_since
        if lost is not None and now - lost > self.settings.sensor_patience:
            return self._lost('sensor_lost:scan', 'The laser went silent.', now)
        return []

    def heard(self, now: float) -> Status:
        """The status to repeat: of the running command, else `idle` and what is still missing."""
        if self.current is not None:
            return self.current
        if obstacle := self.obstacle(now):
            return Status('', 'idle', *obstacle)
        last = self.last
        return Status('', 'idle', '', f'Ready; last: {last.state}.' if last else 'Ready.')

    def _explore(self, now: float) -> list[Effect]:
        """Begin to explore, where that was asked for and nothing is in the way."""
        if self.obstacle(now) or not self._leisure.may_begin(self._gate_latched,
                                                             self._stop_stamp, now):
            return []
        self._count += 1
        id_ = f'{self._prefix}{EXPLORING}{self._count}'
        self._accepted_at = now
        self.current = Status(id_, 'accepted', '', 'I look around this home.', 'explore')
        return [self.current, SetGoal(id_, self._leisure.order, 'explore'), *self._unlatch()]

    def _accept(self, id_: str, words: str, now: float) -> list[Effect]:
        effects: list[Effect] = []
        if self.current is not None:
            effects = [e for e in self._end('superseded', 'by_new_command', 'A new command came.')
                       if isinstance(e, Status)]
        caveat = self._language.caveat(words) or ''
        self._accepted_at = now
        self.current = Status(id_, 'accepted', '', caveat or f'On my way: {words}', words, caveat)
        return [*effects, self.current, SetGoal(id_, words), *self._unlatch()]

    def _unlatch(self) -> list[Effect]:
        if self.current is None or not self._gate_latched:
            return []
        if self._stop_stamp >= self._accepted_at:
            self._leisure.person()
            return self._end('stopped', 'by_gate', 'Stopped.')
        return [Release(self._stop_stamp)]

    def _control(self, id_: str, word: str, now: float) -> list[Effect]:
        if word != 'cancel':
            return [self._reject(id_, f'unsupported:{word}', f'I cannot do {word!r} yet.')]
        if self.current is None:
            return [self._reject(id_, 'nothing_to_cancel', 'There is nothing to cancel.')]
        return [*self.cancel(now, 'by_command'),
                self._said(Status(id_, 'cancelled', 'by_command', 'Cancelled.'))]

    def _waiting(self, missing: tuple[str, ...]) -> str:
        whys = {name: why for notes in self._notes.values() for name, why in notes.items()}
        names = [f'{name} ({whys[name]})' if name in whys else name for name in missing]
        return f'Not ready: waiting for {", ".join(names)}.'

    def _say(self, state: str, reason: str, text: str) -> Status:
        assert self.current is not None
        self.current = Status(self.current.id, state, reason, text, self.current.words,
                              self.current.caveat)
        return self.current

    def _said(self, status: Status) -> Status:
        self.last = status
        return status

    def _reject(self, id_: str, reason: str, sentence: str) -> Status:
        return self._said(Status(id_, 'rejected', reason, sentence))

    def _lost(self, reason: str, text: str, now: float) -> list[Effect]:
        self._leisure.own_stop(now)
        return [StopRobot(), *self._end('failed', reason, text)]

    def _end(self, state: str, reason: str, text: str) -> list[Effect]:
        if self.current is None:
            return []
        ended = self._said(self._say(state, reason, text))
        self.current = None
        return [ended, SetGoal('', '')]
