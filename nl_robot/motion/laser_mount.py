"""A laser that is not in the middle of the robot, or does not look straight ahead.

All that reads a scan takes it as seen from the middle of the base; this makes it so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nl_robot.motion.velocity import LaserScan


@dataclass(frozen=True)
class LaserMount:
    """base_from_laser: where the laser is and where its x axis points, metres and radians.

    :param flipped: it hangs upside down, so that its angles grow to the right
    """

    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0
    flipped: bool = False

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.x, self.y, self.yaw))):
            raise ValueError(f'LaserMount must be finite, got {self.x}, {self.y}, {self.yaw}')

    @property
    def is_middle(self) -> bool:
        """True when a scan needs no change."""
        return self == LaserMount()


def seen_from_base(scan: LaserScan, mount: LaserMount) -> tuple[NDArray[np.float32], float, float]:
    """The (beams,) ranges of a scan, its first angle and its increment, as the base would see it.

    Without an offset the angles alone change.  With one, every end of a beam is seen from the
    base, in as many directions as the scan has; a direction that none falls into takes the
    nearest one's.  What the laser does not tell (inf, nan) stays in its direction.
    """
    ranges = np.asarray(scan.ranges, dtype=np.float32)
    sign = -1.0 if mount.flipped else 1.0
    first, step = mount.yaw + sign * scan.angle_min, sign * scan.angle_increment
    if not (mount.x or mount.y) or not ranges.size:
        return ranges, first, step
    angles = first + step * np.arange(ranges.size)
    told = np.isfinite(ranges) & (ranges >= scan.range_min) & (ranges <= scan.range_max)
    x = np.where(told, mount.x + ranges * np.cos(angles), np.cos(angles))
    y = np.where(told, mount.y + ranges * np.sin(angles), np.sin(angles))
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
