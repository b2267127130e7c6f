"""A laser that is not in the middle of the robot, or does not look straight ahead.

Plain Python, because the gate imports no numerical library.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class LaserMount:
    """base_from_laser: where the laser is and where its x axis points, metres and radians.

    :param flipped: it hangs upside down, so that its angles grow to the right
    """

    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0
    flipped: bool = False

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.x, self.y, self.yaw))):
            raise ValueError(f'LaserMount must be finite, got {self.x}, {self.y}, {self.yaw}')

    @property
    def is_middle(self) -> bool:
        """True when a scan needs no change."""
        return self == LaserMount()

    def is_near(self, other: LaserMount) -> bool:
        """Whether two differ by less than what a robot is measured by: 3 cm and 3 degrees."""
        turn = math.remainder(self.yaw - other.yaw, 2 * math.pi)
        return (self.flipped == other.flipped and abs(turn) < math.radians(3.0)
                and math.hypot(self.x - other.x, self.y - other.y) < 0.03)

    def angles(self, first: float, step: float) -> tuple[float, float]:
        """The first angle and the increment of a scan, radians, in the frame of the base."""
        return (self.yaw - first, -step) if self.flipped else (self.yaw + first, step)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point of the laser's frame in the frame of the base, metres."""
        y = -y if self.flipped else y
        cos, sin = math.cos(self.yaw), math.sin(self.yaw)
        return self.x + x * cos - y * sin, self.y + x * sin + y * cos
