"""Looks after the home that the robot is in: its adaptation, the process that learns, the words
for both; what it wants said comes back as texts by topic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from nl_robot.homes.adapting import (
    Adapting,
    AdaptingSettings,
    Effect,
    KillTrainer,
    Order,
    StartTrainer,
    Use,
)
from nl_robot.homes.labels import summary
from nl_robot.homes.store import Homes
from nl_robot.homes.trainer import Trainer


class Say(NamedTuple):
    """A text for a topic."""

    topic: str
    text: str


class Caretaker:
    """One home at a time, and at most one process that learns.

    :param agent: checkpoint that homes begin with; '' is that of the package
    :param cache: folder for what learning need not make twice
    :param module: whose `main` learns
    """

    def __init__(self, homes: Homes, settings: AdaptingSettings, agent: str, cache: str,
                 module: str = 'nl_robot.cli.main') -> None:
        self._homes, self._settings = homes, settings
        self._agent, self._cache, self._module = agent, cache, module
        self._minutes = settings.minutes
        self._life: Adapting | None = None
        self._trainer: Trainer | None = None

    @property
    def life(self) -> Adapting:
        """The adaptation of the home that was entered."""
        assert self._life is not None
        return self._life

    def enter(self, name: str, minutes: float, now: float) -> list[Say]:
        """The robot is in this home; `minutes` to explore it, 0 for as many as usual.

        :raises ValueError: the name is none, or the home's files are damaged
        """
        self._minutes = minutes or self._settings.minutes
        if self._life is not None and self._life.home.name == name:
            return []
        home = self._homes.open(name, make=True)
        life = Adapting(home, self._settings, now)
        said = self._do(self._life.stop(now)) if self._life is not None else []
        self._life = life
        return [*said, Say('home', str(home.folder.resolve())), *self._do(life.wake()),
                Say('adapt/labels', summary(home.labels()))]

    def start(self, now: float) -> tuple[bool, str, list[Say]]:
        """A person wants it: whether it began, one phrase, and what to say."""
        effects = self.life.start(now, self._minutes)
        phrase = 'exploring' if effects else f'already {self.life.progress.phase}'
        return bool(effects), phrase, self._do(effects)

    def stop(self, now: float) -> tuple[bool, str, list[Say]]:
        """A person wants it to end."""
        effects = self.life.stop(now)
        phrase = 'stopped' if effects else 'nothing was going on'
        return bool(effects), phrase, self._do(effects)

    def roll_back(self, now: float) -> tuple[bool, str, list[Say]]:
        """A person wants what was active before."""
        try:
            said = self._do(self.life.roll_back(now))
        except ValueError as error:
            return False, str(error), []
        return True, f'acts on {self.life.told()["version"]}', said

    def status(self, values: Mapping[str, str], now: float) -> list[Say]:
        """A status of the mission."""
        return self._do(self.life.status(values.get('id', ''), values.get('state', ''),
                                         values.get('reason', ''), now))

    def checkpoint(self, values: Mapping[str, str], now: float) -> list[Say]:
        """What the policy made of a checkpoint."""
        if not values.get('refused'):
            return []
        return self._do(self.life.rejected(values.get('asked', ''), values['refused'], now))

    def tick(self, now: float) -> list[Say]:
        """Hear the process that learns, and watch all bounds."""
        said: list[Say] = []
        trainer = self._trainer
        if trainer is not None:
            for facts in trainer.facts():
                said += self._do(self.life.trainer_said(facts, now))
            if (status := trainer.ended()) is not None:
                self._trainer = None
                said += self._do(self.life.trainer_ended(status, trainer.last_words(), now))
                said.append(Say('adapt/labels', summary(self.life.home.labels())))
        return said + self._do(self.life.tick(now, trainer.memory() if trainer else 0))

    def end(self) -> None:
        """The process that learns goes; what it has learned so far is on the disk."""
        if self._trainer is not None:
            self._trainer.kill()
            self._trainer = None

    def _do(self, effects: Iterable[Effect]) -> list[Say]:
        """Start and end processes; what is left is to be said."""
        said: list[Say] = []
        for effect in effects:
            if isinstance(effect, Order):
                said.append(Say('explore', effect.text))
            elif isinstance(effect, Use):
                said.append(Say('checkpoint', effect.path))
            elif isinstance(effect, KillTrainer):
                self.end()
            elif isinstance(effect, StartTrainer):
                self.end()
                self._trainer = Trainer(self._arguments(), self.life.home.folder / 'trainer.log',
                                        self._module)
        return said

    def _arguments(self) -> list[str]:
        """The command line of the process that learns."""
        home = self.life.home
        given = ['adapt', '--home', home.name, '--homes', str(home.folder.parent), '--learn-only',
                 '--json', '--learning', f'{self._settings.learning}m', '--cache', self._cache]
        return given + (['--checkpoint', self._agent] if self._agent else [])
