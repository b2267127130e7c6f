"""A furnished home as plain solids in the map: what MuJoCo and Gazebo are both told.

A body is what moves as one, and is named after what it is: `item/<name>`, `door/<name>`; the
shell of the home (foundation, floors, walls) is a body without a name at the origin.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

from nl_robot.sim.records import Door, Home, Item, Room, Wall

FRAME_COLOUR = (0.06, 0.30, 0.24)
"""Of all door frames: a dark green that neither walls nor furniture have."""
FRAME_WIDTH = 0.07
"""How wide a frame is on the wall, metres."""
WALL = 0.12
"""Thickness of an ordinary wall, metres: the foundation reaches under it."""

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Solid:
    """One primitive in the frame of its body.

    :param shape, size: as of `Part`: MuJoCo's half-sizes
    :param solid: it stops the robot; otherwise it can be seen, no more
    """

    shape: str
    size: tuple[float, ...]
    position: Vector
    rgb: Vector
    solid: bool
    euler: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Body:
    """Solids that belong together; `yaw` in radians turns them about the position."""

    name: str
    position: Vector
    yaw: float
    solids: tuple[Solid, ...]


def home_bodies(home: Home) -> Iterator[Body]:
    """The shell, every door frame and every item; the ceiling is left to who draws it."""
    yield Body('', (0.0, 0.0, 0.0), 0.0, tuple(_floors(home)))
    yield Body('', (0.0, 0.0, 0.0), 0.0, tuple(_wall(wall) for wall in home.walls))
    for door in home.doors:
        yield _door(door, home)
    for item in home.items:
        yield _item(item)


def bounds(home: Home) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) around all rooms and walls, metres."""
    boxes: list[Room | Wall] = [*home.rooms, *home.walls]
    return (min(b.x0 for b in boxes), min(b.y0 for b in boxes),
            max(b.x1 for b in boxes), max(b.y1 for b in boxes))


def wall_height(home: Home) -> float:
    """The height of the tallest wall, metres (2.5 in a home without walls)."""
    return max((wall.height for wall in home.walls), default=2.5)


def _floors(home: Home) -> Iterator[Solid]:
    """Foundation and floor of every room."""
    for room in home.rooms:
        size = ((room.x1 - room.x0) / 2, (room.y1 - room.y0) / 2)
        yield Solid('box', (size[0] + WALL, size[1] + WALL, 0.05), (*room.centre, -0.054),
                    (0.45, 0.36, 0.28), solid=False)
        yield Solid('box', (*size, 0.02), (*room.centre, -0.02), room.floor_colour, solid=False)


def _wall(wall: Wall) -> Solid:
    """A wall from `base` to `height` above the floor."""
    size = ((wall.x1 - wall.x0) / 2, (wall.y1 - wall.y0) / 2, (wall.height - wall.base) / 2)
    position = ((wall.x0 + wall.x1) / 2, (wall.y0 + wall.y1) / 2, (wall.base + wall.height) / 2)
    return Solid('box', size, position, wall.rgb, solid=True)


@dataclass(frozen=True)
class Opening:
    """The hole of a door in its wall: `back` and `front` are its faces along the way through.

    :param back, front: metres from the door's middle, back <= 0 <= front
    :param height: metres
    """

    back: float
    front: float
    height: float


def doorway(door: Door, home: Home) -> Opening:
    """The opening of a door, read from the walls at its sides and above it.

    A wall may be built of two layers, one per room.  Where there is no wall, it is 0.12 m thick
    and 2.0 m high.
    """
    along = (math.cos(door.yaw), math.sin(door.yaw))
    beside = door.width / 2 + 0.05
    faces, height = [], 2.0
    for wall in home.walls:
        for shift, side in itertools.product((-0.03, 0.0, 0.03), (-beside, 0.0, beside)):
            x = door.x + shift * along[0] - side * along[1]
            y = door.y + shift * along[1] + side * along[0]
            if not (wall.x0 <= x <= wall.x1 and wall.y0 <= y <= wall.y1):
                continue
            if side == 0.0:
                height = wall.base if wall.base > 0 else height
            else:
                corners = ((wall.x0, wall.y0), (wall.x1, wall.y1))
                faces += [(u - door.x) * along[0] + (v - door.y) * along[1] for u, v in corners]
    return Opening(min(faces, default=-0.06), max(faces, default=0.06), height)


def _door(door: Door, home: Home) -> Body:
    """Two jambs and a lintel trim, 15 mm proud of the wall; x of the body leads through."""
    hole, half = doorway(door, home), FRAME_WIDTH / 2
    middle, depth = (hole.back + hole.front) / 2, (hole.front - hole.back) / 2 + 0.015
    side = door.width / 2 + half - 0.005
    parts = [Solid('box', (depth, half, hole.height / 2), (middle, sign * side, hole.height / 2),
                   FRAME_COLOUR, solid=True) for sign in (-1, 1)]
    parts.append(Solid('box', (depth, door.width / 2 + FRAME_WIDTH, half),
                       (middle, 0, hole.height + half - 0.01), FRAME_COLOUR, solid=False))
    return Body(f'door/{door.name}', (door.x, door.y, 0), door.yaw, tuple(parts))


def _item(item: Item) -> Body:
    """An item with one solid per part."""
    return Body(f'item/{item.name}', (item.x, item.y, item.z), item.yaw, tuple(
        Solid(part.shape, part.size, part.position, part.rgb, item.collides, part.euler)
        for part in item.parts))
