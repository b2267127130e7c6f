"""Recognising a place of a home, in generated homes with the errors of a detector."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from test_homes_map import seen

from nl_robot.datatypes import Pose, Sighting
from nl_robot.embodied.home_graph import home_graph
from nl_robot.geometry import wrap_angle
from nl_robot.homes.exploring import in_map
from nl_robot.homes.home_map import HomeMap
from nl_robot.homes.keeper import Keeper
from nl_robot.homes.localising import located
from nl_robot.homes.store import Homes
from nl_robot.worlds.graph import GraphWorld


def thing(label: str, bearing: float, distance: float | None = 2.0) -> Sighting:
    return Sighting(label, bearing, 0.0, 0.3, distance, 0.9)


@pytest.fixture
def home() -> HomeMap:
    """Three places on a line, each with a thing of its own, and lamps everywhere."""
    made = HomeMap('flat')
    for x, label in ((0.0, 'bed'), (3.0, 'sofa'), (6.0, 'stove')):
        made.add(replace(seen(x, 0.0), sightings=(thing(label, 0.3), thing('lamp', -1.0))))
    return made


def at(home: HomeMap, expected: Pose, *things: Sighting) -> Pose | None:
    return located(home, replace(seen(0.0, 0.0), sightings=things), expected)


def test_it_is_believed_where_it_fits_and_found_where_it_does_not(home):
    expected = Pose(3.1, 0.0, 0.1, 'map')
    assert at(home, expected, thing('sofa', 0.2), thing('lamp', -1.1)) == expected
    assert at(home, expected) == expected       # nothing is seen: nothing speaks against it
    found = at(home, expected, thing('stove', 1.3), thing('lamp', 0.0))
    assert (found.x, found.y, found.yaw) == pytest.approx((6.0, 0.0, -1.0))
    unmeasured = at(home, expected, thing('stove', 1.3, None), thing('lamp', 0.0, None))
    assert unmeasured == found


def test_what_fits_two_places_alike_or_none_is_no_place(home):
    away = Pose(40.0, 0.0, 0.0, 'map')
    assert at(home, away, thing('lamp', 0.5)) is None
    assert at(home, away, thing('stove', 0.3, 9.0), thing('lamp', -1.0, 9.0)) == away   # unseen
    assert at(home, away, thing('stove', 0.3), *(thing(f'boat {n}', 0.1 * n) for n in range(9))
              ) is None


def test_a_robot_that_was_carried_goes_on_in_its_map_or_leaves_it_alone(tmp_path, home):
    stored = Homes(tmp_path).open('flat', make=True)
    stored.save_map(home)
    stored.note(start=0, pose=(3.0, 0.0, 0.0), odometry=(9.0, 0.0, 0.0), explored=True)
    keeper, began = Keeper(), Pose(20.0, 0.0, 0.0)      # the odometry began anew
    frame = keeper.enter(stored.folder, began, replace(seen(20.0, 0.0), sightings=(
        thing('stove', 1.3), thing('lamp', 0.0))))
    there = in_map(seen(20.0, 0.0), frame).pose
    assert (there.x, there.y, there.yaw) == pytest.approx((6.0, 0.0, -1.0))
    strange = replace(seen(20.0, 0.0), sightings=(
        thing('lamp', 0.5), *(thing(f'boat {n}', 0.1 * n) for n in range(9))))
    assert keeper.enter(stored.folder, began, strange) is None
    assert keeper.home is None and keeper.explored() is None
    keeper.note(strange, Pose(0.0, 0.0, 0.0, 'map'))
    assert len(stored.map()) == 3       # where it does not know where it is, it writes nothing


def spoiled(things: tuple[Sighting, ...], labels: list[str], rng: np.random.Generator
            ) -> tuple[Sighting, ...]:
    """With a detector's errors: misses, wrong labels, ghosts, and jitter."""
    kept = [replace(s, label=labels[rng.integers(len(labels))] if rng.random() < 0.1 else s.label,
                    bearing=s.bearing + rng.normal(0, 0.04),
                    distance=s.distance and s.distance * math.exp(rng.normal(0, 0.12)))
            for s in things if rng.random() > 0.1 + 0.05 * (s.distance or 4.0)]
    return (*kept, thing(labels[rng.integers(len(labels))], rng.uniform(-3, 3)))


@pytest.mark.parametrize('carried, least, most_wrong', [(False, 0.95, 0.02), (True, 0.7, 0.1)])
def test_generated_homes_are_recognised(tmp_path, carried, least, most_wrong):
    right, wrong, tried = 0, 0, 0
    for seed in (1010, 1011):
        graph, rng = home_graph(seed, tmp_path), np.random.default_rng(seed)
        world, made, labels = GraphWorld(graph), HomeMap('flat'), sorted(set(graph.labels))
        for x, y in graph.points:
            observation = world.reset(float(x), float(y), rng.uniform(-3, 3))
            made.add(replace(observation, sightings=spoiled(observation.sightings, labels, rng)))
        for row in rng.integers(len(graph.points), size=40):
            x, y, yaw = *map(float, graph.points[row]), rng.uniform(-3, 3)
            observation = world.reset(x, y, yaw)
            other = graph.points[rng.integers(len(graph.points))]
            expected = (Pose(*map(float, other), rng.uniform(-3, 3), 'map') if carried
                        else Pose(x, y, yaw, 'map'))
            found = located(made, replace(observation, sightings=spoiled(
                observation.sightings, labels, rng)), expected)
            good = found is not None and math.hypot(found.x - x, found.y - y) < 1.0 and abs(
                wrap_angle(found.yaw - yaw)) < 0.3
            right, wrong, tried = right + good, wrong + (not good and found is not None), tried + 1
    print(f'recognised {right} of {tried}, taken for another place {wrong}')
    assert right >= least * tried and wrong <= most_wrong * tried
