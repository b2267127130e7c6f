"""A base that stops by itself passes; each that does not is told why, by bases worked by hand."""

from __future__ import annotations

import json
import math

import pytest

from nl_robot.motion.commissioning import (
    REASONS,
    Commissioning,
    check_commissioned,
    result_path,
    write_result,
)


class Base:
    """A point on a line that obeys, and stops `timeout` seconds after the last command."""

    def __init__(self, timeout: float, obeys: bool = True, drift: float = 0.0) -> None:
        self.timeout, self.obeys, self.drift = timeout, obeys, drift
        self.x = self.speed = 0.0
        self.commanded_at = -math.inf

    def step(self, now: float, command: float | None, seconds: float) -> None:
        if command is not None:
            self.speed, self.commanded_at = (command if self.obeys else 0.0), now
        elif now - self.commanded_at > self.timeout:
            self.speed = self.drift
        self.x += self.speed * seconds


def commission(base: Base, clear: float = 2.0, odometry: bool = True, lost_at: float = math.inf):
    """Run it at 50 Hz until it is done; gives the machine and all commands."""
    machine, commands = Commissioning('mouse', 0.0), []
    for index in range(1500):
        now = 0.02 * index
        if odometry and now < lost_at:
            machine.odometry(now, base.x, 0.0, base.speed)
        machine.clearance(clear)
        command = machine.tick(now)
        commands.append((now, command))
        base.step(now, command, 0.02)
        if machine.phase == 'done':
            break
    return machine, commands


def test_a_base_that_stops_after_half_a_second_passes() -> None:
    machine, commands = commission(Base(0.5))
    result = machine.result
    assert result.passed and result.reason == ''
    assert result.stopped_after == pytest.approx(0.62, abs=0.05)  # the poses of 0.1 s before count
    assert result.distance == pytest.approx(0.05 * 1.5, abs=0.005)
    driving = [now for now, command in commands if command]
    assert driving[-1] - driving[0] == pytest.approx(1.0, abs=0.03)
    assert [command for _, command in commands[-5:]] == [0.0] * 5


@pytest.mark.parametrize(('base', 'options', 'reason'), [
    (Base(9.0), {}, 'kept_driving'),
    (Base(0.5, drift=0.03), {}, 'not_at_rest'),
    (Base(0.5, obeys=False), {}, 'did_not_move'),
    (Base(0.5), {'clear': 0.5}, 'no_clear_way'),
    (Base(0.5), {'clear': -1.0}, 'no_scan'),
    (Base(0.5), {'odometry': False}, 'no_odometry'),
    (Base(0.5), {'lost_at': 1.0}, 'odometry_lost'),
])
def test_each_failure_is_told(base: Base, options: dict, reason: str) -> None:
    if reason == 'not_at_rest':
        base.speed = base.drift
    machine, commands = commission(base, **options)
    assert not machine.result.passed and machine.result.reason == reason
    assert reason in REASONS and commands[-1][1] == 0.0
    driven = [command for _, command in commands if command]
    assert bool(driven) == (reason in ('kept_driving', 'did_not_move', 'odometry_lost'))


def test_a_file_for_each_robot_and_only_a_pass_opens_the_gate(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv('ROS_HOME', str(tmp_path))
    path = result_path('mouse')
    with pytest.raises(ValueError, match='nl_robot commission --robot mouse'):
        check_commissioned(str(path), 'mouse')
    write_result(path, commission(Base(9.0))[0].result)
    assert json.loads(path.read_text())['stopped_after'] is None
    with pytest.raises(ValueError, match='keeps driving'):
        check_commissioned(str(path), 'mouse')
    write_result(path, commission(Base(0.5))[0].result)
    check_commissioned(str(path), 'mouse')
    with pytest.raises(ValueError, match="about the robot 'mouse'"):
        check_commissioned(str(path), 'rat')
    path.write_text('{"robot": "mouse"}')
    with pytest.raises(ValueError, match='cannot be read'):
        check_commissioned(str(path), 'mouse')
    with pytest.raises(ValueError, match='letters'):
        result_path('../mouse')
