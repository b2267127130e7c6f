"""What the stamps of a sensor say to the gate: whether what arrives is of now.

Plain Python, because the gate imports no numerical library.  The robot's clock and the steady
clock of this machine need not agree, they only have to run alike: the least delay that was seen
counts as none, and what comes later than that is old.  So a sensor that is delayed by the same
time ever since it was first heard cannot be told from one whose clock is wrong, and is believed.
"""

from __future__ import annotations

import math

from nl_robot.motion.gate_settings import GateSettings

DRIFT = 1e-3        # twice the 500 ppm at which NTP slews a clock
BEGINNING = 1.0     # seconds in which the least delay is found
NAMED_AFTER = 0.3   # seconds: a message that comes late on a busy machine is no broken clock
FORGIVEN = {'ahead': 2.0, 'behind': 30.0}
"""Seconds after which a clock that was set counts as the right one.  Stamps that fell behind may
be of a sensor whose messages queue up: they are doubted for longer."""


class StampCheck:
    """Takes the stamps of one sensor; all moments are of the steady clock, in seconds."""

    def __init__(self) -> None:
        self._began = self._at = -math.inf
        self._least = 0.0
        self._other: float | None = None        # the delay that it has since it went wrong
        self._wrong_since = self._wrong_at = -math.inf

    def take(self, now: float, stamp: float, settings: GateSettings) -> float:
        """Take a message; gives its age in seconds, negative when it is of the future.

        More than `max_scan_age`, or less than `-max_scan_lead`: it is not of now.
        """
        delay = now - stamp
        if self._at == -math.inf:
            self._began, self._least = now, delay
        self._least += DRIFT * (max(0.0, now - self._at) if self._at > -math.inf else 0.0)
        self._at = now
        if now - self._began < BEGINNING:
            self._least = min(self._least, delay)
        age = delay - self._least
        if -settings.max_scan_lead <= age <= settings.max_scan_age:
            self._least, self._other = min(self._least, delay), None
            return age
        self._note(now, delay, age, settings)
        return delay - self._least

    def is_wrong(self, now: float) -> bool:
        """Whether its messages arrive, and are not of now."""
        return (self._other is not None and now - self._wrong_since >= NAMED_AFTER
                and now - self._wrong_at <= 2.0 * NAMED_AFTER)

    def _note(self, now: float, delay: float, age: float, settings: GateSettings) -> None:
        """Wait whether it goes on with this delay; it is the new measure after long enough."""
        if self._other is None:
            self._wrong_since = self._settled_since = now
        if (self._other is None
                or not -settings.max_scan_lead <= delay - self._other <= settings.max_scan_age):
            self._other, self._settled_since = delay, now
        self._other, self._wrong_at = min(self._other, delay), now
        if now - self._settled_since > FORGIVEN['ahead' if age < 0.0 else 'behind']:
            self._least, self._other = self._other, None
