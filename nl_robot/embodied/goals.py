"""From the facts of a home to goals in words: what the goal generator of demonstrations is.

A goal's words are true of the home, and everything they could mean is in its target: `the
bathroom` is any bathroom, `the red chair` any red chair.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Pose
from nl_robot.embodied import descriptions, route_words
from nl_robot.embodied.places import (
    REACH,
    Places,
    Target,
    distance_field,
    fulfilled,
    places_of,
    remaining,
)
from nl_robot.embodied.route_facts import door_count, is_plain_count, taut
from nl_robot.geometry import FloorGrid, wrap_angle
from nl_robot.language.grammar import (
    blank,
    fill,
    frames_of,
    pick,
    polish,
    swap_left_right,
    word_for,
    words,
)
from nl_robot.sim.records import Door, Home

__all__ = ['KINDS', 'REACH', 'Goal', 'Target', 'Task', 'blank', 'distance_field', 'fulfilled',
           'goals_for_target', 'remaining', 'sample_task', 'swap_left_right']

NEAREST, FARTHEST = 2.0, 15.0   # metres along the floor from the start to a target
ORDINAL_STARTS = 0.04           # share of tasks that begin where doors can be counted
GENERIC = 0.12                  # share of object goals with a word for several kinds
CLOSER = 0.75                   # metres by which "the nearest" must be nearer to be sure
# How often each kind of goal is drawn; `ordinal` only where there are doors to count.
SHARES = {'room': .28, 'object': .14, 'attribute': .12, 'relation': .14, 'ordinal': .50,
          'route': .24, 'household': .10}
KINDS = tuple(SHARES)
Writer = Callable[[np.random.Generator], 'tuple[str, str, bool]']   # text, frame id, held out


@dataclass(frozen=True)
class Goal:
    """Words and what they mean in one home.

    :param kind: one of `KINDS`
    :param frame_id: of the sentence frame
    :param held_out: True when that frame is kept for tests
    """

    text: str
    kind: str
    frame_id: str
    held_out: bool
    target: Target


@dataclass(frozen=True)
class Task:
    """A start, the shortest sensible way to the target, and several goals that ask for it.

    :param route: corners in the map, from the start to where the target is reached
    """

    start: Pose
    route: list[tuple[float, float]]
    goals: list[Goal]


@dataclass(frozen=True)
class Draw:
    """What a goal is drawn from.

    :param field: (rows, cols) metres along the floor from the start
    :param split: the frames that may be used
    """

    places: Places
    start: Pose
    field: NDArray[np.float64]
    split: str

    @property
    def home(self) -> Home:
        """The home."""
        return self.places.home

    def metres(self, target: Target) -> float:
        """Metres from the start to the nearest place of the target."""
        cells = self.places.target_cells(target)
        return float(self.field.ravel()[cells].min(initial=math.inf))

    def writer(self, kind: str, values: Callable[[np.random.Generator], dict[str, str]]
               ) -> Writer:
        """Writes sentences of a kind of frame with freshly drawn values."""
        def write(rng: np.random.Generator) -> tuple[str, str, bool]:
            frame = pick(frames_of(kind, self.split), rng)
            return fill(frame, values(rng), rng), frame.id, frame.held_out
        return write


Draft = tuple[Target, Writer]


def sample_task(home: Home, grid: FloorGrid, rng: np.random.Generator, frames: str = 'train',
                *, kinds: tuple[str, ...] | None = None) -> Task:
    """A random start, a target 2 to 15 m away, and goals in words for it.

    :param frames: `train`, `held_out` or `all`
    :param kinds: of goals, all by default
    :raises RuntimeError: when the home has no such task
    """
    rows, cols = np.nonzero(grid.free)
    wanted = kinds or KINDS
    ordinal = 'ordinal' in wanted and rng.random() < ORDINAL_STARTS
    for attempt in range(400):
        index = int(rng.integers(len(rows)))
        start = _facing(home, *grid.point(int(rows[index]), int(cols[index])), rng)
        # Few starts have doors to count ahead of them, so some tasks go and look for one.
        if ordinal and attempt < 200 and not _countable(home, start):
            continue
        goals = goals_for_target(home, grid, start, rng, frames=frames, kinds=(
            ('ordinal',) if ordinal and attempt < 200 else kinds))
        if goals:
            return Task(start, route_to(home, grid, start, goals[0].target), goals)
    raise RuntimeError(f'{home.name} has no task of the kinds {kinds or KINDS}')


def _facing(home: Home, x: float, y: float, rng: np.random.Generator) -> Pose:
    """A pose that faces anywhere, in a hallway rather along it."""
    yaw = float(rng.uniform(-math.pi, math.pi))
    room = home.room_at(x, y)
    if room is not None and room.kind == 'hallway' and rng.random() < 0.7:
        along = 0.0 if room.x1 - room.x0 > room.y1 - room.y0 else math.pi / 2
        yaw = along + math.pi * float(rng.integers(2)) + float(rng.normal(0, 0.2))
    return Pose(x, y, wrap_angle(yaw), 'map')


def goals_for_target(home: Home, grid: FloorGrid, start: Pose, rng: np.random.Generator, *,
                     frames: str = 'train', kinds: tuple[str, ...] | None = None,
                     count: int = 3) -> list[Goal]:
    """Draw a target for a start and write up to `count` different goals that mean it.

    :return: empty when a few tries found nothing 2 to 15 m away
    :raises ValueError: for an unknown kind or split
    """
    kinds = kinds or KINDS
    if unknown := set(kinds) - set(KINDS):
        raise ValueError(f'unknown kind of goal {sorted(unknown)[0]!r}; kinds: {", ".join(KINDS)}')
    places = places_of(home, grid)
    draw = Draw(places, start, grid.distances(grid.mask([(start.x, start.y)])), frames)
    if len(kinds) > 1 and not _countable(home, start):
        kinds = tuple(kind for kind in kinds if kind != 'ordinal')
    shares = np.array([SHARES[kind] for kind in kinds])
    for _ in range(10):
        kind = str(kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))])
        draft = DRAFTS[kind](draw, rng)
        if draft is not None and NEAREST <= draw.metres(draft[0]) <= FARTHEST:
            return _write(draft, kind, rng, count)
    return []


def _write(draft: Draft, kind: str, rng: np.random.Generator, count: int) -> list[Goal]:
    """Up to `count` different wordings of one target."""
    target, write = draft
    goals: dict[str, Goal] = {}
    for _ in range(count):
        text, frame_id, held_out = write(rng)
        text = polish(text, rng)
        goals.setdefault(text, Goal(text, kind, frame_id, held_out, target))
    return list(goals.values())


def route_to(home: Home, grid: FloorGrid, start: Pose, target: Target
             ) -> list[tuple[float, float]]:
    """The shortest sensible way: half a metre into a room, right up to an item or a point."""
    field = grid.distances(grid.mask([(start.x, start.y)]))
    return _route(Draw(places_of(home, grid), start, field, 'all'), target)


def _route(draw: Draw, target: Target) -> list[tuple[float, float]]:
    places, grid = draw.places, draw.places.grid
    cells = np.concatenate([places.deep_cells(name) for name in target.rooms]) \
        if target.rooms else places.target_cells(target)
    end = int(cells[int(draw.field.ravel()[cells].argmin())])
    row, col = divmod(end, grid.free.shape[1])
    return taut(grid, grid.path(draw.field, *grid.point(row, col))[::-1])


# --- one drafter per kind of goal -----------------------------------------------------------

def _room(draw: Draw, rng: np.random.Generator) -> Draft | None:
    kind = str(pick(sorted({room.kind for room in draw.home.rooms}), rng))
    return _rooms_of_kind(draw, kind), draw.writer(
        'room', lambda r: {'room': word_for('rooms', kind, r)})


def _rooms_of_kind(draw: Draw, kind: str) -> Target:
    return Target(rooms=tuple(room.name for room in draw.home.rooms if room.kind == kind))


def _object(draw: Draw, rng: np.random.Generator) -> Draft | None:
    if rng.random() < GENERIC:
        return _generic(draw, rng)
    kind = str(pick(sorted({item.kind for item in draw.home.items}), rng))
    return _items_target(draw, kind, ()), draw.writer(
        'object', lambda r: {'object': descriptions.phrase(kind, (), r)})


def _generic(draw: Draw, rng: np.random.Generator) -> Draft | None:
    """A word for several kinds, such as `lamp`: any item of any of them will do."""
    word = str(pick(sorted(words('generics')), rng))
    kinds = {*words('generics')[word], word}
    names = tuple(item.name for item in draw.home.items if item.kind in kinds)
    return (Target(items=names), draw.writer('object', lambda r: {'object': word})) \
        if names else None


def _attribute(draw: Draw, rng: np.random.Generator) -> Draft | None:
    kind = str(pick(sorted({item.kind for item in draw.home.items}), rng))
    item = pick(descriptions.matching(draw.home.items, kind), rng)
    given = descriptions.attributes(item, rng)
    return _items_target(draw, kind, given), draw.writer(
        'object', lambda r: {'object': descriptions.phrase(kind, given, r)})


def _items_target(draw: Draw, kind: str, given: descriptions.Attributes) -> Target:
    found = descriptions.matching(draw.home.items, kind, given)
    return Target(items=tuple(item.name for item in found))


def _household(draw: Draw, rng: np.random.Generator) -> Draft | None:
    if rng.random() < 0.5:
        kind = str(pick(sorted({room.kind for room in draw.home.rooms}), rng))
        return _rooms_of_kind(draw, kind), draw.writer('household_room', lambda r: {
            'room': word_for('rooms', kind, r),
            'thing': descriptions.thing('room_things', kind, r),
            'activity': descriptions.thing('room_activities', kind, r)})
    kinds = {item.kind for item in draw.home.items}
    usual = sorted(kinds & set(words('object_things')))
    kind = str(pick(usual if usual and rng.random() < 0.6 else sorted(kinds), rng))
    return _items_target(draw, kind, ()), draw.writer('household_object', lambda r: {
        'object': word_for('objects', kind, r),
        'thing': descriptions.thing('object_things', kind, r)})


def _relation(draw: Draw, rng: np.random.Generator) -> Draft | None:
    return pick((_near, _near, _atop, _within, _within, _closest), rng)(draw, rng)


def _phrased(draw: Draw, phrase_kind: str, values: Callable[[np.random.Generator],
             dict[str, str]]) -> Writer:
    """Writes a relation sentence around a phrase such as `the lamp next to the sofa`."""
    def place(rng: np.random.Generator) -> dict[str, str]:
        return {'place': fill(pick(frames_of(phrase_kind, draw.split), rng), values(rng), rng)}
    return draw.writer('relation', place)


def _near(draw: Draw, rng: np.random.Generator) -> Draft | None:
    pairs = [pair for pair in descriptions.neighbours(draw.places)
             if pair[2] <= descriptions.NEXT_TO]
    if not pairs:
        return None
    items = draw.places.items
    a, b = (items[name] for name in pick(pairs, rng)[:2])
    given = descriptions.attributes(a, rng) if rng.random() < 0.25 else ()
    meant = {p for p, q, _ in descriptions.neighbours(draw.places) if items[q].kind == b.kind}
    names = [i.name for i in descriptions.matching(draw.home.items, a.kind, given)
             if i.name in meant]
    return Target(items=tuple(names)), _phrased(draw, 'near', lambda r: {
        'a': descriptions.phrase(a.kind, given, r), 'b': descriptions.phrase(b.kind, (), r)})


def _atop(draw: Draw, rng: np.random.Generator) -> Draft | None:
    items = draw.places.items
    pairs = [(item, items[item.on]) for item in draw.home.items if item.on in items]
    if not pairs:
        return None
    a, b = pick(pairs, rng)
    names = tuple(p.name for p, q in pairs if (p.kind, q.kind) == (a.kind, b.kind))
    return Target(items=names), _phrased(draw, 'atop', lambda r: {
        'a': descriptions.phrase(a.kind, (), r), 'b': descriptions.phrase(b.kind, (), r)})


def _within(draw: Draw, rng: np.random.Generator) -> Draft | None:
    kind = str(pick(sorted({item.kind for item in draw.home.items}), rng))
    item = pick(descriptions.matching(draw.home.items, kind), rng)
    given = descriptions.attributes(item, rng) if rng.random() < 0.3 else ()
    room = draw.home.room(item.room).kind
    names = tuple(i.name for i in descriptions.matching(draw.home.items, item.kind, given)
                  if draw.home.room(i.room).kind == room)

    def values(r: np.random.Generator) -> dict[str, str]:
        return {'a': descriptions.phrase(item.kind, given, r), 'room': word_for('rooms', room, r)}

    return Target(items=names), draw.writer('in_room', values) if rng.random() < 0.5 \
        else _phrased(draw, 'in', values)


def _closest(draw: Draw, rng: np.random.Generator) -> Draft | None:
    kinds = [item.kind for item in draw.home.items]
    several = sorted({kind for kind in kinds if kinds.count(kind) > 1})
    if not several:
        return None
    kind = str(pick(several, rng))
    metres = {item.name: draw.metres(Target(items=(item.name,)))
              for item in descriptions.matching(draw.home.items, kind)}
    names = tuple(n for n, m in metres.items() if m <= min(metres.values()) + CLOSER)
    return Target(items=names), _phrased(
        draw, 'closest', lambda r: {'a': descriptions.phrase(kind, (), r)})


def _ordinal(draw: Draw, rng: np.random.Generator) -> Draft | None:
    """A door counted along the room one stands in and looks along."""
    counted = _countable(draw.home, draw.start)
    if not counted:
        return None
    door, nth, side, room = pick(counted, rng)
    values = {'nth': words('ordinals')[''][nth - 1], 'side': side}
    here = (draw.start.x, draw.start.y)
    if rng.random() < 0.5:
        if is_plain_count(draw.home, draw.home.room(room), here, None, door) and rng.random() < .4:
            return Target(point=(door.x, door.y)), draw.writer('ordinal_any', lambda r: values)
        return Target(point=(door.x, door.y)), draw.writer('ordinal_door', lambda r: values)
    beyond = tuple(name for name in door.rooms if name != room)
    return Target(rooms=beyond), draw.writer('ordinal_room', lambda r: values)


def _countable(home: Home, start: Pose) -> list[tuple[Door, int, str, str]]:
    """The doors ahead that can be counted: door, number, side, name of the room one is in."""
    room = home.room_at(start.x, start.y)
    if room is None:
        return []
    counts = [(door, door_count(home, room, (start.x, start.y), None, door, start.yaw))
              for door in home.doors if room.name in door.rooms]
    return [(door, *count, room.name) for door, count in counts if count is not None]


def _by_steps(draw: Draw, rng: np.random.Generator) -> Draft | None:
    """The steps of the shortest way to a room, to an item or to a counted door."""
    ending = route_words.draw_ending(draw.places, rng)
    if ending is None or not NEAREST <= draw.metres(ending.target) <= FARTHEST:
        return None
    path = _route(draw, ending.target)
    if len(path) < 2:
        return None
    story = route_words.tell(draw.home, path, draw.start, ending)
    if story is None:
        return None

    def write(rng: np.random.Generator) -> tuple[str, str, bool]:
        frame = pick(frames_of('route', draw.split), rng)
        steps = route_words.steps(draw.home, story, draw.split, rng)
        return fill(frame, {'steps': steps}, rng), frame.id, frame.held_out
    return ending.target, write


DRAFTS: dict[str, Callable[[Draw, np.random.Generator], Draft | None]] = {
    'room': _room, 'object': _object, 'attribute': _attribute, 'relation': _relation,
    'ordinal': _ordinal, 'route': _by_steps, 'household': _household}
