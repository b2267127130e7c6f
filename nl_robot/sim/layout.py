"""Floor plans: a partition of the ground into rooms, the kind of each, and the doors between.

A plan is drawn along a hallway, with a row of rooms on either side of it (or two rows back to
back in a small home), then turned and mirrored at random.  Kinds are dealt to the rectangles so
that doors come where people want them: kitchen by dining room, bedrooms off the hallway.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nl_robot.sim.records import Door, Room, Wall

WALL = 0.12                 # thickness of a wall, metres
HEIGHT = 2.4                # of walls
LINTEL = 2.05               # clear height of a doorway
EDGE = 0.3                  # least distance from the end of a shared wall to a door's opening

ROOM_KINDS: tuple[str, ...] = (
    'bathroom', 'bedroom', 'dining room', 'garage', 'guest room', 'gym', 'hallway', 'kitchen',
    'laundry room', 'living room', 'nursery', 'office', 'pantry')

# Square metres that suit a kind: below and above them the deal is penalised.
AREAS: dict[str, tuple[float, float]] = {
    'bathroom': (5, 9), 'bedroom': (10, 19), 'dining room': (10, 19), 'garage': (15, 30),
    'guest room': (9, 17), 'gym': (9, 18), 'kitchen': (10, 20), 'laundry room': (5, 9),
    'living room': (15, 34), 'nursery': (8, 14), 'office': (8, 15), 'pantry': (4.5, 8)}

# How much people want a door between two kinds of room; what is not named gets `UNUSUAL`.
_WISHES: dict[tuple[str, str], float] = {
    ('hallway', 'bedroom'): 4.5, ('hallway', 'bathroom'): 4.5, ('hallway', 'guest room'): 4.5,
    ('hallway', 'nursery'): 4.0, ('hallway', 'office'): 4.0, ('hallway', 'living room'): 4.0,
    ('hallway', 'kitchen'): 3.0, ('hallway', 'dining room'): 3.0, ('hallway', 'gym'): 3.0,
    ('hallway', 'laundry room'): 3.0, ('hallway', 'garage'): 2.0, ('hallway', 'pantry'): 1.0,
    ('hallway', 'hallway'): 6.0,
    ('kitchen', 'dining room'): 5.0, ('dining room', 'living room'): 4.0,
    ('kitchen', 'pantry'): 5.0, ('kitchen', 'living room'): 3.0,
    ('kitchen', 'laundry room'): 2.0, ('garage', 'laundry room'): 3.0,
    ('garage', 'kitchen'): 1.5, ('garage', 'gym'): 1.5, ('living room', 'office'): 2.0,
    ('living room', 'bedroom'): 1.5, ('living room', 'guest room'): 1.5,
    ('living room', 'bathroom'): 1.2, ('living room', 'nursery'): 1.2,
    ('living room', 'garage'): 1.0, ('bedroom', 'bathroom'): 1.5, ('bedroom', 'nursery'): 1.5,
    ('bathroom', 'laundry room'): 1.0, ('dining room', 'office'): 1.0}
UNUSUAL = 0.2
_THOROUGHFARES = ('hallway', 'living room', 'kitchen', 'dining room')

# Muted walls and floors, red green blue.
_WALLS = ((0.86, 0.84, 0.79), (0.79, 0.83, 0.86), (0.80, 0.85, 0.78), (0.88, 0.80, 0.76),
          (0.83, 0.79, 0.86), (0.88, 0.86, 0.74), (0.76, 0.83, 0.82), (0.84, 0.84, 0.84),
          (0.85, 0.78, 0.80), (0.78, 0.80, 0.74))
_FLOORS = ((0.62, 0.48, 0.35), (0.55, 0.42, 0.32), (0.70, 0.58, 0.44), (0.58, 0.56, 0.54),
           (0.66, 0.66, 0.64), (0.50, 0.47, 0.44), (0.68, 0.62, 0.52), (0.47, 0.40, 0.35),
           (0.60, 0.52, 0.46), (0.56, 0.60, 0.60))
OUTSIDE = (0.72, 0.68, 0.62)

Rect = tuple[float, float, float, float]      # x0, y0, x1, y1 along the middles of the walls


@dataclass(frozen=True)
class Plan:
    """The shell of a home: rooms with kinds and names, doors, and walls with openings."""

    rooms: tuple[Room, ...]
    doors: tuple[Door, ...]
    walls: tuple[Wall, ...]


def wish(a: str, b: str) -> float:
    """How much people want a door between rooms of these two kinds."""
    return _WISHES.get((a, b), _WISHES.get((b, a), UNUSUAL))


def draw_layout(rng: np.random.Generator) -> Plan:
    """A new floor plan of 4 to 10 rooms."""
    rects, halls = _rectangles(rng)
    rects = _turned(rects, rng)
    kinds = _deal(rects, halls, rng)
    pairs = _doorways(rects, kinds, rng)
    names = _names(kinds)
    rooms = tuple(_room(name, kind, rect, rng) for name, kind, rect in zip(names, kinds, rects))
    doors = tuple(_door(f'door {k + 1}', rects, names, a, b, rng)
                  for k, (a, b) in enumerate(pairs))
    return Plan(rooms, doors, _walls(rects, doors, rng))


def _shares(total: float, count: int, rng: np.random.Generator) -> list[float]:
    """`count` uneven lengths that add up to `total`."""
    parts = rng.uniform(0.8, 1.35, count)
    return [float(part) for part in parts / parts.sum() * total]


def _rectangles(rng: np.random.Generator) -> tuple[list[Rect], list[int]]:
    """The rectangles of all rooms, and which of them are hallways."""
    count = int(rng.choice(np.arange(4, 11), p=(.07, .10, .14, .18, .19, .17, .15)))
    with_hall = count > 5 or (count == 5 and rng.random() < 0.7)
    rooms = count - 1 if with_hall else count
    split = rooms >= 6 and rng.random() < 0.5        # one room of a row is cut in two
    columns = rooms - split
    upper = columns // 2 + (columns % 2 and int(rng.random() < 0.5))
    lower = columns - upper
    length = float(np.clip(max(upper, lower) * rng.uniform(3.0, 3.9), 6.2, 15.0))
    length = min(length, 5.8 * min(upper, lower))
    depths = rng.uniform(3.2, 4.6, 2)
    if split:
        depths[0] = rng.uniform(4.9, 5.2)
    hall = float(rng.uniform(1.75, 2.1)) if with_hall else 0.0
    rects = _row(length, upper, depths[0], hall, 1, bool(split), rng)
    rects += _row(length, lower, depths[1], 0.0, -1, False, rng)
    if not with_hall:
        return rects, []
    start = 0.0
    if rng.random() < 0.45:      # the hallway ends in the room at its end, which is deeper
        end = upper + bool(split)
        x0, y0, x1, y1 = rects[end]
        if y1 - y0 < 4.3 and length - x1 > 4.0:
            rects[end], start = (x0, y0, x1, hall), x1
    rects.append((start, 0.0, length, hall))
    return rects, [len(rects) - 1]


def _row(length: float, count: int, depth: float, edge: float, way: int, split: bool,
         rng: np.random.Generator) -> list[Rect]:
    """A row of rooms along the line y = edge, on its upper (+1) or lower (-1) side."""
    rects: list[Rect] = []
    x = 0.0
    cut = int(rng.integers(count)) if split else -1
    for k, width in enumerate(_shares(length, count, rng)):
        deep = depth + (0.0 if split else float(rng.choice((0.0, 0.0, -0.5, 0.5))))
        near, far = edge, edge + way * deep
        if k == cut:
            middle = near + way * deep * rng.uniform(0.47, 0.53)
            pieces = [(near, middle), (middle, far)]
        else:
            pieces = [(near, far)]
        rects += [(x, min(a, b), x + width, max(a, b)) for a, b in pieces]
        x += width
    return rects


def _turned(rects: list[Rect], rng: np.random.Generator) -> list[Rect]:
    """The plan mirrored and turned at random, its lower left corner at the origin."""
    mirror, flip, transpose = rng.random(3) < (0.5, 0.5, 0.35)
    turned = []
    for x0, y0, x1, y1 in rects:
        x0, x1 = (-x1, -x0) if mirror else (x0, x1)
        y0, y1 = (-y1, -y0) if flip else (y0, y1)
        turned.append((y0, x0, y1, x1) if transpose else (x0, y0, x1, y1))
    dx, dy = min(r[0] for r in turned), min(r[1] for r in turned)
    return [(round(float(a - dx), 3), round(float(b - dy), 3), round(float(c - dx), 3),
             round(float(d - dy), 3))
            for a, b, c, d in turned]


def shared_edge(a: Rect, b: Rect) -> tuple[bool, float, float, float] | None:
    """The wall two rectangles share: (is it vertical, where, from, to), or None."""
    for vertical, low, high, other in ((True, 0, 2, 1), (False, 1, 3, 0)):
        start, end = max(a[other], b[other]), min(a[other + 2], b[other + 2])
        for p, q in ((a, b), (b, a)):
            if abs(p[high] - q[low]) < 1e-6 and end - start > 1e-6:
                return vertical, p[high], start, end
    return None


def _adjacent(rects: list[Rect]) -> list[tuple[int, int]]:
    """The pairs of rooms between which a door fits."""
    pairs = []
    for i in range(len(rects)):
        for j in range(i + 1, len(rects)):
            edge = shared_edge(rects[i], rects[j])
            if edge and edge[3] - edge[2] >= 1.0 + 2 * EDGE:
                pairs.append((i, j))
    return pairs


def _choose_kinds(count: int, rng: np.random.Generator) -> list[str]:
    """The kinds of rooms of a home, besides its hallways."""
    kinds = ['living room', 'kitchen', 'bathroom', 'bedroom']
    extra = {'dining room': 9.0, 'bedroom': 8.0, 'office': 7.0, 'laundry room': 6.0,
             'nursery': 5.0, 'garage': 5.0, 'guest room': 5.0, 'pantry': 4.0, 'bathroom': 4.0,
             'gym': 3.0}
    while len(kinds) < count:
        names = list(extra)
        weights = np.array([extra[name] for name in names])
        kind = str(rng.choice(names, p=weights / weights.sum()))
        extra[kind] *= 0.3 if kind == 'bedroom' else 0.0
        kinds.append(kind)
    return kinds


def _deal(rects: list[Rect], halls: list[int], rng: np.random.Generator) -> list[str]:
    """Kinds for all rectangles: the best of many random deals by doors and by area."""
    kinds = _choose_kinds(len(rects) - len(halls), rng)
    pairs = _adjacent(rects)
    areas = [(r[2] - r[0]) * (r[3] - r[1]) for r in rects]
    places = [k for k in range(len(rects)) if k not in halls]
    best, best_score = ['hallway'] * len(rects), -math.inf
    for _ in range(120):
        deal = ['hallway'] * len(rects)
        for place, k in zip(places, rng.permutation(len(kinds))):
            deal[place] = kinds[k]
        score = _score(deal, areas, pairs)
        if score > best_score:
            best, best_score = deal, score
    return best


def _score(kinds: list[str], areas: list[float], pairs: list[tuple[int, int]]) -> float:
    """How well a deal suits: wishes of the doors it needs, less misfits of area and passages."""
    tree = _spanning(kinds, pairs)
    score = sum(wish(kinds[a], kinds[b]) for a, b in tree)
    degree = [0] * len(kinds)
    for a, b in tree:
        degree[a] += 1
        degree[b] += 1
    for kind, area, doors in zip(kinds, areas, degree):
        low, high = AREAS.get(kind, (0.0, 99.0))
        score -= 0.7 * (max(0.0, low - area) + max(0.0, area - high))
        if kind not in _THOROUGHFARES:
            score -= 2.5 * (doors - 1)
    return score


def _spanning(kinds: list[str], pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The doors that connect all rooms at the greatest sum of wishes (Kruskal 1956)."""
    group = list(range(len(kinds)))
    tree = []
    for a, b in sorted(pairs, key=lambda p: (-wish(kinds[p[0]], kinds[p[1]]), p)):
        if group[a] != group[b]:
            tree.append((a, b))
            old, new = group[b], group[a]
            group = [new if g == old else g for g in group]
    return tree


def _doorways(rects: list[Rect], kinds: list[str],
              rng: np.random.Generator) -> list[tuple[int, int]]:
    """All doors: those that connect the home, and some more that people like to have."""
    pairs = _adjacent(rects)
    doors = _spanning(kinds, pairs)
    for pair in pairs:
        wanted = wish(kinds[pair[0]], kinds[pair[1]])
        if pair not in doors and rng.random() < {True: 0.75, False: 0.0}[wanted >= 2.5]:
            doors.append(pair)
    return sorted(doors)


def _names(kinds: list[str]) -> list[str]:
    """`bedroom`, `bedroom 2`, ... in order."""
    return [kind if (n := kinds[:k].count(kind)) == 0 else f'{kind} {n + 1}'
            for k, kind in enumerate(kinds)]


def _room(name: str, kind: str, rect: Rect, rng: np.random.Generator) -> Room:
    """The inside of a rectangle."""
    half = WALL / 2
    return Room(name, kind, round(rect[0] + half, 3), round(rect[1] + half, 3),
                round(rect[2] - half, 3), round(rect[3] - half, 3),
                _FLOORS[int(rng.integers(len(_FLOORS)))])


def _door(name: str, rects: list[Rect], names: list[str], a: int, b: int,
          rng: np.random.Generator) -> Door:
    """A doorway somewhere in the wall that rooms a and b share."""
    edge = shared_edge(rects[a], rects[b])
    if edge is None:
        raise ValueError(f'{names[a]} and {names[b]} share no wall for a door')
    vertical, at, start, end = edge
    width = round(float(rng.uniform(0.9, 1.0)), 2)
    low, high = start + EDGE + width / 2, end - EDGE - width / 2
    # doors near a corner leave long walls for furniture
    along = round(float(rng.choice((low, high, rng.uniform(low, high)))), 3)
    x, y = (at, along) if vertical else (along, at)
    return Door(name, x, y, 0.0 if vertical else math.pi / 2, width, (names[a], names[b]))


def _walls(rects: list[Rect], doors: tuple[Door, ...],
           rng: np.random.Generator) -> tuple[Wall, ...]:
    """Every room's own half of its walls in its own colour, and the outer half all around."""
    walls: list[Wall] = []
    half = WALL / 2
    for x0, y0, x1, y1 in rects:
        rgb = _WALLS[int(rng.integers(len(_WALLS)))]
        for vertical, at, way, start, end in (
                (False, y0, 1, x0, x1), (False, y1, -1, x0, x1),
                (True, x0, 1, y0 + half, y1 - half), (True, x1, -1, y0 + half, y1 - half)):
            walls += _pierced(vertical, at, at + way * half, start, end, doors, rgb)
            for low, high in _outer(vertical, at, way, start, end, rects):
                grow = half if not vertical else 2 * half
                walls += _pierced(vertical, at - way * half, at, low - grow, high + grow, (),
                                  OUTSIDE)
    return tuple(walls)


def _pierced(vertical: bool, a: float, b: float, start: float, end: float,
             doors: tuple[Door, ...], rgb: tuple[float, float, float]) -> list[Wall]:
    """One side of a room as walls with openings, and lintels above the openings."""
    low, high = min(a, b), max(a, b)

    def wall(p: float, q: float, base: float = 0.0) -> Wall:
        box = (low, p, high, q) if vertical else (p, low, q, high)
        x0, y0, x1, y1 = (round(v, 3) for v in box)
        return Wall(x0, y0, x1, y1, HEIGHT, rgb, base)

    walls, cursor = [], start
    holes = sorted((d.y if vertical else d.x, d.width / 2) for d in doors
                   if (d.yaw == 0.0) == vertical
                   and low - 1e-6 <= (d.x if vertical else d.y) <= high + 1e-6)
    for middle, reach in holes:
        if start < middle < end:
            walls += [wall(cursor, middle - reach), wall(middle - reach, middle + reach, LINTEL)]
            cursor = middle + reach
    return walls + [wall(cursor, end)]


def _outer(vertical: bool, at: float, way: int, start: float, end: float,
           rects: list[Rect]) -> list[tuple[float, float]]:
    """The stretches of a side that face the open air."""
    stretches = [(start, end)]
    for rect in rects:
        near, far, low, high = ((rect[0], rect[2], rect[1], rect[3]) if vertical
                                else (rect[1], rect[3], rect[0], rect[2]))
        if not near < at - way * 0.01 < far:
            continue
        stretches = [piece for p, q in stretches for piece in ((p, min(q, low)), (max(p, high), q))
                     if piece[1] - piece[0] > 0.13]
    return stretches


def outer_stretches(room: Room, rooms: tuple[Room, ...]) -> dict[str, list[tuple[float, float]]]:
    """Where windows may be: the free stretches of the `west`, `east`, `south`, `north` side."""
    half = WALL / 2
    rects = [(r.x0 - half, r.y0 - half, r.x1 + half, r.y1 + half) for r in rooms]
    x0, y0, x1, y1 = rects[rooms.index(room)]
    sides = {'west': (True, x0, 1, y0, y1), 'east': (True, x1, -1, y0, y1),
             'south': (False, y0, 1, x0, x1), 'north': (False, y1, -1, x0, x1)}
    return {name: _outer(*side, rects) for name, side in sides.items()}
