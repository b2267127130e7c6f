"""What moves the robot to a waypoint: the one protocol of all drivers, and the mock.

Drivers: the steering of this package (`motion.velocity`), Nav2 (`motion.nav2`), and a mock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nl_robot.datatypes import Pose

if TYPE_CHECKING:
    from nl_robot.motion.velocity import LaserScan


class Driver(Protocol):
    """Holds at most one target; `state` is idle, driving, arrived, blocked or failed.

    blocked: this way is closed, another may be open.  failed: no way can be driven just now, and
    `reason` says why.  `text` is a sentence for people.
    """

    state: str
    reason: str
    text: str

    @property
    def tolerance(self) -> float:
        """Metres from the target within which the robot counts as being there."""

    @property
    def passes(self) -> bool:
        """Whether velocities that somebody else publishes for this target may move the robot."""

    def set_target(self, target: Pose, now: float, final_yaw: float | None = None) -> None:
        """Drive to `target`; turn to `final_yaw` there if given.  Whatever was before is over."""

    def cancel(self) -> None:
        """Forget the target."""

    def update(self, now: float, pose: Pose, scan: LaserScan) -> tuple[float, float] | None:
        """The speeds (m/s, rad/s) of this moment; None: somebody else moves the robot."""


class MockDriver:
    """Arrives at once and moves nothing: for talks, and for tests of what stands above it."""

    tolerance, passes = 0.15, False

    def __init__(self) -> None:
        self.state, self.reason, self.text = 'idle', '', ''

    def set_target(self, target: Pose, now: float, final_yaw: float | None = None) -> None:
        """Be there with the next update."""
        self.state = 'driving'

    def cancel(self) -> None:
        """Forget the target."""
        self.state = 'idle'

    def update(self, now: float, pose: Pose, scan: LaserScan) -> tuple[float, float]:
        """Arrive; the speeds are zero."""
        if self.state == 'driving':
            self.state = 'arrived'
        return 0.0, 0.0
