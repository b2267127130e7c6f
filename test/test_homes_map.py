"""The map of a home, by hand: places that merge, ways that lead somewhere, what is left to see."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tiny_graph import corner

from nl_robot.datatypes import Observation, Pose, Sighting, Waypoint
from nl_robot.homes.exploring import Explorer, ExploringSettings, in_map
from nl_robot.homes.home_map import BLOCKED, UNKNOWN, HomeMap
from nl_robot.homes.store import Homes
from nl_robot.homes.surveying import Budget, survey
from nl_robot.worlds.graph import GraphWorld, PlaceGraph


def seen(x=0.0, y=0.0, yaw=0.0, ways=((0.0, 2.0),), things=()) -> Observation:
    return Observation(tuple(Sighting(label, bearing, distance=1.0) for label, bearing in things),
                       tuple(Waypoint(bearing, metres) for bearing, metres in ways),
                       Pose(x, y, yaw, 'map'))


def grid(rows: int, columns: int, walls: frozenset = frozenset()) -> PlaceGraph:
    """Places 1.5 m apart, ways to the four neighbours but where a wall stands."""
    points = [(1.5 * c, 1.5 * r) for r in range(rows) for c in range(columns)]
    ways, ends = [], []
    for place, (x, y) in enumerate(points):
        for other, (u, v) in enumerate(points):
            if math.isclose(math.dist((x, y), (u, v)), 1.5) and {place, other} not in walls:
                ways.append((place, math.atan2(v - y, u - x), 0.0, 1.5))
                ends.append(other)
    return PlaceGraph('grid', np.array(points), (), np.zeros((0, 6)), np.array(ways),
                      np.array(ends))


def explored(graph: PlaceGraph, start: int = 0, explorer: Explorer | None = None, most=500):
    world, explorer = GraphWorld(graph), explorer or Explorer(HomeMap('h'))
    observation, steps = world.reset(*graph.points[start], 0.0), 0
    while (way := explorer.see(observation)) is not None and steps < most:
        observation, steps = world.step(way), steps + 1
    return explorer, world, steps


def test_what_is_seen_is_kept_in_the_frame_of_the_map():
    home = HomeMap('h')
    home.add(seen(1.0, 2.0, math.pi / 2, ways=((0.0, 2.0),), things=(('sofa', -math.pi / 2),)))
    assert home.points == [(1.0, 2.0, 0.0)]
    assert home.sightings[0][0].bearing == pytest.approx(0.0)
    assert home.end(0, 0) == pytest.approx((1.0, 4.0, 0.0))


def test_what_is_near_is_the_same_place_and_keeps_its_number():
    home = HomeMap('h')
    assert home.add(seen(0.0, 0.0)) == 0
    assert home.add(seen(2.0, 0.0)) == 1
    assert home.add(seen(0.3, 0.3, things=(('bed', 0.0),))) == 0
    assert len(home) == 2 and home.points[0] == (0.3, 0.3, 0.0)
    assert home.sightings[0][0].label == 'bed'
    assert home.add(seen(0.0, 0.0), height=3.0) == 2     # a floor above is another place


def test_where_a_way_leads():
    home = HomeMap('h')
    home.add(seen(0.0, 0.0, ways=((0.0, 2.0), (math.pi, 2.0), (math.pi / 2, 2.0))))
    home.add(seen(2.3, 0.0, ways=((math.pi, 2.0),)))
    assert [home.landing(0, way) for way in range(3)] == [1, UNKNOWN, UNKNOWN]
    home.drove(0, 1, 1)        # whatever it looked like, driving it led there
    home.block(0, 2)
    assert [home.landing(0, way) for way in range(3)] == [1, 1, BLOCKED]
    assert home.frontiers(0.7) == []
    home.add(seen(0.0, 0.1, ways=((0.0, 2.0), (math.pi, 2.0), (math.pi / 2, 2.0))))
    assert [home.landing(0, way) for way in range(3)] == [1, 1, BLOCKED]    # and is remembered


def test_a_drive_leaves_a_way_back_where_none_was_offered():
    home = HomeMap('h')
    home.add(seen(0.0, 0.0))
    home.add(seen(2.0, 0.0, ways=((0.0, 2.0),)))
    home.drove(0, 0, 1)
    assert [w.offered for w in home.ways[1]] == [True, False]
    assert home.landing(1, 1) == 0
    graph = home.graph()
    assert graph.distances_between[1, 0] == pytest.approx(2.0)
    assert home.frontiers(0.7)[0].end == pytest.approx((4.0, 0.0, 0.0))


def test_routes_by_hand():
    home = HomeMap('h')
    for place, x in enumerate((0.0, 2.0, 4.0)):
        assert home.add(seen(x, 0.0, ways=((0.0, 2.0), (math.pi, 2.0)))) == place
    metres, before = home.routes(0)
    assert metres == pytest.approx({0: 0.0, 1: 2.0, 2: 4.0}) and before[2] == 1
    assert 2 not in home.routes(0, {(1, 2)})[0]


def test_a_map_on_disk_is_the_same_map(tmp_path):
    explorer, *_ = explored(grid(3, 3))
    explorer.home.save(tmp_path / 'map.npz')
    again = HomeMap.load(tmp_path / 'map.npz')
    assert (again.points, again.sightings, again.ways) == (
        explorer.home.points, explorer.home.sightings, explorer.home.ways)


@pytest.mark.parametrize('content', [b'', b'PK', b'not a map', b'\x93NUMPY'])
def test_a_damaged_map_is_refused_with_its_name(tmp_path, content):
    (tmp_path / 'map.npz').write_bytes(content)
    with pytest.raises(ValueError, match='map.npz is no map'):
        HomeMap.load(tmp_path / 'map.npz')


def test_everything_is_seen_once_and_then_it_goes_back():
    graph = grid(4, 5)
    explorer, world, steps = explored(graph, 7)
    assert len(explorer.home) == 20
    assert explorer.place == explorer.start == 0 and world.place == 7
    assert steps <= 40          # not twice as many as there are places: it does not circle
    assert explorer.home.graph().distances_between.max() == pytest.approx(10.5)


def test_a_wall_with_one_gap_is_no_hindrance():
    graph = grid(4, 4, frozenset({frozenset({4 * r + 1, 4 * r + 2}) for r in range(3)}))
    explorer, *_ = explored(graph)
    assert len(explorer.home) == 16 and explorer.place == explorer.start


def test_a_way_that_turns_out_blocked_is_left_alone():
    home = HomeMap('h')
    explorer = Explorer(home)
    here = seen(0.0, 0.0, ways=((0.0, 2.0), (math.pi, 3.0)))
    assert explorer.see(here) == 0          # the nearer one
    assert explorer.see(here) == 1          # it did not get anywhere
    assert explorer.see(here) is None
    assert [way.driven for way in home.ways[0]] == [BLOCKED, BLOCKED]


def test_two_spots_that_are_one_place_do_not_lead_to_each_other_for_ever():
    explorer = Explorer(HomeMap('h'))
    spots = [seen(0.0, 0.0, ways=((0.0, 0.71),)), seen(0.45, 0.0, ways=((math.pi, 0.71),))]
    ways = [explorer.see(spots[step % 2]) for step in range(8)]
    assert ways[0] == 0 and None in ways
    assert len(explorer.home) == 1


def test_between_ways_about_as_near_the_explorer_policy_decides():
    here = seen(ways=((0.0, 2.0), (math.pi, 2.1), (math.pi / 2, 9.0)))
    assert Explorer(HomeMap('h')).see(here) == 0
    assert Explorer(HomeMap('h'), opinion=lambda o: [0.1, 0.2, 0.7]).see(here) == 1


def test_without_a_known_way_back_it_goes_where_that_is_nearer():
    home = HomeMap('h')
    explorer = Explorer(home)
    explorer.see(seen(0.0, 0.0, ways=((0.0, 3.0),)))
    explorer.returning = True
    here = seen(3.0, 0.0, ways=((math.pi / 2, 2.0), (math.pi - 0.3, 1.5)))
    explorer._closed.add((1, 0))        # the way that it came by is not offered any more
    assert explorer.see(here) == 1
    assert explorer.see(seen(1.6, 0.4, ways=((0.0, 2.0),))) is None and not explorer.at_start
    assert explorer.see(seen(0.6, 0.2, ways=())) is None and explorer.at_start


def test_a_map_that_is_full_ends_the_exploration():
    explorer, _, _ = explored(grid(4, 5), explorer=Explorer(
        HomeMap('h'), settings=ExploringSettings(max_places=5)))
    assert len(explorer.home) == 5 and explorer.place == explorer.start


def test_exploring_goes_on_where_it_was_interrupted():
    graph = grid(4, 5)
    first, *_ = explored(graph, most=6)
    known = len(first.home)
    assert known < 20
    second, *_ = explored(graph, 0, Explorer(first.home, start=first.start))
    assert len(second.home) == 20 and second.home.points[:known] == first.home.points[:known]


def test_a_frame_by_hand():
    found = in_map(seen(1.0, 0.0, 0.5), Pose(10.0, 20.0, math.pi / 2)).pose
    assert (found.x, found.y, found.yaw) == pytest.approx((10.0, 21.0, 0.5 + math.pi / 2))


def test_a_survey_keeps_what_it_finds(tmp_path):
    home = Homes(tmp_path).open('flat', make=True)
    found = survey(GraphWorld(grid(3, 3)), home, Explorer(home.map()), (0.0, 0.0, 0.0),
                   Budget())
    assert (found.places, found.back, home.notes().explored) == (9, True, True)
    driven = home.trajectories()
    assert len(driven) == found.trajectories > 0 and all(t.usable for t in driven)
    assert len(home.map()) == 9
    assert found.minutes == pytest.approx((found.metres / 0.15 + 3 * (found.metres / 1.5)) / 60)


@pytest.mark.parametrize(('budget', 'why'), [
    (Budget(minutes=0.5), '0.5 minutes are over'), (Budget(episodes=1), '1 trajectories')])
def test_a_spent_budget_turns_it_back(tmp_path, budget, why):
    home = Homes(tmp_path).open('flat', make=True)
    found = survey(GraphWorld(grid(6, 6)), home, Explorer(home.map()), (0.0, 0.0, 0.0), budget)
    assert found.ended.startswith(why) and found.back and found.places < 36
    assert not home.notes().explored


def test_a_budget_by_hand():
    assert Budget(10, 5, 0.25).over(9.9, 4, 0.3) == ''
    assert 'battery is at 20%' in Budget().over(0, 0, 0.2)


def test_the_labels_of_the_graph_are_those_that_were_seen():
    explorer, *_ = explored(corner())
    graph = explorer.home.graph()
    assert sorted(graph.labels) == ['door', 'red sofa', 'white fridge']
    assert len(graph.points) == 3 and len(graph.ways) == 4
