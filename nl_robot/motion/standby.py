"""What stands in for a gate that is lost: zeros, and nothing else.  Pure, monotonic seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StandbySettings:
    """Seconds.

    :param lease: a gate that was not heard for this long is lost; it speaks every 0.04 s, and
        braking of the base comes on top
    :param hold: zeros at full rate after the loss; a base that lost some of them hears the rest
    :param pause: between two zeros later on, for as long as the gate is lost
    :param meeting: at its start it waits for so long until it has heard the gate once: that the
        two find each other takes a second, and zeros among the velocities of a gate that lives
        would make the robot jerk
    """

    lease: float = 0.3
    hold: float = 1.0
    pause: float = 0.18
    meeting: float = 2.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0.0 < value < 10.0:
                raise ValueError(f'the standby needs {name} between 0 and 10 s, got {value!r}')


class Standby:
    """Hears the gate; `tick` tells whether a zero is due.

    Where there is no gate at its start, it takes over after `meeting`; `met` tells whether it has
    heard it yet.
    """

    def __init__(self, settings: StandbySettings, now: float) -> None:
        self.settings = settings
        self.lost = self.met = False
        self._heard_at = now + max(0.0, settings.meeting - settings.lease)
        self._lost_at = self._zero_at = now

    def heard(self, now: float) -> None:
        """The gate lives."""
        self._heard_at, self.lost, self.met = now, False, True

    def lease_lost(self, now: float) -> None:
        """The middleware says that the gate no longer asserts that it lives."""
        self._lose(now)

    def tick(self, now: float) -> bool:
        """True when a zero is due now; call it at 25 Hz or more."""
        if now - self._heard_at > self.settings.lease:
            self._lose(now)
        due = self.lost and (now - self._lost_at <= self.settings.hold
                             or now - self._zero_at >= self.settings.pause)
        if due:
            self._zero_at = now
        return due

    def _lose(self, now: float) -> None:
        if not self.lost:
            self.lost, self._lost_at = True, now
