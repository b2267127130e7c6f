"""How good a detector is: matching what it found with what there was, kind by kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Seen:
    """One thing in a frame or a panorama, found or true.

    :param kind: what it is, without attributes
    :param place: its bearing in radians, or its column in pixels
    :param half: half of its width, in the unit of `place`
    :param score: of a found thing
    :param distance: metres
    :param counts: True when a detector that misses it is to blame; False for what is too far
        or too small to be asked for, and for found things that claim to be beyond the range
    """

    kind: str
    place: float
    half: float
    score: float = 1.0
    distance: float = 0.0
    counts: bool = True
    colour: str = ''


@dataclass
class Tally:
    """Counts of one kind.

    :param errors: differences of place between found and true
    """

    present: int = 0
    recalled: int = 0
    claimed: int = 0
    right: int = 0
    colours_right: int = 0
    errors: list[float] = field(default_factory=list)
    distance_errors: list[float] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Share of claims that were right; NaN without claims."""
        return self.right / self.claimed if self.claimed else float('nan')

    @property
    def recall(self) -> float:
        """Share of present things that were found; NaN where there were none."""
        return self.recalled / self.present if self.present else float('nan')

    def add(self, other: Tally) -> None:
        """Count what `other` counted, too."""
        for name in ('present', 'recalled', 'claimed', 'right', 'colours_right'):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.errors += other.errors
        self.distance_errors += other.distance_errors


def match(found: Sequence[Seen], true: Sequence[Seen], tolerance: float,
          period: float | None = None) -> list[int]:
    """For each found thing the index of the true thing it stands for, or -1.

    The surest choose first, each the nearest thing of its kind that nobody took and that lies
    within `tolerance` or half its own width.

    :param period: of places, where they go around a circle
    """
    partner = [-1] * len(found)
    taken: set[int] = set()
    for i in sorted(range(len(found)), key=lambda k: -found[k].score):
        best, choice = np.inf, -1
        for j, thing in enumerate(true):
            if thing.kind != found[i].kind or j in taken:
                continue
            apart = _apart(found[i].place, thing.place, period)
            if apart <= max(tolerance, thing.half) and apart < best:
                best, choice = apart, j
        if choice >= 0:
            partner[i] = choice
            taken.add(choice)
    return partner


def _apart(one: float, other: float, period: float | None) -> float:
    """Difference of two places, the short way around where they go around."""
    apart = abs(one - other)
    return min(apart % period, period - apart % period) if period else apart


def tally(found: Sequence[Seen], true: Sequence[Seen], tolerance: float,
          period: float | None = None) -> dict[str, Tally]:
    """The counts by kind of one frame or panorama."""
    tallies: dict[str, Tally] = {}
    partner = match(found, true, tolerance, period)
    for thing, other in zip(found, partner):
        counts = tallies.setdefault(thing.kind, Tally())
        counts.claimed += thing.counts
        counts.right += thing.counts and other >= 0
        if other >= 0 and true[other].counts:
            counts.recalled += 1
            counts.errors.append(_apart(thing.place, true[other].place, period))
            counts.distance_errors.append(abs(thing.distance - true[other].distance))
            counts.colours_right += thing.colour == true[other].colour
    for thing in true:
        if thing.counts:
            tallies.setdefault(thing.kind, Tally()).present += 1
    return tallies


def add_tallies(total: dict[str, Tally], more: dict[str, Tally]) -> None:
    """Add the counts of `more` to `total`, kind by kind."""
    for kind, counts in more.items():
        total.setdefault(kind, Tally()).add(counts)


def together(tallies: dict[str, Tally]) -> Tally:
    """The counts of all kinds in one."""
    total = Tally()
    for counts in tallies.values():
        total.add(counts)
    return total


def best_thresholds(scores: NDArray[np.floating], is_right: NDArray[np.bool_], present: int,
                    grid: NDArray[np.floating]) -> float:
    """The threshold of `grid` with the best F1 (the harmonic mean of precision and recall).

    :param scores, is_right: (claims,) of every claim at the lowest threshold
    :param present: how many things there were to find
    """
    best, choice = -1.0, float(grid[0])
    for threshold in grid:
        kept = scores >= threshold
        right = int((kept & is_right).sum())
        f1 = 2 * right / max(int(kept.sum()) + present, 1)
        if f1 > best:
            best, choice = f1, float(threshold)
    return choice


def numbers(tallies: dict[str, Tally]) -> dict[str, dict[str, float]]:
    """By kind, and for `all`: present, claimed, precision, recall, median errors, colours right.

    Places are taken for radians and reported in degrees; medians of nothing are NaN.
    """
    def row(counts: Tally) -> dict[str, float]:
        degrees = float(np.degrees(np.median(counts.errors))) if counts.errors else float('nan')
        metres = float(np.median(counts.distance_errors)) if counts.errors else float('nan')
        return {'present': counts.present, 'claimed': counts.claimed,
                'precision': counts.precision, 'recall': counts.recall,
                'bearing_error_deg': degrees, 'distance_error_m': metres,
                'colour_right': counts.colours_right / max(counts.recalled, 1)}
    return {kind: row(counts) for kind, counts
            in [*sorted(tallies.items()), ('all', together(tallies))]}


def table(tallies: dict[str, Tally]) -> str:
    """The same as text, one kind per line, with the mean over kinds at the end."""
    rows = numbers(tallies)
    lines = [f'{"kind":<18} present  precision  recall  bearing err  distance err  colour']
    for kind, row in rows.items():
        lines.append(f'{kind:<18} {row["present"]:>7}  {row["precision"]:>9.3f}  '
                     f'{row["recall"]:>6.3f}  {row["bearing_error_deg"]:>9.1f} d  '
                     f'{row["distance_error_m"]:>10.2f} m  {row["colour_right"]:>6.2f}')
    kinds = [row for kind, row in rows.items() if kind != 'all' and row['present']]
    means = (float(np.nanmean([row[name] for row in kinds])) if kinds else float('nan')
             for name in ('precision', 'recall'))
    lines.append(f'{"mean over kinds":<18} {len(kinds):>7}  ' + '  '.join(
        f'{mean:>{width}.3f}' for mean, width in zip(means, (9, 6))))
    return '\n'.join(lines)
