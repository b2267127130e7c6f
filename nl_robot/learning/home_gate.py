"""Whether what was learned in a home may be used: better there, and not worse anywhere else."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nl_robot.checkpoint import Checkpoint
from nl_robot.evaluation import Estimate, Paired, over_seeds, paired
from nl_robot.learning.arena import Arena
from nl_robot.learning.home_lesson import nets_of
from nl_robot.learning.walks import greedy_results
from nl_robot.nets.words import Encoder, Vocabulary
from nl_robot.settings import to_mapping
from nl_robot.worlds.tasks import GraphTask

STEPS = 15
Measure = Callable[[Checkpoint, Sequence[GraphTask], Encoder], NDArray[np.float64]]


@dataclass(frozen=True)
class Comparison:
    """Success of two checkpoints on the same episodes, in percent."""

    episodes: int
    before: Estimate
    after: Estimate
    paired: Paired

    def __str__(self) -> str:
        gain = self.paired.difference
        return (f'{self.before.value:.1f} % → {self.after.value:.1f} %, {gain.value:+.1f} points '
                f'({gain.low:+.1f} to {gain.high:+.1f}, {self.episodes} episodes)')


@dataclass(frozen=True)
class GateSettings:
    """In points.

    :param gain: that the interval of the gain at home must lie above
    :param loss: that the mean on old episodes may lose
    """

    gain: float = 0.0
    loss: float = 1.0


@dataclass(frozen=True)
class Verdict:
    """What the gate found.

    :param here: held-out episodes of the home; :param there: a fixed set of old ones
    """

    here: Comparison
    there: Comparison | None
    passed: bool
    why: str

    def facts(self) -> dict[str, Any]:
        """For origin.json."""
        return {'passed': self.passed, 'why': self.why, 'here': _finite(to_mapping(self.here)),
                'there': None if self.there is None else _finite(to_mapping(self.there))}


def _finite(facts: Any) -> Any:
    """The same without numbers that JSON has none for: a gain over nothing is None."""
    if isinstance(facts, dict):
        return {key: _finite(value) for key, value in facts.items()}
    return None if isinstance(facts, float) and not math.isfinite(facts) else facts


def successes(stored: Checkpoint, tasks: Sequence[GraphTask], encoder: Encoder) -> np.ndarray:
    """(1, tasks) 1 where a checkpoint ends where the task is fulfilled, going step by step."""
    nets = nets_of(stored)
    arena = Arena(tasks, Vocabulary(encoder))
    results = greedy_results(nets.policy, arena, STEPS, nets.acting, nets.reward,
                             nets.calibration)
    return np.array([[float(r.success) for r in results]])


def compare(old: Checkpoint, new: Checkpoint, tasks: Sequence[GraphTask], encoder: Encoder,
            measure: Measure = successes) -> Comparison:
    """Both on the same tasks; paired bootstrap."""
    return compared(*(measure(stored, tasks, encoder) for stored in (old, new)))


def compared(before: NDArray[np.float64], after: NDArray[np.float64]) -> Comparison:
    """(1, tasks) successes on the same tasks, before and after."""
    return Comparison(before.shape[1], over_seeds(before), over_seeds(after),
                      paired(after, before))


def decide(old: Checkpoint, new: Checkpoint, here: Sequence[GraphTask],
           there: Sequence[GraphTask], encoder: Encoder, settings: GateSettings | None = None,
           measure: Measure = successes) -> Verdict:
    """Whether the new checkpoint takes the old one's place.

    :param measure: (1, tasks) 1 where a checkpoint succeeds, in the way in which it will be used
    """
    settings = settings or GateSettings()
    if not here:
        raise ValueError('there is nothing to measure on: no labelled way was held out')
    home = compare(old, new, here, encoder, measure)
    rest = compare(old, new, there, encoder, measure) if there else None
    if home.paired.difference.low <= settings.gain:
        return Verdict(home, rest, False, f'not better here: {home}')
    if rest is not None and rest.paired.difference.value < -settings.loss:
        return Verdict(home, rest, False, f'worse elsewhere: {rest}')
    return Verdict(home, rest, True, f'better here: {home}'
                   + ('' if rest is None else f'; elsewhere: {rest}'))
