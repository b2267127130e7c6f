"""A home drawn by hand for tests: a hallway along x with two rooms on either side.

        y
        6 +-----------+-----------+
          |  kitchen  |  bedroom  |
        2 +----d1-----+-----d2----+      d1 at x = 2, d2 at x = 6
          |        hallway        |
        0 +--------d3-+-----d4----+      d3 at x = 3.5, d4 at x = 6
          |  bathroom | living rm |
       -4 +-----------+-----------+ x
          0           4           8
"""

from __future__ import annotations

import math

import numpy as np

from nl_robot.geometry import FloorGrid
from nl_robot.sim.records import Door, Home, Item, Room

ROOMS = (Room('hallway', 'hallway', 0, 0, 8, 2), Room('kitchen', 'kitchen', 0, 2, 4, 6),
         Room('bedroom', 'bedroom', 4, 2, 8, 6), Room('bathroom', 'bathroom', 0, -4, 4, 0),
         Room('living room', 'living room', 4, -4, 8, 0))
DOORS = tuple(Door(name, x, y, math.pi / 2, 1.0, (room, 'hallway')) for name, x, y, room in (
    ('d1', 2.0, 2.0, 'kitchen'), ('d2', 6.0, 2.0, 'bedroom'), ('d3', 3.5, 0.0, 'bathroom'),
    ('d4', 6.0, 0.0, 'living room')))


def item(name: str, kind: str, colour: str, x: float, y: float, room: str,
         extent: tuple[float, float, float] = (0.6, 0.6, 0.8), on: str = '') -> Item:
    """An item without parts, its sides along the axes."""
    return Item(name, kind, colour, 'wood', '', x, y, 0.0, 0.0, extent, room, (), on)


ITEMS = (item('sofa', 'sofa', 'red', 6.5, -3.5, 'living room'),
         item('plant', 'plant', 'green', 4.0, 0.3, 'hallway', (0.4, 0.4, 1.0)),
         item('chair', 'chair', 'red', 0.5, 5.5, 'kitchen'),
         item('chair 2', 'chair', 'blue', 7.5, 5.5, 'bedroom'),
         item('table', 'kitchen table', 'blue', 1.5, 5.5, 'kitchen'),
         item('vase', 'vase', 'white', 1.5, 5.5, 'kitchen', (0.2, 0.2, 0.3), on='table'))
HOME = Home(7, ROOMS, DOORS, (), ITEMS)


def make_grid() -> FloorGrid:
    """Free within 0.2 m of no wall and no item that stands; doorways are 0.6 m wide."""
    grid = FloorGrid(np.zeros((100, 80), bool), (0.0, -4.0), 0.1)
    free = np.zeros((100, 80), bool)
    for row in range(100):
        for col in range(80):
            x, y = grid.point(row, col)
            inside = any(r.x0 + 0.2 < x < r.x1 - 0.2 and r.y0 + 0.2 < y < r.y1 - 0.2
                         for r in ROOMS)
            through = any(abs(x - d.x) < 0.3 and abs(y - d.y) < 0.25 for d in DOORS)
            taken = any(abs(x - i.x) < i.extent[0] / 2 + 0.2 and abs(y - i.y) < i.extent[1] / 2
                        + 0.2 for i in ITEMS if not i.on)
            free[row, col] = (inside or through) and not taken
    return FloorGrid(free, (0.0, -4.0), 0.1)


GRID = make_grid()
