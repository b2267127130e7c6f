"""Commands with the goals that fulfil them, as people write them down in a YAML file.

    home: 2003                      # for every command that names none of its own
    start: [4.2, 1.5, 0.0]          # x, y in metres, yaw in radians; left out: a drawn place
    commands:
      - words: go to the kitchen
        goal: {room: kitchen}       # a room's name or kind: any such room will do
      - words: drive to the red armchair
        goal: {item: red armchair}  # an item's name, label (colour and kind) or kind
        home: 2010
        start: [2.0, 3.0, 1.57]
      - words: wait by the front door
        goal: {point: [0.8, 2.4]}   # metres in the map of the home

A bare list of commands is a commands file too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nl_robot.datatypes import Pose
from nl_robot.embodied.places import Target
from nl_robot.settings import from_mapping, load_yaml
from nl_robot.sim.records import Home

ASKING = re.compile(
    r"(?:please |now |could you |can you |would you |i want you to |let's )*"
    r'(?:(?:go|drive|head|move|walk|come|navigate|run|proceed)(?: over)?(?: to| into| in)? |'
    r'(?:find|enter|visit|approach) )?(?:the |a |an |my |our )?(?P<name>.+?)(?: please)?[ .!?]*')


@dataclass(frozen=True)
class GoalEntry:
    """Exactly one of a room, an item or a point, as it stands in the file."""

    room: str | None = None
    item: str | None = None
    point: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.room, self.item, self.point) if value is not None]
        if len(given) != 1:
            raise ValueError(f'a goal is one of room, item or point, got {len(given)} of them')


@dataclass(frozen=True)
class CommandEntry:
    """One command of a file; `home` and `start` are those of the file where it names none."""

    words: str
    goal: GoalEntry | None = None
    home: int | None = None
    start: tuple[float, float, float] | None = None

    @property
    def pose(self) -> Pose | None:
        """The start as a pose in the map, or None where a place is to be drawn."""
        return None if self.start is None else Pose(*self.start, frame='map')


@dataclass(frozen=True)
class CommandsFile:
    """What a file holds before its defaults are handed down to its commands."""

    commands: tuple[CommandEntry, ...]
    home: int | None = None
    start: tuple[float, float, float] | None = None


def load_commands(path: Path) -> list[CommandEntry]:
    """The commands of a file, each with its home.

    :raises ValueError: names the key or the command that is wrong
    """
    content = load_yaml(path)
    if isinstance(content, list):
        content = {'commands': content}
    file = from_mapping(CommandsFile, content, str(path))
    entries = []
    for number, entry in enumerate(file.commands, 1):
        home = file.home if entry.home is None else entry.home
        if home is None:
            raise ValueError(f'{path}: command {number} ({entry.words!r}) names no home; '
                             'give it `home:`, or the file')
        start = file.start if entry.start is None and entry.home in (None, file.home) \
            else entry.start
        entries.append(CommandEntry(entry.words, entry.goal, home, start))
    if not entries:
        raise ValueError(f'{path}: there are no commands in it')
    return entries


def target_of(goal: GoalEntry, home: Home) -> Target:
    """The places of a home that fulfil a goal.

    :raises ValueError: the home has no such room or item; names those it has
    """
    if goal.point is not None:
        return Target(point=goal.point)
    if goal.room is not None:
        rooms = tuple(room.name for room in home.rooms if goal.room in (room.name, room.kind))
        if not rooms:
            raise ValueError(f'{home.name} has no room {goal.room!r}; it has: '
                             + ', '.join(room.name for room in home.rooms))
        return Target(rooms=rooms)
    items = tuple(item.name for item in home.items
                  if goal.item in (item.name, item.label, item.kind))
    if not items:
        raise ValueError(f'{home.name} has no item {goal.item!r}; it has: '
                         + ', '.join(sorted({item.label for item in home.items})))
    return Target(items=items)


def target_of_words(words: str, home: Home) -> Target | None:
    """The target of a command that plainly names one room or item; None for all others."""
    match = ASKING.fullmatch(' '.join(words.lower().split()))
    if match is None:
        return None
    for goal in (GoalEntry(room=match['name']), GoalEntry(item=match['name'])):
        try:
            return target_of(goal, home)
        except ValueError:
            continue
    return None
