"""The free directions that a robot can drive to straight ahead, from one laser scan.

For every bearing of a fine fan we ask how far a disc as wide as the robot and its margin can
slide along it before it touches a scan point (a capsule test).  Middles of gaps between nearer
things, which are doorways more often than not, come first; the rest of the circle is filled by
the most open bearings, kept apart from each other.  The same code runs in training and on the
robot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Waypoint

Floats = NDArray[np.float64]
ENDLESS = 1e6  # metres; stands for a ray that hit nothing, so that the arithmetic stays finite


@dataclass(frozen=True)
class WaypointSettings:
    """How waypoints are cut out of a scan; metres and degrees.

    :param worthwhile: a shorter way is taken only where its neighbours are shorter still
    :param radius: of the robot's footprint
    :param margin: kept free around it on the way
    :param nearest: a waypoint closer than this is not worth a decision
    :param farthest: no waypoint lies beyond
    :param fan_degrees: step of the bearings that are tried
    :param separation_degrees: between two waypoints, unless they go through different gaps
    :param gap_separation_degrees: between the middles of two different gaps
    :param gap_jump: a gap's free way is this much longer than that of what bounds it
    :param beyond_gap: how far past the narrowest place of a gap its waypoint lies
    :param widest_gap_degrees: a wider opening is simply open floor
    :param bridged_degrees: unknown rays up to this width take their nearer neighbour's range
    """

    radius: float = 0.20
    margin: float = 0.07
    nearest: float = 0.5
    farthest: float = 3.0
    worthwhile: float = 1.0
    fan_degrees: float = 2.0
    separation_degrees: float = 36.0
    gap_separation_degrees: float = 16.0
    gap_jump: float = 0.6
    beyond_gap: float = 0.8
    widest_gap_degrees: float = 50.0
    bridged_degrees: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.nearest < self.farthest:
            raise ValueError('WaypointSettings needs 0 < nearest < farthest, got nearest='
                             f'{self.nearest!r}, farthest={self.farthest!r}')
        if self.radius <= 0 or self.margin < 0 or not 0 < self.fan_degrees <= 30:
            raise ValueError('WaypointSettings needs radius > 0, margin >= 0 and 0 < fan_degrees'
                             f' <= 30, got {self.radius!r}, {self.margin!r}, '
                             f'{self.fan_degrees!r}')


DEFAULTS = WaypointSettings()


def waypoints_from_scan(ranges: NDArray[np.floating], angle_min: float, angle_increment: float,
                        settings: WaypointSettings = DEFAULTS,
                        ) -> tuple[Waypoint, ...]:
    """The waypoints of one scan, sorted by bearing; an enclosed robot has none.

    Beyond the laser's field of view nothing is free.

    :param ranges: (rays,) metres; `inf` is free as far as the laser reaches, NaN, zero and
        negative values are unknown and therefore not free
    :param angle_min: bearing of the first ray, radians
    :param angle_increment: between two rays, radians
    :raises ValueError: for a scan that is not one row of rays
    """
    rays = np.asarray(ranges, np.float64)
    if rays.ndim != 1 or rays.size == 0 or not angle_increment:
        raise ValueError('a scan is one row of rays with a non-zero angle_increment, got shape '
                         f'{rays.shape} and increment {angle_increment!r}')
    rays = _bridge_unknown(rays, angle_increment, settings)
    fan = fan_bearings(settings)
    turn_cos, turn_sin, in_view = _turns(rays.size, angle_min, angle_increment, settings)
    free = np.where(in_view, drivable_distances(rays, turn_cos, turn_sin, settings), 0.0)
    chosen = _choose(free, fan, settings)
    return tuple(Waypoint(float(fan[i]), round(float(distance), 4))
                 for i, distance in sorted(chosen))


def fan_bearings(settings: WaypointSettings) -> Floats:
    """(bearings,) radians in [-pi, pi), evenly spaced, with 0 among them."""
    count = 2 * max(1, round(180 / settings.fan_degrees))
    return np.asarray((np.arange(count) - count // 2) * (2 * math.pi / count), np.float64)


def drivable_distances(ranges: Floats, turn_cos: Floats, turn_sin: Floats,
                       settings: WaypointSettings) -> Floats:
    """(bearings,) metres that the robot can drive straight in each direction; inf without end.

    A robot that already stands nearer to a wall than its margin may still drive along it: the
    margin shrinks to what there is.

    :param ranges: (rays,) metres without NaN; `inf` where nothing was hit
    :param turn_cos, turn_sin: (bearings, rays) of the angle from each bearing to each ray
    """
    room = float(ranges.min()) - 0.01
    clearance = min(max(room, settings.radius), settings.radius + settings.margin)
    hits = np.minimum(ranges, ENDLESS)
    ahead, aside = turn_cos * hits, turn_sin * hits
    inside = clearance ** 2 - aside ** 2
    touch = np.where((inside > 0) & (ahead > 0), ahead - np.sqrt(np.maximum(inside, 0)), np.inf)
    free = np.maximum(touch.min(axis=1), 0.0)
    return np.where(free > ENDLESS / 2, np.inf, free)


@lru_cache(maxsize=8)
def _turns(rays: int, angle_min: float, angle_increment: float,
           settings: WaypointSettings) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Cosine and sine (bearings, rays) from fan to rays, and the bearings in view (bearings,)."""
    angles = angle_min + angle_increment * np.arange(rays)
    turn = angles[None, :] - fan_bearings(settings)[:, None]
    in_view = np.cos(turn).max(axis=1) >= math.cos(math.radians(3))
    return np.cos(turn), np.sin(turn), in_view


def _bridge_unknown(ranges: Floats, increment: float, settings: WaypointSettings) -> Floats:
    """Ranges without unknown rays: short runs are bridged, longer ones become obstacles.

    An unknown run stands as an obstacle at the distance of the nearest useful waypoint, so that
    nothing leads into it.
    """
    unknown = ~(ranges > 0)
    if not unknown.any():
        return ranges
    if unknown.all():
        return np.full_like(ranges, settings.nearest)
    bridged = ranges.copy()
    first = int(np.flatnonzero(~unknown)[0])
    order = np.roll(np.arange(ranges.size), -first)          # begins with a known ray
    edges = np.flatnonzero(np.diff(np.r_[0, unknown[order].astype(int), 0]))
    for begin, end in zip(edges[::2], edges[1::2]):
        run = order[begin:end]
        width = math.degrees(abs(increment)) * len(run)
        sides = ranges[order[begin - 1]], ranges[order[end % ranges.size]]
        bridged[run] = min(sides) if width <= settings.bridged_degrees else settings.nearest
    return bridged


def _choose(free: Floats, fan: Floats, settings: WaypointSettings) -> list[tuple[int, float]]:
    """(index of bearing, distance) of the waypoints: gaps first, then the most open floor."""
    reach = np.minimum(free, settings.farthest)
    step = 2 * math.pi / fan.size
    taken: list[tuple[int, float]] = []
    for index, distance in _gaps(free, reach, step, settings):
        if _far_from(index, taken, fan.size, math.radians(settings.gap_separation_degrees), step):
            taken.append((index, distance))
    openness = _circular_mean(reach, round(math.radians(12) / step))
    order = np.lexsort((np.abs(fan), -np.round(openness, 2)))
    separation = math.radians(settings.separation_degrees)
    peak = openness >= np.maximum(np.roll(openness, 1), np.roll(openness, -1))
    offered = (reach >= settings.worthwhile) | (peak & (reach >= settings.nearest))
    for index in order[offered[order]]:
        if _far_from(index, taken, fan.size, separation, step):
            taken.append((int(index), float(reach[index])))
    return taken


def _gaps(free: Floats, reach: Floats, step: float,
          settings: WaypointSettings) -> list[tuple[int, float]]:
    """(index of the middle, distance) of narrow openings between nearer things, deepest first.

    A gap begins where the free way grows by `gap_jump` from one bearing to the next and ends
    where it falls by as much.
    """
    size, jumps = free.size, np.diff(np.r_[np.minimum(free, 10.0), min(free[0], 10.0)])
    rises = np.flatnonzero(jumps >= settings.gap_jump)
    falls = jumps <= -settings.gap_jump
    widest = int(math.radians(settings.widest_gap_degrees) / step)
    found = []
    for rise in rises:
        for width in range(1, widest + 1):
            at = (rise + width) % size
            if width > 1 and jumps[(at - 1) % size] >= settings.gap_jump:
                break                                    # a later rise bounds it more tightly
            if falls[at]:
                middle = (rise + (1 + width) // 2) % size
                narrow = min(free[rise], free[(at + 1) % size])
                if (distance := min(reach[middle], max(narrow, 0.0) + settings.radius
                                    + settings.margin + settings.beyond_gap)) \
                        >= settings.nearest:
                    found.append((int(middle), float(distance)))
                break
    return sorted(found, key=lambda gap: -free[gap[0]])


def _far_from(index: int, taken: list[tuple[int, float]], size: int, separation: float,
              step: float) -> bool:
    """True when the bearing lies at least `separation` from all that were taken."""
    return all(min((index - other) % size, (other - index) % size) * step >= separation - 1e-9
               for other, _ in taken)


def _circular_mean(values: Floats, half_width: int) -> Floats:
    """Mean over each value and its `half_width` neighbours on either side, around the circle."""
    padded = np.r_[values[-half_width:], values, values[:half_width]] if half_width else values
    kernel = np.full(2 * half_width + 1, 1 / (2 * half_width + 1))
    return np.convolve(padded, kernel, mode='valid')
