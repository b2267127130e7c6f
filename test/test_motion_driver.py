"""The driver in small worlds of walls and posts, with a laser computed by hand geometry."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest

from nl_robot.datatypes import Pose
from nl_robot.motion.gate import Gate, GateSettings
from nl_robot.motion.odometry_check import Reading
from nl_robot.motion.steering import (
    choose_heading,
    free_travel,
    legs_are_free,
    points_from_ranges,
)
from nl_robot.motion.velocity import VelocityDriver

BEAMS = 360


@dataclass(frozen=True)
class Scan:
    ranges: np.ndarray
    angle_min: float = -math.pi
    angle_increment: float = 2 * math.pi / BEAMS
    range_min: float = 0.12
    range_max: float = 8.0


@dataclass
class World:
    """Walls as segments (x0, y0, x1, y1) and a robot of 0.20 m radius that moves as it is told."""

    walls: list[tuple[float, float, float, float]]
    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0
    nearest: float = math.inf
    track: list[tuple[float, float]] = field(default_factory=list)

    @property
    def pose(self) -> Pose:
        return Pose(self.x, self.y, self.yaw)

    def scan(self, rng: np.random.Generator) -> Scan:
        angles = -math.pi + 2 * math.pi / BEAMS * np.arange(BEAMS) + self.yaw
        dx, dy = np.cos(angles), np.sin(angles)
        best = np.full(BEAMS, np.inf)
        for x0, y0, x1, y1 in self.walls:
            ex, ey, px, py = x1 - x0, y1 - y0, x0 - self.x, y0 - self.y
            cross = dx * ey - dy * ex
            with np.errstate(divide='ignore', invalid='ignore'):
                reach, share = (px * ey - py * ex) / cross, (px * dy - py * dx) / cross
            hit = (reach > 0) & (share >= 0) & (share <= 1)
            best = np.where(hit & (reach < best), reach, best)
        best = best + rng.normal(0.0, 0.01, BEAMS)
        return Scan(np.where(best < 8.0, best, np.inf))

    def move(self, linear: float, angular: float, duration: float) -> None:
        self.yaw += angular * duration
        self.x += linear * math.cos(self.yaw) * duration
        self.y += linear * math.sin(self.yaw) * duration
        self.track.append((self.x, self.y))
        for x0, y0, x1, y1 in self.walls:
            way = np.array([x1 - x0, y1 - y0])
            offset = np.array([self.x - x0, self.y - y0])
            share = np.clip(offset @ way / max(way @ way, 1e-9), 0, 1)
            self.nearest = min(self.nearest, float(np.hypot(*(offset - share * way))))


def box(x: float, y: float, width: float, depth: float) -> list[tuple[float, float, float, float]]:
    """The four sides of a box around (x, y)."""
    a, b, c, d = x - width / 2, x + width / 2, y - depth / 2, y + depth / 2
    return [(a, c, b, c), (b, c, b, d), (b, d, a, d), (a, d, a, c)]


def drive(world: World, target: Pose, final_yaw: float | None = None, seconds: float = 60.0,
          seed: int = 0) -> tuple[VelocityDriver, float]:
    """Drive with driver and gate at 50 Hz and a scan at 10 Hz, until the driver is done."""
    rng, now, step = np.random.default_rng(seed), 0.0, 0.02
    driver, gate = VelocityDriver(), Gate(GateSettings(), 0.0)
    gate.release(0.0)
    driver.set_target(target, now, final_yaw)
    scan, wish = world.scan(rng), (0.0, 0.0)
    for tick in range(int(seconds / step)):
        now = tick * step
        turn = (0.0, 0.0, math.sin(world.yaw / 2), math.cos(world.yaw / 2))
        assert gate.odometry(now, Reading(round(now * 1e9), world.x, world.y, turn)) == ''
        if tick % 5 == 0:
            scan = world.scan(rng)
            assert not gate.scan(now, scan.ranges.tolist(), scan.angle_min,
                                 scan.angle_min + 359 * scan.angle_increment,
                                 scan.angle_increment, scan.range_min, scan.range_max)
        if tick % 2 == 0:
            wish = driver.update(now, world.pose, scan)
        gate.command(now, now, *wish)
        output = gate.tick(now)
        world.move(output.linear, output.angular, step)
        if driver.state != 'driving':
            break
    return driver, now


ROOM = [(-2.0, -2.0, 4.0, -2.0), (4.0, -2.0, 4.0, 2.0), (4.0, 2.0, -2.0, 2.0),
        (-2.0, 2.0, -2.0, -2.0)]


def wall_with_door(x: float, low: float, high: float) -> list[tuple[float, float, float, float]]:
    """A wall 0.1 m thick across x with a doorway from `low` to `high`."""
    return box(x, (low - 2.0) / 2, 0.1, low + 2.0) + box(x, (high + 2.0) / 2, 0.1, 2.0 - high)


def test_free_floor_is_driven_straight_and_at_full_speed() -> None:
    world = World(ROOM, x=-1.0)
    driver, seconds = drive(world, Pose(2.0, 0.0, 0.0))
    assert driver.state == 'arrived'
    assert math.hypot(world.x - 2.0, world.y) <= 0.16
    # 3 m at 0.30 m/s is 10 s; speeding up costs 0.3 s, and slowing down about as much
    assert 9.5 < seconds < 12.5
    assert max(abs(y) for _, y in world.track) < 0.1


@pytest.mark.parametrize('start_y', [-1.2, -0.6, 0.0, 0.6, 1.2])
@pytest.mark.parametrize('width', [0.9, 1.0])
def test_doorways_are_passed_without_a_touch(start_y: float, width: float) -> None:
    world = World(ROOM + wall_with_door(1.0, -width / 2, width / 2), x=-0.6, y=start_y)
    driver, _ = drive(world, Pose(2.0, 0.0, 0.0))
    assert driver.state == 'arrived'
    assert world.nearest > 0.205


@pytest.mark.parametrize('seed', range(4))
def test_a_box_in_the_way_is_driven_around(seed: int) -> None:
    world = World(ROOM + box(0.9, 0.1, 0.5, 0.5), x=-1.0)
    driver, _ = drive(world, Pose(2.4, 0.0, 0.0), seed=seed)
    assert driver.state == 'arrived'
    assert world.nearest > 0.205


def test_a_target_behind_a_closed_wall_is_blocked() -> None:
    world = World(ROOM + box(1.0, 0.0, 0.1, 4.0))
    driver, seconds = drive(world, Pose(2.5, 0.0, 0.0))
    assert driver.state == 'blocked'
    assert seconds < 30.0 and world.nearest > 0.205


def test_a_target_near_a_wall_counts_as_arrived_where_the_gate_holds() -> None:
    # The wall is at 4.0: the gate holds the middle of the robot at 3.45, 0.3 m short of 3.75.
    world = World(ROOM, x=1.0)
    driver, seconds = drive(world, Pose(3.75, 0.0, 0.0))
    assert driver.state == 'arrived'
    assert world.x < 3.46 and math.hypot(world.x - 3.75, world.y) < 0.46 and seconds < 20.0


def test_turning_on_the_spot_ends_at_the_heading() -> None:
    world = World(ROOM)
    driver, _ = drive(world, Pose(0.0, 0.0, 0.0), final_yaw=-2.5)
    assert driver.state == 'arrived'
    assert abs(world.yaw + 2.5) <= 0.06 and math.hypot(world.x, world.y) < 0.01


def test_speeds_obey_the_limits_of_acceleration() -> None:
    driver, speeds, turns = VelocityDriver(), [0.0], [0.0]
    driver.set_target(Pose(3.0, 1.0, 0.0), 0.0)
    scan, pose = Scan(np.full(BEAMS, np.inf)), Pose(0.0, 0.0, 0.0)
    for tick in range(1, 60):
        linear, angular = driver.update(tick * 0.05, pose, scan)
        speeds.append(linear)
        turns.append(angular)
    assert max(np.diff(speeds)) <= 0.5 * 0.05 + 1e-9
    assert max(np.diff(turns)) <= 2.0 * 0.05 + 1e-9


def test_cancel_gives_zero_at_once() -> None:
    driver = VelocityDriver()
    driver.set_target(Pose(3.0, 0.0, 0.0), 0.0)
    scan = Scan(np.full(BEAMS, np.inf))
    driver.update(1.0, Pose(0.0, 0.0, 0.0), scan)
    assert driver.update(1.2, Pose(0.0, 0.0, 0.0), scan)[0] > 0
    driver.cancel()
    assert driver.update(1.4, Pose(0.0, 0.0, 0.0), scan) == (0.0, 0.0)
    assert driver.state == 'idle'


def test_points_of_a_scan_by_hand() -> None:
    ranges = np.array([1.0, np.inf, np.nan, 2.0, 0.0])
    points = points_from_ranges(ranges, 0.0, math.pi / 2, 0.1, 8.0)
    # beams at 0, 90, 180, 270, 360 degrees: 1 m ahead, 2 m to the right, and one too near ahead
    assert np.allclose(points, [[1.0, 0.0], [0.0, -2.0], [0.1, 0.0]], atol=1e-9)


def test_free_travel_by_hand() -> None:
    points = np.array([[2.0, 0.1], [1.0, 0.5]])
    free = free_travel(points, np.array([0.0, math.pi]), 0.3, 0.5)
    # ahead only the point at 2 m is in the corridor: 2.0 - 0.5; behind there is nothing
    assert np.allclose(free, [1.5, np.inf])
    # turned to the left by atan2(0.5, 1) the other point is straight ahead, sqrt(1.25) away
    assert math.isclose(free_travel(points, np.array([math.atan2(0.5, 1.0)]), 0.3, 0.5)[0],
                        math.sqrt(1.25) - 0.5)


def test_legs_by_hand() -> None:
    starts = np.array([[0.0, 0.0], [0.0, 1.0]])
    free = legs_are_free(np.array([[1.0, 0.2]]), starts, np.array([2.0, 0.0]), 0.3)
    # the point is 0.2 m beside the first leg; from (1, 0.5) of the second it is 0.27 m away
    assert free.tolist() == [False, False]
    assert legs_are_free(np.array([[1.0, 0.2]]), starts, np.array([2.0, 0.0]), 0.15).all()


def test_heading_is_the_target_itself_when_the_way_is_free() -> None:
    heading = choose_heading(np.zeros((0, 2)), 0.4, 2.0, None, 0.3, 0.55)
    assert heading is not None and heading.bearing == 0.4 and heading.complete


def test_no_heading_when_walled_in() -> None:
    angles = np.linspace(0, 2 * math.pi, 72, endpoint=False)
    ring = 0.5 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert choose_heading(ring, 0.0, 2.0, None, 0.3, 0.57) is None
