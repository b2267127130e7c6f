"""What fulfils a goal in a home, and how far it is along the floor.

A `Target` is a set of places of which any one will do.  In a room means inside its walls.  At
an item means within `REACH` metres, along the floor, of the floor by the item: of the free cells
in the item's own room that are nearest to its footprint (all those at most `SLACK` farther from
it than the very nearest).  So nobody is at a sofa from behind its wall.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nl_robot.geometry import FloorGrid
from nl_robot.sim.records import Home, Item, Room

REACH = 1.5    # metres along the floor: success at an item or a point
SLACK = 0.15   # metres
_HOMES_KEPT, _FIELDS_KEPT = 256, 16


@dataclass(frozen=True)
class Target:
    """The set of places that fulfil a goal: any of these rooms or items, or the point.

    :param rooms: names of rooms of the home
    :param items: names of items of the home
    :param point: (x, y) in the map, metres
    """

    rooms: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    point: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not self.rooms and not self.items and self.point is None:
            raise ValueError('a Target needs at least one room, item or point')


@dataclass
class Places:
    """A home and its floor, with what has been worked out about them so far."""

    home: Home
    grid: FloorGrid
    items: dict[str, Item] = field(init=False)
    pairs: list[tuple[str, str, float]] | None = None  # see descriptions.neighbours
    _cells: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    _fields: OrderedDict[Target, NDArray[np.float64]] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self.items = {item.name: item for item in self.home.items}
        rows, cols = self.grid.free.shape
        self._x, self._y = (np.array([self.grid.point(0, c)[0] for c in range(cols)]),
                            np.array([self.grid.point(r, 0)[1] for r in range(rows)]))

    def room_cells(self, name: str) -> NDArray[np.int64]:
        """Flat indices of the free cells whose middle lies in the room."""
        if 'room ' + name not in self._cells:
            inside = self._inside(self.home.room(name)) & self.grid.free
            self._cells['room ' + name] = np.flatnonzero(inside)
        return self._cells['room ' + name]

    def deep_cells(self, name: str, depth: float = 0.5) -> NDArray[np.int64]:
        """Those `room_cells` at least `depth` metres from the walls; all where there are none."""
        room, cells = self.home.room(name), self.room_cells(name)
        rows, cols = np.divmod(cells, self.grid.free.shape[1])
        x, y = self._x[cols], self._y[rows]
        edge = np.minimum.reduce([x - room.x0, room.x1 - x, y - room.y0, room.y1 - y])
        return cells[edge >= depth] if (edge >= depth).any() else cells

    def item_cells(self, name: str) -> NDArray[np.int64]:
        """Flat indices of the free cells by the item, as told at the top of this module.

        :raises KeyError: naming an item that the home does not have
        """
        if 'item ' + name not in self._cells:
            if name not in self.items:
                raise KeyError(f'no item {name!r} in {self.home.name}')
            item = self.items[name]
            cells = self.room_cells(item.room)
            rows, cols = np.divmod(cells, self.grid.free.shape[1])
            gaps = footprint_distance(item, self._x[cols], self._y[rows])
            self._cells['item ' + name] = cells[gaps <= gaps.min(initial=math.inf) + SLACK]
        return self._cells['item ' + name]

    def target_cells(self, target: Target) -> NDArray[np.int64]:
        """Flat indices of the free cells where the distance to the target is nothing."""
        cells = [self.room_cells(name) for name in target.rooms]
        cells += [self.item_cells(name) for name in target.items]
        if target.point is not None:
            nearest = self.grid.nearest_free(*target.point)
            cells.append(np.array([np.ravel_multi_index(nearest, self.grid.free.shape)]))
        return np.unique(np.concatenate(cells))

    def distance_field(self, target: Target) -> NDArray[np.float64]:
        """Metres along the floor from every cell to the target."""
        if target not in self._fields:
            sources = np.zeros(self.grid.free.size, bool)
            sources[self.target_cells(target)] = True
            self._fields[target] = self.grid.distances(sources.reshape(self.grid.free.shape))
        self._fields.move_to_end(target)
        while len(self._fields) > _FIELDS_KEPT:
            self._fields.popitem(last=False)
        return self._fields[target]

    def _inside(self, room: Room) -> NDArray[np.bool_]:
        return ((self._x >= room.x0) & (self._x <= room.x1))[None, :] \
            & ((self._y >= room.y0) & (self._y <= room.y1))[:, None]


_known: OrderedDict[tuple[int, int], Places] = OrderedDict()


def places_of(home: Home, grid: FloorGrid) -> Places:
    """The places of a home, remembered as long as it is among the last 256 asked for."""
    key = (id(home), id(grid))
    if key not in _known:
        _known[key] = Places(home, grid)
    _known.move_to_end(key)
    while len(_known) > _HOMES_KEPT:
        _known.popitem(last=False)
    return _known[key]


def footprint_distance(item: Item, x: NDArray[np.float64],
                       y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres from points to an item's footprint, a turned rectangle; 0 inside it."""
    c, s = math.cos(item.yaw), math.sin(item.yaw)
    dx, dy = np.asarray(x) - item.x, np.asarray(y) - item.y
    along = np.maximum(np.abs(c * dx + s * dy) - item.extent[0] / 2, 0.0)
    across = np.maximum(np.abs(c * dy - s * dx) - item.extent[1] / 2, 0.0)
    return np.asarray(np.hypot(along, across))


def gap(a: Item, b: Item) -> float:
    """Metres between the footprints of two items, by their corners and middles."""
    return min(float(footprint_distance(p, *_outline(q)).min()) for p, q in ((a, b), (b, a)))


def _outline(item: Item) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nine points of a footprint: corners, middles of the edges, middle."""
    u = np.array([-1, -1, -1, 0, 0, 0, 1, 1, 1]) * item.extent[0] / 2
    v = np.array([-1, 0, 1] * 3) * item.extent[1] / 2
    c, s = math.cos(item.yaw), math.sin(item.yaw)
    return item.x + c * u - s * v, item.y + s * u + c * v


def distance_field(home: Home, grid: FloorGrid, target: Target) -> NDArray[np.float64]:
    """(rows, cols) metres along the floor to the target: 0 inside its rooms and by its items."""
    return places_of(home, grid).distance_field(target)


def remaining(home: Home, grid: FloorGrid, target: Target, x: float, y: float) -> float:
    """Metres along the floor from (x, y) to the target; inf where no way leads."""
    return grid.distance_at(distance_field(home, grid, target), x, y)


def fulfilled(home: Home, grid: FloorGrid, target: Target, x: float, y: float) -> bool:
    """Whether standing at (x, y) does it: in a room, or within 1.5 m of the rest."""
    if _in_any(home, target.rooms, x, y):
        return True
    rest = Target((), target.items, target.point) if target.rooms and (
        target.items or target.point) else target
    if not rest.items and rest.point is None:
        return False
    return remaining(home, grid, rest, x, y) <= REACH


def _in_any(home: Home, rooms: Iterable[str], x: float, y: float) -> bool:
    return any(home.room(name).contains(x, y) for name in rooms)
