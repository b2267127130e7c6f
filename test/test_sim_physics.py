"""The base in physics: it tracks speeds, keeps its limits and is stopped by what stands there."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from sim_room import PAINT, cube, room_of_6_by_4, two_rooms

from nl_robot.datatypes import Pose
from nl_robot.sim.body import Odometry, approach
from nl_robot.sim.model import build_model, home_to_mjcf
from nl_robot.sim.records import Door, Wall
from nl_robot.sim.rig import CameraMount, Rig, one_camera_rig
from nl_robot.sim.simulator import Simulator
from nl_robot.sim.solids import doorway

MIDDLE = Pose(2.0, 2.0, 0.0, 'map')


def simulator(*items, start=MIDDLE, seed=0) -> Simulator:
    return Simulator(room_of_6_by_4(*items), start, seed=seed)


def test_it_stands_still_without_a_command():
    sim = simulator()
    sim.step(0.0, 0.0, 2.0)
    assert (sim.pose.x, sim.pose.y, sim.pose.yaw) == pytest.approx((2.0, 2.0, 0.0), abs=1e-6)
    assert sim.time == pytest.approx(2.0) and sim.collisions == 0


def test_straight_drive_goes_as_far_as_worked_by_hand():
    # 0.3 m/s at 0.5 m/s^2: 0.6 s and 0.09 m to get there, then 0.3 m/s for the rest of 10 s
    sim = simulator()
    sim.step(0.3, 0.0, 10.0)
    assert sim.pose.x - 2.0 == pytest.approx(0.09 + 0.3 * 9.4, rel=0.02)
    assert sim.pose.y == pytest.approx(2.0, abs=0.002)
    assert sim.velocity[0] == pytest.approx(0.3, rel=0.05)


def test_it_turns_as_far_as_worked_by_hand():
    # 1 rad/s at 2 rad/s^2: 0.5 s and 0.25 rad to get there, then 1 rad/s for 1.5 s
    sim = simulator()
    sim.step(0.0, 1.0, 2.0)
    assert sim.pose.yaw == pytest.approx(1.75, rel=0.03)
    assert math.hypot(sim.pose.x - 2.0, sim.pose.y - 2.0) < 0.005


def test_an_arc_has_the_radius_v_over_w():
    sim = simulator(start=Pose(3.0, 1.0, 0.0, 'map'))
    sim.step(0.25, 0.25, 2.0)
    places = []
    for _ in range(3):
        places.append((sim.pose.x, sim.pose.y))
        sim.step(0.25, 0.25, 2.0)
    (x1, y1), (x2, y2), (x3, y3) = places
    a, b, c = math.dist(places[0], places[1]), math.dist(places[1], places[2]), math.dist(
        places[0], places[2])
    area = abs((x2 - x1) * (y3 - y1) - (x3 - x1) * (y2 - y1)) / 2
    assert a * b * c / (4 * area) == pytest.approx(1.0, rel=0.03)


def test_faster_than_the_rig_allows_is_cut():
    sim = simulator()
    sim.step(5.0, 0.0, 2.0)
    assert sim.velocity[0] < 0.32
    sim.step(0.0, -9.0, 2.0)
    assert sim.velocity[1] > -1.06


def test_acceleration_stays_within_the_limits():
    sim, speeds, turns = simulator(), [0.0], [0.0]
    for linear, angular in ((0.3, 0.0), (0.0, 0.0), (-0.3, 1.0), (0.3, -1.0)):
        for _ in range(25):
            x, y, yaw = sim.pose.x, sim.pose.y, sim.pose.yaw
            sim.step(linear, angular, 0.04)
            ahead = (sim.pose.x - x) * math.cos(yaw) + (sim.pose.y - y) * math.sin(yaw)
            speeds.append(ahead / 0.04)
            turns.append(math.remainder(sim.pose.yaw - yaw, 2 * math.pi) / 0.04)
    assert np.abs(np.diff(speeds) / 0.04).max() < 0.9 * 1.1
    assert (np.diff(speeds[:26]) / 0.04).max() < 0.5 * 1.1
    assert np.abs(np.diff(turns) / 0.04).max() < 2.0 * 1.1


def test_approach_uses_the_braking_limit_when_slowing():
    assert approach(0.0, 0.3, 0.5, 0.9, 0.1) == pytest.approx(0.05)
    assert approach(0.3, 0.0, 0.5, 0.9, 0.1) == pytest.approx(0.21)
    assert approach(-0.3, 0.0, 0.5, 0.9, 0.1) == pytest.approx(-0.21)
    assert approach(0.02, -0.3, 0.5, 0.9, 0.1) == 0.0
    assert approach(0.29, 0.3, 0.5, 0.9, 0.1) == pytest.approx(0.3)


def test_a_wall_stops_it_and_counts_once():
    sim = simulator(start=Pose(5.0, 2.0, 0.0, 'map'))
    for _ in range(40):
        sim.step(0.3, 0.0, 0.25)
    assert sim.pose.x == pytest.approx(5.8, abs=0.02)
    assert sim.collisions == 1 and sim.touched == ('wall',)


def test_two_touches_a_second_apart_count_twice():
    sim = simulator(start=Pose(5.7, 2.0, 0.0, 'map'))
    sim.step(0.3, 0.0, 1.5)
    sim.step(-0.3, 0.0, 3.0)
    sim.step(0.3, 0.0, 5.0)
    assert sim.collisions == 2


def test_furniture_stops_it_by_name_and_a_rug_does_not():
    rug = cube('rug', 3.0, 2.0, side=1.0, height=0.01, collides=False)
    sim = simulator(rug, cube('stool', 5.0, 2.0))
    sim.step(0.3, 0.0, 15.0)
    assert sim.pose.x == pytest.approx(5.0 - 0.2 - 0.2, abs=0.02)
    assert sim.touched == ('item/stool',)


def test_it_can_leave_a_wall_it_has_hit():
    sim = simulator(start=Pose(5.5, 2.0, 0.0, 'map'))
    sim.step(0.3, 0.0, 3.0)
    sim.step(0.0, 1.0, 1.8)
    sim.step(0.3, 0.0, 3.0)
    assert sim.pose.y > 2.6


def test_it_drives_through_the_doorway():
    sim = Simulator(two_rooms(), Pose(3.0, 3.0, math.pi / 2, 'map'))
    sim.step(0.3, 0.0, 8.0)
    assert sim.pose.y > 5.0 and sim.collisions == 0


def test_the_mast_meets_a_shelf_that_the_base_would_pass_under():
    sim = simulator(cube('shelf', 4.0, 2.0, z=0.6))
    sim.step(0.3, 0.0, 10.0)
    assert sim.touched == ('item/shelf',) and sim.pose.x < 3.8


def test_odometry_starts_at_zero_and_drifts_a_little():
    sim = simulator(start=Pose(1.0, 1.0, 0.3, 'map'), seed=3)
    assert (sim.odometry.x, sim.odometry.y, sim.odometry.yaw) == (0.0, 0.0, 0.0)
    assert sim.odometry.frame == 'odom' and sim.pose.frame == 'map'
    sim.step(0.3, 0.0, 10.0)
    truth = math.hypot(sim.pose.x - 1.0, sim.pose.y - 1.0)
    driven = math.hypot(sim.odometry.x, sim.odometry.y)
    assert 0 < abs(driven - truth) < 0.05 * truth
    assert abs(sim.odometry.yaw) < 0.1


def test_odometry_of_a_quarter_circle_by_hand():
    class NoNoise:
        def normal(self, mean, sigma):
            return mean
    odometry = Odometry(NoNoise())  # type: ignore[arg-type]
    for _ in range(1000):
        odometry.update(math.pi / 2, math.pi / 2, 0.001)
    pose = odometry.pose
    assert (pose.x, pose.y, pose.yaw) == pytest.approx((1.0, 1.0, math.pi / 2), abs=1e-3)


def test_the_same_seed_gives_the_same_run():
    def run(seed):
        sim = simulator(seed=seed)
        sim.step(0.3, 0.4, 3.0)
        return sim.pose, sim.odometry, sim.scan().ranges.tolist()
    assert run(5) == run(5)
    assert run(5)[1] != run(6)[1] and run(5)[2] != run(6)[2]


def test_teleport_sets_it_down_at_rest():
    sim = simulator()
    sim.step(0.3, 0.0, 2.0)
    sim.teleport(Pose(4.0, 1.0, 1.0, 'map'))
    sim.step(0.0, 0.0, 1.0)
    assert (sim.pose.x, sim.pose.y, sim.pose.yaw) == pytest.approx((4.0, 1.0, 1.0), abs=1e-6)
    assert sim.odometry == Pose(0.0, 0.0, 0.0, 'odom')


@pytest.mark.parametrize('bad', [(math.nan, 0.0, 1.0), (0.0, math.inf, 1.0), (0.0, 0.0, -1.0)])
def test_speeds_that_are_no_numbers_are_refused(bad):
    with pytest.raises(ValueError, match='step needs finite speeds'):
        simulator().step(*bad)


def test_physics_runs_far_faster_than_real_time():
    sim = simulator(*(cube(f'box {k}', 0.5 + 0.5 * k, 3.7) for k in range(10)))
    sim.step(0.1, 0.1, 1.0)
    start = time.process_time()
    sim.step(0.2, 0.5, 20.0)
    assert 20.0 / (time.process_time() - start) > 40


def test_step_keeps_fractions_of_a_physics_step():
    sim = simulator()
    for _ in range(1000):
        sim.step(0.0, 0.0, 0.0033)
    assert sim.time == pytest.approx(3.3, abs=0.011)


def test_the_opening_of_a_doorway_is_read_from_the_walls():
    home = two_rooms()
    hole = doorway(home.doors[0], home)
    assert (hole.back, hole.front) == pytest.approx((-0.05, 0.05))
    assert hole.height == pytest.approx(2.05)


def test_a_wall_of_two_layers_gives_one_deep_frame():
    home = room_of_6_by_4()
    layers = (Wall(2.0, 0.0, 2.06, 1.5, 2.4, PAINT), Wall(2.06, 0.0, 2.12, 1.5, 2.4, PAINT))
    door = Door('door 1', 2.06, 2.0, 0.0, 1.0, ('hall', 'den'))
    hole = doorway(door, replace(home, walls=(*home.walls, *layers), doors=(door,)))
    assert (hole.back, hole.front, hole.height) == pytest.approx((-0.06, 0.06, 2.0))


def test_names_with_quotes_survive_and_a_broken_part_names_the_home():
    home = room_of_6_by_4(cube('the "big" <box> & co', 1.0, 1.0))
    model = build_model(home, Rig())
    assert model.body('item/the "big" <box> & co').id > 0
    assert '&lt;box&gt;' in home_to_mjcf(home, Rig())
    with pytest.raises(ValueError, match='cannot build home-0000'):
        build_model(room_of_6_by_4(cube('nothing', 1.0, 1.0, side=0.0)), Rig())


def test_the_rigs():
    assert [camera.name for camera in Rig().cameras] == ['front', 'left', 'back', 'right']
    assert [camera.name for camera in one_camera_rig().cameras] == ['front']
    assert CameraMount('front', 0.0, hfov=math.pi / 2).focal == pytest.approx(80.0)
    with pytest.raises(ValueError, match='different names'):
        Rig(cameras=(CameraMount('a', 0.0), CameraMount('a', 1.0)))
    with pytest.raises(ValueError, match='one image size'):
        Rig(cameras=(CameraMount('a', 0.0), CameraMount('b', 1.0, width=320)))
