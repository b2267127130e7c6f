"""Nodes that end unasked start again, stopped; those that crash in a loop stay down.

What `ros2 launch` does with `respawn`, for an installation without launch, and with a limit.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nl_robot.cli.node_processes import NodeProcesses

BAD_PARAMETERS = 2
"""The exit status of a node whose parameters make no sense: starting it again is futile."""


@dataclass(frozen=True)
class RespawnSettings:
    """Start again after `delay` seconds, but not after more than `limit` ends in `window`."""

    delay: float = 0.5
    limit: int = 5
    window: float = 60.0


class Respawning:
    """Decides what becomes of a node that ended: pure, monotonic seconds."""

    def __init__(self, settings: RespawnSettings | None = None) -> None:
        self.settings = settings or RespawnSettings()
        self._ends: dict[str, deque[float]] = {}

    def ended(self, name: str, status: int, now: float) -> float | None:
        """When it starts again; None: never, it is in fault."""
        ends = self._ends.setdefault(name, deque())
        ends.append(now)
        while ends and now - ends[0] > self.settings.window:
            ends.popleft()
        if status == BAD_PARAMETERS or len(ends) > self.settings.limit:
            return None
        return now + self.settings.delay


class Supervisor:
    """Starts nodes and tends to them; `tend` never waits.

    :param tell: takes a line for people
    """

    def __init__(self, nodes: NodeProcesses, tell: Callable[[str], None],
                 settings: RespawnSettings | None = None) -> None:
        self._nodes, self._tell, self._respawning = nodes, tell, Respawning(settings)
        self._starts: dict[str, tuple[str, Sequence[str]]] = {}
        self._due: dict[str, float] = {}
        self.faults: list[str] = []

    def start(self, name: str, module: str, arguments: Sequence[str] = ()) -> None:
        """Start a node that is tended from now on."""
        self._starts[name] = module, arguments
        self._nodes.start(name, module, arguments)

    def tend(self, now: float | None = None) -> None:
        """Look after all nodes; call it ten times a second."""
        now = time.monotonic() if now is None else now
        for name, status in self._nodes.ended().items():
            if name not in self._due and name not in self.faults:
                self._note_end(name, status, now)
        for name, due in list(self._due.items()):
            if now >= due:
                del self._due[name]
                self._nodes.start(name, *self._starts[name])
                self._tell(f'{name} was started again')

    def _note_end(self, name: str, status: int, now: float) -> None:
        due = self._respawning.ended(name, status, now)
        words = self._nodes.last_words(name, lines=1)
        if due is None:
            self.faults.append(name)
            self._tell(f'fault: {name} ended with status {status} and stays down; it said: '
                       f'{words} (all of it in {self._nodes.log(name)})')
        else:
            self._due[name] = due
            self._tell(f'{name} ended with status {status}; it said: {words}')
