"""Angles, frames, graphs and the floor grid, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nl_robot.datatypes import Pose, Waypoint
from nl_robot.geometry import (
    FloorGrid,
    graph_distances,
    point_in_map,
    polar_in_base,
    quaternion_from_yaw,
    waypoint_pose,
    wrap_angle,
    yaw_from_quaternion,
)

ROOT2 = math.sqrt(2)


@pytest.mark.parametrize(('angle', 'wrapped'), [
    (0.0, 0.0), (1.0, 1.0), (-1.0, -1.0), (math.pi, math.pi), (-math.pi, math.pi),
    (1.5 * math.pi, -0.5 * math.pi), (-1.5 * math.pi, 0.5 * math.pi),
    (7.0, 7.0 - 2 * math.pi), (-20.0, -20.0 + 6 * math.pi), (4 * math.pi + 0.1, 0.1)])
def test_wrap_angle(angle, wrapped):
    assert wrap_angle(angle) == pytest.approx(wrapped)
    assert -math.pi < wrap_angle(angle) <= math.pi


def test_a_point_to_the_left_of_a_robot_facing_north_lies_west():
    assert point_in_map(Pose(1.0, 2.0, math.pi / 2), math.pi / 2, 3.0) == pytest.approx((-2, 2))


def test_polar_in_base_is_the_way_back():
    assert polar_in_base(Pose(1.0, 2.0, math.pi / 2), -2.0, 2.0) == pytest.approx(
        (math.pi / 2, 3.0))
    # behind and to the right of a robot facing west: wrapped, not 7 pi / 4
    assert polar_in_base(Pose(0, 0, math.pi), 1.0, 1.0) == pytest.approx((-3 * math.pi / 4, ROOT2))


def test_a_waypoint_is_faced_away_from_the_robot():
    pose = waypoint_pose(Pose(1.0, 0.0, math.pi, 'odom'), Waypoint(math.pi / 2, 2.0))
    assert (pose.x, pose.y, pose.yaw) == pytest.approx((1.0, -2.0, -math.pi / 2))
    assert pose.frame == 'odom'


def test_quaternions():
    assert quaternion_from_yaw(math.pi / 2) == pytest.approx((0, 0, ROOT2 / 2, ROOT2 / 2))
    assert yaw_from_quaternion(0, 0, ROOT2 / 2, ROOT2 / 2) == pytest.approx(math.pi / 2)
    assert yaw_from_quaternion(0, 0, -3.0, 3.0) == pytest.approx(-math.pi / 2)   # not of length 1
    assert yaw_from_quaternion(ROOT2 / 2, 0, 0, ROOT2 / 2) == pytest.approx(0.0)  # rolled only


@pytest.mark.parametrize('parts', [(0, 0, 0, 0), (math.nan, 0, 0, 1), (0, 0, math.inf, 1)])
def test_what_is_no_rotation_is_refused(parts):
    with pytest.raises(ValueError, match='not a rotation'):
        yaw_from_quaternion(*parts)


def test_graph_distances_take_the_shorter_way_round():
    neighbours = {'a': {'b': 1.0, 'c': 5.0}, 'b': {'c': 1.5}, 'c': {}, 'd': {'a': 1.0}}
    assert graph_distances(neighbours, 'a') == {'a': 0.0, 'b': 1.0, 'c': 2.5}


def grid(*rows: str, origin=(0.0, 0.0), resolution=1.0) -> FloorGrid:
    """A grid drawn with the first row on top (the largest y); # is not free."""
    free = np.array([[c != '#' for c in row] for row in reversed(rows)])
    return FloorGrid(free, origin, resolution)


def test_cells_and_points():
    floor = grid('...', '...', origin=(-1.0, 2.0), resolution=0.5)
    assert floor.cell(-0.4, 2.6) == (1, 1)
    assert floor.point(1, 1) == (-0.25, 2.75)
    assert floor.cell(-9, -9) == (0, 0)
    assert floor.cell(9, 9) == (1, 2)


def test_nearest_free():
    floor = grid('.##', '###', '##.')
    assert floor.nearest_free(1.6, 1.2) in ((0, 2), (2, 0))
    assert floor.nearest_free(2.5, 1.5) == (0, 2)
    assert floor.nearest_free(0.5, 2.5) == (2, 0)
    with pytest.raises(ValueError, match='no free cell'):
        grid('##').nearest_free(0, 0)


def test_distances_by_hand():
    # the diagonal at the pillar is cut, so from the left to the right it is around over the top
    floor = grid('...', '.#.')
    field = floor.distances(floor.mask([(0.5, 0.5)]))
    assert field == pytest.approx(np.array([[0, np.inf, 4], [1, 2, 3]]))


def test_an_open_diagonal_costs_the_root_of_two():
    floor = grid('...', '...', '...', resolution=0.5)
    field = floor.distances(floor.mask([(0.1, 0.1)]))
    assert field[2, 2] == pytest.approx(ROOT2)
    assert field[1, 2] == pytest.approx(0.5 + ROOT2 / 2)
    assert floor.distance_at(field, 1.4, 1.4) == pytest.approx(ROOT2)


def test_no_source_and_a_wall_between_give_infinity():
    floor = grid('.#.')
    assert np.isinf(floor.distances(np.zeros((1, 3), bool))).all()
    assert np.isinf(floor.distances(np.array([[False, True, False]]))).all()   # source in a wall
    assert floor.distances(np.array([[True, False, False]]))[0, 2] == np.inf


def test_a_path_goes_downhill_around_the_corner():
    floor = grid('...', '.#.')
    field = floor.distances(floor.mask([(0.5, 0.5)]))
    assert floor.path(field, 2.5, 0.5) == [(2.5, 0.5), (2.5, 1.5), (1.5, 1.5), (0.5, 1.5),
                                           (0.5, 0.5)]
    with pytest.raises(ValueError, match=r'no way leads from \(2\.50, 0\.50\)'):
        blocked = grid('.#.')
        blocked.path(blocked.distances(blocked.mask([(0.5, 0.5)])), 2.5, 0.5)
