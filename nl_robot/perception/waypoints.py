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
from nl_robot.geometry import wrap_angle

Floats = NDArray[np.float64]
Ways = list[tuple[float, float]]  # bearing in radians, distance in metres
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
    :param edge_jump: from one ray to the next, at an edge that may be a door jamb
    :param narrowest_door, widest_door: between two jambs
    :param door_steps: how far past the middle of a doorway a waypoint may lie, best first
    :param bridged_degrees: unknown rays up to this width take their nearer neighbour's range
    """

    radius: float = 0.20
    margin: float = 0.07
    nearest: float = 0.5
    farthest: float = 3.0
    worthwhile: float = 1.0
    fan_degrees: float = 2.0
    separation_degrees: float = 36.0
    gap_separation_degrees: float = 12.0
    gap_jump: float = 0.6
    beyond_gap: float = 0.8
    widest_gap_degrees: float = 50.0
    edge_jump: float = 0.4
    narrowest_door: float = 0.65
    widest_door: float = 1.3
    door_steps: tuple[float, ...] = (0.7, 0.45, 0.2, 0.0, -0.2, -0.35, -0.5, -0.65, -0.8)
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
    chosen = _choose(rays, angle_min, angle_increment, free, fan, settings)
    return tuple(Waypoint(bearing, round(distance, 4)) for bearing, distance in sorted(chosen))


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
    aside = turn_sin * hits
    with np.errstate(invalid='ignore'):            # a NaN is a point that the disc passes
        touch = np.where(turn_cos > 0, turn_cos * hits - np.sqrt(clearance ** 2 - aside ** 2),
                         np.nan)
    free = np.fmin.reduce(touch, axis=1, initial=np.inf)
    return np.where(free > ENDLESS / 2, np.inf, np.maximum(free, 0.0))


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


def _choose(rays: Floats, angle_min: float, angle_increment: float, free: Floats, fan: Floats,
            settings: WaypointSettings) -> Ways:
    """(bearing, distance) of the waypoints.

    Ways through doorways come first, then other gaps, then places before doorways that cannot
    be passed straight from here, then the most open floor.
    """
    reach = np.minimum(free, settings.farthest)
    taken: Ways = []
    apart = math.radians(settings.gap_separation_degrees)
    through, before = _doorways(rays, angle_min, angle_increment, free, settings)
    for bearing, distance in [*through, *_gaps(free, fan, settings), *before]:
        if _far_from(bearing, taken, apart):
            taken.append((bearing, distance))
    openness = _circular_mean(reach, round(math.radians(12) * fan.size / (2 * math.pi)))
    peak = openness >= np.maximum(np.roll(openness, 1), np.roll(openness, -1))
    offered = (reach >= settings.worthwhile) | (peak & (reach >= settings.nearest))
    order = np.lexsort((np.abs(fan), -np.round(openness, 2)))
    apart = math.radians(settings.separation_degrees)
    for index in order[offered[order]]:
        if _far_from(float(fan[index]), taken, apart):
            taken.append((float(fan[index]), float(reach[index])))
    return taken


def _doorways(rays: Floats, angle_min: float, angle_increment: float, free: Floats,
              settings: WaypointSettings) -> tuple[Ways, Ways]:
    """Waypoints (bearing, distance) through and before openings as wide as a door, near first.

    Where the range jumps from one ray to the next, the nearer end is an edge.  The opening
    beside it reaches to the nearest of the points on its farther side: a wall that is looked
    along has no second jump.
    """
    hits = np.minimum(rays, 12.0)
    jumps = np.diff(np.r_[hits, hits[0]])
    corners = hits * np.exp(1j * (angle_min + angle_increment * np.arange(rays.size)))
    sweep = np.arange(1, 1 + rays.size // 3)
    through: Ways = []
    before: Ways = []
    for ray in np.flatnonzero(np.abs(jumps) > settings.edge_jump):
        edge = ray if jumps[ray] > 0 else ray + 1
        beside = (edge + sweep * (1 if jumps[ray] > 0 else -1)) % rays.size
        widths = np.abs(corners[beside] - corners[edge % rays.size])
        nearest = int(np.argmin(widths))
        if settings.narrowest_door <= widths[nearest] <= settings.widest_door:
            _add_doorway(complex(corners[edge % rays.size]), complex(corners[beside[nearest]]),
                         free, settings, through, before)
    return sorted(through, key=lambda way: way[1]), sorted(before, key=lambda way: way[1])


def _add_doorway(jamb: complex, other: complex, free: Floats, settings: WaypointSettings,
                 through: Ways, before: Ways) -> None:
    """Append the best waypoint for the opening between two jambs (x + iy, metres), if any."""
    middle, inward = (jamb + other) / 2, (other - jamb) / abs(other - jamb) * 1j
    if (inward * middle.conjugate()).real < 0:
        inward = -inward                                   # away from the robot
    for beyond in settings.door_steps:
        target = middle + beyond * inward
        bearing, distance = math.atan2(target.imag, target.real), abs(target)
        index = round(bearing / (2 * math.pi) * free.size + free.size // 2) % free.size
        if settings.nearest <= distance <= min(settings.farthest, free[index]):
            (through if beyond > 0 else before).append((bearing, distance))
            return


def _gaps(free: Floats, fan: Floats, settings: WaypointSettings) -> Ways:
    """(bearing, distance) of the middles of narrow free ways between nearer things, deep first.

    A gap begins where the free way grows by `gap_jump` from one bearing to the next and ends
    where it falls by as much.
    """
    size, limited = free.size, np.minimum(free, 10.0)
    jumps = np.diff(np.r_[limited, limited[0]])
    widest = int(math.radians(settings.widest_gap_degrees) / (2 * math.pi / size))
    clear = settings.radius + settings.margin + settings.beyond_gap
    found = []
    for rise in np.flatnonzero(jumps >= settings.gap_jump):
        ahead = np.roll(jumps, -rise - 1)[:widest]
        falls = np.flatnonzero(ahead <= -settings.gap_jump)
        again = np.flatnonzero(ahead >= settings.gap_jump)
        if not falls.size or (again.size and again[0] < falls[0]):
            continue                       # open floor, or a later rise bounds it more tightly
        middle = (rise + 1 + (falls[0] + 1) // 2) % size
        narrow = min(free[rise], free[(rise + falls[0] + 2) % size])
        distance = float(min(free[middle], settings.farthest, narrow + clear))
        if distance >= settings.nearest:
            found.append((float(fan[middle]), distance, float(free[middle])))
    return [way[:2] for way in sorted(found, key=lambda way: -way[2])]


def _far_from(bearing: float, taken: Ways, apart: float) -> bool:
    """True when the bearing lies at least `apart` radians from all that were taken."""
    return all(abs(wrap_angle(bearing - other)) >= apart - 1e-9 for other, _ in taken)


def _circular_mean(values: Floats, half_width: int) -> Floats:
    """Mean over each value and its `half_width` neighbours on either side, around the circle."""
    padded = np.r_[values[-half_width:], values, values[:half_width]] if half_width else values
    kernel = np.full(2 * half_width + 1, 1 / (2 * half_width + 1))
    return np.convolve(padded, kernel, mode='valid')
