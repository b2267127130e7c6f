"""Puts items into a room the way people do, and never across a way that somebody needs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from nl_robot.sim.catalogue import CATALOGUE, Make, make, surface
from nl_robot.sim.clearance import Box, RoomFloor, box_of, boxes_meet, distance_to_segment
from nl_robot.sim.layout import WALL, outer_stretches
from nl_robot.sim.recipes import RECIPES, Wish
from nl_robot.sim.records import Door, Item, Room

DOOR_CLEAR = 0.75      # nothing stands nearer to a doorway than this, metres
# What people stand in front of to use: the floor there stays free.
ATTENDED = ('bathtub', 'bookshelf', 'china cabinet', 'crib', 'desk', 'dishwasher', 'dresser',
            'dryer', 'filing cabinet', 'fireplace', 'fish tank', 'freezer', 'fridge',
            'kitchen cabinet', 'piano', 'shower', 'sideboard', 'sink', 'sofa', 'storage shelf',
            'stove', 'television', 'toilet', 'toy box', 'wardrobe', 'washing machine',
            'workbench')
TRIES = 14             # places tried for one item before it is left out

_FACING = {'west': 0.0, 'east': math.pi, 'south': math.pi / 2, 'north': -math.pi / 2}
_GAP_BEFORE = {'coffee table': 0.42, 'rug': 0.15, 'chair': 0.02, 'office chair': 0.03}

Place = tuple[float, float, float]      # x, y, yaw


@dataclass
class Furnisher:
    """Furnishes one room of a home; `items` grows as it works.

    :param room: to furnish
    :param rooms: all rooms of the home, to know which walls face the open air
    :param doors: of this room
    :param rng: the only source of chance
    :param names: how often each kind has been named in this home so far (shared, counted up)
    """

    room: Room
    rooms: tuple[Room, ...]
    doors: tuple[Door, ...]
    rng: np.random.Generator
    names: dict[str, int]
    items: list[Item] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.floor = RoomFloor.of(self.room, self.doors)
        self.outer = outer_stretches(self.room, self.rooms)

    def furnish(self) -> tuple[Item, ...]:
        """All items of the room, those on the floor first thought of first placed."""
        for wish in RECIPES[self.room.kind]:
            colour = ''
            for _ in range(wish.count):
                if self.rng.random() >= wish.chance:
                    continue
                item = self._place(wish, colour)
                if item is None:
                    break
                self.items.append(item)
                colour = item.colour if wish.alike else ''
        return tuple(self.items)

    def _place(self, wish: Wish, colour: str) -> Item | None:
        """A new item for one line of the recipe, or None where it fits nowhere."""
        made = make(wish.kind, self.rng, colour)
        if wish.how == 'on':
            return self._put_on(made, wish)
        for x, y, yaw in self._places(made, wish):
            z = self._height(made, wish)
            if self._fits(made, wish, x, y, z, yaw):
                return self._named(made, x, y, z, yaw)
        return None

    def _named(self, made: Make, x: float, y: float, z: float, yaw: float, on: str = '') -> Item:
        """The item at its place, under the next free name of its kind."""
        number = self.names[made.kind] = self.names.get(made.kind, 0) + 1
        name = made.kind if number == 1 else f'{made.kind} {number}'
        item = made.at(name, self.room.name, x, y, z, yaw, on)
        if item.collides:
            self.floor.block(box_of(item.x, item.y, item.yaw, item.extent))
            if made.kind in ATTENDED:
                self.floor.fronts.append(self.floor.cell(self._front(made, x, y, yaw)))
        return item

    # -- where it might go -------------------------------------------------------------------

    def _places(self, made: Make, wish: Wish) -> Iterator[Place]:
        """Places to try, best first where there is a best."""
        partners = [item for item in self.items if item.kind in wish.partners]
        related = {'around': self._around, 'before': self._before, 'beside': self._beside,
                   'opposite': self._opposite, 'under': self._same, 'over': self._over}
        if wish.how in related:
            for partner in partners:
                yield from related[wish.how](made, partner)
        elif wish.how == 'row':
            for partner in partners:
                yield from self._beside(made, partner)
            yield from self._walls(made)
        elif wish.how == 'corner':
            yield from self._corners(made)
        elif wish.how == 'free':
            yield from self._open(made)
        elif wish.how == 'ceiling':
            middle = partners[0] if partners else None
            x, y = (middle.x, middle.y) if middle else self.room.centre
            yield x, y, 0.0
        elif wish.how == 'outside':
            yield from self._outside(made)
        else:
            yield from self._walls(made)

    def _against(self, side: str, along: float, depth: float) -> Place:
        """A place with the back against one wall."""
        gap = 0.006 if depth < 0.15 else 0.02
        room, reach = self.room, depth / 2 + gap
        x, y = {'west': (room.x0 + reach, along), 'east': (room.x1 - reach, along),
                'south': (along, room.y0 + reach), 'north': (along, room.y1 - reach)}[side]
        return x, y, _FACING[side]

    def _span(self, side: str) -> tuple[float, float]:
        """From where to where a wall runs."""
        vertical = side in ('west', 'east')
        return (self.room.y0, self.room.y1) if vertical else (self.room.x0, self.room.x1)

    def _walls(self, made: Make) -> Iterator[Place]:
        """Places along random walls."""
        depth, width, _ = made.extent
        for _ in range(TRIES):
            side = str(self.rng.choice(list(_FACING)))
            low, high = self._span(side)
            low, high = low + width / 2 + 0.03, high - width / 2 - 0.03
            if low < high:
                along = float(self.rng.choice((low, high, self.rng.uniform(low, high)),
                                              p=(.2, .2, .6)))
                yield self._against(side, along, depth)

    def _outside(self, made: Make) -> Iterator[Place]:
        """Places on walls that face the open air."""
        depth, width, _ = made.extent
        sides = [(side, low + WALL, high - WALL) for side, stretches in self.outer.items()
                 for low, high in stretches if high - low > width + 2 * WALL + 0.3]
        for _ in range(TRIES if sides else 0):
            side, low, high = sides[int(self.rng.integers(len(sides)))]
            middle, reach = (low + high) / 2, (high - low - width) / 2 - 0.1
            yield self._against(side, middle + reach * float(self.rng.uniform(-1, 1)), depth)

    def _corners(self, made: Make) -> Iterator[Place]:
        """Places in the corners; upholstered ones stand askew now and then."""
        depth, width, _ = made.extent
        for k in self.rng.permutation(8):
            side = list(_FACING)[int(k) // 2]
            low, high = self._span(side)
            along = low + width / 2 + 0.04 if k % 2 else high - width / 2 - 0.04
            x, y, yaw = self._against(side, along, depth)
            if made.kind == 'armchair' and self.rng.random() < 0.5:
                toward = math.atan2(self.room.centre[1] - y, self.room.centre[0] - x)
                x, y = x + 0.2 * math.cos(toward), y + 0.2 * math.sin(toward)
                yaw = math.radians(45 * round(math.degrees(toward) / 45))
            yield x, y, yaw
        yield from self._walls(made)

    def _open(self, made: Make) -> Iterator[Place]:
        """Places in the open room."""
        depth, width, _ = made.extent
        room = self.room
        away = 0.1 if CATALOGUE[made.kind].mount == 'flat' else 0.62
        for _ in range(TRIES):
            yaw = _FACING[str(self.rng.choice(list(_FACING)))]
            if width > 1.5 or depth > 1.5:      # long things lie along the room
                along_x = (room.x1 - room.x0 > room.y1 - room.y0) == (depth > width)
                yaw = float(self.rng.choice((0.0, math.pi) if along_x
                                            else (math.pi / 2, -math.pi / 2)))
            box = box_of(0.0, 0.0, yaw, made.extent)
            low_x, high_x = room.x0 + box.x1 + away, room.x1 - box.x1 - away
            low_y, high_y = room.y0 + box.y1 + away, room.y1 - box.y1 - away
            if low_x < high_x and low_y < high_y:
                yield (float(self.rng.triangular(low_x, (low_x + high_x) / 2, high_x)),
                       float(self.rng.triangular(low_y, (low_y + high_y) / 2, high_y)), yaw)

    def _from(self, partner: Item, x: float, y: float, turn: float = 0.0) -> Place:
        """A place given in the frame of another item."""
        c, s = math.cos(partner.yaw), math.sin(partner.yaw)
        yaw = math.remainder(partner.yaw + turn, 2 * math.pi)
        return partner.x + c * x - s * y, partner.y + s * x + c * y, yaw

    def _around(self, made: Make, table: Item) -> Iterator[Place]:
        """Places at the sides of a table, facing it: the long sides first."""
        reach = made.extent[0] / 2 + 0.03
        depth, width = table.extent[0] / 2 + reach, table.extent[1] / 2 + reach
        seats = 2 if table.extent[1] > 1.35 else 1
        spots = [(0.0,), (-table.extent[1] / 4, table.extent[1] / 4)][seats - 1]
        for spot in spots:
            yield self._from(table, depth, spot, math.pi)
            yield self._from(table, -depth, spot, 0.0)
        yield self._from(table, 0.0, width, -math.pi / 2)
        yield self._from(table, 0.0, -width, math.pi / 2)

    def _before(self, made: Make, partner: Item) -> Iterator[Place]:
        """In front of another item; a seat faces it."""
        gap = _GAP_BEFORE.get(made.kind, 0.4)
        turn = math.pi if 'chair' in made.kind else 0.0
        reach = partner.extent[0] / 2 + gap + made.extent[0] / 2
        for sideways in (float(self.rng.uniform(-0.1, 0.1)), -0.25, 0.25):
            yield self._from(partner, reach, sideways, turn)

    def _beside(self, made: Make, partner: Item) -> Iterator[Place]:
        """At either side of another item, their backs in one line."""
        reach = partner.extent[1] / 2 + made.extent[1] / 2 + 0.02
        back = made.extent[0] / 2 - partner.extent[0] / 2
        if CATALOGUE[made.kind].mount == 'flat':
            back, reach = 0.0, reach - 0.4
        sides = [reach, -reach]
        self.rng.shuffle(sides)
        for side in sides:
            yield self._from(partner, back, side)

    def _opposite(self, made: Make, partner: Item) -> Iterator[Place]:
        """Against the wall that another item looks at, facing it."""
        side = min(_FACING, key=lambda s: abs(math.remainder(
            _FACING[s] - partner.yaw - math.pi, 2 * math.pi)))
        level = partner.y if side in ('west', 'east') else partner.x
        for sideways in (0.0, -0.3, 0.3, -0.7, 0.7, -1.1, 1.1):
            yield self._against(side, level + sideways, made.extent[0])
        yield from self._walls(made)

    def _same(self, made: Make, partner: Item) -> Iterator[Place]:
        """Where another item is."""
        yield partner.x, partner.y, partner.yaw

    def _over(self, made: Make, partner: Item) -> Iterator[Place]:
        """On the wall behind another item."""
        for side, yaw in _FACING.items():
            if abs(math.remainder(yaw - partner.yaw, 2 * math.pi)) < 0.1:
                along = partner.y if side in ('west', 'east') else partner.x
                x, y, yaw = self._against(side, along, made.extent[0])
                if math.hypot(x - partner.x, y - partner.y) < 0.8:
                    yield x, y, yaw

    def _height(self, made: Make, wish: Wish) -> float:
        """Of the base: 0 for what stands, the kind's level for what hangs."""
        kind = CATALOGUE[made.kind]
        if kind.mount not in ('wall', 'ceiling'):
            return 0.0
        return kind.level + (float(self.rng.uniform(-0.05, 0.08)) if wish.how == 'hang' else 0.0)

    # -- whether it may ----------------------------------------------------------------------

    def _fits(self, made: Make, wish: Wish, x: float, y: float, z: float, yaw: float) -> bool:
        """Whether an item may be there."""
        box = box_of(x, y, yaw, made.extent)
        room, mount = self.room, CATALOGUE[made.kind].mount
        if not (room.x0 <= box.x0 and box.x1 <= room.x1
                and room.y0 <= box.y0 and box.y1 <= room.y1):
            return False
        if mount == 'ceiling':
            return True
        if mount == 'flat':
            return all(item.kind != made.kind or not boxes_meet(
                box, box_of(item.x, item.y, item.yaw, item.extent)) for item in self.items)
        if any(self._disturbs(made, wish, box, z, item) for item in self.items):
            return False
        clear = DOOR_CLEAR if mount == 'floor' else 0.15
        if any(distance_to_segment(box, door) < clear for door in self.doors):
            return False
        if mount == 'wall':
            return True
        front = self._front(made, x, y, yaw) if made.kind in ATTENDED else None
        return self.floor.stays_open(box, front, wish.how not in ('before', 'around'))

    def _front(self, made: Make, x: float, y: float, yaw: float) -> tuple[float, float]:
        """Where somebody stands to use an item."""
        reach = made.extent[0] / 2 + 0.4
        return x + reach * math.cos(yaw), y + reach * math.sin(yaw)

    def _disturbs(self, made: Make, wish: Wish, box: Box, z: float, item: Item) -> bool:
        """Whether a new item would touch another, cover one that hangs, or hang behind one."""
        other = box_of(item.x, item.y, item.yaw, item.extent)
        mount = CATALOGUE[made.kind].mount
        if item.on or CATALOGUE[item.kind].mount in ('flat', 'ceiling'):
            return False
        if made.kind == 'curtain' and item.kind == 'window':
            return False
        hanging = (mount == 'wall', CATALOGUE[item.kind].mount == 'wall')
        if hanging == (False, False):
            return boxes_meet(box, other, 0.015)
        # something hangs: what reaches up to it must not be in front of it
        top, bottom = z + made.extent[2] + 0.03, z - 0.03
        if bottom >= item.z + item.extent[2] or top <= item.z:
            return False
        if made.kind == item.kind == 'window':
            return boxes_meet(box, other, 0.75)      # room for a curtain on either
        return boxes_meet(box, other, 0.08 if all(hanging) else 0.25)

    # -- on top of others --------------------------------------------------------------------

    def _put_on(self, made: Make, wish: Wish) -> Item | None:
        """The item on a partner that still has room for it, or None."""
        hosts = [item for item in self.items if item.kind in wish.partners and surface(item) > 0]
        for k in self.rng.permutation(len(hosts)):
            host = hosts[int(k)]
            spot = self._free_spot(made, host)
            if spot is not None:
                x, y, yaw = self._from(host, *spot)
                return self._named(made, x, y, surface(host), yaw, host.name)
        return None

    def _free_spot(self, made: Make, host: Item) -> tuple[float, float] | None:
        """A spot on top of an item, in its own frame, away from what is there already."""
        if made.kind == 'cushion':     # leans on the back of a sofa, on the head of a bed
            middle = -host.extent[0] / 2 + 0.22 + made.extent[0] / 2
            low, high = middle, middle
        else:
            reach = max(0.0, (host.extent[0] - made.extent[0]) / 2 - 0.02)
            low, high = (0.0, 0.0) if made.kind == 'computer monitor' else (-reach, reach)
        side = (host.extent[1] - made.extent[1]) / 2 - (0.22 if made.kind == 'cushion' else 0.02)
        if side < 0 or made.extent[0] > host.extent[0] + 0.02:
            return None
        others = [item for item in self.items if item.on == host.name]
        for _ in range(TRIES):
            x, y = float(self.rng.uniform(low, high)), float(self.rng.uniform(-side, side))
            place = self._from(host, x, y)
            box = box_of(*place, made.extent)
            if not any(boxes_meet(box, box_of(o.x, o.y, o.yaw, o.extent), 0.03) for o in others):
                return x, y
        return None


