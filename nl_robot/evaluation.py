"""How good were the episodes: success, SPL, navigation error, nDTW, with bootstrap intervals.

Measures after Anderson et al., 'On Evaluation of Embodied Navigation Agents' (2018), and for
nDTW Ilharco et al., 'General Evaluation for Instruction Conditioned Navigation' (2019).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Result:
    """One episode's outcome.

    :param success: stopped where the goal is fulfilled
    :param error: metres along the floor from where it ended to fulfilment
    :param travelled: metres walked; :param shortest: metres of the shortest way
    :param oracle: the goal was fulfilled at some place on the way
    :param collisions: contacts with anything but the floor
    :param tags: what it is grouped by (`kind`, `held_out`)
    """

    success: bool
    error: float
    travelled: float
    shortest: float
    oracle: bool = False
    collisions: int = 0
    steps: int = 0
    tags: tuple[str, ...] = ()

    @property
    def spl(self) -> float:
        """Success weighted by path length: S · shortest / max(shortest, travelled)."""
        if not self.success:
            return 0.0
        longest = max(self.shortest, self.travelled)
        return 1.0 if longest <= 0 else self.shortest / longest


def ndtw(path: Sequence[tuple[float, float]], reference: Sequence[tuple[float, float]],
         threshold: float = 1.5) -> float:
    """exp(-DTW / (|reference| threshold)); 1 for the reference itself (Ilharco et al., eq. 2)."""
    if not path or not reference:
        raise ValueError('ndtw needs two paths with at least one point each')
    cost = np.full((len(path) + 1, len(reference) + 1), math.inf)
    cost[0, 0] = 0.0
    for i, point in enumerate(path, 1):
        for j, other in enumerate(reference, 1):
            cost[i, j] = math.dist(point, other) + min(cost[i - 1, j], cost[i, j - 1],
                                                       cost[i - 1, j - 1])
    return math.exp(-cost[-1, -1] / (len(reference) * threshold))


def bootstrap_interval(values: Sequence[float], seed: int = 0, draws: int = 2000,
                       level: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean over episodes (Efron 1979)."""
    data = np.asarray(values, float)
    if not data.size:
        return math.nan, math.nan
    rng = np.random.default_rng(seed)
    means = data[rng.integers(0, data.size, (draws, data.size))].mean(axis=1)
    low, high = np.quantile(means, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def summary(results: Sequence[Result]) -> dict[str, float]:
    """Mean measures of some episodes, in percent where they are rates, with the interval."""
    if not results:
        return {'episodes': 0}
    low, high = bootstrap_interval([r.success for r in results])
    errors = [r.error for r in results if math.isfinite(r.error)]
    return {'episodes': len(results),
            'success': 100 * float(np.mean([r.success for r in results])),
            'success_low': 100 * low, 'success_high': 100 * high,
            'spl': 100 * float(np.mean([r.spl for r in results])),
            'oracle': 100 * float(np.mean([r.oracle for r in results])),
            'error_m': float(np.mean(errors)) if errors else math.nan,
            'travelled_m': float(np.mean([r.travelled for r in results])),
            'collision_episodes': 100 * float(np.mean([r.collisions > 0 for r in results])),
            'collisions': float(np.mean([r.collisions for r in results])),
            'steps': float(np.mean([r.steps for r in results]))}


def by_tag(results: Sequence[Result]) -> dict[str, dict[str, float]]:
    """The summary of all episodes, and of those that carry each tag."""
    tags = sorted({tag for r in results for tag in r.tags})
    return {'all': summary(results),
            **{tag: summary([r for r in results if tag in r.tags]) for tag in tags}}


def markdown_table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Rows of `summary` as a Markdown table."""
    lines = ['| | episodes | success % (95 %) | SPL % | oracle % | error m | collided % |',
             '|---|---|---|---|---|---|---|']
    for name, row in rows.items():
        if not row.get('episodes'):
            lines.append(f'| {name} | 0 | – | – | – | – | – |')
            continue
        lines.append(f'| {name} | {row["episodes"]:.0f} | {row["success"]:.1f} '
                     f'({row["success_low"]:.1f}–{row["success_high"]:.1f}) | {row["spl"]:.1f} | '
                     f'{row["oracle"]:.1f} | {row["error_m"]:.2f} | '
                     f'{row["collision_episodes"]:.1f} |')
    return '\n'.join(lines)
