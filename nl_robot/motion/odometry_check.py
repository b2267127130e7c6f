"""What odometry says to the gate: whether the robot still knows how it moves.

Plain Python, because the gate imports no numerical library.  Odometry drifts but does not jump
(REP-105); one that jumps, goes back in time, is no number or falls silent means that nothing
knows any more how fast the robot moves or where its waypoint is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from nl_robot.motion.gate_settings import GateSettings


@dataclass(frozen=True)
class Reading:
    """One message of odometry: stamp in nanoseconds, metres, a quaternion (x, y, z, w)."""

    stamp: int
    x: float
    y: float
    quaternion: tuple[float, float, float, float]

    @property
    def yaw(self) -> float:
        """Heading in radians; a quaternion of any length but zero has one."""
        x, y, z, w = self.quaternion
        return math.atan2(2.0 * (w * z + x * y), w * w + x * x - y * y - z * z)

    def complaint(self) -> str:
        """Why it is no pose, or ''."""
        if not all(map(math.isfinite, (self.x, self.y, *self.quaternion))):
            return 'not_a_number'
        length = math.hypot(*self.quaternion)
        return '' if abs(length - 1.0) < 0.1 else 'no_quaternion'


class OdometryCheck:
    """Takes readings; `fault` tells what is wrong now.

    A fault holds for `clear_time`, so that nothing goes on before whoever drives has heard of it.
    """

    def __init__(self, settings: GateSettings) -> None:
        self.settings = settings
        self._last: Reading | None = None
        self._heard_at = self._fault_until = -math.inf
        self._fault = ''

    def take(self, now: float, reading: Reading) -> str:
        """Take one message; the answer says what is wrong with it, '' when all is well."""
        fault = reading.complaint()
        if not fault and self._last is not None:
            fault = self._against(self._last, reading, now - self._heard_at)
        if fault:
            self._fault, self._fault_until = fault, now + self.settings.clear_time
        if fault not in ('not_a_number', 'no_quaternion'):
            self._last, self._heard_at = reading, now
        return fault

    def fault(self, now: float) -> str:
        """What is wrong with odometry just now, or ''."""
        if now < self._fault_until:
            return self._fault
        return 'silent' if now - self._heard_at > self.settings.odom_timeout else ''

    def _against(self, last: Reading, reading: Reading, seconds: float) -> str:
        """What the step from the last reading says; `seconds` between their arrivals."""
        settings = self.settings
        if reading.stamp < last.stamp:
            return 'time_goes_back'
        seconds = min(max(seconds, 0.0), settings.odom_timeout)
        moved = math.hypot(reading.x - last.x, reading.y - last.y)
        turned = abs(math.remainder(reading.yaw - last.yaw, 2.0 * math.pi))
        if (moved > settings.max_linear * seconds + settings.jump_distance
                or turned > settings.max_angular * seconds + settings.jump_angle):
            return 'jump'
        return ''
