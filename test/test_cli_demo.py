"""The demo: what it makes of its arguments, how it talks with the robot, and how it ends."""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from nl_robot.cli import demo, demo_talk
from nl_robot.cli.demo_talk import Judge, Talk, length
from nl_robot.cli.node_processes import NodeFailedError
from nl_robot.datatypes import Pose
from nl_robot.embodied.places import Target
from nl_robot.mission.command import Status
from nl_robot.sim.homes import floor_grid, free_poses, generate_home

TREE = Path(__file__).resolve().parents[1]
KEYBOARD = demo_talk.Keyboard
FAKES = '''
from nl_robot.datatypes import Decision

class Still:
    """An agent that is always there already."""

    def set_goal(self, words):
        pass

    def decide(self, observation):
        return Decision(None, 0.9)

    def arrived(self):
        return 0.95

class Restless(Still):
    """An agent that turns round for ever."""

    def decide(self, observation):
        return Decision(0, 0.9) if observation.waypoints else Decision(None)

class Blind:
    def detect(self, images):
        return [[] for _ in images]
'''


@pytest.fixture(scope='module')
def home():
    return generate_home(2000)


@pytest.fixture(scope='module')
def judge(home):
    return Judge(home)


def parse(*argv):
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    return parser.parse_args(argv)


class FakeWatcher:
    """Answers each command with the statuses given, and stands still."""

    def __init__(self, *answers, lacks=()):
        self.path, self.collisions, self.said = [(1.0, 2.0)], 0, []
        self._answers, self._lacks, self._next = list(answers), list(lacks), []

    def missing(self):
        return self._lacks.pop(0) if self._lacks else []

    def say(self, words):
        self.said.append(words)
        self._next = self._answers.pop(0)

    def heard(self):
        statuses, self._next = self._next, []
        return statuses

    def spin(self, seconds, until=None):
        return True

    def photograph(self):
        return {}


def talk_with(watcher, judge, check=lambda: None):
    return Talk(watcher, check, judge)


def test_a_seed_and_commands_make_a_plan_from_a_free_place(home):
    plan = demo.make_plan(parse('--seed', '2000', '--command', 'go to the kitchen',
                                '--command', 'wander about'), on_terminal=False)
    kitchens = tuple(room.name for room in home.rooms if room.kind == 'kitchen')
    assert plan.home.seed == 2000 and not plan.asks
    assert plan.commands == (('go to the kitchen', Target(rooms=kitchens)), ('wander about', None))
    assert plan.start == free_poses(home, np.random.default_rng(2000), 1)[0]


def test_the_start_may_be_given():
    plan = demo.make_plan(parse('--seed', '2000', '--start', '1', '2', '0.5', '--command', 'go'),
                          on_terminal=True)
    assert plan.start == Pose(1.0, 2.0, 0.5, 'map')


def test_without_commands_a_terminal_is_asked_and_a_pipe_gets_the_file():
    assert demo.make_plan(parse(), on_terminal=True).asks
    plan = demo.make_plan(parse(), on_terminal=False)
    assert not plan.asks and len({words for words, _ in plan.commands}) >= 3


def test_the_demo_starts_in_a_home_that_was_never_trained_on_where_nothing_stands():
    entries = yaml.safe_load((TREE / 'config' / 'demo.yaml').read_text())
    x, y, _ = entries[0]['start']
    grid = floor_grid(generate_home(entries[0]['home']), radius=0.3)
    assert entries[0]['home'] in range(2000, 2050)
    assert grid.free[grid.cell(x, y)]


@pytest.mark.parametrize(('argv', 'complaint'), [
    (('--commands', 'a.yaml', '--seed', '3'), 'either --commands FILE'),
    (('--speed', '0'), 'must be from 0.1 to 10'),
    (('--seed', '2000'), 'needs a --command'),
])
def test_arguments_that_make_no_sense_are_told(argv, complaint):
    with pytest.raises(ValueError, match=complaint):
        demo.make_plan(parse(*argv), on_terminal=False)


def test_all_commands_of_a_file_are_in_one_home(tmp_path):
    path = tmp_path / 'two.yaml'
    starts = {number: free_poses(generate_home(number), np.random.default_rng(0), 1)[0]
              for number in (2000, 2001)}
    path.write_text(yaml.safe_dump([
        {'home': number, 'start': [at.x, at.y], 'words': 'go', 'goal': {'point': [at.x, at.y]}}
        for number, at in starts.items()]))
    with pytest.raises(ValueError, match='the file names 2000, 2001'):
        demo.make_plan(parse('--commands', str(path)), on_terminal=False)


def test_an_agent_that_is_not_there_is_told_at_once(tmp_path):
    with pytest.raises(ValueError, match='there is no agent in .*nowhere'):
        demo.check_agent(str(tmp_path / 'nowhere'))
    demo.check_agent(str(tmp_path))
    demo.check_agent('python:module:function')


def test_parameters_become_ros_arguments():
    assert demo.ros_arguments({'seed': 7, 'start_x': 1e-9, 'agent': ''}) == [
        '--ros-args', '-p', 'seed:=7', '-p', 'start_x:=0.000000']
    assert demo.ros_arguments({'agent': ''}) == []
    assert demo.ros_arguments({'seed': 3, 'agent': ''}, Path('one.yaml')) == [
        '--ros-args', '--params-file', 'one.yaml', '-p', 'seed:=3']


def test_a_domain_must_exist():
    assert demo.node_environment(232)['ROS_DOMAIN_ID'] == '232'
    with pytest.raises(ValueError, match='0 to 232'):
        demo.node_environment(233)


def test_the_judge_knows_rooms_and_distances(home, judge):
    room = home.rooms[0]
    inside = room.centre
    assert judge(Target(rooms=(room.name,)), inside) == (True, f'in the {room.name}')
    done, where = judge(Target(point=inside), inside)
    assert done and where == f'in the {room.name}, 0.0 m from the goal'
    far = home.rooms[-1].centre
    assert not judge(Target(rooms=(room.name,)), far)[0]


@pytest.mark.parametrize('words', ['Kitchen', 'could you go to the kitchen please?',
                                   'Drive  over to the kitchen.', 'enter the kitchen'])
def test_plain_words_tell_their_target(judge, home, words):
    kitchens = tuple(room.name for room in home.rooms if room.kind == 'kitchen')
    assert judge.target_of_words(words) == Target(rooms=kitchens)


@pytest.mark.parametrize('words', ['', 'walk past the sofa and stop by the kitchen', 'stop'])
def test_other_words_do_not(judge, words):
    assert judge.target_of_words(words) is None


def test_a_command_is_followed_to_its_end_and_judged_by_the_truth(judge, capsys):
    watcher = FakeWatcher(
        [Status('a-1', 'accepted', '', 'On my way'), Status('a-1', 'running', '', 'sees a sofa'),
         Status('a-1', 'running', '', 'sees a sofa'), Status('a-1', 'succeeded', '', 'There.')])
    far = talk_with(watcher, judge)
    assert not far.follow('go far', Target(point=(9.0, 9.0)))    # whatever the robot believes
    said = capsys.readouterr().out
    assert said.count('sees a sofa') == 1
    assert 'succeeded: There.' in said and 'NOT reached' in said
    assert [drive.success for drive in far.drives] == [False]


def test_a_robot_that_gave_up_has_not_done_it_even_where_it_should_be(judge):
    talk = talk_with(FakeWatcher([Status('1', 'timeout')], [Status('2', 'unsure')]), judge)
    here = Target(point=(1.0, 2.0))
    assert [talk.follow('go', here), talk.follow('go', here)] == [False, True]


def test_statuses_of_earlier_commands_are_not_mistaken_for_its_own(judge):
    done, late = Status('a-1', 'succeeded', '', ''), Status('a-2', 'failed', '', '')
    talk = talk_with(FakeWatcher([done], [done, late]), judge)
    assert talk.follow('one', None)
    assert not talk.follow('two', None)


def test_a_robot_that_is_not_ready_is_told_again(judge):
    busy = Status('a-1', 'rejected', 'not_ready:policy', '')
    watcher = FakeWatcher([busy], [Status('a-2', 'succeeded', '', '')])
    assert talk_with(watcher, judge).follow('go', None)
    assert watcher.said == ['go', 'go']


def test_all_commands_are_given_even_after_one_that_failed(judge):
    watcher = FakeWatcher([Status('1', 'blocked', 'no_way', '')], [Status('2', 'succeeded')])
    assert not talk_with(watcher, judge).give((('one', None), ('two', None)))
    assert watcher.said == ['one', 'two']


def test_a_node_that_died_ends_the_talk(judge):
    def check():
        raise NodeFailedError('the node sim ended')
    with pytest.raises(NodeFailedError, match='sim ended'):
        talk_with(FakeWatcher([]), judge, check).follow('go', None)


def test_what_never_gets_ready_is_named(judge):
    watcher = FakeWatcher(lacks=[['policy']] * 1000)
    talk = talk_with(watcher, judge)
    with pytest.raises(NodeFailedError, match=r'not ready after 0 s: policy'):
        talk.wait_until_ready(0.0)
    talk_with(FakeWatcher(lacks=[['policy']]), judge).wait_until_ready(5.0)


def test_no_end_is_not_a_success(judge, monkeypatch):
    monkeypatch.setattr(demo_talk, 'PATIENCE', 0.05)
    talk = talk_with(FakeWatcher([Status('1', 'running')]), judge)
    assert not talk.follow('go', None)
    assert 'no end' in talk.drives[0].verdict


@pytest.fixture
def typed(monkeypatch):
    """Puts lines on the keyboard of a talk."""
    reading, writing = os.pipe()
    monkeypatch.setattr(demo_talk, 'Keyboard', lambda _: KEYBOARD(reading))
    yield lambda text: os.write(writing, text.encode())
    os.close(reading)
    os.close(writing)


def test_lines_are_taken_without_waiting():
    reading, writing = os.pipe()
    keyboard = KEYBOARD(reading)
    assert keyboard.line() is None
    os.write(writing, b'go to the kit')
    assert keyboard.line() is None
    os.write(writing, 'chen\n  f\u00fcr mich \nmore'.encode())
    assert [keyboard.line() for _ in range(3)] == ['go to the kitchen', 'f\u00fcr mich', None]
    os.close(writing)
    assert [keyboard.line() for _ in range(2)] == ['more', '']
    os.close(reading)


def test_commands_are_asked_for_until_an_empty_line(judge, typed):
    watcher = FakeWatcher([Status('1', 'succeeded')], [Status('2', 'succeeded')])
    typed('one\ntwo\n\nthree\n')
    talk = Talk(watcher, lambda: None, judge)
    assert talk.ask()
    assert watcher.said == ['one', 'two']


def test_a_command_typed_meanwhile_takes_the_place_of_the_first(judge, typed):
    watcher = FakeWatcher([Status('1', 'running')],
                          [Status('1', 'superseded'), Status('2', 'stopped')])
    talk = Talk(watcher, lambda: None, judge, asks=True)
    typed('stop\n')
    assert not talk.follow('go on', None)
    assert watcher.said == ['go on', 'stop']
    assert [drive.words for drive in talk.drives] == ['go on', 'stop']


def test_a_path_is_as_long_as_its_pieces():
    assert length([(0, 0), (3, 4), (3, 5)]) == 6.0
    assert length([(1, 1)]) == 0.0


@pytest.fixture
def start_demo(tmp_path, home):
    """Starts the real demo with an agent that needs no training, as a process."""
    (tmp_path / 'fakes.py').write_text(FAKES)
    pose = free_poses(home, np.random.default_rng(5), 1)[0]
    (tmp_path / 'here.yaml').write_text(yaml.safe_dump([
        {'home': 2000, 'start': [pose.x, pose.y, pose.yaw], 'words': 'go to the sofa',
         'goal': {'point': [pose.x, pose.y]}}]))

    def start(agent):
        paths = [str(tmp_path), str(TREE)]
        return subprocess.Popen(
            [sys.executable, '-m', 'nl_robot.cli.main', 'demo', '--commands', 'here.yaml',
             '--agent', f'python:fakes:{agent}', '--detector', 'python:fakes:Blind',
             '--logs', 'logs'], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
            env={**os.environ, 'PYTHONPATH': os.pathsep.join(paths), 'PYTHONUNBUFFERED': '1'})
    return start


def nodes_in(logs):
    """Process ids of node processes whose log lies in a folder."""
    found = []
    for entry in Path('/proc').glob('[0-9]*'):
        try:
            if os.readlink(entry / 'fd' / '1').startswith(f'{logs}/'):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_the_demo_over_dds_reaches_a_goal_it_stands_at(start_demo, tmp_path):
    process = start_demo('Still')
    said, _ = process.communicate(timeout=110)
    assert process.returncode == 0, said
    assert re.search(r'^ +\d+\.\d s  sees .*; chose stop \(90% sure\)', said, re.MULTILINE)
    assert 'reached: succeeded' in said and '1 of 1 commands done' in said
    assert cv2.imread(str(tmp_path / 'demo.png')).std() > 10
    assert nodes_in(tmp_path / 'logs') == []


@pytest.mark.skipif(sys.platform != 'linux', reason='looks for processes in /proc')
def test_an_interrupt_in_the_middle_ends_every_process(start_demo, tmp_path):
    process = start_demo('Restless')
    said = ''
    while 'chose' not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    assert len(nodes_in(tmp_path / 'logs')) == 6
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 130 and 'Traceback' not in rest, rest
    assert nodes_in(tmp_path / 'logs') == []
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(('encoding', 'first'), [('rgb8', [1, 2, 3]), ('bgr8', [3, 2, 1])])
def test_pictures_are_rgb_whatever_the_message_holds(encoding, first):
    from nl_robot.cli.demo_watch import picture_of
    data = bytes([1, 2, 3, 0, 4, 5, 6, 0])     # two rows of one pixel and a byte of padding
    message = types.SimpleNamespace(data=data, height=2, width=1, step=4, encoding=encoding)
    picture = picture_of(message)
    assert picture.shape == (2, 1, 3)
    assert picture[0, 0].tolist() == first
