"""The only owner of angles, frames and geodesic paths.

Frames follow REP-103: x forward, y left, angles counter-clockwise.  A transform or a point is
named after the frame it is in (`map_from_base`).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from nl_robot.datatypes import Pose, Waypoint


def wrap_angle(angle: float) -> float:
    """The same angle in (-pi, pi]."""
    wrapped = math.fmod(angle + math.pi, 2 * math.pi)
    return wrapped + math.pi if wrapped <= 0 else wrapped - math.pi


def point_in_map(map_from_base: Pose, bearing: float, distance: float) -> tuple[float, float]:
    """The point `distance` metres away in direction `bearing` of a robot at `map_from_base`."""
    heading = map_from_base.yaw + bearing
    return (map_from_base.x + distance * math.cos(heading),
            map_from_base.y + distance * math.sin(heading))


def polar_in_base(map_from_base: Pose, x: float, y: float) -> tuple[float, float]:
    """Bearing and distance of the map point (x, y) as seen by a robot at `map_from_base`."""
    dx, dy = x - map_from_base.x, y - map_from_base.y
    return wrap_angle(math.atan2(dy, dx) - map_from_base.yaw), math.hypot(dx, dy)


def waypoint_pose(map_from_base: Pose, waypoint: Waypoint) -> Pose:
    """The pose in the map of a waypoint, facing away from where the robot stands."""
    x, y = point_in_map(map_from_base, waypoint.bearing, waypoint.distance)
    return Pose(x, y, wrap_angle(map_from_base.yaw + waypoint.bearing), map_from_base.frame)


def quaternion_from_yaw(yaw: float) -> tuple[float, float, float, float]:
    """(x, y, z, w) of a rotation by `yaw` about the vertical axis."""
    return 0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2)


def yaw_from_quaternion(x: float, y: float, z: float, w: float) -> float:
    """The heading of a quaternion; ValueError for one of zero or non-finite length."""
    norm = x * x + y * y + z * z + w * w
    if not math.isfinite(norm) or norm < 1e-6:
        raise ValueError(f'not a rotation: quaternion ({x}, {y}, {z}, {w})')
    return math.atan2(2 * (w * z + x * y) / norm, 1 - 2 * (y * y + z * z) / norm)


def graph_distances(neighbours: Mapping[Hashable, Mapping[Hashable, float]],
                    source: Hashable) -> dict[Hashable, float]:
    """Shortest distance in metres from `source` to every place it can reach (Dijkstra 1959)."""
    distances: dict[Hashable, float] = {}
    queue: list[tuple[float, int, Hashable]] = [(0.0, 0, source)]
    order = 0
    while queue:
        distance, _, place = heapq.heappop(queue)
        if place in distances:
            continue
        distances[place] = distance
        for other, length in neighbours[place].items():
            if other not in distances:
                order += 1
                heapq.heappush(queue, (distance + length, order, other))
    return distances


@dataclass(frozen=True)
class FloorGrid:
    """Where the middle of a robot may stand, and how far it is along the floor.

    :param free: (rows, cols) bool; cell [r, c] has its middle at
        (origin[0] + (c + 0.5) resolution, origin[1] + (r + 0.5) resolution)
    :param origin: the map point of the lower left corner, metres
    :param resolution: metres per cell
    """

    free: NDArray[np.bool_]
    origin: tuple[float, float]
    resolution: float

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """The (row, col) of a point, clipped to the grid."""
        rows, cols = self.free.shape
        return (min(max(int((y - self.origin[1]) // self.resolution), 0), rows - 1),
                min(max(int((x - self.origin[0]) // self.resolution), 0), cols - 1))

    def point(self, row: int, col: int) -> tuple[float, float]:
        """The middle of a cell in the map, metres."""
        return (self.origin[0] + (col + 0.5) * self.resolution,
                self.origin[1] + (row + 0.5) * self.resolution)

    def nearest_free(self, x: float, y: float) -> tuple[int, int]:
        """The free cell nearest to a point; ValueError on a grid without one."""
        row, col = self.cell(x, y)
        if self.free[row, col]:
            return row, col
        rows, cols = np.nonzero(self.free)
        if not rows.size:
            raise ValueError('the floor grid has no free cell')
        best = int(np.argmin((rows - row) ** 2 + (cols - col) ** 2))
        return int(rows[best]), int(cols[best])

    def mask(self, points: Iterable[tuple[float, float]]) -> NDArray[np.bool_]:
        """(rows, cols) bool: the free cells nearest to the given points."""
        mask = np.zeros_like(self.free)
        for x, y in points:
            mask[self.nearest_free(x, y)] = True
        return mask

    def distances(self, sources: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Metres along the floor from the nearest source to every cell; inf where no way leads.

        Eight-connected; a diagonal move needs both its orthogonal neighbours free, so that a
        path never squeezes between two corners.  Sources that are not free are ignored.

        :param sources: (rows, cols) bool
        """
        indices = np.flatnonzero(sources & self.free)
        if not indices.size:
            return np.full(self.free.shape, np.inf)
        field_ = dijkstra(self._adjacency, directed=False, indices=indices, min_only=True)
        return np.asarray(field_).reshape(self.free.shape)

    @cached_property
    def _adjacency(self) -> csr_matrix:
        """(cells, cells) sparse lengths of the moves between free neighbours."""
        free, index = self.free, np.arange(self.free.size).reshape(self.free.shape)
        right, up = free[:, :-1] & free[:, 1:], free[:-1] & free[1:]
        square = right[:-1] & right[1:]
        pairs = [(index[:, :-1][right], index[:, 1:][right], 1.0),
                 (index[:-1][up], index[1:][up], 1.0),
                 (index[:-1, :-1][square], index[1:, 1:][square], math.sqrt(2)),
                 (index[:-1, 1:][square], index[1:, :-1][square], math.sqrt(2))]
        a, b = (np.concatenate([pair[k] for pair in pairs]) for k in (0, 1))
        lengths = np.concatenate([np.full(p[0].size, p[2] * self.resolution) for p in pairs])
        return csr_matrix((lengths, (a, b)), shape=(free.size, free.size))

    def distance_at(self, field_: NDArray[np.float64], x: float, y: float) -> float:
        """The value of a distance field at the free cell nearest to a point, metres."""
        return float(field_[self.nearest_free(x, y)])

    def path(self, field_: NDArray[np.float64], x: float, y: float) -> list[tuple[float, float]]:
        """Points downhill on a field of `distances`, from (x, y) to a source.

        :raises ValueError: where no way leads from (x, y)
        """
        cell = self.nearest_free(x, y)
        if not np.isfinite(field_[cell]):
            raise ValueError(f'no way leads from ({x:.2f}, {y:.2f}) to the target')
        cells = [cell]
        while field_[cells[-1]] > 0:
            cells.append(self._downhill(field_, cells[-1]))
        return [self.point(*cell) for cell in cells]

    def _downhill(self, field_: NDArray[np.float64], cell: tuple[int, int]) -> tuple[int, int]:
        """The neighbour through which the shortest way from `cell` leads."""
        row, col = cell
        rows, cols = self.free.shape
        best, choice = math.inf, cell
        for r in range(max(0, row - 1), min(rows, row + 2)):
            for c in range(max(0, col - 1), min(cols, col + 2)):
                if (r, c) == cell or not (self.free[row, c] and self.free[r, col]):
                    continue
                through = field_[r, c] + self.resolution * math.hypot(r - row, c - col)
                if field_[r, c] < field_[cell] and through < best:
                    best, choice = through, (r, c)
        return choice
