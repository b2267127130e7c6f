"""Nodes that end unasked come back, and those that crash in a loop stay down."""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nl_robot.cli import run_nodes
from nl_robot.cli.node_processes import NodeProcesses
from nl_robot.cli.supervision import Respawning, RespawnSettings, Supervisor

NODES = {
    'steady': 'import time\ndef main():\n    print("up", flush=True)\n    time.sleep(60)\n',
    'brief': 'def main():\n    print("my last words", flush=True)\n    return 1\n',
    'wrong': 'def main():\n    print("bad parameter", flush=True)\n    return 2\n',
}


def test_the_sixth_end_within_a_minute_is_one_too_many() -> None:
    respawning = Respawning()
    assert [respawning.ended('a', 1, now) for now in (0.0, 1.0, 2.0, 3.0, 4.0)] == [
        0.5, 1.5, 2.5, 3.5, 4.5]
    assert respawning.ended('a', 1, 5.0) is None
    assert respawning.ended('b', -9, 5.0) == 5.5       # of its own account
    late = Respawning()
    for now in (0.0, 15.0, 30.0, 45.0, 60.0):
        late.ended('a', 1, now)
    assert late.ended('a', 1, 61.0) == 61.5            # the first is forgotten by then
    assert Respawning().ended('a', 2, 0.0) is None     # its parameters do not get better


def test_what_is_wished_runs_beside_the_robot() -> None:
    parser = argparse.ArgumentParser()
    run_nodes.add_arguments(parser)
    robot = ('safety_gate', 'standby_gate', 'bridge', 'command', 'policy')
    assert run_nodes.names_of(parser.parse_args([])) == robot
    wished = ['--home', '7', '--adaptation', '--speech']
    assert run_nodes.names_of(parser.parse_args(wished)) == ('sim', *robot, 'adaptation', 'speech')
    for name in run_nodes.names_of(parser.parse_args(wished)):
        assert importlib.util.find_spec(f'nl_robot.nodes.{name}')


@pytest.fixture
def made(tmp_path: Path):
    """A supervisor of little modules, and what it told."""
    for name, text in NODES.items():
        (tmp_path / f'node_{name}.py').write_text(text)
    told: list[str] = []
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(tmp_path), os.getcwd()])}
    with NodeProcesses(tmp_path / 'logs', environment) as nodes:
        yield Supervisor(nodes, told.append, RespawnSettings(delay=0.05)), nodes, told


def tend(supervisor: Supervisor, condition, seconds: float = 20.0) -> None:
    """Tend until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        supervisor.tend()
        time.sleep(0.02)


def test_a_killed_node_comes_back_and_the_others_are_left_alone(made) -> None:
    supervisor, nodes, told = made
    supervisor.start('steady', 'node_steady')
    supervisor.start('other', 'node_steady')
    tend(supervisor, lambda: 'up' in nodes.log('steady').read_text())
    before = nodes.pids()
    os.kill(before['steady'], signal.SIGKILL)
    tend(supervisor, lambda: nodes.pids()['steady'] != before['steady'])
    tend(supervisor, lambda: nodes.log('steady').read_text().count('up') == 2)
    assert nodes.pids()['other'] == before['other']
    assert told == ['steady ended with status -9; it said: up', 'steady was started again']
    assert supervisor.faults == []


def test_a_crash_loop_stays_down_and_says_why(made) -> None:
    supervisor, nodes, told = made
    supervisor.start('brief', 'node_brief')
    tend(supervisor, lambda: supervisor.faults)
    assert nodes.log('brief').read_text().count('my last words') == 6
    assert told[-1].startswith('fault: brief ended with status 1 and stays down; it said: my last')
    pid = nodes.pids()['brief']
    for _ in range(20):
        supervisor.tend()
        time.sleep(0.02)
    assert nodes.pids()['brief'] == pid and supervisor.faults == ['brief']


def test_bad_parameters_stay_down_at_once(made) -> None:
    supervisor, nodes, told = made
    supervisor.start('wrong', 'node_wrong')
    tend(supervisor, lambda: supervisor.faults)
    assert len(told) == 1 and 'bad parameter' in told[0]


def test_run_tends_to_real_nodes_and_ends_with_a_signal(tmp_path: Path) -> None:
    program = [sys.executable, '-m', 'nl_robot.cli.main', 'run', '--domain', '230',
               '--namespace', 'robot1', '--logs', str(tmp_path)]
    missing = subprocess.run([*program, '--params-file', str(tmp_path / 'none.yaml')],
                             capture_output=True, text=True)
    assert missing.returncode == 2 and 'there is no parameter file' in missing.stderr
    parameters = tmp_path / 'p.yaml'
    parameters.write_text('/**/safety_gate:\n  ros__parameters:\n    max_liner: 0.2\n'
                          '/**/policy:\n  ros__parameters:\n'
                          '    agent: python:nl_robot.trials.scripted:agent\n'
                          '    detector: python:nl_robot.trials.scripted:detector\n')
    environment = {**os.environ, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
                   'ROS_HOME': str(tmp_path / 'ros')}
    running = subprocess.Popen([*program, '--params-file', str(parameters)], env=environment,
                               stderr=subprocess.PIPE, text=True)
    told = running.stderr.readline()
    assert told.startswith('fault: safety_gate ended with status 2') and 'max_liner' in told
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=30) == 1
    running.stderr.close()


def test_soak_refuses_what_it_cannot_mean() -> None:
    for words in (['--minutes', '0'], ['--every', '3']):
        done = subprocess.run([sys.executable, '-m', 'nl_robot.cli.main', 'soak', *words],
                              capture_output=True, text=True)
        assert done.returncode == 2 and '--minutes must be positive' in done.stderr
