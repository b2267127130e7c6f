"""Graphs, tasks and experts by hand; and the contract that every world keeps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tiny_graph import corner, star, task_in

from nl_robot.datatypes import Observation
from nl_robot.embodied.closed_loop import PhysicsWorld
from nl_robot.geometry import point_in_map, polar_in_base, wrap_angle
from nl_robot.sim.homes import free_poses, generate_home
from nl_robot.worlds.graph import GraphWorld, PlaceGraph
from nl_robot.worlds.tasks import expert_choice, load_tasks, save_tasks

SMALL_HOME = 11     # five rooms


@pytest.fixture(scope='module')
def physics():
    """The simulated robot with true sightings in a generated home, and a start in it."""
    home = generate_home(SMALL_HOME)
    world = PhysicsWorld(home, detector=None, seed=0)
    start = free_poses(home, np.random.default_rng(0), 1)[0]
    yield world, (start.x, start.y, start.yaw)
    world.close()


@pytest.fixture(params=['graph', 'physics'])
def world_and_start(request):
    if request.param == 'graph':
        return GraphWorld(corner()), (2.0, 0.0, math.pi / 4)
    return request.getfixturevalue('physics')


def test_reset_puts_the_robot_there_at_rest(world_and_start):
    world, (x, y, yaw) = world_and_start
    observation = world.reset(x, y, yaw)
    assert isinstance(observation, Observation) and observation.waypoints and world.name
    assert world.position == pytest.approx((x, y), abs=0.02)
    assert wrap_angle(world.heading - yaw) == pytest.approx(0.0, abs=0.02)
    assert world.travelled < 0.02 and world.collisions == 0


def test_angles_are_the_robots_own_and_wrapped(world_and_start):
    world, start = world_and_start
    seen = world.reset(*start)
    turned = world.reset(start[0], start[1], start[2] + 3.0)
    for view in (seen, turned):
        assert all(abs(thing.bearing) <= math.pi for thing in view.sightings + view.waypoints)
    # whatever is seen from both has turned by as much the other way
    before = {s.label: s.bearing for s in seen.sightings}
    after = {s.label: s.bearing for s in turned.sightings}
    once = [label for label in before if label in after
            and sum(s.label == label for s in seen.sightings + turned.sightings) == 2]
    assert once
    for label in once:
        assert wrap_angle(before[label] - after[label] - 3.0) == pytest.approx(0.0, abs=0.2)


def test_a_step_leads_where_the_waypoint_pointed(world_and_start):
    world, start = world_and_start
    before = world.reset(*start)
    ahead = min(range(len(before.waypoints)), key=lambda i: abs(before.waypoints[i].bearing))
    way = before.waypoints[ahead]
    pose = type(before.pose)(*world.position, world.heading, 'map')
    after = world.step(ahead)
    assert world.position == pytest.approx(point_in_map(pose, way.bearing, way.distance), abs=0.4)
    assert world.travelled >= math.dist(start[:2], world.position) - 0.06
    assert world.travelled == pytest.approx(way.distance, abs=0.5)
    bearing, distance = polar_in_base(before.pose, after.pose.x, after.pose.y)
    assert wrap_angle(bearing - way.bearing) == pytest.approx(0.0, abs=0.3)
    assert distance == pytest.approx(way.distance, abs=0.4)
    world.reset(*start)
    assert world.travelled < 0.02


def test_there_is_no_waypoint_beyond_the_last_or_before_the_first(world_and_start):
    world, start = world_and_start
    observation = world.reset(*start)
    for index in (len(observation.waypoints), -1):
        with pytest.raises(IndexError, match=f'no waypoint {index}'):
            world.step(index)
    assert world.position == pytest.approx(start[:2], abs=0.02)


def test_a_walk_around_the_corner():
    world = GraphWorld(corner())
    first = world.reset(0.2, -0.3, math.pi / 2)             # the nearest place is 0
    assert world.position == (0.0, 0.0)
    assert first.sightings[0].label == 'door'
    assert first.sightings[0].bearing == pytest.approx(-math.pi / 2)
    assert (first.sightings[0].distance, first.sightings[0].score) == (1.0, 0.9)
    assert first.waypoints[0].bearing == pytest.approx(-math.pi / 2)
    second = world.step(0)
    assert world.position == (2.0, 0.0) and world.heading == 0.0
    assert second.sightings[0].bearing == pytest.approx(math.pi / 2)
    assert second.sightings[0].distance is None
    assert [w.bearing for w in second.waypoints] == pytest.approx([math.pi, math.pi / 2])
    third = world.step(1)
    assert world.position == (2.0, 2.0) and world.travelled == pytest.approx(4.0)
    assert third.sightings[0].bearing == pytest.approx(math.pi / 2)
    assert (third.pose.x, third.pose.y, third.pose.yaw) == pytest.approx((2, 2, math.pi / 2))


def test_distances_along_the_ways():
    graph = corner()
    assert graph.distances_to(np.array([True, False, False])) == pytest.approx([0, 2, 4])
    assert graph.distances_to(np.array([True, False, True])) == pytest.approx([0, 2, 0])
    assert np.isinf(graph.distances_to(np.zeros(3, bool))).all()


def test_ways_lead_one_way():
    graph = PlaceGraph('slide', np.array([[0.0, 0.0], [3.0, 4.0]]), (), np.zeros((0, 6)),
                       np.array([[0, 0.0, 0.0, 5.0]]), np.array([1]))
    assert graph.distances_to(np.array([False, True])) == pytest.approx([5, 0])
    assert graph.distances_to(np.array([True, False])).tolist() == [0, math.inf]


@pytest.mark.parametrize(('change', 'complaint'), [
    ({'labels': ('door',)}, 'differ in number'),
    ({'leads_to': np.array([1])}, 'differ in number'),
    ({'leads_to': np.array([1, 0, 3, 1])}, r'a way end names a place outside 0\.\.2'),
    ({'ways': np.array([[-1, 0, 0, 2.0]] * 4)}, 'a way names a place'),
    ({'sightings': np.array([[7, 0, 0, 0.1, 1, 1.0]] * 3)}, 'a sighting names a place')])
def test_a_graph_that_cannot_be_is_refused(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        PlaceGraph(**{**vars(corner()), **change})


def test_a_graph_and_its_tasks_on_disk(tmp_path):
    graph = corner()
    graph.save(tmp_path / 'deep' / 'corner.npz')
    again = PlaceGraph.load(tmp_path / 'deep' / 'corner.npz')
    assert again.name == 'corner' and again.labels == graph.labels
    for name in ('points', 'sightings', 'ways', 'leads_to'):
        np.testing.assert_array_equal(getattr(again, name), getattr(graph, name))
    tasks = [task_in(graph, 0, 'find the "fridge"', [2], ('item', 'held-out')),
             task_in(graph, 2, 'go to the höll', [0, 1])]
    save_tasks(tmp_path / 'tasks.npz', tasks)
    first, second = load_tasks(tmp_path / 'tasks.npz', again)
    assert (first.goal, first.place, first.tags) == ('find the "fridge"', 0, ('item', 'held-out'))
    assert second.goal == 'go to the höll' and second.tags == ()
    assert first.graph is again and first.shortest == 4.0
    assert second.best.tolist() == [True, True, False]
    assert [path.name for path in tmp_path.iterdir() if 'tmp' in path.name] == []


def test_a_graph_of_another_format_says_what_to_do(tmp_path):
    path = tmp_path / 'old.npz'
    np.savez(path, format=99)
    with pytest.raises(ValueError, match='format 99, not 1: delete it'):
        PlaceGraph.load(path)


def test_the_expert_on_three_places():
    graph = corner()
    lengths = graph.lengths()
    task = task_in(graph, 0, 'fridge', [2])
    assert expert_choice(task, 2, lengths, 0.3).tolist() == [1, 0]      # stop where it is
    assert expert_choice(task, 0, lengths, 0.3).tolist() == [0, 1]      # the only way on
    # at 1, back costs 2 + 4 and on costs 2 + 0: weights exp(-4 / 2) and 1
    back = math.exp(-2) / (1 + math.exp(-2))
    assert expert_choice(task, 1, lengths, 2.0) == pytest.approx([0, back, 1 - back])


def test_two_ways_as_good_as_each_other_are_both_right():
    task = task_in(star(['sofa', 'bed', 'tv']), 0, 'sit', [1, 3])
    choice = expert_choice(task, 0, task.graph.lengths(), 0.1)
    assert choice == pytest.approx([0, 0.5, 0, 0.5], abs=1e-6)


def test_the_way_there_counts_too():
    fork = PlaceGraph('fork', np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]]), (),
                      np.zeros((0, 6)), np.array([[0, 0.0, 0.0, 1.0], [0, 1.57, 0.0, 3.0]]),
                      np.array([1, 2]))
    far = math.exp(-1) / (1 + math.exp(-1))         # two metres longer, at two metres
    choice = expert_choice(task_in(fork, 0, 'go', [1, 2]), 0, fork.lengths(), 2.0)
    assert choice == pytest.approx([0, 1 - far, far])


def test_where_no_way_leads_on_the_expert_is_silent():
    task = task_in(corner(), 0, 'nowhere', [])
    assert expert_choice(task, 1, task.graph.lengths(), 0.3).tolist() == [0, 0, 0]
