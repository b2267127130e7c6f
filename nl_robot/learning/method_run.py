"""One run of one method: within a budget, with progress, resumable, its curves on disk."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nl_robot.evaluation import Result
from nl_robot.learning import parallel
from nl_robot.learning.lang_goal_irl import LangGoalIRL
from nl_robot.learning.learner_state import put_back, state_of
from nl_robot.learning.resume import append_curves, draw_curves, load_state, save_state
from nl_robot.settings import to_mapping

SAVE_SECONDS, TELL_SECONDS = 60.0, 10.0


@dataclass(frozen=True)
class Budget:
    """How long to learn: processor minutes or updates, whichever is given.

    Processor time, so that what else the machine does takes nothing from a run: with one thread
    it is what a quiet core needs.  On a GPU, where the processor only hands out the work, minutes
    are those of the clock on the wall.
    """

    minutes: float | None = None
    updates: int | None = None

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.updates is None):
            raise ValueError('a budget is either minutes or updates')

    def spent(self, seconds: float, update: int) -> float:
        """The share of it that is gone; 1 when it is over."""
        if self.updates is not None:
            return update / self.updates
        assert self.minutes is not None
        return seconds / 60.0 / self.minutes


class MethodRun:
    """A learner with its budget and its directory.

    :param settings: all that makes the run what it is; another run's directory is refused
    """

    def __init__(self, learner: LangGoalIRL, budget: Budget, directory: Path,
                 settings: dict[str, Any], tell: Callable[[str], None] = print) -> None:
        self.learner, self.budget, self.directory = learner, budget, directory
        self._settings, self._tell = settings, tell
        self.clock = time.monotonic if learner.arena.device.type == 'cuda' else time.process_time
        self.seconds = 0.0
        self._rows: list[dict[str, float]] = []
        self._means: list[dict[str, Tensor]] = []

    def resume(self) -> bool:
        """Go on where the run in the directory left off; False where there is none."""
        found = load_state(self.directory, self._settings)
        if found is None:
            return False
        tensors, notes = found
        put_back(self.learner, tensors, notes)
        self.seconds = float(notes['seconds'])
        return True

    def save(self) -> None:
        """Write state and curves as they are now; one process does for all."""
        if self.learner.rank.rank > 0:
            return
        append_curves(self.directory, self._rows)
        self._rows.clear()
        tensors, notes = state_of(self.learner)
        save_state(self.directory, tensors, self._settings, notes | {'seconds': self.seconds})

    def train(self) -> None:
        """What is left of the budget; saved when interrupted, too."""
        clock, told, saved = self.clock(), time.monotonic(), time.monotonic()
        try:
            while (spent := self._spent()) < 1.0:
                self._means.append(self.learner.advance(spent))
                now = self.clock()
                self.seconds, clock = self.seconds + now - clock, now
                if time.monotonic() - told > TELL_SECONDS:
                    told = time.monotonic()
                    self._report(spent)
                if time.monotonic() - saved > SAVE_SECONDS:
                    saved = time.monotonic()
                    self.save()
        finally:
            if self._means:
                self._report(self.budget.spent(self.seconds, self.learner.update))
            self.save()
        if self.learner.rank.rank == 0:
            draw_curves(self.directory)

    def _spent(self) -> float:
        """The share of the budget that is gone, the same for all processes."""
        spent = self.budget.spent(self.seconds, self.learner.update)
        return parallel.agreed(spent, self.learner.rank)

    def _report(self, spent: float) -> None:
        """One row of the curves, and one line for people."""
        names = dict.fromkeys(name for row in self._means for name in row)
        row = {name: float(torch.stack([r[name] for r in self._means if name in r]).mean())
               for name in names}
        self._means.clear()
        self._rows.append({'update': self.learner.update, **row})
        pace = self.learner.episodes / max(self.seconds, 1e-6)
        values = '  '.join(f'{name.replace("_", " ")} {value:.3f}' for name, value in row.items())
        self._tell(f'{100 * min(spent, 1):3.0f} %  update {self.learner.update}  '
                   f'{self.learner.episodes} episodes, {pace:.0f} a second  {values}')


def settings_of(learner: LangGoalIRL, **more: Any) -> dict[str, Any]:
    """What makes a run of a learner what it is, as a mapping."""
    return {'method': to_mapping(learner.method), 'learning': to_mapping(learner.settings),
            'navigator': to_mapping(learner.policy.net.settings), 'seed': learner.seed, **more}



def outcomes(results: Sequence[Result]) -> dict[str, list[float]]:
    """Results by measure, as they are kept of a run: one number per episode, in their order."""
    return {'success': [int(r.success) for r in results], 'spl': [r.spl for r in results],
            'oracle': [int(r.oracle) for r in results],
            'error': [r.error if math.isfinite(r.error) else -1.0 for r in results]}
