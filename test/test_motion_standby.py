"""When the standby says zero, worked by hand at 50 Hz."""

from __future__ import annotations

import pytest

from nl_robot.motion.standby import Standby, StandbySettings


def zeros(standby: Standby, start: float, seconds: float) -> list[float]:
    moments = [start + 0.02 * index for index in range(1, round(seconds * 50) + 1)]
    return [round(now - start, 2) for now in moments if standby.tick(now)]


def test_it_is_silent_while_the_gate_lives() -> None:
    standby = Standby(StandbySettings(), 0.0)
    for index in range(100):
        standby.heard(0.02 * index)
        assert not standby.tick(0.02 * index)


def test_a_lost_gate_means_fifty_zeros_and_then_five_a_second() -> None:
    standby = Standby(StandbySettings(), 0.0)
    standby.heard(10.0)
    said = zeros(standby, 10.0, 3.0)
    assert said[0] in (0.30, 0.32)
    assert len([t for t in said if t <= said[0] + 1.0]) in (50, 51)
    assert len([t for t in said if t > 2.0]) in (5, 6)
    standby.heard(13.0)
    assert not standby.lost and zeros(standby, 13.0, 0.28) == []


def test_the_middleware_may_know_it_first_and_a_gate_that_never_was_is_lost_too() -> None:
    standby = Standby(StandbySettings(), 0.0)
    standby.heard(1.0)
    standby.lease_lost(1.05)
    assert zeros(standby, 1.05, 0.1)[0] == 0.02
    assert zeros(Standby(StandbySettings(), 0.0), 0.0, 3.0)[0] in (2.00, 2.02)


def test_at_its_start_it_gives_a_gate_that_lives_time_to_be_heard() -> None:
    standby = Standby(StandbySettings(), 0.0)
    assert zeros(standby, 0.0, 1.5) == [] and not standby.met
    standby.heard(1.5)
    assert standby.met and zeros(standby, 1.5, 1.0)[0] in (0.30, 0.32)      # from then on as ever


def test_settings_that_cannot_be_meant() -> None:
    with pytest.raises(ValueError, match='lease'):
        StandbySettings(lease=0.0)
    with pytest.raises(ValueError, match='hold'):
        StandbySettings(hold=float('nan'))
