"""A hand-made home for the tests of the simulator: one or two plain rooms."""

from __future__ import annotations

import math

from nl_robot.sim.records import Door, Home, Item, Part, Room, Wall

PAINT = (0.9, 0.9, 0.85)


def cube(name: str, x: float, y: float, *, side: float = 0.4, kind: str = 'box',
         colour: str = 'red', z: float = 0.0, yaw: float = 0.0, room: str = 'hall',
         collides: bool = True, height: float | None = None) -> Item:
    """A cube (or a flat or tall box) standing on the floor."""
    tall = side if height is None else height
    part = Part('box', (side / 2, side / 2, tall / 2), (0.0, 0.0, tall / 2), (0.8, 0.1, 0.1))
    return Item(name, kind, colour, '', '', x, y, z, yaw, (side, side, tall), room, (part,),
                collides=collides)


def room_of_6_by_4(*items: Item) -> Home:
    """One closed room: x from 0 to 6, y from 0 to 4, walls 2.5 m high."""
    walls = (Wall(-0.1, -0.1, 6.1, 0.0, 2.5, PAINT), Wall(-0.1, 4.0, 6.1, 4.1, 2.5, PAINT),
             Wall(-0.1, 0.0, 0.0, 4.0, 2.5, PAINT), Wall(6.0, 0.0, 6.1, 4.0, 2.5, PAINT))
    return Home(0, (Room('hall', 'hallway', 0.0, 0.0, 6.0, 4.0),), (), walls, tuple(items))


def two_rooms(*items: Item) -> Home:
    """The room of 6 by 4, and behind a doorway at (3, 4.05), 0.9 m wide, another one."""
    home = room_of_6_by_4(*items)
    south, _, west, east = home.walls
    walls = (south, west, east, Wall(-0.1, 4.0, 2.55, 4.1, 2.5, PAINT),
             Wall(3.45, 4.0, 6.1, 4.1, 2.5, PAINT), Wall(2.55, 4.0, 3.45, 4.1, 2.5, PAINT, 2.05),
             Wall(-0.1, 4.1, 0.0, 7.0, 2.5, PAINT), Wall(6.0, 4.1, 6.1, 7.0, 2.5, PAINT),
             Wall(-0.1, 7.0, 6.1, 7.1, 2.5, PAINT))
    rooms = (*home.rooms, Room('den', 'living room', 0.0, 4.1, 6.0, 7.0))
    door = Door('door 1', 3.0, 4.05, math.pi / 2, 0.9, ('hall', 'den'))
    return Home(0, rooms, (door,), walls, tuple(items))
