"""The contract of every world, whether a graph, a physics simulation or a building's data."""

from __future__ import annotations

from typing import Protocol

from nl_robot.datatypes import Observation


class World(Protocol):
    """Something one can stand in, look around and walk through by choosing waypoints.

    After `reset` and after every `step` the caller holds the observation of the present place.
    """

    name: str

    def reset(self, x: float, y: float, yaw: float) -> Observation:
        """Begin at (or as near as the world allows to) this pose in the world's frame."""

    def step(self, waypoint_index: int) -> Observation:
        """Go to a waypoint of the last observation; IndexError where it had no such waypoint."""

    @property
    def position(self) -> tuple[float, float]:
        """Where one truly stands, in the world's frame, metres."""

    @property
    def heading(self) -> float:
        """Which way one truly faces, radians in the world's frame."""

    @property
    def travelled(self) -> float:
        """Metres walked since `reset`."""

    @property
    def collisions(self) -> int:
        """Contacts with anything but the floor since `reset`."""


def require_waypoint(index: int, count: int) -> None:
    """Raise IndexError unless 0 <= index < count; Python itself would count back from -1."""
    if not 0 <= index < count:
        raise IndexError(f'there is no waypoint {index}: the observation has {count}')
