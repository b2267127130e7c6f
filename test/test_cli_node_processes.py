"""Node processes end together and always, whatever they make of a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from nl_robot.cli.node_processes import NodeFailedError, NodeProcesses

POLITE = '''
import time
def main():
    print('up', flush=True)
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        print('asked to end', flush=True)
    return 0
'''
DEAF = '''
import signal, time
def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print('up', flush=True)
    time.sleep(60)
'''
BRIEF = '''
def main():
    print('my last words')
    return 3
'''
STARTER = '''
import os, sys, time
from pathlib import Path
from nl_robot.cli.node_processes import NodeProcesses
nodes = NodeProcesses(Path(sys.argv[1]), os.environ)
nodes.start('polite', 'node_polite')
print(nodes.pids()['polite'], flush=True)
time.sleep(60)
'''
QUICK = ((signal.SIGINT, 0.3), (signal.SIGTERM, 0.3), (signal.SIGKILL, 5.0))


@pytest.fixture
def environment(tmp_path):
    for name, text in {'polite': POLITE, 'deaf': DEAF, 'brief': BRIEF}.items():
        (tmp_path / f'node_{name}.py').write_text(text)
    paths = [str(tmp_path), *filter(None, [os.environ.get('PYTHONPATH'), os.getcwd()])]
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(paths)}


def until(condition, seconds=10.0):
    """Wait until the condition holds; fails when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def runs(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def test_a_polite_node_ends_by_sigint_alone(tmp_path, environment):
    with NodeProcesses(tmp_path / 'logs', environment) as nodes:
        nodes.start('polite', 'node_polite')
        until(lambda: 'up' in nodes.log('polite').read_text())
        nodes.check()
    assert 'asked to end' in nodes.log('polite').read_text()
    assert not runs(nodes.pids()['polite'])


def test_a_deaf_node_is_killed_and_the_others_too(tmp_path, environment):
    nodes = NodeProcesses(tmp_path / 'logs', environment, QUICK)
    for name in ('deaf', 'polite'):
        nodes.start(name, f'node_{name}')
    until(lambda: all('up' in nodes.log(name).read_text() for name in ('deaf', 'polite')))
    nodes.stop()
    assert not any(runs(pid) for pid in nodes.pids().values())


def test_an_exception_ends_them_too(tmp_path, environment):
    nodes = NodeProcesses(tmp_path / 'logs', environment)
    with pytest.raises(KeyboardInterrupt), nodes:
        nodes.start('polite', 'node_polite')
        until(lambda: 'up' in nodes.log('polite').read_text())
        raise KeyboardInterrupt
    assert not runs(nodes.pids()['polite'])


def test_a_node_that_ends_by_itself_is_reported_with_its_last_words(tmp_path, environment):
    with NodeProcesses(tmp_path / 'logs', environment) as nodes:
        nodes.start('brief', 'node_brief')
        with pytest.raises(NodeFailedError, match=r'brief ended with status 3.*my last words'):
            until(lambda: nodes.check())


@pytest.mark.skipif(sys.platform != 'linux', reason='the death signal is a Linux service')
def test_killing_the_starter_leaves_no_orphan(tmp_path, environment):
    starter = subprocess.Popen([sys.executable, '-c', STARTER, str(tmp_path)], env=environment,
                               stdout=subprocess.PIPE, text=True)
    pid = int(starter.stdout.readline())
    until(lambda: 'up' in (tmp_path / 'polite.log').read_text())
    starter.kill()
    starter.wait()
    starter.stdout.close()
    until(lambda: not runs(pid))
