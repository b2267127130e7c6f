"""Episodes in homes: sampled alike by everybody, or read from a file that says what is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
import yaml

from nl_robot.embodied.home_episodes import (
    HomeEpisode,
    HomeJudge,
    read_episodes,
    read_target,
    sample_episodes,
)
from nl_robot.embodied.places import Target, fulfilled
from nl_robot.sim.homes import floor_grid, free_poses, generate_home

SEED = 11
HOME = generate_home(SEED)
START = free_poses(HOME, np.random.default_rng(0), 1)[0]
GOOD = {'home': SEED, 'start': [START.x, START.y, 0.5], 'words': 'go there',
        'goal': {'room': HOME.rooms[0].name}}


def read(tmp_path, content):
    path = tmp_path / 'commands.yaml'
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return read_episodes(path)


def test_a_file_of_commands(tmp_path):
    item = HOME.items[0]
    first, second, third = read(tmp_path, [
        {**GOOD, 'tags': ['easy', 3]},
        {**GOOD, 'start': GOOD['start'][:2], 'goal': {'item': item.name}},
        {**GOOD, 'words': ' Geh zur Tür ', 'goal': {'point': [START.x, int(START.y)]}}])
    assert first == HomeEpisode(0, SEED, (START.x, START.y, 0.5), 'go there',
                                Target(rooms=(HOME.rooms[0].name,)), ('easy', '3'))
    assert second.index == 1 and second.start == (START.x, START.y, 0.0) and second.tags == ()
    assert second.target == Target(items=(item.name,))
    assert third.target == Target(point=(START.x, float(int(START.y))))
    assert third.words == ' Geh zur Tür '


def test_rooms_and_items_go_by_kind_too():
    kind = HOME.rooms[0].kind
    assert read_target(HOME, {'room': kind}, '').rooms == tuple(
        room.name for room in HOME.rooms if room.kind == kind)
    item = HOME.items[0]
    for name, value in (('kind', item.kind), ('label', item.label)):
        assert read_target(HOME, {'item': value}, '').items == tuple(
            other.name for other in HOME.items if getattr(other, name) == value)


def change(**entries):
    return [GOOD, {**GOOD, **entries}]


def without(key):
    return [GOOD, {name: value for name, value in GOOD.items() if name != key}]


BAD = {
    'not yaml': ('- [', 'commands.yaml is not valid YAML'),
    'empty': ('', 'commands.yaml must be a list of commands'),
    'no list': ('home: 3', 'commands.yaml must be a list of commands'),
    'no commands': ([], 'commands.yaml must be a list of commands'),
    'a word': ([GOOD, 'go'], "command 2: give home, start, words and goal .*, got 'go'"),
    'a typo': (change(hom=3), 'command 2: give home, start, words and goal'),
    'no home': (without('home'), 'command 2: home is missing'),
    'no start': (without('start'), 'command 2: start is missing'),
    'no words': (without('words'), 'command 2: words is missing'),
    'no goal': (without('goal'), 'command 2: goal is missing'),
    'home as text': (change(home='kitchen'), "home must be the seed .* got 'kitchen'"),
    'home below 0': (change(home=-1), 'home must be the seed of a home, 0 or more, got -1'),
    'half a home': (change(home=1.5), 'home must be the seed .* got 1.5'),
    'home yes': (change(home=True), 'home must be the seed .* got True'),
    'home null': (change(home=None), 'home must be the seed .* got None'),
    'start short': (change(start=[1]), r'start must be \[x, y\] or \[x, y, yaw\], got \[1\]'),
    'start long': (change(start=[1, 2, 3, 4]), r'start must be .* got \[1, 2, 3, 4\]'),
    'start text': (change(start=['a', 2]), r"start must be .* got \['a', 2\]"),
    'start null': (change(start=[1, None]), r'start must be .* got \[1, None\]'),
    'start nan': (change(start=[math.nan, 2]), r'start must be .* got \[nan, 2\]'),
    'start far': (change(start=[-50, 2]), r'start \(-50, 2\) is not on the free floor of '
                                          r'home-0011; the nearest that is: \[\d'),
    'start in furniture': (change(start=[HOME.walls[0].x0, HOME.walls[0].y0]),
                           'is not on the free floor'),
    'words empty': (change(words='  '), "words must be what is said to the robot, got '  '"),
    'words no text': (change(words=5), 'words must be what is said to the robot, got 5'),
    'tags text': (change(tags='easy'), "tags must be a list, got 'easy'"),
    'tags null': (change(tags=None), 'tags must be a list, got None'),
    'goal text': (change(goal='hall'), "goal must be one of room, item or point, got 'hall'"),
    'goal two': (change(goal={'room': 'a', 'item': 'b'}), 'goal must be one of room, item or'),
    'goal none': (change(goal={}), 'goal must be one of room, item or point, got {}'),
    'goal other': (change(goal={'place': 'a'}), 'goal must be one of room, item or point'),
    'no such room': (change(goal={'room': 'throne room'}),
                     f"home-0011 has no room 'throne room'; it has: .*{HOME.rooms[0].name}"),
    'no such item': (change(goal={'item': 'throne'}), "home-0011 has no item 'throne'; it has: "),
    'item no text': (change(goal={'item': ['sofa']}), r"has no item \['sofa'\]"),
    'point short': (change(goal={'point': [1]}), r'point must be \[x, y\], got \[1\]'),
    'point text': (change(goal={'point': ['a', 1]}), r"point must be \[x, y\], got \['a', 1\]"),
    'point inf': (change(goal={'point': [math.inf, 1]}), r'point must be \[x, y\], got \[inf'),
    'point far': (change(goal={'point': [500, 1]}), r'point \(500, 1\) lies outside home-0011'),
}


@pytest.mark.parametrize('name', BAD)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path, name):
    content, complaint = BAD[name]
    with pytest.raises(ValueError, match=complaint):
        read(tmp_path, content)


def test_episodes_are_spread_over_homes_and_frames():
    episodes = sample_episodes([SEED, 3], 5, seed=1, frames='both')
    assert [episode.home for episode in episodes] == [SEED] * 3 + [3] * 2
    assert [episode.index for episode in episodes] == [0, 1, 2, 3, 4]
    assert [episode.tags[1] for episode in episodes] == [
        'trained frames', 'held-out frames', 'trained frames', 'held-out frames',
        'trained frames']
    assert episodes == sample_episodes([SEED, 3], 5, seed=1, frames='both')
    assert episodes != sample_episodes([SEED, 3], 5, seed=2, frames='both')
    grid = floor_grid(HOME)
    for episode in episodes[:3]:
        x, y, _ = episode.start
        assert episode.words.strip() and grid.free[grid.cell(x, y)]
        assert not fulfilled(HOME, grid, episode.target, x, y)


def test_fewer_episodes_than_homes_and_no_homes():
    assert [e.home for e in sample_episodes([3, SEED], 1, 0, 'held-out')] == [3]
    with pytest.raises(ValueError, match='no homes'):
        sample_episodes([], 3, 0, 'both')


@pytest.fixture(scope='module')
def judge() -> HomeJudge:
    return HomeJudge(SEED)


def test_a_room_must_be_entered(judge):
    room = HOME.room_at(START.x, START.y)
    other = next(r for r in HOME.rooms if r.name != room.name)
    episode = HomeEpisode(0, SEED, (START.x, START.y, 0.0), 'go', Target(rooms=(room.name,)),
                          ('a',))
    task = judge.task(episode)
    assert (task.x, task.y, task.goal, task.tags) == (START.x, START.y, 'go', ('a',))
    assert task.within == 0.0 and task.remaining(START.x, START.y) == 0.0
    assert task.remaining(*other.centre) > 0.3
    assert judge.task(episode, 'come').goal == 'come'


def test_a_point_must_be_neared(judge):
    episode = HomeEpisode(0, SEED, (START.x, START.y, 0.0), 'go',
                          Target(point=(START.x, START.y)), ())
    task = judge.task(episode)
    assert task.within == 1.5 and task.remaining(START.x, START.y) == 0.0
    for pose in free_poses(HOME, np.random.default_rng(1), 5):
        straight = math.dist((pose.x, pose.y), (START.x, START.y))
        assert straight - 0.15 <= task.remaining(pose.x, pose.y) < math.inf


def test_an_item_is_measured_along_the_floor(judge):
    item = next(i for i in HOME.items if i.collides and not i.on)
    episode = HomeEpisode(0, SEED, (START.x, START.y, 0.0), 'go', Target(items=(item.name,)), ())
    task = judge.task(episode)
    straight = math.dist((START.x, START.y), (item.x, item.y)) - max(item.extent[:2])
    assert straight - 0.8 < task.remaining(START.x, START.y) < math.inf
    assert task.within == 1.5
