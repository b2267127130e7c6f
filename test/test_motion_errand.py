"""One errand of the bridge: alive policy, fresh senses, rest before arrival."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nl_robot.datatypes import Pose
from nl_robot.motion.driver import MockDriver
from nl_robot.motion.errand import Errand
from nl_robot.motion.velocity import VelocityDriver


class FreeScan:
    ranges = np.full(360, np.inf)
    angle_min, angle_increment = -math.pi, math.pi / 180
    range_min, range_max = 0.12, 8.0


def under_way(off: frozenset[str] = frozenset()) -> Errand:
    """Drives to (3, 0) since 0.0; the time is 1.0 and everything is fresh."""
    errand = Errand(VelocityDriver(), off=off)
    errand.odometry(Pose(0.0, 0.0, 0.0), 0.0, 0.0)
    errand.begin(7, Pose(3.0, 0.0, 0.0), 0.0)
    for tick in range(1, 21):
        feed(errand, tick * 0.05)
        errand.tick(tick * 0.05)
    return errand


def feed(errand: Errand, now: float, number: int = 7, x: float = 0.0) -> None:
    feed_but_heartbeat(errand, now, x)
    errand.heartbeat(number, now)


def feed_but_heartbeat(errand: Errand, now: float, x: float = 0.0) -> None:
    errand.odometry(Pose(x, 0.0, 0.0), 0.3, now)
    errand.scan(FreeScan(), now)


def test_it_drives_while_all_are_alive() -> None:
    errand = under_way()
    linear, angular = errand.tick(1.05)
    assert linear > 0.2 and angular == pytest.approx(0.0) and errand.state == 'driving'


def test_while_it_explores_it_is_slow_whoever_steers() -> None:
    errand = under_way()
    assert errand.tick(1.05)[0] > 0.2 and errand.paced(0.3, 0.2) == (0.3, 0.2)
    errand.heartbeat(7, 1.1, slow=True)
    feed_but_heartbeat(errand, 1.1)
    assert 0.0 < errand.tick(1.1)[0] <= 0.15
    assert errand.paced(0.3, 0.2) == pytest.approx((0.15, 0.1))
    assert errand.paced(-0.1, 1.0) == pytest.approx((-0.05, 0.5))
    feed(errand, 1.15)                                  # a command took its place
    assert errand.tick(1.15)[0] > 0.15


class SteersItself(MockDriver):
    """Moves the robot by itself, as Nav2 does."""

    def update(self, now: float, pose: Pose, scan: object) -> None:
        return None


def test_a_driver_that_steers_itself_is_not_spoken_for_while_exploring() -> None:
    errand = Errand(SteersItself())
    feed(errand, 0.0)
    errand.begin(7, Pose(3.0, 0.0, 0.0), 0.0)
    errand.heartbeat(7, 0.05, slow=True)
    assert errand.tick(0.05) is None and errand.state == 'driving'


def test_without_heartbeats_it_pauses_and_then_drops() -> None:
    errand = under_way()
    assert errand.tick(1.2)[0] > 0.0
    assert errand.tick(1.23) == (0.0, 0.0) and errand.state == 'driving'
    feed(errand, 1.3)
    assert errand.tick(1.3)[0] > 0.0
    assert errand.tick(1.81) == (0.0, 0.0) and errand.state == 'dropped'
    feed(errand, 1.9)
    assert errand.tick(1.9) == (0.0, 0.0)  # it does not come back by itself
    assert errand.tick(4.0) is None


def test_control_without_the_protection_it_goes_on() -> None:
    errand = under_way(frozenset(['heartbeat']))
    assert errand.tick(1.45)[0] > 0.0


def test_a_heartbeat_for_another_waypoint_ends_this_one() -> None:
    errand = under_way()
    errand.heartbeat(0, 1.05)
    assert errand.state == 'dropped' and errand.tick(1.05) == (0.0, 0.0)


def test_heartbeats_from_before_the_waypoint_do_no_harm() -> None:
    errand = Errand(VelocityDriver())
    errand.begin(7, Pose(3.0, 0.0, 0.0), 0.0)
    errand.heartbeat(0, 0.1)
    assert errand.state == 'driving'
    errand.heartbeat(0, 0.4)
    assert errand.state == 'dropped'


def test_a_policy_that_knows_the_waypoint_gives_it_up_without_delay() -> None:
    errand = Errand(VelocityDriver())
    errand.begin(7, Pose(3.0, 0.0, 0.0), 0.0)
    errand.heartbeat(0, 0.01, newest=6)     # on its way since before the waypoint
    assert errand.state == 'driving'
    errand.heartbeat(0, 0.02, newest=7)
    assert errand.state == 'dropped'


@pytest.mark.parametrize('silent', ['odometry', 'scan'])
def test_without_fresh_senses_it_stands(silent: str) -> None:
    errand = under_way()
    for tick in range(1, 118):
        now = 1.0 + 0.05 * tick
        errand.heartbeat(7, now)
        if silent != 'odometry':
            errand.odometry(Pose(0.0, 0.0, 0.0), 0.0, now)
        if silent != 'scan':
            errand.scan(FreeScan(), now)
        speeds = errand.tick(now)
        if now > 1.51:
            assert speeds == (0.0, 0.0)
            assert errand.state == ('driving' if now < 5.99 else 'blocked') or 5.9 < now < 6.1


def test_arrived_only_after_coming_to_rest() -> None:
    errand = under_way()
    now = 1.0
    while errand.tick(now) != (0.0, 0.0):  # it is set down at the place, still rolling
        now += 0.05
        feed(errand, now, x=2.95)
        assert now < 3.0
    assert errand.state == 'driving'
    for _ in range(6):
        now += 0.05
        errand.odometry(Pose(2.95, 0.0, 0.0), 0.0, now)
        errand.heartbeat(7, now)
        errand.scan(FreeScan(), now)
        errand.tick(now)
    assert errand.state == 'arrived'


def test_ready_means_all_are_heard() -> None:
    errand = Errand(VelocityDriver())
    assert not errand.ready(0.0)
    feed(errand, 0.0)
    assert errand.ready(0.4) and not errand.ready(0.6)
