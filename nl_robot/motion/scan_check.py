"""What a laser scan says to the gate: obstacles as points, and whether it can be believed.

Plain Python, because the gate imports no numerical library.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nl_robot.motion.laser_mount import LaserMount


class BadScan(ValueError):
    """A scan that must not be believed; the text says what is wrong with it."""


@dataclass(frozen=True)
class CheckedScan:
    """A scan that passed its checks.

    :param points: (x, y) of every obstacle in the frame of the robot, metres
    :param valid: one flag a beam: it measured something, or surely nothing (+inf)
    """

    points: tuple[tuple[float, float], ...]
    valid: tuple[bool, ...]
    angle_min: float
    angle_increment: float

    def seen_from_base(self, mount: LaserMount) -> CheckedScan:
        """The same in the frame of the robot, for a laser that is mounted so."""
        if mount.is_middle:
            return self
        first, step = mount.angles(self.angle_min, self.angle_increment)
        return CheckedScan(tuple(mount.point(x, y) for x, y in self.points), self.valid, first,
                           step)

    def coverage(self, heading: float, half_width: float) -> float:
        """The share of the directions around `heading` that valid beams watch, 0 to 1.

        :param half_width: radians to each side of `heading`
        """
        step = self.angle_increment
        turn = max(1, round(2.0 * math.pi / abs(step)))  # beams of a full circle
        middle, half = (heading - self.angle_min) / step, half_width / abs(step)
        indices = range(math.ceil(middle - half), math.floor(middle + half) + 1)
        seen = sum(1 for index in indices
                   if index % turn < len(self.valid) and self.valid[index % turn])
        return min(1.0, seen * abs(step) / (2.0 * half_width))


def check_scan(ranges: Sequence[float], angle_min: float, angle_max: float,
               angle_increment: float, range_min: float, range_max: float,
               horizon: float = 3.0) -> CheckedScan:
    """Check a scan and turn its hits within `horizon` metres into points.

    +inf is free, NaN is invalid; -inf, zero and anything nearer than `range_min` is an obstacle
    at the nearest range the laser knows: a reading too close to be true is still something.

    :raises BadScan: when the description is inconsistent or more than half of the beams are NaN
    """
    _check_description(len(ranges), angle_min, angle_max, angle_increment, range_min, range_max)
    valid = tuple(not math.isnan(r) for r in ranges)
    if sum(valid) * 2 < len(valid):
        raise BadScan(f'{len(valid) - sum(valid)} of {len(valid)} beams are not numbers')
    points = []
    for index, measured in enumerate(ranges):
        if valid[index] and measured <= min(horizon, range_max):
            angle, reach = angle_min + index * angle_increment, max(measured, range_min)
            points.append((reach * math.cos(angle), reach * math.sin(angle)))
    return CheckedScan(tuple(points), valid, angle_min, angle_increment)


def _check_description(beams: int, angle_min: float, angle_max: float, angle_increment: float,
                       range_min: float, range_max: float) -> None:
    if beams == 0:
        raise BadScan('it has no beams')
    if not all(map(math.isfinite, (angle_min, angle_max, angle_increment))):
        raise BadScan('its angles are not finite')
    if angle_increment == 0.0:
        raise BadScan('angle_increment is 0')
    if math.isnan(range_min) or math.isnan(range_max) or not 0.0 <= range_min < range_max:
        raise BadScan(f'range_min {range_min} and range_max {range_max} do not fit')
    # A full circle may count its last beam or not, so one beam more or less is no lie.
    expected = (angle_max - angle_min) / angle_increment + 1.0
    if abs(expected - beams) > 1.5:
        raise BadScan(f'{beams} beams, but its angles say {expected:.0f}')
