"""Files of commands: what they say, and what is wrong with them."""

from __future__ import annotations

import pytest

from nl_robot.cli.commands_file import (
    GoalEntry,
    load_commands,
    target_of,
    target_of_words,
)
from nl_robot.datatypes import Pose
from nl_robot.embodied.places import Target
from nl_robot.sim.records import Home, Item, Room

HOME = Home(5, (Room('kitchen', 'kitchen', 0, 0, 3, 3), Room('bedroom 1', 'bedroom', 3, 0, 6, 3),
                Room('bedroom 2', 'bedroom', 6, 0, 9, 3)), (), (), tuple(
    Item(name, kind, colour, '', '', x, 1.0, 0.0, 0.0, (0.5, 0.5, 0.5), 'kitchen', ())
    for name, kind, colour, x in (('sofa 1', 'sofa', 'red', 1.0), ('sofa 2', 'sofa', 'blue', 2.0),
                                  ('coffee table', 'coffee table', 'brown', 1.5))))


def load(tmp_path, text):
    path = tmp_path / 'commands.yaml'
    path.write_text(text)
    return load_commands(path)


def test_commands_inherit_home_and_start(tmp_path):
    entries = load(tmp_path, '''
home: 7
start: [1, 2.5, 0]
commands:
  - {words: go to the kitchen, goal: {room: kitchen}}
  - {words: find the sofa, goal: {item: sofa}, home: 8}
  - {words: over there, goal: {point: [1, 2]}, start: [0, 0, 1.5]}
''')
    assert [entry.home for entry in entries] == [7, 8, 7]
    assert [entry.pose for entry in entries] == [
        Pose(1.0, 2.5, 0.0, 'map'), None, Pose(0.0, 0.0, 1.5, 'map')]
    assert entries[2].goal == GoalEntry(point=(1.0, 2.0))


def test_a_bare_list_will_do(tmp_path):
    assert load(tmp_path, '[{words: sit, home: 3}]')[0].home == 3


@pytest.mark.parametrize(('text', 'complaint'), [
    ('commands: []', 'there are no commands'),
    ('[{words: go}]', "command 1 \\('go'\\) names no home"),
    ('[{words: go, hom: 3}]', "unknown key 'hom'"),
    ('[{home: 3}]', "missing key 'words'"),
    ('[{words: go, home: 3, goal: {}}]', 'got 0 of them'),
    ('[{words: go, home: 3, goal: {room: a, item: b}}]', 'got 2 of them'),
    ('[{words: go, home: 3, start: [1, 2]}]', 'expected 3 values'),
    ('commands: [', 'not valid YAML'),
])
def test_what_is_wrong_is_said(tmp_path, text, complaint):
    with pytest.raises(ValueError, match=complaint):
        load(tmp_path, text)


@pytest.mark.parametrize(('goal', 'target'), [
    (GoalEntry(room='bedroom'), Target(rooms=('bedroom 1', 'bedroom 2'))),
    (GoalEntry(room='bedroom 2'), Target(rooms=('bedroom 2',))),
    (GoalEntry(item='sofa'), Target(items=('sofa 1', 'sofa 2'))),
    (GoalEntry(item='blue sofa'), Target(items=('sofa 2',))),
    (GoalEntry(item='sofa 1'), Target(items=('sofa 1',))),
    (GoalEntry(point=(1.0, 2.0)), Target(point=(1.0, 2.0))),
])
def test_a_goal_is_any_place_of_that_name_label_or_kind(goal, target):
    assert target_of(goal, HOME) == target


def test_a_goal_that_is_not_there_names_what_is():
    with pytest.raises(ValueError, match="no room 'garage'; it has: kitchen, bedroom 1"):
        target_of(GoalEntry(room='garage'), HOME)
    with pytest.raises(ValueError, match='blue sofa, brown coffee table, red sofa'):
        target_of(GoalEntry(item='lamp'), HOME)


@pytest.mark.parametrize(('words', 'target'), [
    ('Kitchen', Target(rooms=('kitchen',))),
    ('Could you  go to the kitchen, please?', None),
    ('could you go to the kitchen please?', Target(rooms=('kitchen',))),
    ('Drive over to the blue sofa.', Target(items=('sofa 2',))),
    ('find the coffee table', Target(items=('coffee table',))),
    ('walk past the sofa and stop by the coffee table', None),
    ('', None),
])
def test_plain_words_tell_their_target_and_others_do_not(words, target):
    assert target_of_words(words, HOME) == target
