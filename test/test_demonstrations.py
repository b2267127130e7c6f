"""Graphs grown over a floor, and the expert's tasks in a home drawn by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hall_home import HOME, make_grid

from nl_robot.datatypes import Pose, Sighting, Waypoint
from nl_robot.embodied.demonstrations import HomeTasks
from nl_robot.embodied.goals import Goal
from nl_robot.embodied.home_graph import build_graph, home_graph, straight_is_free
from nl_robot.embodied.places import Target
from nl_robot.geometry import FloorGrid
from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.tasks import GraphTask

CORRIDOR = FloorGrid(np.ones((1, 13), bool), (0.0, 0.0), 0.5)      # 6.5 m long


def along(pose: Pose):
    """Sees one sofa; may go two metres along x in both directions, even through the end walls."""
    return ((Sighting('red sofa', 0.5, 0.1, 0.2, None, 0.7),),
            (Waypoint(0.0, 2.0), Waypoint(math.pi, 2.0, 0.1)))


def test_a_graph_grows_along_a_corridor():
    graph = build_graph('corridor', CORRIDOR, [(0.3, 0.2)], along)
    assert graph.points.tolist() == [[0.25, 0.25], [2.25, 0.25], [4.25, 0.25], [6.25, 0.25]]
    assert graph.ways[:, 0].tolist() == [0, 1, 1, 2, 2, 3]
    assert graph.leads_to.tolist() == [1, 2, 0, 3, 1, 2]
    assert graph.ways[2].tolist() == pytest.approx([1, math.pi, 0.1, 2.0])
    assert graph.labels == ('red sofa',) * 4
    assert graph.sightings[3, [0, 1, 2, 3, 5]].tolist() == [3, 0.5, 0.1, 0.2, 0.7]
    assert math.isnan(graph.sightings[3, 4])


def test_seeds_that_are_too_near_are_one_place():
    graph = build_graph('corridor', CORRIDOR, [(0.3, 0.2), (0.4, 0.2), (6.3, 0.2)],
                        lambda pose: ((), ()))
    assert graph.points.tolist() == [[0.25, 0.25], [6.25, 0.25]]
    assert graph.ways.shape == (0, 4) and graph.sightings.shape == (0, 6)


def test_a_way_ends_at_the_place_that_stands_near_its_end():
    graph = build_graph('corridor', CORRIDOR, [(0.3, 0.2), (2.7, 0.2)],
                        lambda pose: ((), (Waypoint(0.0, 2.0),) if pose.x < 1 else ()))
    assert graph.points.tolist() == [[0.25, 0.25], [2.75, 0.25]]
    assert graph.leads_to.tolist() == [1]


def test_straight_is_free():
    free = np.ones((3, 9), bool)
    free[1, 4] = False
    grid = FloorGrid(free, (0.0, 0.0), 1.0)
    assert straight_is_free(grid, (0.5, 0.5), (8.5, 0.5))
    assert not straight_is_free(grid, (0.5, 1.5), (8.5, 1.5))
    assert not straight_is_free(grid, (3.5, 0.5), (5.5, 2.5))


def test_a_graph_is_built_once(tmp_path, monkeypatch):
    PlaceGraph('kept', np.zeros((1, 2)), (), np.zeros((0, 6)), np.zeros((0, 4)),
               np.zeros(0, np.int64)).save(tmp_path / 'home-0005.npz')
    assert home_graph(5, tmp_path).name == 'kept'


# Places in the home: in the hallway, just inside the kitchen, well inside it, in the bedroom.
POINTS = np.array([[1.0, 1.0], [2.0, 2.25], [2.0, 4.0], [6.0, 4.0]])
ENDS = [(0, 1), (1, 0), (1, 2), (2, 1), (3, 0)]         # no way leads into the bedroom
GRAPH = PlaceGraph(HOME.name, POINTS, (), np.zeros((0, 6)),
                   np.array([[a, 0.0, 0.0, 2.0] for a, _ in ENDS]), np.array([b for _, b in ENDS]))
ENTRY = math.hypot(1.0, 1.25)


@pytest.fixture(scope='module')
def tasks() -> HomeTasks:
    return HomeTasks(HOME, make_grid(), GRAPH)


def goal(target: Target, held_out: bool = False) -> Goal:
    return Goal('go there', 'room', 'frame', held_out, target)


def test_the_expert_goes_well_into_a_room(tasks):
    fulfilled, best, cost = tasks.places(Target(rooms=('kitchen',)))
    assert fulfilled.tolist() == [False, True, True, False]
    assert best.tolist() == [False, False, True, False]
    assert cost[:3] == pytest.approx([ENTRY + 1.75, 1.75, 0.0])
    assert cost[3] == pytest.approx(math.hypot(5, 3) + ENTRY + 1.75)
    assert cost.dtype == np.float32


def test_the_expert_goes_closer_to_a_point_than_it_must(tasks):
    # 0.5 m from the place well inside, 1.25 m from the one by the door
    fulfilled, best, _ = tasks.places(Target(point=(2.0, 3.5)))
    assert fulfilled.tolist() == [False, True, True, False]
    assert best.tolist() == [False, False, True, False]


def test_near_enough_will_do_where_nothing_is_nearer(tasks):
    # 1.2 m from the place well inside and 2.95 m from the other
    fulfilled, best, _ = tasks.places(Target(point=(2.0, 5.2)))
    assert fulfilled.tolist() == best.tolist() == [False, False, True, False]


def test_tasks_are_only_those_with_something_to_do(tasks):
    kitchen = goal(Target(rooms=('kitchen',)))
    task = tasks.task(0, 0.5, kitchen)
    assert isinstance(task, GraphTask) and (task.place, task.yaw, task.goal) == (0, 0.5,
                                                                                 'go there')
    assert task.tags == ('room', 'trained frames')
    assert tasks.task(0, 0.5, goal(kitchen.target, True)).tags == ('room', 'held-out frames')
    assert tasks.task(2, 0.0, kitchen) is None                                  # there already
    assert tasks.task(1, 0.0, kitchen) is None
    assert tasks.task(0, 0.0, goal(Target(rooms=('bedroom',)))) is None         # no way
    assert tasks.task(0, 0.0, goal(Target(items=('sofa',)))) is None            # no place


def test_samples_are_tasks_and_the_same_for_the_same_seed(tasks):
    first = tasks.sample(6, np.random.default_rng(3), 'train')
    again = tasks.sample(6, np.random.default_rng(3), 'train')
    assert [(t.goal, t.place, t.yaw) for t in first] == [(t.goal, t.place, t.yaw) for t in again]
    assert len(first) == 6
    for task in first:
        assert task.goal.strip() and not task.fulfilled[task.place]
        assert 0 < task.shortest <= 25
        assert task.tags[1] == 'trained frames'
    held = tasks.sample(3, np.random.default_rng(3), 'held_out')
    assert held and {task.tags[1] for task in held} == {'held-out frames'}
