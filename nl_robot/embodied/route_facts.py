"""What is true of a route through a home: turns, doors, rooms, landmarks, counts of doors.

Left and right are those of somebody who walks the route.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Pose
from nl_robot.embodied.places import footprint_distance
from nl_robot.geometry import FloorGrid, wrap_angle
from nl_robot.sim.records import Door, Home, Item, Room

TURN = math.radians(42)      # a smaller change of heading is not worth a word
AROUND = math.radians(135)
ONE_TURN = 1.2               # metres: bends nearer than this to one another are one turn
AT_DOOR = 0.8                # metres between a turn and the doorway it leads through
PASS_WITHIN = 1.2            # metres to the side
LONG_ROOM = 1.4              # length over width from which doors are counted along a room
BESIDE = 0.5                 # metres: a door less than this ahead can't be counted for sure
MOST_DOORS = 6               # nobody counts farther

Point = tuple[float, float]


@dataclass(frozen=True)
class Fact:
    """One thing that happens on the way.

    :param kind: `straight`, `around`, `turn`, `enter` (through a door) or `pass`
    :param at: metres from the start
    :param side: `left`, `right` or ''; of an `enter`, the turn that it takes
    :param room: the name of the room entered
    :param item: the name of the item passed, or by which one turns
    :param nth: of an `enter`: which door on that `count_side` it is, 0 where it isn't counted
    """

    kind: str
    at: float
    side: str = ''
    room: str = ''
    item: str = ''
    nth: int = 0
    count_side: str = ''


def side_of(angle: float) -> str:
    """`left` for a positive angle, `right` for a negative one."""
    return 'left' if angle > 0 else 'right'


def taut(grid: FloorGrid, path: list[Point]) -> list[Point]:
    """The path pulled straight wherever free floor allows: its corners only."""
    points, at = [path[0]], 0
    while at < len(path) - 1:
        low, high = at + 1, len(path) - 1
        if not _open(grid, path[at], path[high]):
            while high - low > 1:  # the farthest point in a straight line, by halving
                middle = (low + high) // 2
                low, high = (middle, high) if _open(grid, path[at], path[middle]) \
                    else (low, middle)
            high = low
        at = high
        points.append(path[at])
    return points


def _open(grid: FloorGrid, a: Point, b: Point) -> bool:
    """True when the straight line between two points stays on free floor."""
    count = max(2, int(math.dist(a, b) / grid.resolution * 2) + 1)
    x, y = np.linspace(a[0], b[0], count), np.linspace(a[1], b[1], count)
    rows = ((y - grid.origin[1]) / grid.resolution).astype(int)
    cols = ((x - grid.origin[0]) / grid.resolution).astype(int)
    return bool(grid.free[rows, cols].all())


def resample(path: list[Point], step: float = 0.1) -> tuple[NDArray[np.float64], ...]:
    """Points every `step` metres of a path: (n,) arrays of metres, x, y and heading."""
    corners = np.array(path)
    lengths = np.hypot(*np.diff(corners, axis=0).T)
    marks = np.concatenate([[0.0], np.cumsum(lengths)])
    at = np.arange(0.0, marks[-1] + 1e-9, step)
    x, y = np.interp(at, marks, corners[:, 0]), np.interp(at, marks, corners[:, 1])
    headings = np.arctan2(np.diff(corners[:, 1]), np.diff(corners[:, 0]))
    segment = np.clip(np.searchsorted(marks, at, side='right') - 1, 0, len(headings) - 1)
    return at, x, y, headings[segment]


def turns(path: list[Point], yaw: float) -> list[tuple[float, float, float]]:
    """Where the route bends: (first metre, last metre, radians, left positive) of every turn.

    Turning from the heading `yaw` into the first leg is the first one, at 0; bends close to
    one another are added up, so a swerve is no turn.  On the spot there is no way round, so
    the first turn is never more than half a circle.
    """
    corners = np.array(path)
    steps = np.diff(corners, axis=0)
    marks = np.concatenate([[0.0], np.cumsum(np.hypot(*steps.T))])
    headings = [yaw, *np.arctan2(steps[:, 1], steps[:, 0])]
    groups: list[list[float]] = []
    for index in range(len(headings) - 1):
        at, bend = float(marks[index]), wrap_angle(headings[index + 1] - headings[index])
        if groups and at - groups[-1][1] <= ONE_TURN:
            groups[-1][1], groups[-1][2] = at, groups[-1][2] + bend
        else:
            groups.append([at, at, bend])
    if groups:
        groups[0][2] = wrap_angle(groups[0][2])
    return [(first, last, bend) for first, last, bend in groups]


def route_facts(home: Home, path: list[Point], start: Pose) -> list[Fact]:
    """The turns, doors and passed items of a taut path, in order.

    :param path: corners in the map
    :param start: where it begins, and which way the robot faces there
    """
    at, x, y, heading = resample(path)
    inside = _rooms_of(home, x, y)
    enters = _enters(home, at, x, y, inside, start)
    facts: list[Fact] = []
    for first, last, bend in turns(path, start.yaw):
        if abs(bend) < TURN:
            facts += [Fact('straight', 0.0)] if first == 0 else []
        elif first == 0 and abs(bend) >= AROUND:
            facts.append(Fact('around', 0.0))
        else:
            near = [k for k, enter in enumerate(enters) if not enter.side
                    and first - AT_DOOR <= enter.at <= last + AT_DOOR]
            if near:
                old = enters[near[0]]
                enters[near[0]] = Fact('enter', old.at, side_of(bend), old.room, '', old.nth,
                                       old.count_side)
            else:
                facts.append(_turn(home, (first + last) / 2, side_of(bend), at, x, y, inside))
    facts += enters + _passed(home, at, x, y, heading, inside)
    return sorted(facts, key=lambda fact: fact.at)


def _rooms_of(home: Home, x: NDArray[np.float64], y: NDArray[np.float64]
              ) -> NDArray[np.int64]:
    """(n,) index into home.rooms of the room around each point, -1 in doorways."""
    inside = np.full(x.shape, -1)
    for index, room in enumerate(home.rooms):
        inside[(x >= room.x0) & (x <= room.x1) & (y >= room.y0) & (y <= room.y1)] = index
    return inside


def _enters(home: Home, at: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64],
            inside: NDArray[np.int64], start: Pose) -> list[Fact]:
    """The doors gone through, counted along long rooms where that is sure."""
    known = np.flatnonzero(inside >= 0)
    facts: list[Fact] = []
    came = (float(x[0]), float(y[0]))
    came_by: Door | None = None
    for k, n in zip(known[:-1], known[1:]):
        if inside[k] == inside[n]:
            continue
        left, entered = home.rooms[inside[k]], home.rooms[inside[n]]
        middle = (float(x[k] + x[n]) / 2, float(y[k] + y[n]) / 2)
        door = door_between(home, left, entered, middle)
        if door is None:
            continue
        ahead = start.yaw if came_by is None else None
        nth, side = door_count(home, left, came, came_by, door, ahead) or (0, '')
        facts.append(Fact('enter', float(at[k] + at[n]) / 2, '', entered.name, '', nth, side))
        came, came_by = (door.x, door.y), door
    return facts


def door_between(home: Home, a: Room, b: Room, near: Point) -> Door | None:
    """The door between two rooms that is nearest to a point, or None."""
    doors = [door for door in home.doors if set(door.rooms) == {a.name, b.name}]
    return min(doors, key=lambda door: math.dist((door.x, door.y), near), default=None)


def door_count(home: Home, room: Room, came: Point, came_by: Door | None, door: Door,
               yaw: float | None = None) -> tuple[int, str] | None:
    """Which door on which side `door` is for somebody who walks along a long room to it.

    :param came: where the walk along the room begins
    :param came_by: the door through which one came in; it is not counted
    :param yaw: where one faces at first, or None when one turns to walk along the room anyway
    :return: (1 for the first, `left` or `right`), or None where the room is not long, the door
        is at its end, or another door is too nearly abreast to tell
    """
    ahead, side = _doors_ahead(home, room, came, came_by, door, yaw)
    mine = ahead.pop(door.name, (0.0, True))[0]
    same = [metres for metres, on_this_side in ahead.values() if on_this_side]
    if mine < BESIDE or any(abs(metres) < BESIDE for metres in same):
        return None
    nth = 1 + sum(BESIDE <= metres <= mine for metres in same)
    return (nth, side) if nth <= MOST_DOORS else None


def is_plain_count(home: Home, room: Room, came: Point, came_by: Door | None, door: Door
                   ) -> bool:
    """Whether `the second door` needs no side: no door on the other side comes before it."""
    ahead, _ = _doors_ahead(home, room, came, came_by, door, None)
    mine = ahead.get(door.name, (0.0, True))[0]
    return not any(-BESIDE < metres < mine + BESIDE for metres, same in ahead.values() if not same)


def _doors_ahead(home: Home, room: Room, came: Point, came_by: Door | None, door: Door,
                 yaw: float | None) -> tuple[dict[str, tuple[float, bool]], str]:
    """How far along a long room its side doors are, and whether on `door`'s side; that side.

    Empty where nothing can be counted: the room is not long, or one faces the other way.
    """
    width, height = room.x1 - room.x0, room.y1 - room.y0
    if max(width, height) < LONG_ROOM * min(width, height):
        return {}, ''
    along_x = width > height

    def along(x: float, y: float) -> float:
        return x if along_x else y

    def across(d: Door) -> bool:
        return abs(math.cos(d.yaw)) < 0.5 if along_x else abs(math.sin(d.yaw)) < 0.5

    sign = math.copysign(1.0, along(door.x, door.y) - along(*came))
    axis = (0.0 if along_x else math.pi / 2) + (0.0 if sign > 0 else math.pi)
    if yaw is not None and abs(wrap_angle(yaw - axis)) > TURN:
        return {}, ''

    def hand(d: Door) -> float:
        dx, dy = d.x - room.centre[0], d.y - room.centre[1]
        return math.cos(axis) * dy - math.sin(axis) * dx

    ahead = {d.name: (sign * (along(d.x, d.y) - along(*came)), hand(d) * hand(door) > 0)
             for d in home.doors if room.name in d.rooms and across(d) and d is not came_by}
    return ahead, side_of(hand(door))


def landmarks(home: Home) -> list[Item]:
    """The items worth naming on the way: those that stand on the floor."""
    return [item for item in home.items if item.collides and not item.on]


def _turn(home: Home, where: float, side: str, at: NDArray[np.float64], x: NDArray[np.float64],
          y: NDArray[np.float64], inside: NDArray[np.int64]) -> Fact:
    """A turn away from doors, with the item nearest to it if that is within a metre."""
    k = int(np.argmin(np.abs(at - where)))
    if where > 0.3 and inside[k] >= 0:
        room = home.rooms[inside[k]].name
        gaps = [(float(footprint_distance(item, x[k], y[k])), item.name)
                for item in landmarks(home) if item.room == room]
        if gaps and min(gaps)[0] <= 1.0:
            return Fact('turn', where, side, item=min(gaps)[1])
    return Fact('turn', where, side)


def _passed(home: Home, at: NDArray[np.float64], x: NDArray[np.float64],
            y: NDArray[np.float64], heading: NDArray[np.float64],
            inside: NDArray[np.int64]) -> list[Fact]:
    """The items that are gone past closely, in the room they stand in."""
    facts = []
    middle = (at > 0.4) & (at < at[-1] - 1.0)
    for item in landmarks(home):
        index = next(k for k, room in enumerate(home.rooms) if room.name == item.room)
        here = np.flatnonzero(middle & (inside == index))
        if not here.size:
            continue
        gaps = footprint_distance(item, x[here], y[here])
        k = here[int(gaps.argmin())]
        bearing = wrap_angle(math.atan2(item.y - y[k], item.x - x[k]) - float(heading[k]))
        if gaps.min() <= PASS_WITHIN and math.radians(45) < abs(bearing) < math.radians(135):
            facts.append(Fact('pass', float(at[k]), side_of(bearing), item=item.name))
    return facts
