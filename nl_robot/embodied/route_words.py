"""The facts of a route told as steps: `turn left into the hallway`, `stop by the second door`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nl_robot.datatypes import Pose
from nl_robot.embodied import descriptions
from nl_robot.embodied.places import Places, Target
from nl_robot.embodied.route_facts import (
    Fact,
    Point,
    door_count,
    is_plain_count,
    landmarks,
    route_facts,
)
from nl_robot.language.grammar import fill, frames_of, pick, word_for, words
from nl_robot.sim.records import Door, Home, Room

BEFORE_DOOR = 0.5    # metres in front of a door: where one stops by it
MOST_STEPS = 8


@dataclass(frozen=True)
class Ending:
    """How a route ends: in a room, by a kind of item in a room, or by a counted door.

    :param room: where the last step is taken
    :param kind: of the item, or ''
    :param door: or None
    """

    target: Target
    room: Room
    kind: str = ''
    door: Door | None = None


@dataclass(frozen=True)
class Story:
    """What happens on the way and how it ends; the rest is of a counted door.

    :param plain: whether the door can be counted without telling the side
    """

    facts: tuple[Fact, ...]
    ending: Ending
    nth: int = 0
    side: str = ''
    plain: bool = False


def draw_ending(places: Places, rng: np.random.Generator) -> Ending | None:
    """A random place to which a route may lead."""
    home = places.home
    room = pick(home.rooms, rng)
    chance = rng.random()
    if chance < 0.3:
        return Ending(Target(rooms=(room.name,)), room)
    doors = [door for door in home.doors if room.name in door.rooms]
    if chance < 0.5 and len(doors) > 2:
        door = pick(doors, rng)
        return Ending(Target(point=before(room, door)), room, door=door)
    items = [item for item in landmarks(home) if item.room == room.name]
    if not items:
        return None
    kind = pick(items, rng).kind
    names = tuple(item.name for item in items if item.kind == kind)
    return Ending(Target(items=names), room, kind)


def before(room: Room, door: Door) -> Point:
    """The point in a room half a metre in front of one of its doors."""
    dx, dy = math.cos(door.yaw), math.sin(door.yaw)
    inwards = math.copysign(BEFORE_DOOR, (room.centre[0] - door.x) * dx
                            + (room.centre[1] - door.y) * dy)
    return door.x + inwards * dx, door.y + inwards * dy


def tell(home: Home, path: list[Point], start: Pose, ending: Ending) -> Story | None:
    """The story of a path; None where it would end at a door that cannot be counted."""
    facts = route_facts(home, path, start)
    facts = [f for f in facts if f.kind != 'pass' or not ending.kind
             or descriptions.matching(home.items, ending.kind) == []
             or _kind(home, f.item) != ending.kind]
    nth, side, plain = 0, '', False
    if ending.door is not None:
        enters = [fact for fact in facts if fact.kind == 'enter']
        if enters and enters[-1].room != ending.room.name:
            return None
        came, came_by, yaw = _entrance(home, path, start, enters)
        count = door_count(home, ending.room, came, came_by, ending.door, yaw)
        if count is None:
            return None
        nth, side = count
        plain = is_plain_count(home, ending.room, came, came_by, ending.door)
        # The turn towards the door at the very end is what "stop by it" says.
        length = sum(math.dist(a, b) for a, b in zip(path[:-1], path[1:]))
        facts = [f for f in facts if f.kind != 'turn' or f.at < length - 1.0]
    return Story(tuple(facts), ending, nth, side, plain)


def _entrance(home: Home, path: list[Point], start: Pose, enters: list[Fact]
              ) -> tuple[Point, Door | None, float | None]:
    """Where the walk along the last room begins: its door, or the start with its heading."""
    if not enters:
        return path[0], None, start.yaw
    left, mark = path[0], 0.0
    for point in path[1:]:  # the point on the path at the metre of the last entrance
        step = math.dist(left, point)
        if mark + step >= enters[-1].at:
            share = (enters[-1].at - mark) / max(step, 1e-9)
            left = (left[0] + share * (point[0] - left[0]), left[1] + share * (point[1] - left[1]))
            break
        left, mark = point, mark + step
    doors = [door for door in home.doors if enters[-1].room in door.rooms]
    door = min(doors, key=lambda d: math.dist((d.x, d.y), left))
    return (door.x, door.y), door, None


def _kind(home: Home, name: str) -> str:
    return next(item.kind for item in home.items if item.name == name)


def steps(home: Home, story: Story, split: str, rng: np.random.Generator) -> list[str]:
    """The steps in words, freshly worded; every turn and the ending are among them."""
    told = [fact for fact in story.facts if fact.kind not in ('pass', 'straight')
            or rng.random() < (0.5 if fact.kind == 'pass' else 0.25)]
    while len(told) >= MOST_STEPS and any(f.kind in ('pass', 'straight') for f in told):
        told.remove(pick([f for f in told if f.kind in ('pass', 'straight')], rng))
    said = [_step(home, fact, split, rng) for fact in told]
    return [*said, _ending(story, split, rng)]


def _step(home: Home, fact: Fact, split: str, rng: np.random.Generator) -> str:
    """One fact in words."""
    values = {'side': fact.side}
    kind = fact.kind
    if fact.item:
        item = next(i for i in home.items if i.name == fact.item)
        given = descriptions.attributes(item, rng) if rng.random() < 0.35 else ()
        values['object'] = descriptions.phrase(item.kind, given, rng)
    if kind == 'turn' and fact.item and rng.random() < 0.6:
        kind = 'turn_at'
    if kind == 'enter':
        values['room'] = word_for('rooms', home.room(fact.room).kind, rng)
        kind = 'turn_into' if fact.side else 'enter'
        if fact.nth and fact.side in ('', fact.count_side) and rng.random() < 0.45:
            kind = 'count_into'
            values.update(nth=words('ordinals')[''][fact.nth - 1], side=fact.count_side)
    return fill(pick(frames_of(kind, split), rng), values, rng)


def _ending(story: Story, split: str, rng: np.random.Generator) -> str:
    """The last step in words."""
    ending = story.ending
    if ending.door is not None:
        nth = words('ordinals')[''][story.nth - 1]
        kind = 'stop_any_door' if story.plain and rng.random() < 0.5 else 'stop_door'
        return fill(pick(frames_of(kind, split), rng),
                    {'nth': nth, 'side': story.side}, rng)
    if ending.kind:
        return fill(pick(frames_of('stop_by', split), rng),
                    {'object': word_for('objects', ending.kind, rng)}, rng)
    return fill(pick(frames_of('stop_in', split), rng),
                {'room': word_for('rooms', ending.room.kind, rng)}, rng)
