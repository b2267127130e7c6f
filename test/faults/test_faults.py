"""Processes that die, freeze or are asked to end while the robot moves; senses that go silent."""

from __future__ import annotations

import array
import math
import signal
import time

import pytest
from node_rig import SCRIPTED, Rig, wait_for

from nl_robot.trials.trials import drive

NODES = ('safety_gate', 'standby_gate', 'bridge', 'command', 'policy')


def under_way(rig: Rig, words: str = 'drive on') -> tuple[str, float]:
    """A command runs and the robot moves straight on; gives the id and the moment."""
    said = drive(rig, words)
    return next(e['id'] for e in rig.events(said) if e['state'] == 'accepted'), said


def no_motion_for(rig: Rig, seconds: float) -> None:
    began = time.monotonic()
    time.sleep(seconds)
    assert not any(v or w for _, v, w in rig.robot.since(began + 0.05 + rig.slack(began)))


def test_policy_killed_then_started_again(rig: Rig) -> None:
    id_, said = under_way(rig)
    killed = time.monotonic()
    assert rig.stop_latency(lambda: rig.signal('policy', signal.SIGKILL), hold=0.5) <= 0.65
    failed = rig.wait_state('failed', said)
    assert (failed['id'], failed['reason']) == (id_, 'policy_lost')
    at = next(t for t, v in rig.heard(said) if v['state'] == 'failed')
    print(f'policy_lost told after {at - killed:.2f} s')
    assert at - killed <= 1.0 + rig.slack(killed)
    later = rig.say('drive on')
    rejected = rig.wait_state('rejected', later)
    assert rejected['reason'].startswith('not_ready:') and 'policy' in rejected['reason']
    rig.start('policy', *SCRIPTED)
    no_motion_for(rig, 3.0)
    rig.lacks = None
    rig.wait_ready()
    under_way(rig)


@pytest.mark.parametrize('name, bound', [('policy', 0.6), ('bridge', 0.2)])
def test_frozen_and_thawed(rig: Rig, name: str, bound: float) -> None:
    _, said = under_way(rig)
    latency = rig.stop_latency(lambda: rig.signal(name, signal.SIGSTOP), hold=0.4)
    print(f'{name} frozen to zero: {latency * 1e3:.0f} ms')
    assert latency <= bound + 0.05
    time.sleep(1.0)
    rig.signal(name, signal.SIGCONT)
    if name == 'policy':
        assert rig.wait_state('failed', said)['reason'] == 'policy_lost'
        no_motion_for(rig, 3.0)


def test_bridge_killed(rig: Rig) -> None:
    _, said = under_way(rig)
    latency = rig.stop_latency(lambda: rig.signal('bridge', signal.SIGKILL))
    print(f'bridge killed to zero: {latency * 1e3:.0f} ms')
    assert latency <= 0.22
    assert rig.wait_state('failed', said, 8.0)['reason'] == 'bridge_lost'


def test_gate_killed_ends_the_command(rig: Rig) -> None:
    _, said = under_way(rig)
    rig.signal('safety_gate', signal.SIGKILL)
    assert rig.wait_state('failed', said, 5.0)['reason'] == 'gate_lost'


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_everybody_is_asked_to_end_while_moving(rig: Rig, number: int) -> None:
    under_way(rig)
    began = time.monotonic()
    latency = rig.stop_latency(lambda: [rig.signal(name, number) for name in NODES])
    print(f'all asked to end, zero after {latency * 1e3:.0f} ms')
    assert latency <= 0.3
    assert [rig.processes[name].wait(timeout=10) for name in NODES] == [0] * 5
    assert time.monotonic() - began <= 3.0 + 4.0 * rig.slack(began)
    assert [r[1:] for r in rig.robot.record[-3:]] == [(0.0, 0.0)] * 3
    assert not any('Traceback' in rig.log(name) for name in NODES)


@pytest.mark.parametrize('name', ['command', 'policy', 'bridge', 'safety_gate'])
def test_one_node_is_asked_to_end_while_moving(rig: Rig, name: str) -> None:
    under_way(rig)
    assert rig.stop_latency(lambda: rig.signal(name, signal.SIGTERM), hold=0.5) <= 0.8
    assert rig.processes[name].wait(timeout=10) == 0
    assert 'Traceback' not in rig.log(name)
    assert rig.robot.record[-1][1:] == (0.0, 0.0)


def test_silent_senses(rig: Rig) -> None:
    _, said = under_way(rig)
    rig.robot.scan_on = False
    assert rig.wait_state('failed', said, 6.0)['reason'].startswith('sensor_lost:')
    assert rig.wait_state('rejected', rig.say('drive on'))['reason'] == 'not_ready:scan'
    rig.robot.scan_on = True
    wait_for(lambda: rig.lacks == '', 5.0, 'ready again')
    time.sleep(0.7)
    _, said = under_way(rig)
    rig.robot.odom_on = False
    assert rig.stop_latency(lambda: None, within=4.0) <= 1.0
    rig.robot.odom_on = True


def test_broken_pictures_are_refused_and_the_policy_lives(rig: Rig) -> None:
    rig.robot.images_on = False
    wait_for(lambda: 'camera/front' in rig.lacks, 3.0, 'camera silent')
    rejected = rig.wait_state('rejected', rig.say('drive on'))
    assert 'camera/front' in rejected['reason']
    bad = ({'data': array.array('B')}, {'step': 1}, {'encoding': '32FC1'}, {'height': 0},
           {'width': 100_000}, {'encoding': 'mono8'})
    for change in bad:
        rig.robot.images['front'].publish(rig.robot.image_message(**change))
    time.sleep(0.5)
    assert 'camera/front' in rig.lacks and rig.processes['policy'].poll() is None
    rig.robot.images_on = True
    wait_for(lambda: rig.lacks == '', 3.0, 'ready again')


def test_a_broken_thought_fails_the_command_and_no_more(rig: Rig) -> None:
    said = rig.say('crash please')
    assert rig.wait_state('failed', said)['reason'] == 'perception_error'
    assert 'told to crash' in rig.log('policy')
    rig.wait_state('succeeded', rig.say('drive 0 times'))


def test_odometry_that_is_none_stops_the_robot(rig: Rig) -> None:
    under_way(rig)
    rig.robot.jump = math.nan
    assert rig.stop_latency(lambda: None, within=4.0, hold=0.5) <= 1.2
    rig.robot.jump = 0.0
