"""A graph of places: what is seen at each, and where each of its waypoints leads.

The arrays are the whole graph, so that it is one file on disk and thousands of episodes can run
through it at once.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Observation, Pose, Sighting, Waypoint
from nl_robot.geometry import graph_distances, wrap_angle
from nl_robot.worlds.world import require_waypoint

FORMAT = 1


@dataclass(frozen=True)
class PlaceGraph:
    """Places with their sightings and waypoints; bearings are in the map frame (yaw 0).

    :param name: of the home or building
    :param points: (p, 2) positions on the plan, metres
    :param labels: the label of every sighting of every place, in the order of the rows
    :param sightings: (n, 6) place, bearing, elevation, size (radians), distance (m, nan), score
    :param ways: (w, 4) place, bearing, elevation (radians), distance on the plan (m)
    :param leads_to: (w,) the place that each waypoint leads to
    :param heights: (p,) metres; none given: all places are on one floor, at 0
    """

    name: str
    points: NDArray[np.float64]
    labels: tuple[str, ...]
    sightings: NDArray[np.float64]
    ways: NDArray[np.float64]
    leads_to: NDArray[np.int64]
    heights: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        places = len(self.points)
        if not len(self.heights):
            object.__setattr__(self, 'heights', np.zeros(places))
        if len(self.heights) != places:
            raise ValueError(f'{self.name}: {len(self.heights)} heights for {places} places')
        if len(self.labels) != len(self.sightings) or len(self.leads_to) != len(self.ways):
            raise ValueError(f'{self.name}: labels and sightings, or ways and their ends, differ '
                             'in number')
        for what, rows in (('sighting', self.sightings[:, 0]), ('way', self.ways[:, 0]),
                           ('way end', self.leads_to)):
            if len(rows) and not (0 <= rows.min() and rows.max() < places):
                raise ValueError(f'{self.name}: a {what} names a place outside 0..{places - 1}')

    @cached_property
    def sighting_rows(self) -> list[NDArray[np.int64]]:
        """Per place, the rows of its sightings."""
        return [np.flatnonzero(self.sightings[:, 0] == p) for p in range(len(self.points))]

    @cached_property
    def way_rows(self) -> list[NDArray[np.int64]]:
        """Per place, the rows of its waypoints."""
        return [np.flatnonzero(self.ways[:, 0] == p) for p in range(len(self.points))]

    def lengths(self) -> NDArray[np.float64]:
        """(w,) metres between the two places of every way, climbing included."""
        places = np.column_stack([self.points, self.heights])
        start, end = places[self.ways[:, 0].astype(int)], places[self.leads_to]
        return np.maximum(np.sqrt(((end - start) ** 2).sum(axis=1)), 0.05)

    def distances_to(self, targets: NDArray[np.bool_]) -> NDArray[np.float64]:
        """(p,) metres along the ways from every place to the nearest target; inf for none.

        :param targets: (p,) bool
        """
        back: dict[int, dict[int, float]] = {p: {} for p in range(-1, len(self.points))}
        for start, end, length in zip(self.ways[:, 0].astype(int), self.leads_to, self.lengths()):
            known = back[int(end)].get(int(start), math.inf)
            back[int(end)][int(start)] = min(known, float(length))
        back[-1] = {int(p): 0.0 for p in np.flatnonzero(targets)}
        found = graph_distances(back, -1)  # type: ignore[arg-type]
        return np.array([found.get(p, math.inf) for p in range(len(self.points))])

    @cached_property
    def distances_between(self) -> NDArray[np.float32]:
        """(p, p) metres along the ways from every place to every other (Floyd 1962)."""
        between = np.full((len(self.points),) * 2, np.inf)
        starts = self.ways[:, 0].astype(int)
        np.minimum.at(between, (starts, self.leads_to), self.lengths())
        np.fill_diagonal(between, 0.0)
        for middle in range(len(between)):
            np.minimum(between, between[:, middle, None] + between[None, middle], out=between)
        return between.astype(np.float32)

    @cached_property
    def last_ways(self) -> NDArray[np.int64]:
        """(p, p) the row of the last way on the shortest way from a place to another; -1: none."""
        found = np.full((len(self.points),) * 2, -1)
        least = np.full(found.shape, np.inf)
        starts = self.ways[:, 0].astype(int)
        for row, (start, end, length) in enumerate(zip(starts, self.leads_to, self.lengths())):
            metres = self.distances_between[:, start] + length
            nearer = metres < least[:, end] - 1e-6
            least[nearer, end], found[nearer, end] = metres[nearer], row
        np.fill_diagonal(found, -1)
        return found

    def nearest(self, x: float, y: float) -> int:
        """The place nearest to a point."""
        return int(np.argmin(np.hypot(self.points[:, 0] - x, self.points[:, 1] - y)))

    def arrays(self) -> dict[str, Any]:
        """Everything by name, as `from_arrays` takes it and an npz file keeps it."""
        return {'format': FORMAT, 'name': self.name, 'points': self.points,
                'labels': np.array(self.labels, dtype=str), 'sightings': self.sightings,
                'ways': self.ways, 'leads_to': self.leads_to, 'heights': self.heights}

    @classmethod
    def from_arrays(cls, data: Mapping[str, Any]) -> PlaceGraph:
        """The graph of `arrays`; files from before there were heights have none."""
        return cls(str(data['name']), data['points'], tuple(data['labels'].tolist()),
                   data['sightings'], data['ways'], data['leads_to'],
                   data['heights'] if 'heights' in data else np.zeros(0))

    def save(self, path: Path) -> None:
        """Write one npz file, whole or not at all."""
        save_arrays(path, self.arrays())

    @classmethod
    def load(cls, path: Path) -> PlaceGraph:
        """Read a file of `save`; ValueError where it is of another format."""
        with np.load(path, allow_pickle=False) as data:
            if int(data['format']) != FORMAT:
                raise ValueError(f'{path} has format {int(data["format"])}, not {FORMAT}: '
                                 'delete it and build it again')
            return cls.from_arrays(data)


def save_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write one npz file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f'.{os.getpid()}.tmp')
    with open(temporary, 'wb') as file:
        np.savez_compressed(file, **arrays)
    os.replace(temporary, path)


class GraphWorld:
    """Walking through a `PlaceGraph`; implements `worlds.world.World` without noise."""

    def __init__(self, graph: PlaceGraph) -> None:
        self.graph = graph
        self.name = graph.name
        self.place = 0
        self.yaw = 0.0
        self._travelled = 0.0
        self._lengths = graph.lengths()

    def reset(self, x: float, y: float, yaw: float) -> Observation:
        """Begin at the place nearest to (x, y), facing `yaw`."""
        self.place, self.yaw, self._travelled = self.graph.nearest(x, y), yaw, 0.0
        return self._observation()

    def step(self, waypoint_index: int) -> Observation:
        """Go where a waypoint leads, and face the way one walked."""
        rows = self.graph.way_rows[self.place]
        require_waypoint(waypoint_index, len(rows))
        row = rows[waypoint_index]
        self.yaw = float(self.graph.ways[row, 1])
        self.place = int(self.graph.leads_to[row])
        self._travelled += float(self._lengths[row])
        return self._observation()

    @property
    def position(self) -> tuple[float, float]:
        """The present place."""
        x, y = self.graph.points[self.place]
        return float(x), float(y)

    @property
    def heading(self) -> float:
        """Which way one faces, radians in the map."""
        return self.yaw

    @property
    def travelled(self) -> float:
        """Metres along the ways since `reset`."""
        return self._travelled

    @property
    def collisions(self) -> int:
        """Always 0: nothing to bump into in a graph."""
        return 0

    def _observation(self) -> Observation:
        """What is seen at the present place, turned into the robot's frame."""
        graph = self.graph
        sightings = tuple(
            Sighting(graph.labels[row], wrap_angle(float(bearing) - self.yaw), float(elevation),
                     float(size), None if np.isnan(distance) else float(distance), float(score))
            for row in graph.sighting_rows[self.place]
            for _, bearing, elevation, size, distance, score in [graph.sightings[row]])
        waypoints = tuple(
            Waypoint(wrap_angle(float(bearing) - self.yaw), float(distance), float(elevation))
            for _, bearing, elevation, distance in graph.ways[graph.way_rows[self.place]])
        x, y = self.position
        return Observation(sightings, waypoints, Pose(x, y, self.yaw, 'map'))
