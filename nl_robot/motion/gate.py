"""The rules of the gate: what may become velocity, now.

A pure state machine.  Every time is monotonic seconds given by the caller; nothing here reads a
clock, and no numerical library is imported.  Whatever is doubtful becomes zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from nl_robot.motion.limits import clamp, ramp, stopping_speed
from nl_robot.motion.scan_check import BadScan, CheckedScan, check_scan


@dataclass(frozen=True)
class GateSettings:
    """Limits in SI units; each must be positive (checked).

    stop_distance follows from 0.30 m/s * 0.35 s of delay + 0.30^2 / (2 * 0.9) of braking
    + 0.20 m of margin.  `corridor_margin` widens the corridor in the direction of motion to both
    sides of the hull; what stands beside it never stops the robot, so doorways pass.
    """

    max_linear: float = 0.30
    max_angular: float = 1.0
    max_reverse: float = 0.10
    accel: float = 0.5
    decel: float = 0.9
    angular_accel: float = 2.0
    robot_radius: float = 0.20
    corridor_margin: float = 0.05
    stop_distance: float = 0.35
    slow_distance: float = 0.60
    slow_speed: float = 0.15
    command_timeout: float = 0.15
    scan_timeout: float = 0.30
    loop_gap: float = 0.15
    clear_time: float = 0.5
    good_scans: int = 5
    max_stamp_age: float = 0.3
    max_stamp_lead: float = 0.1
    max_scan_age: float = 0.5
    max_scan_lead: float = 0.2

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not math.isfinite(value) or value <= 0:
                raise ValueError(f'the gate needs {item.name} > 0, got {value!r}')
        braking = self.max_linear ** 2 / (2.0 * self.decel)
        if self.stop_distance < braking:
            raise ValueError(f'stop_distance {self.stop_distance} m is shorter than the '
                             f'{braking:.2f} m that braking from max_linear takes')


@dataclass(frozen=True)
class GateOutput:
    """Velocity to publish, and why: `open`, `idle`, or what holds the robot back."""

    linear: float
    angular: float
    reason: str

    @property
    def is_zero(self) -> bool:
        """True when nothing moves."""
        return self.linear == 0.0 and self.angular == 0.0


@dataclass(frozen=True)
class _Wish:
    linear: float
    angular: float
    arrived: float


class Gate:
    """Commands, scans and stops in; one velocity a tick out.

    It starts latched, as after a stop: only `release` lets anything move, and only when it names
    the latest stop, so that a release on its way can never undo a newer stop.

    :param now: monotonic seconds
    :param checks: names of protections that a test switches off, to see that its test fails
    """

    def __init__(self, settings: GateSettings, now: float, off: frozenset[str] = frozenset()
                 ) -> None:
        self.settings = settings
        self._off = off
        self._latched = True
        self._stop_stamp = now
        self._wish: _Wish | None = None
        self._scan: CheckedScan | None = None
        self._scan_arrived = -math.inf
        self._scan_fault = 'none yet'
        self._good_scans = 0
        self._obstacle_until = -math.inf
        self._clear: dict[float, float] = {}
        self._last_tick: float | None = None
        self._linear = self._angular = 0.0

    @property
    def latched(self) -> bool:
        """True from a stop until its release."""
        return self._latched

    @property
    def stop_stamp(self) -> float:
        """When the latest stop came, monotonic seconds; `release` must name it."""
        return self._stop_stamp

    @property
    def velocity(self) -> tuple[float, float]:
        """The last output, (m/s, rad/s)."""
        return self._linear, self._angular

    def stop(self, now: float) -> None:
        """Latch: nothing moves until this very stop is released."""
        if 'stop' in self._off:
            return
        self._latched, self._stop_stamp, self._wish = True, now, None
        self._linear = self._angular = 0.0

    def release(self, stop_stamp: float) -> bool:
        """Lift the stop of that stamp; False, and still latched, when a newer one came."""
        if abs(stop_stamp - self._stop_stamp) > 1e-6:
            return False
        self._latched, self._wish = False, None
        return True

    def command(self, now: float, stamp: float, linear: float, angular: float) -> bool:
        """Take a wanted velocity; False when it is refused.

        :param stamp: when it was made, in the same clock as `now`
        """
        age = now - stamp
        settings = self.settings
        fresh = -settings.max_stamp_lead <= age <= settings.max_stamp_age
        finite = math.isfinite(linear) and math.isfinite(angular)
        if not (finite or 'finite' in self._off) or not (fresh or 'stamps' in self._off):
            return False
        if self._latched:
            return False
        self._wish = _Wish(linear, angular, now)
        return True

    def scan(self, now: float, ranges: Sequence[float], angle_min: float, angle_max: float,
             angle_increment: float, range_min: float, range_max: float,
             age: float = 0.0) -> str:
        """Take a scan; the answer says what is wrong with it, '' when all is well.

        :param age: seconds since it was measured, as far as its stamp says
        """
        try:
            if not -self.settings.max_scan_lead <= age <= self.settings.max_scan_age:
                raise BadScan(f'it is {age:.1f} s old')
            checked = check_scan(ranges, angle_min, angle_max, angle_increment, range_min,
                                 range_max)
        except BadScan as error:
            self._scan_fault, self._good_scans = str(error), 0
            return self._scan_fault
        if now - self._scan_arrived > self.settings.scan_timeout:
            self._good_scans = 0
        self._scan, self._scan_arrived, self._scan_fault = checked, now, ''
        self._clear = {}
        self._good_scans += 1
        return ''

    def clearance(self, heading: float) -> float:
        """Metres from the hull to the first obstacle in the corridor towards `heading`.

        0 where the scan does not watch that direction: what is not seen is not free.
        """
        if heading not in self._clear:
            self._clear[heading] = self._clearance(heading)
        return self._clear[heading]

    def _clearance(self, heading: float) -> float:
        if self._scan is None or self._scan.coverage(heading, math.radians(30)) < 0.5:
            return 0.0
        half = self.settings.robot_radius + self.settings.corridor_margin
        cos, sin = math.cos(heading), math.sin(heading)
        ahead = [x * cos + y * sin for x, y in self._scan.points if abs(y * cos - x * sin) < half]
        return min((a for a in ahead if a > 0), default=math.inf) - self.settings.robot_radius

    def tick(self, now: float) -> GateOutput:
        """The velocity of this moment; call it at 50 Hz."""
        settings = self.settings
        gap = now - self._last_tick if self._last_tick is not None else 0.0
        self._last_tick = now
        reason = self._held_back(now, gap)
        if reason or self._wish is None:
            self._linear = self._angular = 0.0
            return GateOutput(0.0, 0.0, reason or 'idle')
        duration = min(gap, settings.loop_gap)
        linear, reason = self._allowed(now, self._wish.linear)
        angular = clamp(self._wish.angular, -settings.max_angular, settings.max_angular)
        self._linear = 0.0 if reason == 'obstacle' else ramp(
            self._linear, linear, settings.accel, settings.decel, duration)
        self._angular = ramp(self._angular, angular, settings.angular_accel,
                             settings.angular_accel, duration)
        if 'limits' in self._off:
            self._linear, self._angular = self._wish.linear, self._wish.angular
        return GateOutput(self._linear, self._angular, reason)

    def _held_back(self, now: float, gap: float) -> str:
        """Why nothing at all may move, or ''."""
        settings = self.settings
        if gap > settings.loop_gap and 'loop_gap' not in self._off:
            self._wish = None  # made before the freeze
            return 'loop_gap'
        if self._latched:
            return 'stopped'
        if 'scan' not in self._off and (now - self._scan_arrived > settings.scan_timeout
                                        or self._good_scans < settings.good_scans):
            return 'sensor_lost:scan'
        if (self._wish is not None and now - self._wish.arrived > settings.command_timeout
                and 'silence' not in self._off):
            self._wish = None
            return 'silent'
        return ''

    def _allowed(self, now: float, wanted: float) -> tuple[float, str]:
        """The wanted linear speed within limits and in front of obstacles, and the reason."""
        settings = self.settings
        wanted = clamp(wanted, -settings.max_reverse, settings.max_linear)
        if wanted == 0.0 or 'obstacle' in self._off:
            return wanted, 'open'
        clear = self.clearance(0.0 if wanted > 0 else math.pi)
        if clear <= settings.stop_distance:
            self._obstacle_until = now + settings.clear_time
        if now < self._obstacle_until:
            return 0.0, 'obstacle'
        top = stopping_speed(clear - settings.stop_distance, settings.decel)
        if clear < settings.slow_distance:
            top = min(top, settings.slow_speed)
        return (clamp(wanted, -top, top), 'slow' if abs(wanted) > top else 'open')
