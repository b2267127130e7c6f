"""When the agent stops but doubts that it is there: it goes on looking once, then says so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from nl_robot.datatypes import Decision, Pose

SURE = 0.5      # of a calibrated probability: from here on it is rather there than not
AWAY = 0.5      # metres: what is nearer counts as the same place, as after a blocked way
BACK = math.pi / 4      # radians: what points this near to where it came from leads back there


@dataclass
class SecondLook:
    """The rule for one command: what becomes of the agent's wish to stop.

    :param sure: the probability to have arrived from which a stop counts as succeeded
    :param spent: it has gone on against a wish to stop already
    """

    sure: float = SURE
    spent: bool = False
    _places: list[Pose] = field(default_factory=list)

    def choose(self, decision: Decision, here: Pose, ends: Sequence[Pose], arrived: float | None
               ) -> int | None:
        """The index of the way to take, or None to stop; call it once per decision.

        :param ends: where each way leads, in the frame of `here`; empty where it may not go on
        :param arrived: the agent's probability to have arrived; None where it has no opinion
        """
        before = next((p for p in reversed(self._places) if _metres(p, here) > AWAY), None)
        self._places.append(here)
        if decision.waypoint_index is not None:
            return decision.waypoint_index
        if self.spent or not ends or arrived is None or arrived >= self.sure:
            return None
        self.spent = True
        return best_way(decision, here, ends, before)

    def is_sure(self, arrived: float | None, moved: bool) -> bool:
        """Whether a stop counts as succeeded.

        An agent without an opinion is believed, but not that it was there before it moved.
        """
        return moved if arrived is None else arrived >= self.sure


def best_way(decision: Decision, here: Pose, ends: Sequence[Pose], before: Pose | None) -> int:
    """The most probable way that does not lead back to `before`; if all do, of all of them."""
    odds = decision.probabilities[:len(ends)] or (0.0,) * len(ends)
    return max(range(len(ends)), key=lambda way: (
        before is None or not _leads_back(here, ends[way], before), odds[way]))


def _leads_back(here: Pose, end: Pose, before: Pose) -> bool:
    """True when `end` and `before` lie in about the same direction."""
    turn = (math.atan2(end.y - here.y, end.x - here.x)
            - math.atan2(before.y - here.y, before.x - here.x))
    return math.cos(turn) > math.cos(BACK)


def _metres(one: Pose, other: Pose) -> float:
    return math.hypot(one.x - other.x, one.y - other.y)
