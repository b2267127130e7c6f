"""The rules of the gate, each with numbers worked by hand."""

from __future__ import annotations

import ast
import math
import random
import subprocess
import sys
from pathlib import Path

import pytest

from nl_robot.motion.echoes import Echoes
from nl_robot.motion.gate import REASONS, Gate
from nl_robot.motion.gate_settings import GateSettings, loosened
from nl_robot.motion.laser_mount import LaserMount
from nl_robot.motion.limits import clamp, ramp, stopping_speed
from nl_robot.motion.odometry_check import OdometryCheck, Reading
from nl_robot.motion.scan_check import BadScan, check_scan

INF, NAN = math.inf, math.nan
STEP = 2 * math.pi / 360


def scan_args(ranges: list[float] | None = None, **change: float) -> dict:
    """A sound scan of 360 beams, free all around, with changes."""
    args = {'ranges': ranges if ranges is not None else [INF] * 360, 'angle_min': -math.pi,
            'angle_max': -math.pi + 359 * STEP, 'angle_increment': STEP,
            'range_min': 0.12, 'range_max': 8.0}
    return {**args, **change}


def with_hit(bearing_degrees: int, distance: float) -> list[float]:
    """A free scan with one beam that hits; beam 180 looks ahead."""
    ranges = [INF] * 360
    ranges[(180 + bearing_degrees) % 360] = distance
    return ranges


def odometry(gate: Gate, now: float, x: float = 0.0) -> str:
    """Odometry of this moment: the robot is at (x, 0) and looks along x."""
    return gate.odometry(now, Reading(round(now * 1e9), x, 0.0, (0.0, 0.0, 0.0, 1.0)))


def ready_gate(off: frozenset[str] = frozenset(), ranges: list[float] | None = None) -> Gate:
    """A released gate that has seen five good scans and odometry; the time is 1.0."""
    gate = Gate(GateSettings(), 0.0, off)
    gate.release(0.0)
    for index in range(5):
        assert gate.scan(0.6 + 0.1 * index, **scan_args(ranges)) == ''
    assert odometry(gate, 1.0) == ''
    gate.tick(1.0)
    return gate


def run(gate: Gate, seconds: float, linear: float, angular: float = 0.0, start: float = 1.0,
        ranges: list[float] | None = None, scans: bool = True) -> float:
    """Command at 50 Hz with scans at 10 Hz; gives the time it ended."""
    now = start
    for index in range(round(seconds * 50)):
        now = start + (index + 1) * 0.02
        odometry(gate, now)
        if scans and index % 5 == 0:
            gate.scan(now, **scan_args(ranges))
        gate.command(now, now, linear, angular)
        gate.tick(now)
    return now


def test_ramp_by_hand() -> None:
    assert ramp(0.0, 0.3, 0.5, 0.9, 0.1) == pytest.approx(0.05)
    assert ramp(0.3, 0.0, 0.5, 0.9, 0.1) == pytest.approx(0.21)
    assert ramp(0.05, -0.1, 0.5, 0.9, 0.1) == pytest.approx(0.0)
    assert ramp(-0.3, 0.0, 0.5, 0.9, 0.1) == pytest.approx(-0.21)
    assert clamp(3.0, -1.0, 1.0) == 1.0
    assert stopping_speed(0.05, 0.9) == pytest.approx(0.3)
    assert stopping_speed(-1.0, 0.9) == 0.0


def test_speed_rises_with_the_limit_of_acceleration() -> None:
    gate = ready_gate()
    run(gate, 0.2, 9.0, -9.0)
    # 0.2 s at 0.5 m/s2 and at 2.0 rad/s2
    assert gate.velocity == pytest.approx((0.1, -0.4))
    run(gate, 2.0, 9.0, -9.0, start=1.2)
    assert gate.velocity == pytest.approx((0.30, -1.0))


def test_nothing_moves_before_a_release() -> None:
    gate = Gate(GateSettings(), 5.0)
    assert gate.latched and not gate.command(5.1, 5.1, 0.2, 0.0)
    assert gate.tick(5.1).reason == 'stopped'


def test_stop_is_zero_at_once_and_a_late_release_cannot_undo_a_newer_stop() -> None:
    gate = ready_gate()
    now = run(gate, 1.0, 0.3)
    gate.stop(now)
    old = gate.stop_stamp
    assert gate.tick(now + 0.001).is_zero
    gate.stop(now + 0.01)
    assert not gate.release(old)
    run(gate, 0.5, 0.3, start=now)
    assert gate.tick(now + 0.52).is_zero and gate.latched
    assert gate.release(gate.stop_stamp)
    assert gate.tick(now + 0.54).is_zero  # released alone moves nothing
    run(gate, 0.2, 0.3, start=now + 0.54)
    assert gate.velocity[0] > 0.05


def test_silence_of_the_commands() -> None:
    gate = ready_gate()
    now = run(gate, 1.0, 0.3)
    assert gate.tick(now + 0.14).linear > 0.0
    assert gate.tick(now + 0.16).reason == 'silent'
    assert gate.velocity == (0.0, 0.0)
    assert gate.tick(now + 0.18).reason == 'idle'


def test_silence_of_the_scan_then_five_good_ones() -> None:
    gate = ready_gate()
    now = run(gate, 1.0, 0.3)  # its last scan came 0.08 s before
    run(gate, 0.2, 0.3, start=now, scans=False)
    assert gate.velocity[0] > 0.2
    run(gate, 0.1, 0.3, start=now + 0.2, scans=False)
    assert gate.velocity == (0.0, 0.0)
    assert gate.tick(now + 0.31).reason == 'sensor_lost:scan'
    later = now + 0.4
    for _ in range(5):
        gate.command(later + 0.01, later + 0.01, 0.3, 0.0)
        assert gate.tick(later + 0.02).reason == 'sensor_lost:scan'
        gate.scan(later + 0.03, **scan_args())
        odometry(gate, later + 0.03)
        later += 0.1
        gate.tick(later)
    gate.command(later, later, 0.3, 0.0)
    assert gate.tick(later + 0.01).reason == 'open'


def test_a_gap_of_the_own_loop_drops_what_was_commanded_before_it() -> None:
    gate = ready_gate()
    now = run(gate, 1.0, 0.3)
    gate.command(now + 1.0, now + 0.95, 0.3, 0.0)  # was in the queue during a freeze
    gate.scan(now + 1.0, **scan_args())
    assert gate.tick(now + 1.0).reason == 'loop_gap'
    assert gate.tick(now + 1.02).is_zero


@pytest.mark.parametrize('age, taken', [(0.0, True), (0.29, True), (0.31, False), (3600.0, False),
                                        (-0.09, True), (-0.11, False), (-10.0, False)])
def test_stamps(age: float, taken: bool) -> None:
    gate = ready_gate()
    assert gate.command(1.0, 1.0 - age, 0.1, 0.0) is taken


@pytest.mark.parametrize('linear, angular', [(NAN, 0.0), (0.0, NAN), (INF, 0.0), (-INF, 0.0),
                                             (0.0, INF), (NAN, NAN)])
def test_what_is_not_a_number_is_refused(linear: float, angular: float) -> None:
    gate = ready_gate()
    assert not gate.command(1.0, 1.0, linear, angular)
    assert gate.tick(1.02).is_zero


def test_ten_thousand_random_commands_stay_within_the_limits() -> None:
    gate, rng = ready_gate(), random.Random(0)
    wild = [NAN, INF, -INF, 1e9, -1e9, -0.0, 0.0, 0.3, -0.3]
    before, now = (0.0, 0.0), 1.0
    for index in range(10_000):
        now += 0.02
        odometry(gate, now)
        if index % 5 == 0:
            gate.scan(now, **scan_args(with_hit(rng.randrange(360), rng.choice([INF, 1.0, 5.0]))))
        values = [rng.choice(wild) if rng.random() < 0.3 else rng.uniform(-2, 2) for _ in '12']
        gate.command(now, now + rng.uniform(-0.05, 0.05), *values)
        output = gate.tick(now)
        assert -0.10 <= output.linear <= 0.30 and abs(output.angular) <= 1.0
        if not output.is_zero and output.linear != 0.0:
            assert abs(output.linear - before[0]) <= 0.9 * 0.02 * 1.1
        before = (output.linear, output.angular)


def test_an_obstacle_within_the_stop_distance_stops_until_it_is_clear() -> None:
    gate = ready_gate()
    now = run(gate, 1.0, 0.3)
    near = with_hit(0, 0.20 + 0.30)
    gate.scan(now + 0.01, **scan_args(near))
    gate.command(now + 0.01, now + 0.01, 0.3, 0.5)
    output = gate.tick(now + 0.02)
    assert output.reason == 'obstacle' and output.linear == 0.0 and output.angular > 0.0
    now = run(gate, 0.4, 0.3, start=now + 0.02)  # free again, but not yet for half a second
    assert gate.velocity[0] == 0.0
    run(gate, 0.4, 0.3, start=now)
    assert gate.velocity[0] > 0.0


def test_beside_the_corridor_nothing_stops_the_robot() -> None:
    # At 45 degrees and 0.40 m the post is 0.28 m to the side; the corridor ends at 0.25 m.
    gate = ready_gate(ranges=with_hit(45, 0.40))
    run(gate, 1.0, 0.3, ranges=with_hit(45, 0.40))
    assert gate.velocity[0] == pytest.approx(0.3)
    # At 0.34 m it is 0.24 m to the side and 0.24 m ahead: 0.04 m from the hull.
    run(gate, 0.1, 0.3, start=2.0, ranges=with_hit(45, 0.34))
    assert gate.velocity[0] == 0.0


def test_slow_in_front_of_obstacles() -> None:
    gate = ready_gate()
    for distance, bound in ((0.59, 0.15), (0.37, math.sqrt(2 * 0.9 * 0.02))):
        ranges = with_hit(0, 0.20 + distance)
        gate = ready_gate(ranges=ranges)
        run(gate, 1.5, 0.3, ranges=ranges)
        assert gate.velocity[0] == pytest.approx(min(bound, 0.15))
    gate = ready_gate(ranges=with_hit(0, 0.85))
    run(gate, 1.5, 0.3, ranges=with_hit(0, 0.85))
    assert gate.velocity[0] == pytest.approx(0.3)


def test_reverse_needs_eyes_behind() -> None:
    gate = ready_gate()
    run(gate, 1.0, -0.3)
    assert gate.velocity[0] == pytest.approx(-0.10)
    half = scan_args([INF] * 181, angle_min=-math.pi / 2, angle_max=math.pi / 2)
    gate = ready_gate()
    for index in range(40):
        now = 1.0 + 0.05 * index
        assert gate.scan(now, **half) == ''
        odometry(gate, now)
        gate.command(now, now, -0.3, 0.0)
        assert gate.tick(now).linear == 0.0

BAD = {
    'all NaN': scan_args([NAN] * 360),
    '60 % NaN': scan_args([NAN] * 216 + [INF] * 144),
    'empty': scan_args([]),
    'fewer beams than angles': scan_args([INF] * 200),
    'NaN increment': scan_args(angle_increment=NAN),
    'zero increment': scan_args(angle_increment=0.0),
    'range_min > range_max': scan_args(range_min=9.0),
    'NaN range_max': scan_args(range_max=NAN),
}


@pytest.mark.parametrize('name', BAD)
def test_scans_that_cannot_be_believed(name: str) -> None:
    with pytest.raises(BadScan):
        check_scan(**BAD[name])
    gate = ready_gate()
    now = run(gate, 1.0, 0.3)
    assert gate.scan(now + 0.01, **BAD[name]) != ''
    gate.command(now + 0.01, now + 0.01, 0.3, 0.0)
    assert gate.tick(now + 0.02).reason == 'sensor_lost:scan'


@pytest.mark.parametrize('reading', [-INF, 0.0, 0.05, 0.119, 0.3])
def test_readings_that_mean_something_is_there(reading: float) -> None:
    gate = ready_gate(ranges=with_hit(0, reading))
    run(gate, 1.0, 0.3, ranges=with_hit(0, reading))
    assert gate.velocity[0] == 0.0


@pytest.mark.parametrize('reading', [INF, 7.9, 3.0])
def test_readings_that_leave_the_way_free(reading: float) -> None:
    gate = ready_gate(ranges=[reading] * 360)
    run(gate, 1.0, 0.3, ranges=[reading] * 360)
    assert gate.velocity[0] == pytest.approx(0.3)


def test_a_blind_front_is_not_free() -> None:
    ranges = [INF] * 360
    ranges[145:216] = [NAN] * 71
    gate = ready_gate(ranges=ranges)
    run(gate, 1.0, 0.3, ranges=ranges)
    assert gate.velocity[0] == 0.0


def test_a_thousand_random_scans_keep_braking_distance() -> None:
    rng = random.Random(1)
    for _ in range(1000):
        ranges = [rng.choice([INF, NAN, rng.uniform(0.0, 2.0)]) for _ in range(360)]
        ranges = [r if rng.random() < 0.1 else INF for r in ranges]
        gate = ready_gate(ranges=ranges)
        clear = gate.clearance(0.0)
        hits = [r for i, r in enumerate(ranges) if r == r and r < 3.0
                and abs(max(r, 0.12) * math.sin((i - 180) * STEP)) < 0.25
                and math.cos((i - 180) * STEP) > 0]
        nearest = min((max(r, 0.12) for r in hits), default=INF)
        assert clear <= nearest - 0.20 + 1e-9
        run(gate, 0.8, 0.3, ranges=ranges)
        bound = math.sqrt(2 * 0.9 * max(0.0, clear - 0.35)) if clear < INF else INF
        assert gate.velocity[0] <= bound + 1e-9


@pytest.mark.parametrize('name, value', [('max_linear', NAN), ('max_linear', -1.0),
                                         ('command_timeout', 0.0), ('stop_distance', 0.04)])
def test_settings_that_cannot_be_meant_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        GateSettings(**{name: value})


@pytest.mark.parametrize('off', ['stop', 'silence', 'scan', 'finite', 'stamps', 'obstacle',
                                 'loop_gap', 'limits', 'odometry', 'conflict', 'release'])
def test_each_protection_can_be_switched_off_and_is_then_missing(off: str) -> None:
    gate = ready_gate(frozenset([off]))
    now = run(gate, 1.0, 0.25)
    moves = {
        'stop': lambda: (gate.stop(now), gate.tick(now + 0.02))[1].linear > 0,
        'silence': lambda: [gate.tick(now + 0.02 * k) for k in range(1, 11)][-1].linear > 0,
        'scan': lambda: run(gate, 0.5, 0.25, start=now, scans=False) and gate.velocity[0] > 0,
        'finite': lambda: gate.command(now, now, NAN, 0.0),
        'stamps': lambda: gate.command(now, now - 9.0, 0.1, 0.0),
        'obstacle': lambda: run(gate, 0.3, 0.25, start=now, ranges=with_hit(0, 0.3))
        and gate.velocity[0] > 0,
        'loop_gap': lambda: (gate.scan(now + 0.14, **scan_args()),
                             gate.command(now + 0.2, now + 0.2, 0.2, 0.0),
                             gate.tick(now + 0.2))[2].linear > 0,
        'release': lambda: (gate.alive(now), run(gate, 1.5, 0.25, start=now)
                            and gate.velocity[0] > 0)[1],
        'odometry': lambda: (odometry(gate, now, 9.0), run(gate, 0.1, 0.25, start=now)
                             and gate.velocity[0] > 0)[1],
        'conflict': lambda: gate.heard(now, 0.111, 0.0) and (
            run(gate, 0.1, 0.25, start=now) and gate.velocity[0] > 0),
        'limits': lambda: run(gate, 0.1, 5.0, start=now) and gate.velocity[0] == 5.0,
    }
    assert moves[off]()


def test_the_gate_imports_no_numerical_library() -> None:
    script = ('import sys, nl_robot.motion.gate; loaded = {m.split(".")[0] for m in sys.modules};'
              'print(sorted(loaded & {"numpy", "torch", "scipy"}))')
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True,
                          check=True, cwd=Path(__file__).parents[1])
    assert done.stdout.strip() == '[]'


def test_no_clock_is_read_in_the_rules_of_motion() -> None:
    for path in (Path(__file__).parents[1] / 'nl_robot' / 'motion').glob('*.py'):
        names = {alias.name for node in ast.walk(ast.parse(path.read_text()))
                 if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names}
        assert not names & {'time', 'datetime'}, path


def test_the_slow_zone_follows_its_formula_and_ends_where_it_ends() -> None:
    settings = GateSettings(max_linear=1.2, stop_distance=0.85, slow_zone=1.75, accel=5.0)
    for distance, bound in ((1.5, math.sqrt(2 * 0.9 * 0.65)), (1.74, 1.2), (1.76, 1.2)):
        gate = Gate(settings, 0.0)
        gate.release(0.0)
        for index in range(5):
            gate.scan(0.6 + 0.1 * index, **scan_args(with_hit(0, 0.20 + distance)))
        odometry(gate, 1.0)
        run(gate, 1.0, 1.2, ranges=with_hit(0, 0.20 + distance))
        assert gate.velocity[0] == pytest.approx(bound)
    with pytest.raises(ValueError, match='slow_zone'):
        GateSettings(slow_zone=0.39)


def test_what_was_wanted_before_a_stop_is_not_executed_after_its_release() -> None:
    gate = ready_gate()
    now = run(gate, 1.0, 0.3)
    gate.stop(now + 0.05)
    assert gate.release(gate.stop_stamp)
    assert not gate.command(now + 0.10, now + 0.04, 0.3, 0.0)  # 60 ms old, from before the stop
    assert gate.command(now + 0.10, now + 0.06, 0.3, 0.0)


def test_after_a_freeze_only_what_was_made_after_it_counts() -> None:
    gate = ready_gate()
    now = run(gate, 1.0, 0.3)
    odometry(gate, now + 0.5)
    assert gate.tick(now + 0.5).reason == 'loop_gap'
    assert not gate.command(now + 0.51, now + 0.45, 0.3, 0.0)  # fresh enough, but from within it
    assert gate.command(now + 0.51, now + 0.505, 0.3, 0.0)


FAULTS = {
    'jump': Reading(2_000_000_000, 5.0, 0.0, (0.0, 0.0, 0.0, 1.0)),
    'not_a_number': Reading(2_000_000_000, NAN, 0.0, (0.0, 0.0, 0.0, 1.0)),
    'no_quaternion': Reading(2_000_000_000, 0.0, 0.0, (0.0, 0.0, 0.0, 0.0)),
    'time_goes_back': Reading(1_000_000_000, 0.0, 0.0, (0.0, 0.0, 0.0, 1.0)),
}
TURNED = Reading(2_000_000_000, 0.0, 0.0, (0.0, 0.0, math.sin(0.3), math.cos(0.3)))  # 0.6 rad


@pytest.mark.parametrize('fault', FAULTS)
def test_odometry_that_cannot_be_stops_at_once_and_for_half_a_second(fault: str) -> None:
    gate = ready_gate()
    now = run(gate, 1.0, 0.3)  # until 2.0
    assert gate.odometry(now + 0.01, FAULTS[fault]) == fault
    gate.command(now + 0.01, now + 0.01, 0.3, 0.0)
    assert gate.tick(now + 0.02).reason == f'localization_fault:{fault}'
    x = 5.0 if fault == 'jump' else 0.0
    for index in range(1, 31):
        moment = now + 0.02 * index
        assert odometry(gate, moment, x) == ''
        gate.scan(moment, **scan_args())
        gate.command(moment, moment, 0.3, 0.0)
        assert gate.tick(moment + 0.01).is_zero is (moment + 0.01 < now + 0.51)


def test_a_turn_in_one_message_is_a_jump_and_a_small_one_is_not() -> None:
    check = OdometryCheck(GateSettings())
    check.take(2.0, Reading(1_000_000_000, 0.0, 0.0, (0.0, 0.0, 0.0, 1.0)))
    assert check.take(2.02, TURNED) == 'jump'                 # 0.6 > 0.5 + 1.0 * 0.02
    assert check.take(2.12, Reading(3_000_000_000, 0.27, 0.0, TURNED.quaternion)) == ''
    assert check.take(2.22, Reading(4_000_000_000, 0.56, 0.0, TURNED.quaternion)) == 'jump'
    assert check.fault(2.70) == 'jump' and check.fault(2.72) == ''
    assert check.fault(2.73) == 'silent'                      # 0.51 s after the last


def test_a_motion_that_nobody_here_sent_is_foreign() -> None:
    echoes = Echoes()
    echoes.sent(1.0, 0.2, 0.0)
    assert not echoes.is_foreign(1.01, 0.2, 0.0)
    assert echoes.is_foreign(1.02, 0.2, 0.0)         # heard twice, sent once
    assert echoes.is_foreign(1.03, 0.0, 0.0)         # a standby's zero
    echoes.sent(2.0, 0.2, 0.0)
    assert echoes.is_foreign(3.1, 0.2, 0.0)          # too late to be an echo


def test_a_foreign_motion_stops_the_own_one_while_it_lasts() -> None:
    gate = ready_gate()
    now = run(gate, 1.0, 0.3)
    assert gate.heard(now, 0.123, 0.0)
    run(gate, 0.9, 0.3, start=now)
    assert gate.velocity == (0.0, 0.0) and gate.tick(now + 0.91).reason == 'conflict'
    run(gate, 0.5, 0.3, start=now + 0.92)
    assert gate.velocity[0] > 0.0
    assert gate.tick(now + 9.0).reason == 'loop_gap'
    assert not gate.heard(now + 9.1, 0.3, 0.0)       # own echoes are late after a freeze


def test_a_foreign_zero_is_obeyed_while_it_is_said() -> None:
    gate = ready_gate()
    now = run(gate, 1.0, 0.3)
    gate.sent(now, 0.0, 0.0)
    assert not gate.heard(now, 0.0, 0.0)               # its own
    run(gate, 0.1, 0.3, start=now)
    assert gate.velocity[0] > 0.2
    assert not gate.heard(now + 0.1, 0.0, 0.0)         # the standby's
    run(gate, 0.38, 0.3, start=now + 0.1)
    assert gate.velocity == (0.0, 0.0) and gate.fault(now + 0.5) == 'held_at_zero'
    run(gate, 0.4, 0.3, start=now + 0.48)
    assert gate.velocity[0] > 0.0


def test_which_settings_are_looser() -> None:
    base = GateSettings()
    tighter = GateSettings(max_linear=0.2, stop_distance=0.5, slow_speed=0.1, good_scans=9)
    assert loosened(base, tighter) == []
    assert loosened(tighter, base) == ['max_linear', 'stop_distance', 'slow_speed', 'good_scans']
    assert loosened(base, GateSettings(decel=0.8)) == ['decel']
    gate = ready_gate()
    run(gate, 1.0, 0.3)
    gate.adopt(GateSettings(max_linear=0.2))
    run(gate, 1.0, 0.3, start=2.0)
    assert gate.velocity[0] == pytest.approx(0.2)
    assert gate.tick(3.02).reason in REASONS


def test_who_released_and_told_that_it_lives_must_go_on_telling() -> None:
    gate = ready_gate()
    gate.alive(1.0)
    run(gate, 0.98, 0.3)
    assert gate.velocity[0] > 0.2
    run(gate, 0.1, 0.3, start=1.98)
    assert gate.latched and gate.velocity == (0.0, 0.0)
    gate.release(gate.stop_stamp)
    run(gate, 1.5, 0.3, start=2.08)          # another one released, and never told anything
    assert gate.velocity[0] > 0.2


@pytest.mark.parametrize(('mount', 'bearing', 'distance', 'clear'), [
    (LaserMount(yaw=math.pi / 2), -90, 0.8, 0.6),     # it looks left: ahead is at its right
    (LaserMount(yaw=math.pi / 2), 0, 0.8, INF),       # what it sees straight on is at the left
    (LaserMount(x=-0.1), 0, 0.8, 0.5),                # 0.8 m from a laser 0.1 m behind the middle
    (LaserMount(yaw=math.pi / 2, flipped=True), 90, 0.8, 0.6)])
def test_a_laser_that_is_turned_or_off_the_middle(mount: LaserMount, bearing: int,
                                                  distance: float, clear: float) -> None:
    gate = Gate(GateSettings(), 0.0, mount=mount)
    assert gate.scan(1.0, **scan_args(with_hit(bearing, distance))) == ''
    assert gate.clearance(0.0) == pytest.approx(clear)


def stamped(gate: Gate, start: float, seconds: float, shift: float = 0.0) -> str:
    """Scans and odometry whose stamps are off by `shift`; the fault that is told at the end."""
    for index in range(round(seconds * 50)):
        now = start + 0.02 * index
        reading = Reading(round((now + shift) * 1e9), 0.0, 0.0, (0.0, 0.0, 0.0, 1.0))
        gate.odometry(now, reading, 1.7e9 + now + shift)
        if index % 5 == 0:
            gate.scan(now, **scan_args(), stamp=1.7e9 + now + shift)
    return gate.fault(start + seconds)


@pytest.mark.parametrize('shift', [-1.0, -3600.0, 10.0, -1.7e9])
def test_stamps_that_shift_are_as_good_as_silence_and_the_clock_is_named(shift: float) -> None:
    gate = Gate(GateSettings(), 0.0)
    assert stamped(gate, 0.0, 2.0) == ''
    assert stamped(gate, 2.0, 0.2, shift) == 'sensor_lost:scan'     # it may be one that came late
    assert stamped(gate, 2.2, 0.6, shift) == 'clock_skew:scan'
    assert stamped(gate, 2.8, 2.0) == ''


def test_odometry_of_the_future_is_named_too() -> None:
    gate = Gate(GateSettings(), 0.0, frozenset(['scan']))
    stamped(gate, 0.0, 2.0)
    assert stamped(gate, 2.0, 0.8, 10.0) == 'clock_skew:odom'


def test_control_without_the_protection_any_stamps_are_believed() -> None:
    gate = Gate(GateSettings(), 0.0, frozenset(['clock']))
    stamped(gate, 0.0, 2.0)
    assert stamped(gate, 2.0, 0.8, 10.0) == ''
