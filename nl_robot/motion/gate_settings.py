"""The numbers of the gate: checked when they are set, and only tightened while the robot may move.

Where a number comes from stands beside it; each must be positive and finite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

SMALLER, LARGER, FIXED = 'smaller', 'larger', 'fixed'


def _limit(default: Any, tighter: str) -> Any:
    """A field that knows which direction makes it stricter."""
    return field(default=default, metadata={'tighter': tighter})


@dataclass(frozen=True)
class GateSettings:
    """Limits in SI units; each must be positive (checked).

    stop_distance follows from 0.30 m/s * 0.35 s of delay + 0.30^2 / (2 * 0.9) of braking
    + 0.20 m of margin.  `corridor_margin` widens the corridor in the direction of motion to both
    sides of the hull; what stands beside it never stops the robot, so doorways pass.

    :param slow_zone: nearer than this, speed is at most sqrt(2 a (d - stop_distance)): 1.2 m is
        1.6 m/s of a walking person * (0.35 s of delay + 0.33 s of braking) + 0.155 m
    :param slow_distance: nearer than this, speed is at most `slow_speed` as well
    :param odom_timeout: odometry silent for longer is a localization fault
    :param jump_distance, jump_angle: more than this beyond what the limits of speed explain, in
        one message of odometry, is a localization fault (REP-105: odometry does not jump)
    :param conflict_time: nothing moves for this long after somebody else commanded the base
    :param release_lease: who released the gate and told that it lives must go on telling so
    :param max_stamp_age, max_stamp_lead: of wanted velocities, by the steady clock
    :param max_scan_age, max_scan_lead: of scans and odometry, by how their stamps run beside the
        steady clock
    """

    max_linear: float = _limit(0.30, SMALLER)
    max_angular: float = _limit(1.0, SMALLER)
    max_reverse: float = _limit(0.10, SMALLER)
    accel: float = _limit(0.5, SMALLER)
    decel: float = _limit(0.9, FIXED)
    angular_accel: float = _limit(2.0, SMALLER)
    robot_radius: float = _limit(0.20, LARGER)
    corridor_margin: float = _limit(0.05, LARGER)
    stop_distance: float = _limit(0.35, LARGER)
    slow_zone: float = _limit(1.2, LARGER)
    slow_distance: float = _limit(0.60, LARGER)
    slow_speed: float = _limit(0.15, SMALLER)
    command_timeout: float = _limit(0.15, SMALLER)
    scan_timeout: float = _limit(0.30, SMALLER)
    odom_timeout: float = _limit(0.5, SMALLER)
    jump_distance: float = _limit(0.25, SMALLER)
    jump_angle: float = _limit(0.5, SMALLER)
    loop_gap: float = _limit(0.15, SMALLER)
    clear_time: float = _limit(0.5, LARGER)
    conflict_time: float = _limit(1.0, LARGER)
    release_lease: float = _limit(1.0, SMALLER)
    good_scans: int = _limit(5, LARGER)
    max_stamp_age: float = _limit(0.3, SMALLER)
    max_stamp_lead: float = _limit(0.1, SMALLER)
    max_scan_age: float = _limit(0.5, SMALLER)
    max_scan_lead: float = _limit(0.2, SMALLER)

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not math.isfinite(value) or value <= 0:
                raise ValueError(f'the gate needs {item.name} > 0, got {value!r}')
        braking = self.max_linear ** 2 / (2.0 * self.decel)
        if self.stop_distance < braking:
            raise ValueError(f'stop_distance {self.stop_distance} m is shorter than the '
                             f'{braking:.2f} m that braking from max_linear takes')
        if self.slow_zone < self.stop_distance + braking:
            raise ValueError(f'slow_zone {self.slow_zone} m is shorter than the stop_distance and '
                             f'the {braking:.2f} m that braking from max_linear takes')


def loosened(old: GateSettings, new: GateSettings) -> list[str]:
    """The names of all settings that are less strict in `new`, or may not change in motion."""
    found = []
    for item in fields(GateSettings):
        before, after = getattr(old, item.name), getattr(new, item.name)
        tighter = item.metadata['tighter']
        stricter = after < before if tighter == SMALLER else after > before
        if after != before and (tighter == FIXED or not stricter):
            found.append(item.name)
    return found
