"""Where to head so that the hull reaches a place without touching anything: numpy on points.

Everything is in the frame of the robot, metres and radians.  The corridor is the rectangle that
the hull and its margin sweep; it is the same one that the gate watches, so what is chosen here
the gate lets pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

# Every 7.5 degrees: a step sideways of 0.13 m at 1 m, less than the margin of a 0.9 m doorway.
_OFFSETS = np.radians(np.arange(-172.5, 181.0, 7.5))
_BATCH = 24
_LEGS = np.array([0.25, 0.5, 0.8, 1.2, 1.7, 2.3])


@dataclass(frozen=True)
class Heading:
    """A direction to drive, how far it is free, and whether the target is reached that way."""

    bearing: float
    free: float
    complete: bool


def points_from_ranges(ranges: NDArray[np.floating], angle_min: float, angle_increment: float,
                       range_min: float, range_max: float) -> Points:
    """(n, 2) obstacles of a scan of (beams,) ranges; what measured nothing gives no point."""
    ranges = np.asarray(ranges, dtype=float)
    angles = angle_min + angle_increment * np.arange(ranges.size)
    hit = ~np.isnan(ranges) & (ranges < range_max)
    reach = np.maximum(ranges[hit], range_min)
    return np.stack([reach * np.cos(angles[hit]), reach * np.sin(angles[hit])], axis=1)


def free_travel(points: Points, headings: NDArray[np.float64], half_width: float,
                standoff: float) -> NDArray[np.float64]:
    """(headings,) metres the middle of the robot may go straight towards each heading.

    :param half_width: of the corridor
    :param standoff: what must stay between the middle of the robot and an obstacle ahead
    """
    if not points.size:
        return np.full(headings.shape, np.inf)
    cos, sin = np.cos(headings)[:, None], np.sin(headings)[:, None]
    along = points[:, 0] * cos + points[:, 1] * sin  # (headings, points)
    across = np.abs(points[:, 1] * cos - points[:, 0] * sin)
    inside = (across < half_width) & (along > 0)
    return np.where(inside, along, np.inf).min(axis=1) - standoff


def legs_are_free(points: Points, starts: Points, target: Points, half_width: float
                  ) -> NDArray[np.bool_]:
    """(starts,) bool: no obstacle within `half_width` of the straight way to `target`.

    :param starts: (starts, 2)
    :param target: (2,)
    """
    if not points.size:
        return np.ones(len(starts), dtype=bool)
    way = target - starts
    length = np.maximum((way ** 2).sum(axis=1), 1e-12)
    offset = points[None] - starts[:, None]  # (starts, points, 2)
    share = np.clip((offset * way[:, None]).sum(axis=2) / length[:, None], 0.0, 1.0)
    gap = offset - share[..., None] * way[:, None]
    return ((gap ** 2).sum(axis=2) >= half_width ** 2).all(axis=1)


def choose_heading(points: Points, bearing: float, distance: float, previous: float | None,
                   half_width: float, standoff: float) -> Heading | None:
    """The heading of the shortest way of one or two straight legs to the target.

    Where no such way is free, the heading whose end comes nearest to the target; None where
    every heading is closed.

    :param previous: the heading chosen last; staying with it is worth a little, so that two
        equal ways round an obstacle do not make the robot waver
    """
    direct = float(free_travel(points, np.array([bearing]), half_width, standoff)[0])
    if direct >= distance:
        return Heading(bearing, direct, True)
    headings = bearing + np.concatenate([[0.0], _OFFSETS])
    free = free_travel(points, headings, half_width, standoff)
    reach = np.minimum(free[:, None], _LEGS[None])  # (headings, legs)
    usable = reach > 0.05
    if not usable.any():
        return None
    directions = np.stack([np.cos(headings), np.sin(headings)], axis=1)
    ends = reach[..., None] * directions[:, None]  # (headings, legs, 2)
    target = distance * np.array([math.cos(bearing), math.sin(bearing)])
    rest = np.hypot(*np.moveaxis(target - ends, 2, 0))
    turn = np.zeros(len(headings)) if previous is None else 0.15 * np.abs(
        np.angle(np.exp(1j * (headings - previous))))
    best = _first_complete(points, ends, target, half_width,
                           np.where(usable, reach + rest + turn[:, None], np.inf))
    if best is not None:
        return Heading(float(headings[best]), float(free[best]), True)
    cost = np.where(usable, 0.3 * reach + 1.5 * rest + turn[:, None], np.inf)
    best = int(np.argmin(cost.min(axis=1)))
    return Heading(float(headings[best]), float(free[best]), False)


def _first_complete(points: Points, ends: NDArray[np.float64], target: NDArray[np.float64],
                    half_width: float, cost: NDArray[np.float64]) -> int | None:
    """The heading of the cheapest first leg from whose end the target is reached straight.

    Looked for in order of cost, a batch at a time: mostly the first batch holds it.
    """
    order = np.argsort(cost, axis=None, kind='stable')[:np.isfinite(cost).sum()]
    for batch in np.split(order, range(_BATCH, order.size, _BATCH)):
        rows, legs = np.unravel_index(batch, cost.shape)
        found = legs_are_free(points, ends[rows, legs], target, half_width)
        if found.any():
            return int(rows[int(np.argmax(found))])
    return None
