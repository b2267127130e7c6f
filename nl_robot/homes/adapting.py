"""The life of one adaptation on a live robot: explore, come back, learn, use; a pure machine.

It takes monotonic seconds and gives back effects; what it knows is in the home's folder, so that
it goes on after a restart.  Motion is not its business: the mission lets the robot explore while
nobody else wants anything of it, and a stop ends the adaptation until a person starts it again.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nl_robot.homes.store import Home, Progress
from nl_robot.homes.surveying import Budget

REASONS = ('', 'by_person', 'budget_spent', 'activated', 'refused', 'trainer_silent',
           'trainer_too_long', 'trainer_too_large', 'trainer_failed', 'disk_full',
           'model_rejected', 'model_rollback')
EXPLORING = ('exploring', 'returning')
MINUTE = 60.0


@dataclass(frozen=True)
class Order:
    """What the mission is to let the robot do while nobody wants anything else; '' for nothing."""

    text: str


@dataclass(frozen=True)
class StartTrainer:
    """Start the process that learns."""


@dataclass(frozen=True)
class KillTrainer:
    """End it, now."""


@dataclass(frozen=True)
class Use:
    """Let the policy act on this checkpoint; '' for the one that every home begins with."""

    path: str


Effect = Order | StartTrainer | KillTrainer | Use


@dataclass(frozen=True)
class AdaptingSettings:
    """Bounds of one adaptation.

    :param minutes: of exploring; :param episodes: or so many trajectories
    :param charge: of the battery, 0 to 1, below which it comes back
    :param way_back: minutes after which it gives up coming back and learns where it is
    :param learning: processor minutes of learning
    :param learning_limit: minutes by the clock after which the trainer is killed
    :param silence: seconds without a word after which it is killed
    :param memory: MiB of the trainer beyond which it is killed
    """

    minutes: float = 20.0
    episodes: int = 1000
    charge: float = 0.25
    way_back: float = 10.0
    learning: float = 6.0
    learning_limit: float = 45.0
    silence: float = 180.0
    memory: int = 2048


class Adapting:
    """The adaptation of one home; `facts` are what people are told."""

    def __init__(self, home: Home, settings: AdaptingSettings, now: float) -> None:
        self.home, self.settings = home, settings
        self.progress = home.progress()
        self.facts: dict[str, str] = {}
        self._charge: float | None = None
        self._exploring = self._rejected = False
        self._at = self._phase_at = self._heard_at = now

    def wake(self) -> list[Effect]:
        """What to do first: use what is active, and go on with what a restart interrupted."""
        effects: list[Effect] = [self._use()]
        if self.progress.phase in EXPLORING:
            effects.append(self._order())
        elif self.progress.phase == 'learning':
            effects.append(StartTrainer())
        return effects

    def start(self, now: float, minutes: float | None = None) -> list[Effect]:
        """A person wants it; what runs already goes on."""
        if self.progress.phase in (*EXPLORING, 'learning'):
            return []
        self.facts = {}
        self._become(Progress('exploring', '', uuid.uuid4().hex[:8],
                              minutes or self.settings.minutes), now)
        return [self._order()]

    def stop(self, now: float, reason: str = 'by_person') -> list[Effect]:
        """End it: what was explored stays known, what was being learned is thrown away."""
        before = self.progress.phase
        if before not in (*EXPLORING, 'learning'):
            return []
        self._become(replace(self.progress, phase='stopped', reason=reason), now)
        return [Order(''), KillTrainer()] if before == 'learning' else [Order('')]

    def roll_back(self, now: float, why: str = 'a person asked for it') -> list[Effect]:
        """Act on what was active before; ValueError where nothing was."""
        was = self.home.versions.active().version
        active = self.home.versions.roll_back(why)
        return [*self._rolled(was, active.version, why, now)]

    def status(self, id_: str, state: str, reason: str, now: float) -> list[Effect]:
        """A status of the mission: of the exploration, or of a command that came to an end."""
        if '-explore-' not in id_:
            return self._judge(state, reason, now)
        self._exploring = state in ('accepted', 'running')
        if self.progress.phase not in EXPLORING:
            return []
        if state in ('stopped', 'cancelled'):
            return self.stop(now)
        if state == 'succeeded':
            return self._learn(now)
        return []

    def _judge(self, state: str, reason: str, now: float) -> list[Effect]:
        """What a command came to, under the checkpoint that is on trial."""
        was = self.home.versions.active().version
        active = self.home.versions.heard(state, reason)
        return [] if active is None else self._rolled(was, active.version, active.why, now)

    def _rolled(self, was: str, now_active: str, why: str, now: float) -> list[Effect]:
        self.facts |= {'reason': f'model_rollback:{was or "base"}→{now_active or "base"}',
                       'text': why}
        if self.progress.phase not in (*EXPLORING, 'learning'):
            self._become(replace(self.progress, reason='model_rollback'), now)
        return [self._use()]

    def battery(self, charge: float) -> None:
        """The charge of the battery, 0 to 1."""
        self._charge = charge

    def rejected(self, asked: str, why: str, now: float) -> list[Effect]:
        """The policy would not act on the checkpoint that is active: back to the one before."""
        was = self.home.versions.active().version
        if not was or asked != str(self.home.versions.path(was)):
            return []
        why = why.removeprefix('model_rejected:')
        active = self.home.versions.roll_back(f'model_rejected:{why}')
        self.facts |= {'reason': f'model_rejected:{why}', 'text': f'{was} was refused: {why}'}
        self._become(replace(self.progress, reason='model_rejected'), now)
        return [Use(str(self.home.versions.path(active.version) or ''))]

    def trainer_said(self, facts: Mapping[str, Any], now: float) -> list[Effect]:
        """A line of the trainer."""
        self._heard_at = now
        self.facts |= {key: str(value) for key, value in facts.items()}
        return []

    def trainer_ended(self, status: int, last: str, now: float) -> list[Effect]:
        """The trainer came to its end: 0 with something better, 1 without."""
        if self.progress.phase != 'learning':
            return []
        if status == 0:
            self._become(replace(self.progress, phase='done', reason='activated'), now)
            return [self._use()]
        if status == 1:
            self._become(replace(self.progress, phase='done', reason='refused'), now)
            return []
        return self._fail('disk_full' if 'space left' in last or 'too large' in last
                          else 'trainer_failed', last or f'it ended with status {status}', now)

    def tick(self, now: float, memory: int = 0) -> list[Effect]:
        """Watch budgets, once a second or so.

        :param memory: MiB of the trainer
        """
        seconds, self._at = now - self._at, now
        phase, settings = self.progress.phase, self.settings
        if phase in EXPLORING and self._exploring:
            self._spend(seconds)
            self._count()
        if phase == 'exploring':
            return self._turn_back(now)
        if phase == 'returning' and now - self._phase_at > settings.way_back * MINUTE:
            self.facts['text'] = 'found no way back in time'
            return [Order(''), *self._learn(now)]
        if phase == 'learning':
            return self._watch_trainer(now, memory)
        return []

    def _spend(self, seconds: float) -> None:
        """Count time that was really driven; written down every quarter of a minute."""
        before = self.progress
        self.progress = replace(before, spent=before.spent + seconds / MINUTE)
        if int(4 * before.spent) != int(4 * self.progress.spent):
            self._remember()

    def _count(self) -> None:
        """What the policy has found by now."""
        notes = self.home.notes()
        self.facts |= {'places': str(notes.places), 'episodes': str(notes.driven)}

    def _turn_back(self, now: float) -> list[Effect]:
        budget = Budget(self.progress.minutes, self.settings.episodes, self.settings.charge)
        driven = int(self.facts.get('episodes', '0'))
        over = budget.over(self.progress.spent, driven, self._charge)
        if not over:
            return []
        self.facts['text'] = f'turning back: {over}'
        self._become(replace(self.progress, phase='returning', reason='budget_spent'), now)
        return [self._order()]

    def _watch_trainer(self, now: float, memory: int) -> list[Effect]:
        settings = self.settings
        if now - self._heard_at > settings.silence:
            return [KillTrainer(), *self._fail('trainer_silent', 'it said nothing for '
                                               f'{settings.silence:.0f} s', now)]
        if now - self._phase_at > settings.learning_limit * MINUTE:
            return [KillTrainer(), *self._fail('trainer_too_long', 'it was not done after '
                                               f'{settings.learning_limit:g} minutes', now)]
        if memory > settings.memory:
            return [KillTrainer(), *self._fail('trainer_too_large', f'it took {memory} MiB', now)]
        return []

    def _learn(self, now: float) -> list[Effect]:
        self._become(replace(self.progress, phase='learning', reason=''), now)
        return [Order(''), StartTrainer()]

    def _fail(self, reason: str, text: str, now: float) -> list[Effect]:
        self.facts['text'] = text
        self._become(replace(self.progress, phase='failed', reason=reason), now)
        return []

    def _become(self, progress: Progress, now: float) -> None:
        self.progress, self._phase_at, self._heard_at = progress, now, now
        self._remember()

    def _remember(self) -> None:
        """Write it down; a full disk is told, and the adaptation goes on in memory."""
        try:
            self.home.keep_progress(self.progress)
        except OSError as error:
            self.facts['text'] = f'disk_full: {error.strerror or error}'

    def _order(self) -> Order:
        return Order(json.dumps({'run': self.progress.run,
                                 'returning': self.progress.phase == 'returning'}))

    def _use(self) -> Use:
        return Use(str(self.home.versions.path(self.home.versions.active().version) or ''))

    def told(self) -> dict[str, str]:
        """Everything for people, by name."""
        progress = self.progress
        left = max(0.0, MINUTE * (progress.minutes - progress.spent))
        facts = {'left': f'{left:.0f}'} if progress.phase in EXPLORING else {}
        return {**facts, **self.facts, 'home': self.home.name, 'phase': progress.phase,
                'reason': self.facts.get('reason', progress.reason),
                'spent': f'{progress.spent * MINUTE:.0f}',
                'version': self.home.versions.active().version or 'base'}
