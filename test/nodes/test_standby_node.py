"""The standby over real DDS: the gate is killed or frozen, and zeros come all the same."""

from __future__ import annotations

import signal
import time

import pytest
from node_rig import Rig, wait_for


def both(rig: Rig, *standby: str) -> None:
    """Gate and standby, released and moving."""
    rig.start('safety_gate')
    rig.start('standby_gate', *standby)
    rig.wait_gate()
    wait_for(lambda: rig.robot.node.count_publishers('cmd_vel') == 2, 20.0, 'both')
    wait_for(lambda: rig.health.get('/standby_gate') == 'running', 10.0, 'the gate is heard')
    rig.release()
    rig.wish(0.2)
    wait_for(lambda: rig.robot.moving, 5.0, 'moves')
    time.sleep(0.5)


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGSTOP])
def test_a_lost_gate_means_zero_within_half_a_second(rig: Rig, number: int) -> None:
    both(rig)
    began = time.monotonic()
    latency = rig.stop_latency(lambda: rig.signal('safety_gate', number), hold=1.0)
    print(f'gate {signal.Signals(number).name} to zero: {latency * 1e3:.0f} ms')
    assert latency <= 0.5
    zeros = [t for t, v, w in rig.robot.since(began) if v == w == 0.0]
    assert len(zeros) >= 10 and zeros[9] - zeros[0] >= 0.1
    time.sleep(1.5)
    assert len([t for t in zeros if t > began]) >= 10
    assert len([1 for t, v, w in rig.robot.since(time.monotonic() - 1.0)]) >= 3  # it goes on
    if number == signal.SIGKILL:
        rig.start('safety_gate')
        rig.gate = {}
        wait_for(lambda: rig.gate.get('latched') == 'true', 15.0, 'a new gate, stopped')
        wait_for(lambda: rig.health.get('/standby_gate') == 'running', 5.0, 'the standby rests')
    else:
        rig.wish(None)
        thawed = time.monotonic()
        rig.signal('safety_gate', signal.SIGCONT)
        time.sleep(1.0)
        moved = [r for r in rig.robot.since(thawed) if r[1] or r[2]]
        assert len(moved) <= 1    # what DDS had been given before the freeze, at most once
    assert not rig.robot.moving


def test_a_standby_that_comes_back_says_no_zero_among_the_velocities_of_the_gate(rig: Rig) -> None:
    both(rig)
    rig.signal('standby_gate', signal.SIGKILL)
    began = time.monotonic()
    rig.processes['standby_gate'].wait(timeout=10)
    rig.health.pop('/standby_gate', None)
    rig.restart('standby_gate')
    wait_for(lambda: rig.health.get('/standby_gate') == 'running', 10.0, 'the gate is heard')
    time.sleep(0.5)
    assert all(v > 0.1 for _, v, _ in rig.robot.since(began))
    assert rig.stop_latency(lambda: rig.signal('safety_gate', signal.SIGKILL)) <= 0.5


def test_control_without_the_standby_the_base_drives_on(rig: Rig) -> None:
    both(rig, 'test_without:=["standby"]')
    with pytest.raises(AssertionError, match='no lasting zero'):
        rig.stop_latency(lambda: rig.signal('safety_gate', signal.SIGKILL), within=1.0)
    assert rig.robot.linear == pytest.approx(0.2)


def test_a_standby_of_another_type_is_told(rig: Rig) -> None:
    rig.start('safety_gate')
    rig.start('standby_gate', 'stamped:=true')
    wait_for(lambda: 'give both the same' in rig.health.get('/standby_gate', ''), 20.0, 'told')
