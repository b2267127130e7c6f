"""Where a robot fits between the furniture: footprints, doorways and the open floor."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nl_robot.sim.records import Door, Item, Room

CELL = 0.1             # metres
PASSAGE = 0.28         # half of the narrowest way through a room, metres
POCKET = 8             # cells: a free spot smaller than this is nowhere a robot could be


@dataclass(frozen=True)
class Box:
    """An axis-parallel rectangle on the floor."""

    x0: float
    y0: float
    x1: float
    y1: float


def box_of(x: float, y: float, yaw: float, extent: tuple[float, float, float]) -> Box:
    """The axis-parallel box around a turned footprint."""
    c, s = abs(math.cos(yaw)), abs(math.sin(yaw))
    dx = (extent[0] * c + extent[1] * s) / 2
    dy = (extent[0] * s + extent[1] * c) / 2
    return Box(x - dx, y - dy, x + dx, y + dy)


def boxes_meet(a: Box, b: Box, gap: float = 0.0) -> bool:
    """Whether two boxes overlap or come nearer than `gap` along both axes."""
    return (a.x0 - gap < b.x1 and b.x0 - gap < a.x1
            and a.y0 - gap < b.y1 and b.y0 - gap < a.y1)


def distance_to_segment(box: Box, door: Door) -> float:
    """Metres between a box and the opening of a door, 0 where they touch."""
    half = door.width / 2
    across = abs(math.cos(door.yaw)) < 0.5       # walked along y: the opening lies along x
    hx, hy = (half, 0.0) if across else (0.0, half)
    dx = max(box.x0 - door.x - hx, door.x - hx - box.x1, 0.0)
    dy = max(box.y0 - door.y - hy, door.y - hy - box.y1, 0.0)
    return math.hypot(dx, dy)


def near_item(item: Item, x: NDArray[np.float64], y: NDArray[np.float64],
              radius: float) -> NDArray[np.bool_]:
    """Which points are nearer than `radius` to the (turned) footprint of an item."""
    c, s = math.cos(item.yaw), math.sin(item.yaw)
    dx, dy = x - item.x, y - item.y
    along = np.maximum(np.abs(c * dx + s * dy) - item.extent[0] / 2, 0.0)
    across = np.maximum(np.abs(c * dy - s * dx) - item.extent[1] / 2, 0.0)
    return np.asarray(along * along + across * across < radius * radius)


def near_box(box: Box, x: NDArray[np.float64], y: NDArray[np.float64],
             radius: float) -> NDArray[np.bool_]:
    """Which points are nearer than `radius` to a box."""
    dx = np.maximum(np.maximum(box.x0 - x, x - box.x1), 0.0)
    dy = np.maximum(np.maximum(box.y0 - y, y - box.y1), 0.0)
    return np.asarray(dx * dx + dy * dy < radius * radius)


def regions(free: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(rows, cols) numbers of the connected regions of free cells; 0 for what is not free.

    Regions smaller than `POCKET` cells count as not free.
    """
    labels, count = ndimage.label(free)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    keep = sizes >= POCKET
    keep[0] = False
    return np.asarray(np.where(keep[labels], labels, 0), dtype=np.int32)


@dataclass
class RoomFloor:
    """The free floor of one room while it is being furnished."""

    x: NDArray[np.float64]              # (1, cols) middles of the cells
    y: NDArray[np.float64]              # (rows, 1)
    free: NDArray[np.bool_]             # (rows, cols)
    doors: list[tuple[int, int]]        # the cell just inside of each door
    fronts: list[tuple[int, int]]       # cells before a fridge, a sink: somebody stands there

    @staticmethod
    def of(room: Room, doors: tuple[Door, ...]) -> RoomFloor:
        """The empty floor of a room."""
        x = np.arange(room.x0 + CELL / 2, room.x1, CELL)[None, :]
        y = np.arange(room.y0 + CELL / 2, room.y1, CELL)[:, None]
        free = ((x >= room.x0 + PASSAGE) & (x <= room.x1 - PASSAGE)
                & (y >= room.y0 + PASSAGE) & (y <= room.y1 - PASSAGE))
        cells = []
        for door in doors:
            inside_x = min(max(door.x, room.x0 + 0.36), room.x1 - 0.36)
            inside_y = min(max(door.y, room.y0 + 0.36), room.y1 - 0.36)
            cells.append((int((inside_y - room.y0) / CELL), int((inside_x - room.x0) / CELL)))
        return RoomFloor(x, y, free, cells, [])

    def block(self, box: Box) -> None:
        """An item now stands there."""
        self.free &= ~near_box(box, self.x, self.y, PASSAGE)

    def cell(self, point: tuple[float, float]) -> tuple[int, int]:
        """The (row, col) of a point, clipped to the room."""
        rows, cols = self.free.shape
        row = int((point[1] - self.y[0, 0]) / CELL + 0.5)
        col = int((point[0] - self.x[0, 0]) / CELL + 0.5)
        return min(max(row, 0), rows - 1), min(max(col, 0), cols - 1)

    def stays_open(self, box: Box, front: tuple[float, float] | None = None,
                   keep_fronts: bool = True) -> bool:
        """Whether one could still walk everywhere, and from door to door, with a new item.

        :param front: a point that must be free besides, as before a fridge
        :param keep_fronts: leave the fronts of earlier items free, too, where they still are
        """
        free = self.free & ~near_box(box, self.x, self.y, PASSAGE)
        numbers = regions(free)
        if np.unique(numbers[numbers > 0]).size != 1:
            return False
        if not all(numbers[cell] for cell in self.doors):
            return False
        if keep_fronts and any(self.free[cell] and not numbers[cell] for cell in self.fronts):
            return False
        return front is None or bool(numbers[self.cell(front)])
