"""The rules that trials and soak hold against what is heard, worked by hand."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time

import pytest

from nl_robot.trials.invariants import EndWatch, VelocityWatch
from nl_robot.trials.machine import (
    Burners,
    cpu_percent,
    description,
    resident_megabytes,
    slope_per_hour,
)


def complaints(*velocities: tuple[float, float]) -> list[str]:
    """What is wrong with (m/s, rad/s) given every 20 ms."""
    watch = VelocityWatch()
    for index, (linear, angular) in enumerate(velocities):
        watch.take(0.02 * index, linear, angular, (0.0, 0.0, 0.0, 0.0))
    return watch.complaints


@pytest.mark.parametrize('velocity', [
    (math.nan, 0.0), (0.0, math.inf), (0.31, 0.0), (-0.11, 0.0), (0.0, 1.01)])
def test_an_illegal_velocity_is_found(velocity: tuple[float, float]) -> None:
    assert 'illegal' in complaints((0.0, 0.0), velocity)[0]


def test_jumps_are_found_but_zero_is_always_allowed() -> None:
    assert complaints((0.0, 0.0), (0.05, 0.0), (0.0, 1.0), (0.04, -1.0)) == []
    assert 'jump from 0.0 to 0.06' in complaints((0.0, 0.0), (0.06, 0.0))[0]    # 0.5 * 0.1
    assert complaints((0.2, 0.0), (0.0, 0.0))[1:] == []
    assert 'jump from 0.05 to -0.05' in complaints((0.05, 0.0), (-0.05, 0.0))[0]  # 0.9 * 0.1
    watch = VelocityWatch()
    watch.take(0.0, 0.0, 0.0, (0.0, 0.1, 0.0, 0.0))
    assert 'illegal' in watch.complaints[0]


def test_a_command_ends_once() -> None:
    watch = EndWatch()
    for state, reason in (('accepted', ''), ('running', ''), ('succeeded', ''), ('succeeded', '')):
        watch.take(1.0, 'a', state, reason)
    assert watch.complaints == [] and watch.running == {} and watch.ends['a'][0] == 'succeeded'
    watch.take(2.0, 'b', 'accepted', '')
    assert list(watch.running) == ['b']
    watch.take(3.0, 'a', 'failed', 'interrupted')
    assert 'a ended as' in watch.complaints[0]
    watch.take(3.0, 'a', 'running', '')
    assert 'a went on after its end' in watch.complaints[1]


def test_a_slope_and_a_process_are_measured() -> None:
    assert slope_per_hour([(0.0, 100.0), (1800.0, 101.0), (3600.0, 102.0)]) == pytest.approx(2.0)
    assert slope_per_hour([(0.0, 1.0)]) == 0.0 == slope_per_hour([], [])
    # started anew at another level: 2 an hour in the one life, 4 in the other, equally long
    assert slope_per_hour([(0.0, 100.0), (1800.0, 101.0)],
                          [(3600.0, 50.0), (5400.0, 52.0)]) == pytest.approx(3.0)
    busy = subprocess.Popen([sys.executable, '-S', '-c', 'while True: pass'])
    calm = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'])
    try:
        time.sleep(0.5)
        shares = cpu_percent({'busy': busy.pid, 'calm': calm.pid}, 1.0)
        assert shares['busy'] > 5.0 and shares['calm'] < 5.0
        assert 2.0 < resident_megabytes(calm.pid) < 200.0
    finally:
        for process in (busy, calm):
            process.kill()
            process.wait()
    assert f'{os.cpu_count()} cores of' in description()


def test_burners_end_with_their_block() -> None:
    with Burners(1) as burners:
        pids = [process.pid for process in burners._processes]
        assert len(pids) == os.cpu_count()
    assert all(process.poll() is not None for process in burners._processes)
