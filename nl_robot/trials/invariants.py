"""What must hold at every moment of whatever a robot is told: rules over messages with times.

Pure: monotonic seconds come with each message.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from nl_robot.mission.command import TERMINAL


@dataclass(frozen=True)
class VelocityLimits:
    """The limits that velocities on cmd_vel are held against, SI units."""

    forward: float = 0.30
    reverse: float = 0.10
    angular: float = 1.0
    accel: float = 0.5
    decel: float = 0.9


class VelocityWatch:
    """Holds each velocity against the limits and against the one before; keeps complaints."""

    def __init__(self, limits: VelocityLimits | None = None) -> None:
        self._limits, self._last = limits or VelocityLimits(), (-math.inf, 0.0)
        self.complaints: list[str] = []

    def take(self, now: float, linear: float, angular: float, unused: Iterable[float] = ()
             ) -> None:
        """Take one velocity; `unused` are the four axes that a base on wheels has not."""
        limits, others = self._limits, tuple(unused)
        if not (math.isfinite(linear) and math.isfinite(angular)
                and -limits.reverse - 1e-4 <= linear <= limits.forward + 1e-4
                and abs(angular) <= limits.angular + 1e-4 and not any(others)):
            self.complaints.append(f'illegal velocity {linear} {angular} {others}')
        before, speed = self._last
        # One tick of 20 ms, or what a hiccup of up to 150 ms may add up to.
        gap = min(max(now - before, 0.02), 0.15)
        change = limits.accel if abs(linear) > abs(speed) else limits.decel
        if linear and abs(linear - speed) > change * (gap + 0.08):
            self.complaints.append(f'jump from {speed} to {linear} in {gap:.3f} s')
        self._last = now, linear


class EndWatch:
    """Every accepted command ends once, and never moves again after its end."""

    def __init__(self) -> None:
        self.running: dict[str, float] = {}
        self.ends: dict[str, tuple[str, str]] = {}
        self.complaints: list[str] = []

    def take(self, now: float, id_: str, state: str, reason: str) -> None:
        """Take one status; the latest may be repeated."""
        if state in TERMINAL:
            self.running.pop(id_, None)
            if id_ in self.ends and self.ends[id_] != (state, reason):
                self.complaints.append(f'{id_} ended as {self.ends[id_]}, then as '
                                       f'{(state, reason)}')
            self.ends[id_] = state, reason
        elif state in ('accepted', 'running'):
            if id_ in self.ends:
                self.complaints.append(f'{id_} went on after its end')
            self.running.setdefault(id_, now)
