"""A scan as it would be seen from the middle of the robot, wherever the laser is mounted."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nl_robot.motion.laser_mount import LaserMount
from nl_robot.motion.velocity import LaserScan


def seen_from_base(scan: LaserScan, mount: LaserMount) -> tuple[NDArray[np.float32], float, float]:
    """The (beams,) ranges of a scan, its first angle and its increment, as the base would see it.

    Without an offset the angles alone change.  With one, every end of a beam is seen from the
    base, in as many directions as the scan has; a direction that none falls into takes the
    nearest one's.  What the laser does not tell (inf, nan) stays in its direction.
    """
    ranges = np.asarray(scan.ranges, dtype=np.float32)
    first, step = mount.angles(scan.angle_min, scan.angle_increment)
    if not (mount.x or mount.y) or not ranges.size:
        return ranges, first, step
    angles = first + step * np.arange(ranges.size)
    told = np.isfinite(ranges) & (ranges >= scan.range_min) & (ranges <= scan.range_max)
    reach = np.where(told, ranges, 1.0)
    x, y = reach * np.cos(angles) + told * mount.x, reach * np.sin(angles) + told * mount.y
    distances = np.where(told, np.hypot(x, y), ranges).astype(np.float32)
    turns = np.mod((np.arctan2(y, x) - first) * math.copysign(1.0, step), 2 * math.pi)
    places = turns / abs(step)
    seen = _nearest(places, distances, ranges.size, 2 * math.pi / abs(step))
    return seen, first, step


def _nearest(places: NDArray[np.floating], distances: NDArray[np.float32], count: int,
             turn: float) -> NDArray[np.float32]:
    """The distance at each of `count` directions; of several in one direction, the least.

    :param places: (beams,) where on the scale of directions each distance lies, 0 to `turn`
    """
    order = np.argsort(places, kind='stable')
    places, distances = places[order], distances[order]
    ahead = np.searchsorted(places, np.arange(count)) % len(places)
    behind = ahead - 1
    gap_ahead = np.mod(places[ahead] - np.arange(count), turn)
    gap_behind = np.mod(np.arange(count) - places[behind], turn)
    seen = distances[np.where(gap_ahead < gap_behind, ahead, behind)]
    bins = np.round(places).astype(int)
    inside = (bins < count) & np.isfinite(distances)
    np.minimum.at(seen, bins[inside], distances[inside])
    return seen
