"""The Nav2 driver as a state machine: what it asks for, and when it stops believing."""

from __future__ import annotations

import pytest

from nl_robot.datatypes import Pose
from nl_robot.motion.driver import MockDriver
from nl_robot.motion.nav2 import (
    ABORTED,
    CANCEL_ACCEPTED,
    CANCEL_REJECTED,
    CANCELED,
    SUCCEEDED,
    CancelGoal,
    ForgetGoal,
    Nav2Driver,
    SendGoal,
)

THERE, FURTHER = Pose(3.0, 0.0, 0.5), Pose(5.0, 0.0, 0.5)


def asked(now: float = 0.0) -> Nav2Driver:
    """A goal was sent at `now`."""
    driver = Nav2Driver()
    driver.set_target(THERE, now)
    driver.tick(now, server_ready=True)
    assert driver.take() == [SendGoal(1, THERE)]
    return driver


def running(now: float = 0.0) -> Nav2Driver:
    """A goal was accepted at `now`."""
    driver = asked(now)
    driver.responded(1, True, now)
    assert driver.take() == [] and driver.passes
    return driver


def update(driver: Nav2Driver | MockDriver):
    return driver.update(0.0, Pose(0.0, 0.0, 0.0), None)


def test_a_goal_is_sent_accepted_and_reached() -> None:
    driver = asked()
    assert update(driver) == (0.0, 0.0) and not driver.passes     # not accepted: nothing may move
    driver.responded(1, True, 0.1)
    assert driver.passes and update(driver) is None
    driver.finished(1, SUCCEEDED)
    assert driver.state == 'arrived' and not driver.passes
    assert driver.take() == [ForgetGoal(1)] and driver.pending == 0


def test_the_final_heading_is_nav2s_to_turn_to() -> None:
    driver = Nav2Driver()
    driver.set_target(THERE, 0.0, final_yaw=-1.0)
    driver.tick(0.0, server_ready=True)
    assert driver.take() == [SendGoal(1, Pose(3.0, 0.0, -1.0))]


def test_without_a_server_it_fails_after_two_seconds() -> None:
    driver = Nav2Driver()
    driver.set_target(THERE, 10.0)
    driver.tick(11.9, server_ready=False)
    assert driver.state == 'driving'
    driver.tick(12.1, server_ready=False)
    assert (driver.state, driver.reason) == ('failed', 'nav2_unavailable') and not driver.take()


def test_a_ghost_that_does_not_answer_is_given_two_seconds_and_cancelled_when_it_wakes() -> None:
    driver = asked()
    driver.tick(2.1, server_ready=True)
    assert (driver.state, driver.reason) == ('failed', 'nav2_unavailable')
    assert driver.take() == []                  # there is no handle to cancel yet
    driver.responded(1, True, 9.0)
    assert driver.take() == [CancelGoal(1)] and not driver.passes


def asked_again() -> Nav2Driver:
    """The first request was not answered, so the goal was sent once more."""
    driver = asked()
    driver.tick(1.0, server_ready=True)
    assert driver.take() == []
    driver.tick(1.1, server_ready=True)
    assert driver.take() == [SendGoal(2, THERE)]
    driver.tick(1.9, server_ready=True)
    assert driver.take() == [] and driver.state == 'driving'    # once more, and no more
    return driver


def test_a_request_that_was_lost_is_made_once_more() -> None:
    driver = asked_again()
    driver.responded(2, True, 1.9)
    assert driver.passes and driver.take() == []
    driver.finished(2, SUCCEEDED)
    assert driver.state == 'arrived'
    driver.responded(1, True, 9.0)              # it was not lost after all
    assert driver.take() == [ForgetGoal(2), CancelGoal(1)]
    assert driver.state == 'arrived' and not driver.passes


@pytest.mark.parametrize('ends_first', [True, False])
def test_of_two_goals_that_are_alike_the_later_one_counts(ends_first: bool) -> None:
    driver = asked_again()
    driver.responded(1, True, 1.95)
    assert driver.passes and driver.take() == []
    if ends_first:                              # it makes room before the other is answered
        driver.finished(1, ABORTED)
        assert driver.state == 'driving' and not driver.passes
    driver.responded(2, True, 1.98)
    assert driver.passes
    assert driver.take() == [ForgetGoal(1) if ends_first else CancelGoal(1)]
    driver.finished(1, ABORTED)
    assert driver.passes
    driver.finished(2, ABORTED)
    assert driver.state == 'blocked' and driver.pending == 0


def test_a_target_given_up_gives_up_both_of_its_goals() -> None:
    driver = asked_again()
    driver.responded(1, True, 1.95)
    driver.cancel()
    assert driver.take() == [CancelGoal(1)]
    driver.responded(2, True, 1.98)
    assert driver.take() == [CancelGoal(2)] and not driver.passes


def test_silence_of_two_seconds_is_death_and_the_goal_does_not_come_back() -> None:
    driver = running()
    for now in (1.0, 2.0, 3.0):
        driver.feedback(1, now)
        driver.tick(now + 0.9, server_ready=True)
    assert driver.state == 'driving'
    driver.tick(5.1, server_ready=True)         # the graph still tells of a server
    assert (driver.state, driver.reason) == ('failed', 'nav2_lost') and not driver.passes
    assert driver.take() == [CancelGoal(1)]
    driver.feedback(1, 5.2)
    driver.finished(1, SUCCEEDED)
    assert driver.state == 'failed'


def test_a_cancel_before_the_answer_is_sent_with_the_answer() -> None:
    driver = asked()
    driver.cancel()
    assert driver.take() == [] and driver.state == 'idle'
    driver.responded(1, True, 0.3)
    assert driver.take() == [CancelGoal(1)] and not driver.passes
    driver.cancel_answered(1, CANCEL_ACCEPTED)
    assert driver.pending == 1                  # over when its result says so
    driver.finished(1, CANCELED)
    assert driver.take() == [ForgetGoal(1)] and driver.state == 'idle'


def test_late_news_of_an_old_goal_move_nothing() -> None:
    driver = running()
    driver.set_target(FURTHER, 1.0)
    assert driver.take() == [CancelGoal(1)]
    driver.tick(1.0, server_ready=True)
    assert driver.take() == [SendGoal(2, FURTHER)]
    driver.finished(1, SUCCEEDED)
    assert driver.state == 'driving' and not driver.passes
    driver.responded(2, True, 1.1)
    assert driver.passes
    driver.responded(7, True, 1.2)
    driver.finished(7, SUCCEEDED)
    assert driver.state == 'driving'


def test_who_does_not_obey_a_cancel_within_a_second_is_named_and_at_last_forgotten() -> None:
    driver = running()
    driver.cancel()
    driver.tick(1.0, server_ready=True)
    driver.feedback(1, 1.9)
    driver.tick(1.9, server_ready=True)
    assert not driver.disobeyed and driver.take() == [CancelGoal(1)]
    driver.feedback(1, 2.1)
    driver.tick(2.1, server_ready=True)
    assert driver.disobeyed and not driver.passes
    assert driver.take() == [CancelGoal(1)]     # the first may have been lost
    driver.tick(3.0, server_ready=True)
    assert driver.take() == []
    driver.tick(3.2, server_ready=True)
    assert driver.take() == [CancelGoal(1)]
    driver.cancel_answered(1, CANCEL_ACCEPTED)
    driver.feedback(1, 4.4)
    driver.tick(4.4, server_ready=True)
    assert driver.disobeyed and driver.take() == []     # it was heard, and is not obeyed
    driver.tick(34.3, server_ready=True)
    assert driver.pending == 1
    driver.tick(34.5, server_ready=True)
    assert driver.pending == 0
    driver.tick(34.6, server_ready=True)
    assert not driver.disobeyed


def test_a_refused_cancel_is_named_at_once_and_an_unknown_goal_is_over() -> None:
    driver = running()
    driver.cancel()
    driver.cancel_answered(1, CANCEL_REJECTED)
    driver.tick(0.1, server_ready=True)
    assert driver.disobeyed
    driver.cancel_answered(1, 2)
    assert driver.pending == 0


@pytest.mark.parametrize(('status', 'code', 'text', 'state', 'reason', 'says'), [
    (ABORTED, 105, '', 'blocked', '', 'Nav2 gave up (code 105).'),
    (ABORTED, 208, 'no valid path', 'blocked', '', 'Nav2 gave up (code 208): no valid path'),
    (ABORTED, 0, '', 'blocked', '', 'Nav2 gave up.'),
    (ABORTED, 64321, 'new', 'blocked', '', 'Nav2 gave up (code 64321): new'),
    (ABORTED, 101, '', 'failed', 'nav2_failed:101', 'Nav2 gave up (code 101): no such controller'),
    (ABORTED, 202, 'TF', 'failed', 'nav2_failed:202', 'Nav2 gave up (code 202): TF'),
    (CANCELED, 0, '', 'failed', 'nav2_failed:canceled',
     'Somebody else cancelled the goal of Nav2.'),
    (0, 0, '', 'failed', 'nav2_lost', 'Nav2 does not know its goal any more.'),
])
def test_how_a_goal_ends(status, code, text, state, reason, says) -> None:
    driver = running()
    driver.finished(1, status, code, text)
    assert (driver.state, driver.reason, driver.text) == (state, reason, says)
    assert not driver.passes and driver.pending == 0


def test_a_rejected_goal_fails_at_once() -> None:
    driver = asked()
    driver.responded(1, False, 0.05)
    assert (driver.state, driver.reason) == ('failed', 'nav2_failed:rejected')
    assert driver.pending == 0


def test_five_hundred_goals_leave_nothing_behind() -> None:
    driver = Nav2Driver()
    for number in range(1, 501):
        driver.set_target(THERE, number)
        driver.tick(number, server_ready=True)
        driver.responded(number, True, number)
        if number % 5 == 0:
            driver.cancel()
            driver.finished(number, CANCELED)
        else:
            driver.finished(number, SUCCEEDED)
        driver.take()
    assert driver.pending == 0


def test_the_mock_arrives_with_the_next_update_and_moves_nothing() -> None:
    driver = MockDriver()
    driver.set_target(THERE, 0.0)
    assert driver.state == 'driving' and not driver.passes
    assert update(driver) == (0.0, 0.0) and driver.state == 'arrived'
    driver.cancel()
    update(driver)
    assert driver.state == 'idle'
