"""What the robot does while nobody wants anything of it: explore, when it was asked to.

A person always comes first: a command takes its place at once, a stop ends it until somebody
starts it again, and no stop of a person is ever released for it.
"""

from __future__ import annotations

from dataclasses import dataclass

PAUSE = 2.0         # seconds that the robot is left alone after a command
OWN_STOP = 0.5      # seconds within which a stop of the mission's own reaches the gate


@dataclass
class Leisure:
    """Whether exploring may begin, on monotonic seconds.

    :param order: what to do, as the adaptation node wrote it; '' for nothing
    :param done: the order that was carried out; :param held: a person stopped it
    :param excused: stops of the gate up to this moment were no person's, or came before the order
    """

    order: str = ''
    done: str = ''
    held: bool = False
    excused: float = float('-inf')
    _quiet_since: float = float('-inf')

    def ask(self, order: str, now: float) -> bool:
        """Take an order; True where it is another one than before."""
        if order == self.order:
            return False
        if order and not self.order:
            self.held, self.excused = False, max(self.excused, now)
        self.order = order
        return True

    def person(self) -> None:
        """Somebody said stop, or cancelled it."""
        self.held = True

    def busy(self, now: float) -> None:
        """The robot did something for somebody just now."""
        self._quiet_since = now

    def own_stop(self, now: float) -> None:
        """The mission itself stopped the robot."""
        self.excused = max(self.excused, now + OWN_STOP)

    def gate_came_back(self, stop_stamp: float) -> None:
        """A gate that was gone begins latched: that was nobody's stop."""
        self.excused = max(self.excused, stop_stamp)

    def may_begin(self, latched: bool, stop_stamp: float, now: float) -> bool:
        """Whether to explore now, where nothing else runs and nothing is missing."""
        if self.order in ('', self.done) or self.held or now - self._quiet_since < PAUSE:
            return False
        return not latched or stop_stamp <= self.excused
