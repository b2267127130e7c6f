"""Tells velocities that somebody else sent to the base from the gate's own, which it hears too.

The graph is no help: a second publisher shows up there after up to three seconds, and one that
was killed lingers for twenty.  So what was heard is held against what was sent.
"""

from __future__ import annotations

from collections import deque

MEMORY = 1.0
"""Seconds within which a sent message comes back, if it does."""


class Echoes:
    """A book of what was sent; each entry explains one message that is heard."""

    def __init__(self) -> None:
        self._sent: deque[tuple[float, tuple[float, float]]] = deque(maxlen=1000)

    def sent(self, now: float, linear: float, angular: float) -> None:
        """Note what goes out."""
        self._sent.append((now, (linear, angular)))

    def is_foreign(self, now: float, linear: float, angular: float) -> bool:
        """True for a velocity that nothing sent within the last second explains."""
        while self._sent and now - self._sent[0][0] > MEMORY:
            self._sent.popleft()
        for index, (_, velocity) in enumerate(self._sent):
            if velocity == (linear, angular):
                del self._sent[index]
                return False
        return True
