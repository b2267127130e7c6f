"""How good were the episodes: success, SPL, navigation error, nDTW, with bootstrap intervals.

Measures after Anderson et al., 'On Evaluation of Embodied Navigation Agents' (2018), and for
nDTW Ilharco et al., 'General Evaluation for Instruction Conditioned Navigation' (2019).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """One episode's outcome.

    :param success: stopped where the goal is fulfilled
    :param error: metres along the floor from where it ended to fulfilment
    :param travelled: metres walked; :param shortest: metres of the shortest way
    :param oracle: the goal was fulfilled at some place on the way
    :param collisions: contacts with anything but the floor
    :param tags: what it is grouped by (`kind`, `held_out`)
    :param sure: False where it stopped but said that it was unsure
    """

    success: bool
    error: float
    travelled: float
    shortest: float
    oracle: bool = False
    collisions: int = 0
    steps: int = 0
    tags: tuple[str, ...] = ()
    sure: bool = True

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


@dataclass(frozen=True)
class Estimate:
    """A measure in percent or points, and the interval around it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Paired:
    """One method against another on the same episodes.

    :param difference: of the means, in points; :param gain: relative to the other, in percent;
        nan where the other has nothing
    """

    difference: Estimate
    gain: Estimate


def over_seeds(values: Matrix, seed: int = 0, draws: int = 2000) -> Estimate:
    """The mean of `values` (seeds, episodes) in percent.

    The interval is that of a hierarchical bootstrap: seeds are drawn with replacement, and
    episodes, which are the same for all seeds.  With one seed it tells of episodes alone, and
    with few it is too narrow (Agarwal et al., NeurIPS 2021, section 4).
    """
    rng = np.random.default_rng(seed)
    drawn = _means(values, _rows(rng, len(values), draws), _rows(rng, values.shape[1], draws))
    return _estimate(100 * float(values.mean()), 100 * drawn)


def gap(first: Matrix, second: Matrix, seed: int = 0, draws: int = 2000) -> Estimate:
    """Mean of `first` minus that of `second`, in points: the same seeds on other episodes."""
    if len(first) != len(second):
        raise ValueError(f'a gap needs the same seeds, got {len(first)} and {len(second)}')
    rng = np.random.default_rng(seed)
    seeds = _rows(rng, len(first), draws)
    drawn = [_means(values, seeds, _rows(rng, values.shape[1], draws))
             for values in (first, second)]
    return _estimate(100 * float(first.mean() - second.mean()), 100 * (drawn[0] - drawn[1]))


def paired(ours: Matrix, theirs: Matrix, seed: int = 0, draws: int = 2000) -> Paired:
    """Ours (seeds, episodes) against theirs (other seeds, the same episodes).

    Every draw has the same episodes for both, so that hard ones do not count as a difference;
    seeds are drawn for each alone, since runs of two methods share no more than a number.
    """
    if ours.shape[1] != theirs.shape[1]:
        raise ValueError('a paired comparison needs the same episodes, got '
                         f'{ours.shape[1]} and {theirs.shape[1]}')
    rng = np.random.default_rng(seed)
    episodes = _rows(rng, ours.shape[1], draws)
    a, b = (_means(values, _rows(rng, len(values), draws), episodes) for values in (ours, theirs))
    mean_a, mean_b = float(ours.mean()), float(theirs.mean())
    difference = _estimate(100 * (mean_a - mean_b), 100 * (a - b))
    if mean_b == 0:
        return Paired(difference, Estimate(math.nan, math.nan, math.nan))
    # a draw where theirs is 0 has gained without end, or nothing where ours is 0, too
    ratio = np.divide(a, b, out=np.where(a > 0, math.inf, 1.0), where=b > 0)
    return Paired(difference, _estimate(100 * (mean_a / mean_b - 1), 100 * (ratio - 1)))


def _rows(rng: np.random.Generator, count: int, draws: int) -> NDArray[np.int64]:
    """(draws, count) numbers below `count`, drawn with replacement."""
    return rng.integers(0, count, (draws, count))


def _means(values: Matrix, seeds: NDArray[np.int64], episodes: NDArray[np.int64]) -> Matrix:
    """(draws,) means of `values` (s, e) over the drawn seeds (draws, s), episodes (draws, e)."""
    share = np.stack([(seeds == k).mean(axis=1) for k in range(len(values))], axis=1)
    found: Matrix = np.take_along_axis(share @ values, episodes, axis=1).mean(axis=1)
    return found


def _estimate(value: float, drawn: Matrix, level: float = 0.95) -> Estimate:
    """The percentile interval; of draws that happened, since some may be infinite."""
    low, high = np.quantile(drawn, ((1 - level) / 2, (1 + level) / 2), method='inverted_cdf')
    return Estimate(value, float(low), float(high))


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
