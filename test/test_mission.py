"""The life of a command, worked by hand on a clock of whole seconds."""

from __future__ import annotations

import pytest

from nl_robot.datatypes import Decision, Pose
from nl_robot.mission.command import (
    TERMINAL,
    Language,
    Mission,
    Release,
    SetGoal,
    Status,
    StopRobot,
    TokenBucket,
)
from nl_robot.mission.pursuit import Drive, Pursuit, PursuitSettings, Report, Think


class Refused(Exception):
    reason, sentence = 'empty', 'Say where to go.'


def clean(text: str) -> str:
    if not text.strip():
        raise Refused
    return text.strip()


LANGUAGE = Language(clean, lambda text: text if text in ('stop', 'cancel', 'louder') else None,
                    lambda text: 'I cannot carry.' if 'bring' in text else None, Refused)


def ready_mission(latched: bool = False, stop_stamp: float = 1.0) -> Mission:
    mission = Mission(LANGUAGE, 'c', 0.0)
    mission.policy_alive(10.0, ())
    mission.gate_report(10.0, latched, stop_stamp, 'idle')
    return mission


def states(effects: list) -> list[tuple[str, str, str]]:
    return [(e.id, e.state, e.reason) for e in effects if isinstance(e, Status)]


def test_a_command_is_accepted_reported_and_ended_once() -> None:
    mission = ready_mission()
    effects = mission.command(' bring tea to the kitchen ', 10.0)
    assert states(effects) == [('c-1', 'accepted', '')]
    assert effects[0].caveat == 'I cannot carry.'
    assert effects[1] == SetGoal('c-1', 'bring tea to the kitchen')
    assert states(mission.policy_report('c-1', 'running', '', 'sees')) == [('c-1', 'running', '')]
    assert mission.heard(10.0).text == 'sees'
    effects = mission.policy_report('c-1', 'succeeded', '', 'there')
    assert states(effects) == [('c-1', 'succeeded', '')] and effects[1] == SetGoal('', '')
    assert mission.policy_report('c-1', 'succeeded', '', 'there') == []
    assert mission.heard(10.0).state == 'idle'


def test_a_new_command_supersedes_in_order() -> None:
    mission = ready_mission()
    mission.command('kitchen', 10.0)
    effects = mission.command('bathroom', 10.1)
    assert states(effects) == [('c-1', 'superseded', 'by_new_command'), ('c-2', 'accepted', '')]
    assert [e for e in effects if isinstance(e, SetGoal)] == [SetGoal('c-2', 'bathroom')]
    assert mission.policy_report('c-1', 'succeeded', '', '') == []


def test_stop_is_never_limited_and_ends_what_runs() -> None:
    mission = ready_mission()
    mission.command('kitchen', 10.0)
    for _ in range(100):
        mission.command('', 10.0)
    assert states(mission.command('kitchen', 10.0)) == [('c-102', 'rejected', 'rate_limited')]
    effects = mission.command('stop', 10.0)
    assert effects[0] == StopRobot()
    assert states(effects) == [('c-1', 'stopped', 'by_command'),
                               ('c-103', 'stopped', 'by_command')]
    assert mission.stop(11.0, 'by_topic') == [StopRobot()]


def test_the_stop_before_a_command_is_released_a_later_one_ends_it() -> None:
    mission = ready_mission(latched=True, stop_stamp=9.0)
    assert mission.command('kitchen', 10.0)[-1] == Release(9.0)
    assert mission.gate_report(10.1, True, 9.0, 'stopped') == [Release(9.0)]
    assert mission.gate_report(10.2, False, 9.0, 'idle') == []
    effects = mission.gate_report(10.3, True, 10.3, 'stopped')
    assert states(effects) == [('c-1', 'stopped', 'by_gate')]
    assert mission.gate_report(10.4, True, 10.3, 'stopped') == []  # nothing runs


def test_cancel() -> None:
    mission = ready_mission()
    assert mission.cancel(10.0, 'by_service') == []
    assert states(mission.command('cancel', 10.0)) == [('c-1', 'rejected', 'nothing_to_cancel')]
    mission.command('kitchen', 10.0)
    assert states(mission.command('cancel', 10.0)) == [('c-2', 'cancelled', 'by_command'),
                                                       ('c-3', 'cancelled', 'by_command')]


def test_rejections() -> None:
    mission = ready_mission()
    assert states(mission.command(' ', 10.0)) == [('c-1', 'rejected', 'empty')]
    assert states(mission.command('louder', 10.0)) == [('c-2', 'rejected', 'unsupported:louder')]
    mission.policy_alive(10.0, ('camera/front', 'agent'))
    assert states(mission.command('kitchen', 10.0)) == [
        ('c-3', 'rejected', 'not_ready:camera/front,agent')]
    assert mission.heard(10.0).reason == 'not_ready:camera/front,agent'
    assert states(mission.command('kitchen', 12.0)) == [('c-4', 'rejected',
                                                         'not_ready:policy,gate')]


@pytest.mark.parametrize('silent, reason', [('policy', 'policy_lost'), ('gate', 'gate_lost')])
def test_who_falls_silent_fails_the_command(silent: str, reason: str) -> None:
    mission = ready_mission()
    mission.command('kitchen', 10.0)
    if silent != 'policy':
        mission.policy_alive(12.0, ())
    if silent != 'gate':
        mission.gate_report(12.0, False, 1.0, 'open')
    effects = mission.tick(12.0)
    assert states(effects) == [('c-1', 'failed', reason)]
    # what comes back to life finds the gate latched, and goes nowhere by itself
    assert effects[0] == StopRobot()
    assert mission.tick(12.1) == []


def test_a_lost_laser_is_given_two_seconds() -> None:
    mission = ready_mission()
    mission.command('kitchen', 10.0)
    for now, lost in ((10.5, True), (12.4, True), (12.6, True)):
        mission.policy_alive(now, ())
        mission.gate_report(now, False, 1.0, 'sensor_lost:scan' if lost else 'open')
        ended = states(mission.tick(now))
        assert ended == ([('c-1', 'failed', 'sensor_lost:scan')] if now > 12.5 else [])


def test_token_bucket_by_hand() -> None:
    bucket = TokenBucket(10.0, 20.0, 0.0)
    assert [bucket.take(0.0) for _ in range(21)] == [True] * 20 + [False]
    assert bucket.take(0.1) and not bucket.take(0.15)
    assert sum(bucket.take(100.0) for _ in range(50)) == 20


def test_status_is_held_against_the_closed_lists() -> None:
    with pytest.raises(ValueError, match='state'):
        Status('c-1', 'happy')
    with pytest.raises(ValueError, match='reason'):
        Status('c-1', 'failed', 'no idea')
    assert len(TERMINAL) == 10


HERE, THERE = Pose(0.0, 0.0, 0.0), Pose(2.0, 0.0, 0.0)
GO, STOP = Decision(0, 0.9), Decision(None, 0.9)


def test_look_think_drive_and_stop() -> None:
    pursuit = Pursuit()
    pursuit.begin('c-1', 0.0)
    assert pursuit.phase == 'looking' and pursuit.looked(HERE, 1.0) == Think()
    drive = pursuit.decided(GO, THERE, 0.1, 2.0)
    assert drive == Drive(1, THERE) and pursuit.phase == 'driving'
    assert pursuit.bridge_report(7, 'arrived', 3.0) is None and pursuit.phase == 'driving'
    assert pursuit.bridge_report(1, 'arrived', 3.0) is None and pursuit.phase == 'looking'
    pursuit.looked(THERE, 4.0)
    assert pursuit.decided(STOP, None, 0.9, 5.0) == Report('c-1', 'succeeded', '', 'I am there.')
    assert pursuit.phase == 'idle'


@pytest.mark.parametrize('moved, arrived, state, reason', [
    (False, 0.9, 'succeeded', 'already_there'), (False, 0.1, 'unsure', 'not_moved'),
    (False, None, 'unsure', 'not_moved'), (True, 0.9, 'succeeded', ''),
    (True, 0.1, 'unsure', ''), (True, None, 'succeeded', '')])
def test_never_succeeded_without_having_moved_unless_there(
        moved: bool, arrived: float | None, state: str, reason: str) -> None:
    pursuit = Pursuit()
    pursuit.begin('c-1', 0.0)
    pursuit.looked(HERE, 0.0)
    if moved:
        pursuit.decided(GO, THERE, 0.0, 0.0)
        pursuit.bridge_report(1, 'arrived', 1.0)
        pursuit.looked(THERE, 1.0)
    report = pursuit.decided(STOP, None, arrived, 2.0)
    assert (report.state, report.reason) == (state, reason)


def test_one_camera_turns_to_four_headings() -> None:
    headings = (0.0, 1.5, 3.0, -1.5)
    pursuit = Pursuit(PursuitSettings(headings=headings))
    pursuit.begin('c-1', 0.0)
    start = Pose(1.0, 2.0, 0.5)
    for heading in headings[1:]:
        drive = pursuit.looked(start, 1.0)
        assert isinstance(drive, Drive)
        assert (drive.target.x, drive.target.y, drive.target.yaw) == (1.0, 2.0, 0.5 + heading)
        pursuit.bridge_report(drive.number, 'arrived', 1.0)
        assert pursuit.phase == 'looking'
    assert pursuit.looked(start, 2.0) == Think()
    assert not pursuit.moved


def test_blocked_ways_are_tried_again_and_then_given_up() -> None:
    pursuit = Pursuit(PursuitSettings(max_blocked=2))
    pursuit.begin('c-1', 0.0)
    for expected in (None, 'blocked'):
        pursuit.looked(HERE, 0.0)
        drive = pursuit.decided(GO, THERE, 0.0, 0.0)
        report = pursuit.bridge_report(drive.number, 'blocked', 1.0)
        assert (report and report.state) == expected


def test_bounds_of_decisions_and_time() -> None:
    pursuit = Pursuit(PursuitSettings(max_decisions=2, timeout=100.0))
    pursuit.begin('c-1', 0.0)
    pursuit.looked(HERE, 0.0)
    drive = pursuit.decided(GO, THERE, 0.0, 0.0)
    pursuit.bridge_report(drive.number, 'arrived', 1.0)
    pursuit.looked(HERE, 1.0)
    assert pursuit.decided(GO, THERE, 0.0, 1.0).reason == 'too_many_decisions'
    pursuit.begin('c-2', 0.0)
    assert pursuit.tick(4.9) is None
    assert pursuit.tick(5.1).reason == 'sensor_lost:camera'
    pursuit.begin('c-3', 0.0)
    pursuit.looked(HERE, 0.0)
    assert pursuit.tick(99.0) is None and pursuit.tick(101.0).reason == 'too_long_a_time'
    pursuit.begin('c-4', 0.0)
    pursuit.looked(HERE, 0.0)
    pursuit.decided(GO, THERE, 0.0, 0.0)
    assert pursuit.tick(2.9) is None and pursuit.tick(3.1).reason == 'bridge_lost'
