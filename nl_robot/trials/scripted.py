"""An agent that does what the words say, for tests of the nodes.

`drive 3`: three waypoints ahead, then stop; without a number it never stops.
`doubt`: it does not believe to be there.  `ponder 2`: every decision takes two seconds.
`grind 2`: the same, but holding the interpreter all the time.  `crash`: the decision raises.
"""

from __future__ import annotations

import re
import time

from nl_robot.datatypes import Decision, Observation


class ScriptedAgent:
    """Decides as its goal says; see above."""

    def set_goal(self, text: str) -> None:
        """Begin a goal."""
        self._words, self._decisions = text, 0

    def decide(self, observation: Observation) -> Decision:
        """The next decision."""
        self._decisions += 1
        time.sleep(self._number('ponder', 0.0))
        ground = time.monotonic() + self._number('grind', 0.0)
        while time.monotonic() < ground:
            pass
        if 'crash' in self._words:
            raise RuntimeError('told to crash')
        if self._decisions > self._number('drive', 1e9):
            return Decision(None, 0.9)
        ahead = min(range(len(observation.waypoints)),
                    key=lambda i: abs(observation.waypoints[i].bearing))
        return Decision(ahead, 0.8)

    def arrived(self) -> float:
        """How sure it is to be there."""
        return 0.1 if 'doubt' in self._words else 0.9

    def _number(self, word: str, default: float) -> float:
        found = re.search(rf'{word} ([0-9.]+)', self._words)
        return float(found.group(1)) if found else default


class BlindDetector:
    """Sees nothing."""

    def detect(self, images: list) -> list[list]:
        """No detection in any image."""
        return [[] for _ in images]


def agent() -> ScriptedAgent:
    """A new agent."""
    return ScriptedAgent()


def detector() -> BlindDetector:
    """A new detector."""
    return BlindDetector()
