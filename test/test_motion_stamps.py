"""Stamps of sensors against the steady clock, worked by hand."""

from __future__ import annotations

import pytest

from nl_robot.motion.gate_settings import GateSettings
from nl_robot.motion.stamp_check import StampCheck

SETTINGS, EPOCH = GateSettings(), 1.7e9     # the robot's clock is any other than ours


def heard(seconds: float, check: StampCheck, since: float = 0.0, shift: float = 0.0,
          delay: float = 0.02) -> list[float]:
    """The ages of messages at 10 Hz whose stamps are off by `shift`."""
    return [check.take(since + 0.1 * k, EPOCH + since + 0.1 * k - delay + shift, SETTINGS)
            for k in range(round(10 * seconds))]


def is_fresh(age: float) -> bool:
    return -SETTINGS.max_scan_lead <= age <= SETTINGS.max_scan_age


def test_clocks_need_not_agree_and_the_age_counts_from_the_least_delay() -> None:
    check = StampCheck()
    assert heard(2.0, check) == pytest.approx([0.0] * 20, abs=0.003)
    late = check.take(2.3, EPOCH + 2.0 - 0.02, SETTINGS)
    assert late == pytest.approx(0.3, abs=0.003) and is_fresh(late) and not check.is_wrong(2.3)


@pytest.mark.parametrize('shift', [-1.0, -3600.0, 10.0, -EPOCH])
def test_stamps_that_shift_are_not_of_now_and_the_clock_is_named(shift: float) -> None:
    check = StampCheck()
    heard(2.0, check)
    ages = heard(1.0, check, 2.0, shift)
    assert ages == pytest.approx([-shift] * 10, abs=0.01) and not any(map(is_fresh, ages))
    assert check.is_wrong(2.95)
    assert not check.is_wrong(4.0)                          # silent since: another fault
    assert is_fresh(heard(0.1, check, 4.0)[0]) and not check.is_wrong(4.05)


def test_one_late_message_names_no_clock() -> None:
    check = StampCheck()
    heard(2.0, check)
    assert not is_fresh(check.take(2.8, EPOCH + 2.0, SETTINGS)) and not check.is_wrong(2.8)
    assert is_fresh(check.take(2.85, EPOCH + 2.8, SETTINGS))


def test_the_first_messages_may_come_late() -> None:
    check = StampCheck()
    assert check.take(0.0, EPOCH - 0.9, SETTINGS) == 0.0    # it queued while the gate started
    assert all(map(is_fresh, heard(3.0, check, 0.1)))


@pytest.mark.parametrize(('shift', 'doubted'), [(10.0, 2.0), (-10.0, 30.0)])
def test_a_clock_that_was_set_is_believed_again_after_a_while(shift: float, doubted: float
                                                              ) -> None:
    check = StampCheck()
    heard(2.0, check)
    assert not any(map(is_fresh, heard(doubted, check, 2.0, shift)))
    assert is_fresh(heard(0.5, check, 2.1 + doubted, shift)[-1])


def test_stamps_that_stand_still_are_never_believed() -> None:
    check = StampCheck()
    ages = [check.take(0.1 * k, 0.0, SETTINGS) for k in range(1000)]
    assert is_fresh(ages[0]) and not any(map(is_fresh, ages[16:]))


def test_a_slow_drift_is_none() -> None:
    check = StampCheck()
    ages = [check.take(0.1 * k, EPOCH + 0.1 * k * (1 - 5e-4), SETTINGS) for k in range(36_000)]
    assert max(map(abs, ages)) < 0.01
