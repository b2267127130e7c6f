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
from nl_robot.mission.doubt import SecondLook, best_way
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


def test_a_command_that_a_stop_overtook_never_begins() -> None:
    mission = ready_mission()
    mission.stop(12.0, 'by_topic', said=11.8)
    assert states(mission.command('go', 12.1, said=11.7)) == [('c-1', 'stopped', 'by_topic')]
    mission.stop(12.2, 'by_service', said=11.0)             # an older one changes nothing
    assert states(mission.command('go', 12.3, said=11.75)) == [('c-2', 'stopped', 'by_topic')]
    assert mission.command('stop', 12.4, said=11.9)[-1].id == 'c-3'
    assert states(mission.command('go', 12.5, said=11.85)) == [('c-4', 'stopped', 'by_command')]
    mission.policy_alive(12.6, ())
    mission.gate_report(12.6, False, 1.0, 'idle')
    assert states(mission.command('go', 12.6, said=11.95)) == [('c-5', 'accepted', '')]


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
    drive = pursuit.decided(GO, [THERE], 0.1, 2.0)
    assert drive == Drive(1, THERE) and pursuit.phase == 'driving'
    assert pursuit.bridge_report(7, 'arrived', 3.0) is None and pursuit.phase == 'driving'
    assert pursuit.bridge_report(1, 'arrived', 3.0) is None and pursuit.phase == 'looking'
    pursuit.looked(THERE, 4.0)
    assert pursuit.decided(STOP, [], 0.9, 5.0) == Report('c-1', 'succeeded', '', 'I am there.')
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
        pursuit.decided(GO, [THERE], 0.0, 0.0)
        pursuit.bridge_report(1, 'arrived', 1.0)
        pursuit.looked(THERE, 1.0)
    report = pursuit.decided(STOP, [], arrived, 2.0)
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
        drive = pursuit.decided(GO, [THERE], 0.0, 0.0)
        report = pursuit.bridge_report(drive.number, 'blocked', 1.0)
        assert (report and report.state) == expected


def test_bounds_of_decisions_and_time() -> None:
    pursuit = Pursuit(PursuitSettings(max_decisions=2, timeout=100.0))
    pursuit.begin('c-1', 0.0)
    pursuit.looked(HERE, 0.0)
    drive = pursuit.decided(GO, [THERE], 0.0, 0.0)
    pursuit.bridge_report(drive.number, 'arrived', 1.0)
    pursuit.looked(HERE, 1.0)
    assert pursuit.decided(GO, [THERE], 0.0, 1.0).reason == 'too_many_decisions'
    pursuit.begin('c-2', 0.0)
    assert pursuit.tick(4.9) is None
    assert pursuit.tick(5.1).reason == 'sensor_lost:camera'
    pursuit.begin('c-3', 0.0)
    pursuit.looked(HERE, 0.0)
    assert pursuit.tick(99.0) is None and pursuit.tick(101.0).reason == 'too_long_a_time'
    pursuit.begin('c-4', 0.0)
    pursuit.looked(HERE, 0.0)
    pursuit.decided(GO, [THERE], 0.0, 0.0)
    assert pursuit.tick(2.9) is None and pursuit.tick(3.1).reason == 'bridge_lost'


EAST, WEST, NORTH = Pose(2.0, 0.0, 0.0), Pose(-2.0, 0.0, 3.1), Pose(0.0, 2.0, 1.6)
DOUBT = Decision(None, 0.5, (0.1, 0.2, 0.2, 0.5))   # ways east, west and north, then stop


def thinking(settings: PursuitSettings | None = None) -> Pursuit:
    """A pursuit that has looked and waits for its first decision."""
    pursuit = Pursuit(settings or PursuitSettings())
    pursuit.begin('c-1', 0.0)
    pursuit.looked(HERE, 0.0)
    return pursuit


def reach(pursuit: Pursuit, drive: Drive) -> None:
    """The bridge drives there, and the robot looks."""
    assert isinstance(drive, Drive)
    pursuit.bridge_report(drive.number, 'arrived', 1.0)
    assert pursuit.looked(drive.target, 1.0) == Think()


def test_a_doubted_stop_goes_on_once_and_the_second_one_ends_unsure() -> None:
    pursuit = thinking()
    drive = pursuit.decided(DOUBT, [EAST, WEST, NORTH], 0.49, 0.0)
    assert drive == Drive(1, WEST) and pursuit.moved       # of two alike the first
    reach(pursuit, drive)
    # it may go far before it wishes to stop again
    reach(pursuit, pursuit.decided(GO, [NORTH], 0.1, 2.0))
    report = pursuit.decided(DOUBT, [EAST, WEST, NORTH], 0.49, 3.0)
    assert (report.state, report.reason) == ('unsure', '') and pursuit.phase == 'idle'


@pytest.mark.parametrize('arrived', [0.5, None])
def test_a_doubted_stop_may_still_end_well(arrived: float | None) -> None:
    pursuit = thinking()
    reach(pursuit, pursuit.decided(DOUBT, [EAST, WEST, NORTH], 0.1, 0.0))
    assert pursuit.decided(STOP, [EAST], arrived, 2.0).state == 'succeeded'


@pytest.mark.parametrize('arrived, state', [(0.7, 'succeeded'), (None, 'unsure')])
def test_no_second_look_without_doubt(arrived: float | None, state: str) -> None:
    assert thinking().decided(DOUBT, [EAST, WEST, NORTH], arrived, 0.0).state == state


def test_the_threshold_is_the_one_of_the_settings() -> None:
    assert isinstance(thinking(PursuitSettings(sure=0.8)).decided(STOP, [EAST], 0.7, 0.0), Drive)
    assert thinking(PursuitSettings(sure=0.0)).decided(STOP, [EAST], 0.0, 0.0).state == 'succeeded'


def test_no_way_or_no_decision_left_for_a_second_look() -> None:
    assert thinking().decided(STOP, [], 0.1, 0.0).state == 'unsure'
    last = thinking(PursuitSettings(max_decisions=1))
    assert last.decided(STOP, [EAST], 0.1, 0.0).state == 'unsure'


def test_a_cancelled_second_look_leaves_nothing_to_the_next_command() -> None:
    pursuit = thinking()
    assert isinstance(pursuit.decided(STOP, [EAST], 0.1, 0.0), Drive)
    pursuit.abandon()
    assert pursuit.phase == 'idle' and pursuit.bridge_report(1, 'arrived', 1.0) is None
    pursuit.begin('c-2', 2.0)
    pursuit.looked(HERE, 2.0)
    reach(pursuit, pursuit.decided(STOP, [EAST], 0.1, 2.0))
    assert pursuit.decided(STOP, [EAST], 0.1, 3.0) == Report(
        'c-2', 'unsure', '', 'I stopped here, but I am not sure that this is it.')


def test_a_blocked_second_look_is_spent() -> None:
    pursuit = thinking()
    drive = pursuit.decided(STOP, [EAST], 0.1, 0.0)
    assert pursuit.bridge_report(drive.number, 'blocked', 1.0) is None
    pursuit.looked(Pose(0.2, 0.0, 0.0), 1.0)
    assert pursuit.decided(STOP, [EAST], 0.1, 2.0).state == 'unsure'


ENDS = [EAST, WEST, NORTH]


@pytest.mark.parametrize('odds, before, way', [
    ((0.1, 0.3, 0.2, 0.4), None, 1),                    # the most probable, not stop
    ((0.1, 0.3, 0.2, 0.4), Pose(-5.0, 0.0, 0.0), 2),    # that one leads back: the next
    ((0.1, 0.3, 0.2, 0.4), Pose(-1.0, -0.9, 0.0), 2),   # 42 degrees from west
    ((0.1, 0.3, 0.2, 0.4), Pose(-0.9, -1.0, 0.0), 1),   # 48 degrees from west
    ((), Pose(2.0, 0.1, 0.0), 1)])                      # nothing told: the first not back
def test_the_best_way_that_does_not_lead_back(
        odds: tuple[float, ...], before: Pose | None, way: int) -> None:
    assert best_way(Decision(None, 0.4, odds), HERE, ENDS, before) == way


def test_a_dead_end_is_left_by_the_way_back() -> None:
    assert best_way(Decision(None, 0.9, (0.1, 0.9)), HERE, [EAST], Pose(1.0, 0.0, 0.0)) == 0


@pytest.mark.parametrize('between, way', [
    ((), 2),                            # from the west: north, not back
    ((Pose(0.0, 0.3, 0.0),), 2),        # a blocked way on the spot is no place it came from
    ((Pose(0.0, 0.6, 0.0),), 1)])       # this one is, and north leads back there
def test_where_it_came_from_is_the_last_other_place(between: tuple[Pose, ...], way: int) -> None:
    second = SecondLook()
    for pose in (WEST, *between):
        assert second.choose(GO, pose, ENDS, 0.1) == 0
    assert second.choose(Decision(None, 0.4, (0.1, 0.3, 0.2, 0.4)), HERE, ENDS, 0.1) == way
    assert second.choose(DOUBT, HERE, ENDS, 0.1) is None


def test_who_is_believed() -> None:
    second = SecondLook(sure=0.6)
    assert second.is_sure(0.6, moved=False) and not second.is_sure(0.59, moved=True)
    assert second.is_sure(None, moved=True) and not second.is_sure(None, moved=False)


def test_faults_that_the_gate_tells_end_a_command_and_forbid_the_next() -> None:
    for fault in ('conflict', 'localization_fault:jump', 'qos_incompatible:scan'):
        mission = ready_mission()
        mission.command('go there', 10.0)
        effects = mission.gate_report(10.1, False, 1.0, fault)
        assert states(effects) == [('c-1', 'failed', fault)]
        assert StopRobot() in effects
        assert states(mission.command('go there', 10.2)) == [('c-2', 'rejected', fault)]
        assert mission.heard(10.2).reason == fault
        mission.gate_report(10.3, True, 10.1, 'stopped')
        assert states(mission.command('go there', 10.4))[0] == ('c-3', 'accepted', '')


def test_silent_odometry_is_waited_for_like_any_sensor() -> None:
    mission = ready_mission()
    mission.gate_report(10.0, True, 1.0, 'localization_fault:silent')
    assert mission.heard(10.0).reason == 'not_ready:odom'


def test_a_command_of_before_a_restart_is_told_as_interrupted_and_the_robot_stopped() -> None:
    mission = ready_mission()
    effects = mission.interrupted(Status('b-7', 'accepted', words='go there'), 10.0)
    assert states(effects) == [('b-7', 'failed', 'interrupted')]
    assert StopRobot() in effects and SetGoal('', '') in effects and mission.current is None
