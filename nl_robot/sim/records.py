"""What a generated home is made of: rooms, doors, walls and items, in metres, z up."""

from __future__ import annotations

from dataclasses import dataclass

SPLITS: dict[str, range] = {
    'train': range(0, 200), 'val': range(1000, 1030), 'test': range(2000, 2050)}


@dataclass(frozen=True)
class Room:
    """One room: the inside of its walls, an axis-parallel rectangle.

    :param name: unique in the home (`kitchen`, `bedroom 2`)
    :param kind: what people call it (`kitchen`, `bedroom`)
    """

    name: str
    kind: str
    x0: float
    y0: float
    x1: float
    y1: float
    floor_colour: tuple[float, float, float] = (0.7, 0.6, 0.5)

    def contains(self, x: float, y: float) -> bool:
        """True when the point lies inside the room."""
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1

    @property
    def centre(self) -> tuple[float, float]:
        """The middle of the room."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2


@dataclass(frozen=True)
class Door:
    """An open doorway with a frame, between two rooms.

    :param yaw: direction of walking through it, radians (0: along x, pi/2: along y)
    :param width: of the opening, metres
    """

    name: str
    x: float
    y: float
    yaw: float
    width: float
    rooms: tuple[str, str]


@dataclass(frozen=True)
class Part:
    """One primitive of an item, in the item's own frame (origin on its base, x forward).

    :param shape: `box`, `cylinder`, `sphere`, `ellipsoid` or `capsule`
    :param size: MuJoCo's half-sizes for the shape
    :param position: of its middle
    :param rgb: 0..1
    :param euler: rotation, radians about x, y, z
    """

    shape: str
    size: tuple[float, ...]
    position: tuple[float, float, float]
    rgb: tuple[float, float, float]
    euler: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Item:
    """One object of a home.

    :param name: unique in the home (`armchair 2`)
    :param kind: what it is (`armchair`)
    :param colour: a colour word (`red`)
    :param material: a material word (`wood`) or ''
    :param size: `small`, `large` or '' for the usual size
    :param x, y: its middle on the floor plan
    :param z: height of its base above the floor
    :param yaw: where its front faces
    :param extent: full width along its own x, along its own y, and height
    :param room: name of the room it stands in
    :param on: name of the item it stands on, or ''
    :param collides: False for what a robot drives over (a rug) or what hangs out of its way
    """

    name: str
    kind: str
    colour: str
    material: str
    size: str
    x: float
    y: float
    z: float
    yaw: float
    extent: tuple[float, float, float]
    room: str
    parts: tuple[Part, ...]
    on: str = ''
    collides: bool = True

    @property
    def label(self) -> str:
        """What a detector should call it: colour and kind (`red armchair`)."""
        return f'{self.colour} {self.kind}'


@dataclass(frozen=True)
class Wall:
    """A straight piece of wall: an axis-parallel box from the floor up."""

    x0: float
    y0: float
    x1: float
    y1: float
    height: float
    rgb: tuple[float, float, float]
    base: float = 0.0


@dataclass(frozen=True)
class Home:
    """One furnished home, wholly determined by its seed."""

    seed: int
    rooms: tuple[Room, ...]
    doors: tuple[Door, ...]
    walls: tuple[Wall, ...]
    items: tuple[Item, ...]

    @property
    def name(self) -> str:
        """`home-0007` for seed 7."""
        return f'home-{self.seed:04d}'

    def room(self, name: str) -> Room:
        """The room of that name; KeyError names it and what there is."""
        for room in self.rooms:
            if room.name == name:
                return room
        raise KeyError(f'no room {name!r} in {self.name}; rooms: '
                       + ', '.join(room.name for room in self.rooms))

    def room_at(self, x: float, y: float) -> Room | None:
        """The room that contains the point, or None (in a doorway, in a wall)."""
        return next((room for room in self.rooms if room.contains(x, y)), None)
