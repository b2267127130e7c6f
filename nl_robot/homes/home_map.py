"""The map of a home: places, what is seen at each, and where its ways lead; words and geometry.

It grows with every observation and is never the whole: a way whose end nobody has seen is one to
explore.  Places keep their numbers for ever, so that trajectories can name them.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Observation, Sighting
from nl_robot.geometry import wrap_angle
from nl_robot.homes.files import write_arrays
from nl_robot.worlds.graph import PlaceGraph

FORMAT = 1
SAME_METRES = 0.5       # an observation this near to a place is made there
LANDING_METRES = 0.75   # a way that ends this near to a place leads to it
SAME_WAY = 0.25         # radians; ways of one place that differ less are the same way
UNKNOWN, BLOCKED = -1, -2

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Way:
    """A way of a place, in the frame of the map.

    :param bearing: radians; :param elevation: radians; :param distance: metres on the plan
    :param driven: the place that driving it led to, UNKNOWN, or BLOCKED
    :param offered: False for the way back of a drive, where the place itself offered none
    """

    bearing: float
    elevation: float
    distance: float
    driven: int = UNKNOWN
    offered: bool = True


@dataclass(frozen=True)
class Frontier:
    """A way whose end nobody has seen."""

    place: int
    way: int
    end: Point


class HomeMap:
    """Places by number; `start` is where the first one was seen."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.points: list[Point] = []
        self.sightings: list[tuple[Sighting, ...]] = []
        self.ways: list[list[Way]] = []

    def __len__(self) -> int:
        return len(self.points)

    # ---- growing

    def add(self, observation: Observation, height: float = 0.0) -> int:
        """Take in what is seen from a pose in the map's frame; the number of the place.

        What is seen anew at a place replaces what was seen there; of its ways it is kept where
        they were found to lead.
        """
        pose = observation.pose
        here = (pose.x, pose.y, height)
        seen = tuple(replace(s, bearing=wrap_angle(s.bearing + pose.yaw))
                     for s in observation.sightings)
        ways = [Way(wrap_angle(w.bearing + pose.yaw), w.elevation, w.distance)
                for w in observation.waypoints]
        place = self.nearest(here, SAME_METRES)
        if place is None:
            self.points.append(here)
            self.sightings.append(seen)
            self.ways.append(ways)
            return len(self) - 1
        old = self.ways[place]
        self.points[place], self.sightings[place] = here, seen
        self.ways[place] = [_as_known(way, old) for way in ways]
        self.ways[place] += [way for way in old if not way.offered]
        return place

    def drove(self, place: int, way: int, arrived: int) -> None:
        """Driving `way` of `place` ended at `arrived`: the way leads there, and one leads back."""
        if arrived == place:
            self.block(place, way)
            return
        self.ways[place][way] = replace(self.ways[place][way], driven=arrived)
        self._lead(arrived, place)

    def join(self, place: int, other: int) -> None:
        """Somebody drove from one place to the other: a way leads there, and one leads back."""
        if place != other:
            self._lead(place, other)
            self._lead(other, place)

    def _lead(self, place: int, to: int) -> None:
        """Let a way of `place` lead to `to`, where none does."""
        if to in {self.landing(place, way) for way in range(len(self.ways[place]))}:
            return
        (x, y, z), (to_x, to_y, to_z) = self.points[place], self.points[to]
        plan = max(math.hypot(to_x - x, to_y - y), 0.05)
        self.ways[place].append(Way(math.atan2(to_y - y, to_x - x), math.atan2(to_z - z, plan),
                                    plan, to, False))

    def block(self, place: int, way: int) -> None:
        """Nothing gets through there."""
        self.ways[place][way] = replace(self.ways[place][way], driven=BLOCKED)

    # ---- asking

    def nearest(self, point: Point, within: float = math.inf) -> int | None:
        """The place nearest to a point, None where there is none so near."""
        if not self.points:
            return None
        gaps = self._gaps(point)
        place = int(np.argmin(gaps))
        return place if gaps[place] <= within else None

    def _gaps(self, point: Point) -> NDArray[np.float64]:
        """(places,) metres from a point."""
        gaps: NDArray[np.float64] = np.linalg.norm(np.array(self.points) - np.array(point), axis=1)
        return gaps

    def end(self, place: int, way: int) -> Point:
        """Where a way ends."""
        (x, y, z), w = self.points[place], self.ways[place][way]
        return (x + w.distance * math.cos(w.bearing), y + w.distance * math.sin(w.bearing),
                z + w.distance * math.tan(max(-1.2, min(1.2, w.elevation))))

    def landing(self, place: int, way: int) -> int:
        """The place that a way leads to, UNKNOWN or BLOCKED."""
        driven = self.ways[place][way].driven
        if driven != UNKNOWN:
            return driven
        near = self.nearest(self.end(place, way), LANDING_METRES)
        return UNKNOWN if near is None or near == place else near

    def frontiers(self, cover: float) -> list[Frontier]:
        """Ways to where no place known is nearer than `cover` metres."""
        return [Frontier(place, way, self.end(place, way))
                for place, ways in enumerate(self.ways) for way in range(len(ways))
                if ways[way].driven == UNKNOWN
                and self.nearest(self.end(place, way), cover) is None]

    def _edges(self, place: int, closed: Set[tuple[int, int]]) -> Iterator[tuple[int, float]]:
        """(place, metres) of all that leads on from a place."""
        for way in range(len(self.ways[place])):
            if (to := self.landing(place, way)) >= 0 and (place, to) not in closed:
                yield to, max(math.dist(self.points[place], self.points[to]), 0.05)

    def routes(self, start: int, closed: Set[tuple[int, int]] = frozenset()
               ) -> tuple[dict[int, float], dict[int, int]]:
        """Metres to every place that can be reached, and the place before it (Dijkstra 1959).

        :param closed: pairs of places between which nobody goes
        """
        metres: dict[int, float] = {}
        before: dict[int, int] = {}
        queue = [(0.0, start, start)]
        while queue:
            gone, place, came = heapq.heappop(queue)
            if place in metres:
                continue
            metres[place], before[place] = gone, came
            for to, length in self._edges(place, closed):
                if to not in metres:
                    heapq.heappush(queue, (gone + length, to, place))
        return metres, before

    # ---- as a world, and on disk

    def graph(self) -> PlaceGraph:
        """The offline world: all places, and the ways whose ends are known."""
        ways = [(place, w.bearing, w.elevation, w.distance, self.landing(place, number))
                for place, found in enumerate(self.ways) for number, w in enumerate(found)]
        known = [way for way in ways if way[4] >= 0]
        points = np.array(self.points, float).reshape(-1, 3)
        return PlaceGraph(
            self.name, points[:, :2], tuple(s.label for seen in self.sightings for s in seen),
            _sighting_rows(self.sightings), np.array([w[:4] for w in known], float).reshape(-1, 4),
            np.array([w[4] for w in known], np.int64), points[:, 2])

    def save(self, path: Path) -> None:
        """Write one npz file, whole or not at all."""
        rows = [(place, w.bearing, w.elevation, w.distance, w.driven, w.offered)
                for place, found in enumerate(self.ways) for w in found]
        write_arrays(path, {
            'format': FORMAT, 'name': self.name, 'points': np.array(self.points, float),
            'labels': np.array([s.label for seen in self.sightings for s in seen], dtype=str),
            'sightings': _sighting_rows(self.sightings),
            'ways': np.array(rows, float).reshape(-1, 6)})

    @classmethod
    def load(cls, path: Path) -> HomeMap:
        """Read a file of `save`; ValueError where it is none, or damaged."""
        try:
            with np.load(path, allow_pickle=False) as data:
                arrays = {name: data[name] for name in data.files}
            if int(arrays['format']) != FORMAT:
                raise ValueError(f'it has format {int(arrays["format"])}, not {FORMAT}')
            return cls._of(arrays)
        except (KeyError, OSError, ValueError, EOFError, IndexError) as error:
            if isinstance(error, FileNotFoundError):
                raise
            raise ValueError(f'{path} is no map of a home: {error}') from error

    @classmethod
    def _of(cls, arrays: dict[str, Any]) -> HomeMap:
        found = cls(str(arrays['name']))
        found.points = [(float(x), float(y), float(z))
                        for x, y, z in arrays['points'].reshape(-1, 3)]
        seen: list[list[Sighting]] = [[] for _ in found.points]
        for label, (place, *row) in zip(arrays['labels'].tolist(), arrays['sightings']):
            bearing, elevation, size, distance, score = map(float, row)
            seen[int(place)].append(Sighting(
                label, bearing, elevation, size, None if math.isnan(distance) else distance,
                score))
        found.sightings = [tuple(row) for row in seen]
        found.ways = [[] for _ in found.points]
        for place, bearing, elevation, distance, driven, offered in arrays['ways']:
            found.ways[int(place)].append(Way(float(bearing), float(elevation), float(distance),
                                              int(driven), bool(offered)))
        return found


def _as_known(way: Way, old: list[Way]) -> Way:
    """A way as it is offered now, with what is known of where it leads."""
    for known in old:
        if (known.driven != UNKNOWN and abs(wrap_angle(known.bearing - way.bearing)) < SAME_WAY
                and abs(known.distance - way.distance) < LANDING_METRES):
            return replace(way, driven=known.driven)
    return way


def _sighting_rows(sightings: list[tuple[Sighting, ...]]) -> NDArray[np.float64]:
    """(sightings, 6) place, bearing, elevation, size, distance, score."""
    rows = [(place, s.bearing, s.elevation, s.size,
             math.nan if s.distance is None else s.distance, s.score)
            for place, seen in enumerate(sightings) for s in seen]
    return np.array(rows, float).reshape(-1, 6)
