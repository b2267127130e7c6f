"""Limits of speed and acceleration, as arithmetic on single numbers."""

from __future__ import annotations

import math


def clamp(value: float, low: float, high: float) -> float:
    """`value`, or the nearer end of [low, high]."""
    return min(max(value, low), high)


def ramp(current: float, wanted: float, accel: float, decel: float, duration: float) -> float:
    """The speed after `duration` seconds on the way from `current` to `wanted`.

    Speeding up is limited by `accel`, slowing down by `decel` (both positive, per second); a
    change of direction first slows down to zero.
    """
    if current * wanted < 0:
        wanted = 0.0
    limit = (accel if abs(wanted) > abs(current) else decel) * max(duration, 0.0)
    return current + clamp(wanted - current, -limit, limit)


def stopping_speed(distance: float, decel: float) -> float:
    """The speed from which `decel` stops a robot within `distance` metres: sqrt(2 a d)."""
    return math.sqrt(2.0 * decel * distance) if distance > 0 else 0.0
