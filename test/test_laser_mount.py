"""A laser off the middle, turned or upside down: its scan as the base would see it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from nl_robot.motion.laser_mount import LaserMount
from nl_robot.motion.laser_view import seen_from_base
from nl_robot.motion.scan_check import check_scan
from nl_robot.motion.steering import points_from_ranges


@dataclass
class Scan:
    ranges: np.ndarray
    angle_min: float = -math.pi
    angle_increment: float = math.pi / 180
    range_min: float = 0.1
    range_max: float = 10.0


def room(mount: LaserMount, half: float = 2.0) -> Scan:
    """What a laser so mounted sees in the middle of a square room with walls `half` away."""
    scan = Scan(np.zeros(360))
    sign = -1.0 if mount.flipped else 1.0
    for index in range(360):
        angle = mount.yaw + sign * (scan.angle_min + index * scan.angle_increment)
        along = [(half * math.copysign(1.0, step) - start) / step
                 for start, step in ((mount.x, math.cos(angle)), (mount.y, math.sin(angle)))
                 if abs(step) > 1e-9]
        scan.ranges[index] = min(along)
    return scan


def test_a_scan_from_the_middle_is_left_alone() -> None:
    ranges, first, step = seen_from_base(room(LaserMount()), LaserMount())
    assert LaserMount().is_middle and (first, step) == (-math.pi, math.pi / 180)
    assert ranges == pytest.approx(room(LaserMount()).ranges, abs=1e-5)


@pytest.mark.parametrize('mount', [
    LaserMount(yaw=math.pi / 2), LaserMount(yaw=-2.0), LaserMount(yaw=math.pi, flipped=True),
    LaserMount(x=0.2), LaserMount(x=-0.1, y=0.05, yaw=1.0),
    LaserMount(x=0.15, yaw=0.5, flipped=True)], ids=str)
def test_a_square_room_is_a_square_room_however_the_laser_hangs(mount: LaserMount) -> None:
    ranges, first, step = seen_from_base(room(mount), mount)
    points = points_from_ranges(ranges, first, step, 0.1, 10.0)
    walls = np.abs(points).max(axis=1)
    assert len(points) == 360
    assert walls == pytest.approx(np.full(360, 2.0), abs=0.05)


def test_a_quarter_turn_moves_the_post_from_the_left_to_the_front() -> None:
    scan = Scan(np.full(360, np.inf))
    scan.ranges[90] = 1.5           # at -90 degrees of the laser
    ranges, first, step = seen_from_base(scan, LaserMount(yaw=math.pi / 2))
    assert points_from_ranges(ranges, first, step, 0.1, 10.0) == pytest.approx(
        np.array([[1.5, 0.0]]), abs=1e-6)


def test_what_is_not_told_stays_what_it_is_and_a_near_post_is_not_lost() -> None:
    scan = Scan(np.full(360, np.inf))
    scan.ranges[170:190] = np.nan
    scan.ranges[90] = 0.5
    ranges, first, step = seen_from_base(scan, LaserMount(x=0.2))
    assert np.isnan(ranges).sum() == pytest.approx(20, abs=2)
    post = points_from_ranges(ranges, first, step, 0.1, 10.0)
    assert np.hypot(*(post - (0.2, -0.5)).T).min() < 0.02


def test_a_mount_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match='must be finite'):
        LaserMount(x=math.nan)


@pytest.mark.parametrize('mount', [
    LaserMount(yaw=math.pi / 2, x=-0.04), LaserMount(yaw=math.pi, flipped=True),
    LaserMount(x=0.15, y=0.1, yaw=0.5, flipped=True)], ids=str)
def test_the_points_of_the_gate_and_of_the_driver_are_the_same(mount: LaserMount) -> None:
    scan = Scan(np.full(360, np.inf))
    scan.ranges[[30, 200, 270]] = (1.0, 1.5, 2.0)
    last = scan.angle_min + 359 * scan.angle_increment
    checked = check_scan(list(scan.ranges), scan.angle_min, last, scan.angle_increment, 0.1,
                         10.0).seen_from_base(mount)
    ranges, first, step = seen_from_base(scan, mount)
    seen = points_from_ranges(ranges, first, step, 0.1, 10.0)
    for point in checked.points:
        assert np.hypot(*(seen - point).T).min() < 0.03
    assert checked.coverage(0.0, 0.5) > 0.98


def test_half_a_scan_covers_the_side_that_the_laser_looks_at() -> None:
    ranges = [math.inf if 90 <= index < 270 else math.nan for index in range(360)]
    ranges[0:90:2] = [math.inf] * 45    # enough of them that it is believed
    scan = Scan(np.array(ranges))
    last = scan.angle_min + 359 * scan.angle_increment
    checked = check_scan(ranges, scan.angle_min, last, scan.angle_increment, 0.1, 10.0)
    assert checked.coverage(0.0, 0.5) > 0.98
    turned = checked.seen_from_base(LaserMount(yaw=math.pi))
    assert turned.coverage(0.0, 0.5) < 0.6 and turned.coverage(math.pi, 0.5) > 0.98
