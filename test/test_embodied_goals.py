"""Goals, targets and the facts of routes, with answers worked by hand on a small home."""

from __future__ import annotations

import math
import re
import time
from collections import Counter

import numpy as np
import pytest
from hall_home import GRID, HOME, ITEMS, item

from nl_robot.datatypes import Pose
from nl_robot.embodied import descriptions, goals, route_words
from nl_robot.embodied.goals import (
    KINDS,
    Target,
    distance_field,
    fulfilled,
    goals_for_target,
    remaining,
    sample_task,
)
from nl_robot.embodied.places import footprint_distance, gap, places_of
from nl_robot.embodied.route_facts import door_count, is_plain_count, route_facts, taut, turns
from nl_robot.language.grammar import load_frames
from nl_robot.sim.homes import floor_grid, generate_home

SOUTH, NORTH, EAST = -math.pi / 2, math.pi / 2, 0.0


@pytest.fixture(scope='module')
def real_home():
    home = generate_home(3)
    return home, floor_grid(home)


def door(name):
    return next(d for d in HOME.doors if d.name == name)


# --- where a target is ------------------------------------------------------------------------

def test_a_room_is_fulfilled_inside_its_walls_only():
    target = Target(rooms=('bathroom',))
    assert fulfilled(HOME, GRID, target, 2.0, -1.0)
    assert not fulfilled(HOME, GRID, target, 3.5, 0.5)
    assert remaining(HOME, GRID, target, 2.0, -1.0) == 0
    assert remaining(HOME, GRID, target, 3.45, 0.55) == pytest.approx(0.6, abs=0.01)


def test_an_item_is_fulfilled_within_a_metre_and_a_half_of_the_floor_by_it():
    target = Target(items=('sofa',))
    # The sofa's footprint ends at y = -3.2; the nearest free cells have their middle at -2.95.
    assert remaining(HOME, GRID, target, 6.45, -2.95) == 0
    assert remaining(HOME, GRID, target, 6.45, -1.45) == pytest.approx(1.35, abs=0.16)
    assert fulfilled(HOME, GRID, target, 6.45, -1.45)
    assert not fulfilled(HOME, GRID, target, 6.45, -0.95)


def test_an_item_is_not_reached_through_the_wall():
    # The plant stands by the wall of the bathroom and the living room: not from over there.
    assert not fulfilled(HOME, GRID, Target(items=('plant',)), 4.5, -0.3)
    cells = places_of(HOME, GRID).item_cells('plant')
    assert cells.size and all(HOME.rooms[0].contains(*GRID.point(*divmod(int(c), 80)))
                              for c in cells)


def test_any_of_several_places_will_do():
    target = Target(rooms=('kitchen',), items=('chair 2',))
    field = distance_field(HOME, GRID, target)
    assert field[GRID.cell(2.0, 4.0)] == 0
    assert fulfilled(HOME, GRID, target, 7.0, 4.8)
    assert not fulfilled(HOME, GRID, target, 2.0, 1.5)


def test_a_point_is_fulfilled_nearby():
    target = Target(point=(1.05, 1.05))
    assert fulfilled(HOME, GRID, target, 2.45, 1.05)
    assert not fulfilled(HOME, GRID, target, 2.75, 1.05)


def test_an_empty_target_and_unknown_names_are_refused():
    with pytest.raises(ValueError, match='at least one'):
        Target()
    with pytest.raises(KeyError, match='unicorn'):
        distance_field(HOME, GRID, Target(items=('unicorn',)))


def test_footprint_distance_and_gap():
    turned = item('a', 'bench', 'red', 0, 0, 'x', (2.0, 1.0, 1.0))
    assert footprint_distance(turned, np.array([2.0, 0.0, 0.0]), np.array([0.0, 2.0, 0.2])) == \
        pytest.approx([1.0, 1.5, 0.0])
    assert gap(turned, item('b', 'chair', 'red', 1.8, 0, 'x')) == pytest.approx(0.5)


# --- the facts of a route ---------------------------------------------------------------------

# From the kitchen through d1 into the hallway, along it to the east, through d4.
PATH = [(2.0, 4.0), (2.0, 1.6), (6.0, 0.4), (6.0, -2.5)]


def test_turns_are_those_of_the_walker():
    assert [(round(first, 1), round(math.degrees(bend))) for first, _, bend in
            turns(PATH, SOUTH)] == [(0.0, 0), (2.4, 73), (6.6, -73)]
    (_, _, bend), *_ = turns(PATH, EAST)
    assert math.degrees(bend) == pytest.approx(-90)


def test_a_swerve_is_no_turn():
    swerve = [(0, 0), (2, 0), (2.6, 0.6), (5, 0.6)]
    assert [round(math.degrees(bend)) for _, _, bend in turns(swerve, 0.0)] == [0, 0]


def test_facts_of_a_route_worked_by_hand():
    facts = route_facts(HOME, PATH, Pose(2, 4, SOUTH, 'map'))
    told = [(f.kind, f.side, f.room or f.item, f.nth, f.count_side) for f in facts]
    # Facing south, east is to the left; then facing east, south is to the right.  On the right
    # of the hallway, d3 comes first and d4 second; the plant stands on that side too.
    assert told == [('straight', '', '', 0, ''), ('enter', 'left', 'hallway', 0, ''),
                    ('pass', 'right', 'plant', 0, ''),
                    ('enter', 'right', 'living room', 2, 'right')]


def test_the_way_back_has_the_sides_exchanged():
    facts = route_facts(HOME, PATH[::-1], Pose(6, -2.5, NORTH, 'map'))
    sides = [(f.kind, f.side, f.room or f.item) for f in facts if f.kind != 'straight']
    assert sides == [('enter', 'left', 'hallway'), ('pass', 'left', 'plant'),
                     ('enter', 'right', 'kitchen')]


def test_who_faces_the_other_way_must_turn_around():
    facts = route_facts(HOME, PATH, Pose(2, 4, NORTH, 'map'))
    assert facts[0].kind == 'around'


@pytest.mark.parametrize('came, by, towards, yaw, count', [
    ((0.5, 1.0), None, 'd1', EAST, (1, 'left')), ((0.5, 1.0), None, 'd2', EAST, (2, 'left')),
    ((0.5, 1.0), None, 'd3', EAST, (1, 'right')), ((0.5, 1.0), None, 'd4', EAST, (2, 'right')),
    ((7.5, 1.0), None, 'd4', math.pi, (1, 'left')),
    ((7.5, 1.0), None, 'd1', math.pi, (2, 'right')),
    ((0.5, 1.0), None, 'd1', math.pi, None),     # looking the other way
    ((2.1, 1.0), None, 'd2', EAST, None),        # d1 is abreast: does it count?
    ((2.0, 2.0), 'd1', 'd2', None, (1, 'left'))])  # one has come through d1
def test_doors_are_counted_along_the_hallway(came, by, towards, yaw, count):
    assert door_count(HOME, HOME.rooms[0], came, by and door(by), door(towards), yaw) == count


def test_a_door_needs_no_side_when_none_comes_before_it_on_the_other():
    hallway = HOME.rooms[0]
    assert is_plain_count(HOME, hallway, (0.5, 1.0), None, door('d1'))       # d3 is farther on
    assert not is_plain_count(HOME, hallway, (0.5, 1.0), None, door('d3'))   # d1 comes first
    assert not is_plain_count(HOME, hallway, (2.0, 2.0), door('d1'), door('d4'))  # d2 is abreast
    assert is_plain_count(HOME, hallway, (2.0, 2.0), door('d1'), door('d3'))


def test_doors_are_not_counted_in_a_square_room():
    assert door_count(HOME, HOME.rooms[1], (2.0, 5.0), None, door('d1'), SOUTH) is None


def test_a_taut_path_keeps_only_corners():
    path = GRID.path(distance_field(HOME, GRID, Target(point=(6.05, -2.05))), 2.05, 4.05)
    corners = taut(GRID, path)
    assert corners[0] == path[0] and corners[-1] == path[-1] and len(corners) <= 6


# --- words ------------------------------------------------------------------------------------

def test_every_turn_of_a_route_is_told_with_its_side():
    start = Pose(2, 4, SOUTH, 'map')
    ending = route_words.Ending(Target(items=('sofa',)), HOME.room('living room'), 'sofa')
    story = route_words.tell(HOME, PATH, start, ending)
    for seed in range(40):
        steps = route_words.steps(HOME, story, 'all', np.random.default_rng(seed))
        sides = re.findall(r'\b(left|right)\b', ' / '.join(steps))
        assert sides[0] == 'left' and sides[1:] in (['right'], ['right', 'right'])
        assert re.search('sofa|couch|settee', steps[-1])


def test_the_second_door_is_told_as_the_ending():
    start = Pose(2, 4, SOUTH, 'map')
    living = door('d4')
    hallway = HOME.rooms[0]
    assert route_words.before(hallway, living) == pytest.approx((6.0, 0.5))
    ending = route_words.Ending(Target(point=(6.0, 0.5)), hallway, door=living)
    story = route_words.tell(HOME, [(2.0, 4.0), (2.0, 1.4), (6.0, 0.5)], start, ending)
    assert (story.nth, story.side) == (2, 'right')
    last = route_words.steps(HOME, story, 'train', np.random.default_rng(0))[-1]
    assert 'second' in last and 'right' in last


def test_what_an_attribute_and_a_relation_mean():
    red = descriptions.matching(ITEMS, 'chair', (('colour', 'red'),))
    assert [i.name for i in red] == ['chair']
    assert len(descriptions.matching(ITEMS, 'chair')) == 2
    pairs = {(a, b) for a, b, _ in descriptions.neighbours(places_of(HOME, GRID))}
    # 0.4 m from the chair to the table, 0.6 m to the vase; the vase is on the table, so not by it,
    # and nothing is told to be by something that stands on something else.
    assert pairs == {('chair', 'table'), ('table', 'chair'), ('vase', 'chair')}


@pytest.mark.parametrize('kind', KINDS)
def test_every_kind_of_goal_is_well_posed(real_home, kind):
    home, grid = real_home
    rng = np.random.default_rng(1)
    for _ in range(6):
        task = sample_task(home, grid, rng, 'train', kinds=(kind,))
        assert {goal.kind for goal in task.goals} == {kind}
        assert not fulfilled(home, grid, task.goals[0].target, task.start.x, task.start.y)
        assert fulfilled(home, grid, task.goals[0].target, *task.route[-1])
        assert math.dist(task.route[0], (task.start.x, task.start.y)) < 0.1
        length = sum(math.dist(a, b) for a, b in zip(task.route[:-1], task.route[1:]))
        assert 1.0 < length < 18


def test_train_frames_and_held_out_frames_never_meet(real_home):
    home, grid = real_home
    frames = {frame.id: frame for frame in load_frames()}
    for split, held_out in (('train', False), ('held_out', True)):
        rng = np.random.default_rng(2)
        for _ in range(40):
            for goal in sample_task(home, grid, rng, split).goals:
                assert goal.held_out is frames[goal.frame_id].held_out is held_out


def test_the_same_seed_draws_the_same_task(real_home):
    tasks = [sample_task(*real_home, np.random.default_rng(9), 'all') for _ in range(2)]
    assert tasks[0] == tasks[1]


def test_kinds_are_mixed_and_drawn_quickly(real_home):
    home, grid = real_home
    rng = np.random.default_rng(3)
    sample_task(home, grid, rng, 'train')
    start = time.process_time()
    kinds = Counter(sample_task(home, grid, rng, 'train').goals[0].kind for _ in range(150))
    assert (time.process_time() - start) / 150 < 0.03   # 4 ms on one core
    assert set(kinds) == set(KINDS)
    assert kinds['room'] + kinds['household'] > 25 and kinds['route'] > 15


def test_wrong_kinds_and_splits_are_named(real_home):
    start = Pose(*real_home[0].rooms[0].centre, 0.0, 'map')
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="'dance'"):
        goals_for_target(*real_home, start, rng, kinds=('dance',))
    with pytest.raises(ValueError, match="'secret'"):
        for _ in range(20):
            goals_for_target(*real_home, start, rng, frames='secret')


def test_the_controls_are_at_hand():
    assert goals.swap_left_right('turn left') == 'turn right'
    assert goals.blank('turn left') == 'go'
