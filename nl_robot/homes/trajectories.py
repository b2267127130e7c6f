"""What a robot drove in a home, as places of its map: one JSON line each.

A trajectory with a fault is kept, so that one can see why, and never labelled.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

KINDS = ('exploration', 'imagined', 'demonstration')
LONGEST = 8             # places: a longer exploration is several trajectories


@dataclass(frozen=True)
class Trajectory:
    """Places one after the other, and which way one faced at the first.

    :param places: numbers in the home's map; a place is never followed by itself
    :param yaw: radians in the map; :param kind: one of KINDS
    :param goal: the words of a demonstration, else ''
    :param fault: why it must not be learned from; '' where all was well
    """

    places: tuple[int, ...]
    yaw: float
    kind: str = 'exploration'
    goal: str = ''
    fault: str = ''

    def __post_init__(self) -> None:
        object.__setattr__(self, 'places', tuple(self.places))
        if self.kind not in KINDS:
            raise ValueError(f'Trajectory.kind must be one of {", ".join(KINDS)}, '
                             f'got {self.kind!r}')
        if not math.isfinite(self.yaw):
            raise ValueError(f'Trajectory.yaw must be finite, got {self.yaw!r}')
        if not self.places or min(self.places) < 0:
            raise ValueError(f'Trajectory.places must be numbers of places, got {self.places!r}')

    @property
    def usable(self) -> bool:
        """Whether it may be learned from: it went somewhere, and nothing was wrong."""
        return not self.fault and len(self.places) > 1


class Recorder:
    """Makes trajectories out of what happens, one place at a time.

    :param kind: of the trajectories; :param goal: the words of a demonstration
    :param longest: places of one; 0: as many as come
    """

    def __init__(self, kind: str = 'exploration', goal: str = '', longest: int = LONGEST) -> None:
        self.kind, self.goal, self._longest = kind, goal, longest
        self._places: list[int] = []
        self._yaw = 0.0
        self._done: list[Trajectory] = []

    def at(self, place: int, yaw: float) -> None:
        """The robot is at a place, and faces `yaw`."""
        if not self._places:
            self._yaw = yaw
        if self._places[-1:] != [place]:
            self._places.append(place)
        if self._longest and len(self._places) == self._longest:
            self._end('')
            self._places, self._yaw = [place], yaw      # the next one begins where this one ends

    def cut(self, fault: str = '') -> None:
        """What comes next is not the continuation of what was."""
        self._end(fault)
        self._places = []

    def places(self) -> list[int]:
        """Of the trajectory that is under way."""
        return list(self._places)

    def _end(self, fault: str) -> None:
        if len(self._places) > 1 or (self._places and fault):
            self._done.append(Trajectory(tuple(self._places), self._yaw, self.kind, self.goal,
                                         fault))

    def take(self) -> list[Trajectory]:
        """The trajectories that ended since the last call."""
        done, self._done = self._done, []
        return done


def append(path: Path, trajectories: Iterable[Trajectory]) -> None:
    """Add to a file, on the disk when the call returns; what a crash cut off is left out.

    :raises OSError: the disk is full; the file is as it was before
    """
    lines = ''.join(json.dumps(dataclasses.asdict(t), allow_nan=False) + '\n'
                    for t in trajectories).encode()
    if not lines:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'a+b', buffering=0) as file:
        file.seek(0)
        whole = file.read().rfind(b'\n') + 1
        file.truncate(whole)
        try:
            while lines:
                lines = lines[file.write(lines):]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(whole)
            raise


def read(path: Path) -> list[Trajectory]:
    """All of a file; none where there is no file; ValueError names a line that is none."""
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(keepends=True), 1):
        if not line.endswith('\n'):
            break
        try:
            found.append(Trajectory(**json.loads(line)))
        except (TypeError, ValueError) as error:
            raise ValueError(f'{path}, line {number} is no trajectory: {error}') from error
    return found
