"""The seeded generator of furnished homes, and the free floor in them."""

from __future__ import annotations

import math

import numpy as np

from nl_robot.datatypes import Pose
from nl_robot.geometry import FloorGrid
from nl_robot.sim.catalogue import COLOURS, KINDS
from nl_robot.sim.clearance import Box, near_box, near_item, regions
from nl_robot.sim.furnishing import Furnisher
from nl_robot.sim.layout import ROOM_KINDS, Plan, draw_layout
from nl_robot.sim.records import Home, Item, Wall

__all__ = ['COLOURS', 'KINDS', 'LABELS', 'ROOM_KINDS', 'floor_grid', 'free_poses',
           'generate_home']

LABELS: tuple[str, ...] = KINDS + ('door',)
ATTEMPTS = 40
REACH = 2.0        # a wall that starts above this is a lintel: the robot drives below it


def generate_home(seed: int) -> Home:
    """The furnished home of a seed: the same at every call, another for every other seed.

    :raises ValueError: for a negative seed
    """
    if seed < 0:
        raise ValueError(f'the seed of a home must be 0 or more, got {seed}')
    rng = np.random.default_rng(seed)
    for _ in range(ATTEMPTS):
        home = _furnished(seed, draw_layout(rng), rng)
        if _connected(home):
            return home
    raise RuntimeError(f'no connected home came out of seed {seed} in {ATTEMPTS} attempts')


def _furnished(seed: int, plan: Plan, rng: np.random.Generator) -> Home:
    """The plan with items in every room."""
    names: dict[str, int] = {}
    items: list[Item] = []
    for room in plan.rooms:
        doors = tuple(door for door in plan.doors if room.name in door.rooms)
        items += Furnisher(room, plan.rooms, doors, rng, names).furnish()
    return Home(seed, plan.rooms, plan.doors, plan.walls, tuple(items))


def _connected(home: Home) -> bool:
    """Whether a robot can drive from every room to every other, and nowhere is cut off."""
    grid = floor_grid(home)
    numbers = regions(grid.free)
    if np.unique(numbers[numbers > 0]).size != 1:
        return False
    for room in home.rooms:
        low, high = grid.cell(room.x0, room.y0), grid.cell(room.x1, room.y1)
        inside = numbers[low[0]:high[0] + 1, low[1]:high[1] + 1]
        if np.count_nonzero(inside) < 40:
            return False
    return True


def floor_grid(home: Home, radius: float = 0.22, resolution: float = 0.1) -> FloorGrid:
    """Where the middle of a robot of this radius may be: clear of walls and of what collides.

    Spots between furniture that are too small to be anywhere (under 0.08 square metres at the
    usual resolution) are not free.

    :param radius: of the robot with its margin, metres
    :param resolution: metres per cell
    """
    if radius < 0 or resolution <= 0:
        raise ValueError(f'radius must be >= 0 and resolution > 0, got {radius}, {resolution}')
    x0, y0 = min(w.x0 for w in home.walls), min(w.y0 for w in home.walls)
    x1, y1 = max(w.x1 for w in home.walls), max(w.y1 for w in home.walls)
    cols, rows = (math.ceil(round((b - a) / resolution, 6)) for a, b in ((x0, x1), (y0, y1)))
    x = np.asarray(x0 + (np.arange(cols) + 0.5)[None, :] * resolution, dtype=np.float64)
    y = np.asarray(y0 + (np.arange(rows) + 0.5)[:, None] * resolution, dtype=np.float64)
    free = np.zeros((rows, cols), dtype=bool)
    for room in home.rooms:
        free |= (x > room.x0) & (x < room.x1) & (y > room.y0) & (y < room.y1)
    for door in home.doors:
        along = math.cos(door.yaw) > 0.5
        hx, hy = (0.2, door.width / 2) if along else (door.width / 2, 0.2)
        free |= (abs(x - door.x) <= hx) & (abs(y - door.y) <= hy)
    for wall in home.walls:
        if wall.base < REACH:
            _clear(free, x, y, wall, radius)
    for item in home.items:
        if item.collides:
            free &= ~near_item(item, x, y, radius)
    return FloorGrid(regions(free) > 0, (x0, y0), resolution)


def _clear(free: np.ndarray, x: np.ndarray, y: np.ndarray, wall: Wall, radius: float) -> None:
    """Take the cells nearer than `radius` to a wall out of the free ones, in place."""
    rows = slice(*np.searchsorted(y[:, 0], (wall.y0 - radius, wall.y1 + radius)))
    cols = slice(*np.searchsorted(x[0], (wall.x0 - radius, wall.x1 + radius)))
    box = Box(wall.x0, wall.y0, wall.x1, wall.y1)
    free[rows, cols] &= ~near_box(box, x[:, cols], y[rows], radius)


def free_poses(home: Home, rng: np.random.Generator, count: int) -> list[Pose]:
    """Random poses in frame `map`, at least 0.35 m from walls and items, in reach of all rooms.

    :raises ValueError: where the home has no such spot
    """
    grid = floor_grid(home, radius=0.35)
    main = floor_grid(home)
    rows, cols = np.nonzero(grid.free & main.free)
    if not rows.size:
        raise ValueError(f'{home.name} has no free floor 0.35 m from everything')
    poses = []
    for k in rng.integers(rows.size, size=count):
        x, y = grid.point(int(rows[k]), int(cols[k]))
        poses.append(Pose(float(x), float(y), float(rng.uniform(-math.pi, math.pi)), 'map'))
    return poses
