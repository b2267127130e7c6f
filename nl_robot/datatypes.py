"""The records that cross the walls of the house: frozen, self-checking, in SI units.

Angles are radians in the robot's own frame (REP-103): bearing 0 is straight ahead, positive is
to the left; elevation is positive upwards.  A record that cannot be true raises `ValueError`
with what was got.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


def _require_finite(record: str, **values: float) -> None:
    """Raise `ValueError` naming the first value that is not a finite number."""
    for name, value in values.items():
        if not math.isfinite(value):
            raise ValueError(f'{record}.{name} must be finite, got {value!r}')


@dataclass(frozen=True)
class Pose:
    """Where the robot is: `x`, `y` in metres and `yaw` in radians, in the frame `frame`."""

    x: float
    y: float
    yaw: float
    frame: str = 'odom'

    def __post_init__(self) -> None:
        _require_finite('Pose', x=self.x, y=self.y, yaw=self.yaw)


@dataclass(frozen=True)
class Sighting:
    """One object that the robot sees.

    :param label: what it is, in words (`red armchair`); never empty
    :param bearing: radians, left is positive
    :param elevation: radians, up is positive, of the middle of the object
    :param size: radians, the angle that the wider side of the object fills
    :param distance: metres along the floor to the object, or None where it is not known
    :param score: the detector's confidence, 0 to 1
    """

    label: str
    bearing: float
    elevation: float = 0.0
    size: float = 0.1
    distance: float | None = None
    score: float = 1.0

    def __post_init__(self) -> None:
        if not self.label.strip():
            raise ValueError('Sighting.label must name the object, got an empty label')
        _require_finite('Sighting', bearing=self.bearing, elevation=self.elevation,
                        size=self.size, score=self.score)
        if self.size < 0:
            raise ValueError(f'Sighting.size must not be negative, got {self.size!r}')
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f'Sighting.score must lie in 0..1, got {self.score!r}')
        if self.distance is not None and not 0.0 <= self.distance < math.inf:
            raise ValueError(f'Sighting.distance must be finite and >= 0, got {self.distance!r}')


@dataclass(frozen=True)
class Waypoint:
    """A place within reach: `bearing` and `elevation` in radians, `distance` in metres."""

    bearing: float
    distance: float
    elevation: float = 0.0

    def __post_init__(self) -> None:
        _require_finite('Waypoint', bearing=self.bearing, distance=self.distance,
                        elevation=self.elevation)
        if self.distance <= 0:
            raise ValueError(f'Waypoint.distance must be positive, got {self.distance!r}')


@dataclass(frozen=True)
class Observation:
    """What there is at one place: all sightings around, the waypoints, and the pose."""

    sightings: tuple[Sighting, ...]
    waypoints: tuple[Waypoint, ...]
    pose: Pose

    def __post_init__(self) -> None:
        object.__setattr__(self, 'sightings', tuple(self.sightings))
        object.__setattr__(self, 'waypoints', tuple(self.waypoints))


@dataclass(frozen=True)
class Decision:
    """What the agent chose: the index of a waypoint of the observation, or None to stop.

    :param waypoint_index: index into `Observation.waypoints`, or None for stop
    :param probability: the policy's probability of this choice, 0 to 1
    :param probabilities: of every waypoint in order, then of stop; sums to 1, may be empty
    """

    waypoint_index: int | None
    probability: float = 1.0
    probabilities: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.waypoint_index is not None and self.waypoint_index < 0:
            raise ValueError(f'Decision.waypoint_index must be >= 0 or None, '
                             f'got {self.waypoint_index!r}')
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f'Decision.probability must lie in 0..1, got {self.probability!r}')

    @property
    def is_stop(self) -> bool:
        """True when the agent chose to stop here."""
        return self.waypoint_index is None


@dataclass(frozen=True)
class Step:
    """One decision and what it was taken on."""

    observation: Observation
    decision: Decision


@dataclass(frozen=True)
class Episode:
    """A run of steps with its goal, its source and its outcome.

    :param goal: the cleaned words the agent pursued; empty for goal-agnostic exploration
    :param source: `expert`, `rollout` or `exploration`
    :param outcome: a terminal state (`succeeded`, `timeout`, ...) or '' while it runs
    :param home: the name of the home it happened in
    :param extra: JSON-like facts for evaluation (path length, collisions, kind of goal)
    """

    goal: str
    steps: tuple[Step, ...]
    source: str = 'rollout'
    outcome: str = ''
    home: str = ''
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, 'steps', tuple(self.steps))
        if self.source not in ('expert', 'rollout', 'exploration'):
            raise ValueError("Episode.source must be 'expert', 'rollout' or 'exploration', "
                             f'got {self.source!r}')
