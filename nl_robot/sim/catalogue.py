"""The kinds of objects in a home: how big they are, what colours they come in, where they go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nl_robot.sim.records import Item, Part
from nl_robot.sim.shapes import Builder, Rgb
from nl_robot.sim.shapes_living import LIVING
from nl_robot.sim.shapes_private import PRIVATE
from nl_robot.sim.shapes_service import SERVICE

COLOURS: dict[str, Rgb] = {
    'red': (0.78, 0.10, 0.10), 'orange': (0.95, 0.50, 0.08), 'yellow': (0.93, 0.82, 0.15),
    'green': (0.13, 0.52, 0.20), 'blue': (0.13, 0.28, 0.75), 'purple': (0.48, 0.18, 0.62),
    'pink': (0.95, 0.55, 0.70), 'brown': (0.42, 0.24, 0.11), 'black': (0.09, 0.09, 0.10),
    'white': (0.95, 0.95, 0.95), 'grey': (0.48, 0.49, 0.51), 'beige': (0.83, 0.72, 0.53)}

_ANY = tuple(COLOURS)
_BRIGHT = ('red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink')
_SEATS = ('red', 'green', 'blue', 'purple', 'brown', 'black', 'white', 'grey', 'beige', 'yellow')
_WOODS = ('brown', 'white', 'black', 'beige', 'grey')
_METALS = ('black', 'grey', 'white')
_CLOTH = ('red', 'green', 'blue', 'yellow', 'pink', 'white', 'grey', 'beige', 'purple')


@dataclass(frozen=True)
class Kind:
    """A kind of object.

    :param extent: usual width along x (front to back), along y, and height, metres
    :param colours: the colour words it comes in
    :param materials: the material words it comes in, '' for none worth a word
    :param mount: `floor`, `wall` (hangs), `support` (stands on something), `flat` (lies on
        the floor and is driven over) or `ceiling`
    :param level: height of the base of what hangs, or of the surface that bears other items
        as a share of the height (0: nothing can stand on it)
    :param sizes: whether there are small and large ones
    """

    extent: tuple[float, float, float]
    colours: tuple[str, ...]
    materials: tuple[str, ...]
    mount: str = 'floor'
    level: float = 0.0
    sizes: bool = False


CATALOGUE: dict[str, Kind] = {
    # kitchen, pantry and dining room
    'fridge': Kind((.68, .75, 1.85), ('white', 'grey', 'black', 'red'), ('metal',)),
    'stove': Kind((.62, .62, .92), ('white', 'black', 'grey'), ('metal',)),
    'sink': Kind((.52, .70, .88), ('white', 'grey', 'beige', 'brown', 'blue'), ('', 'wood')),
    'dishwasher': Kind((.60, .60, .86), ('white', 'grey'), ('metal',), level=1.0),
    'kitchen cabinet': Kind((.55, 1.0, .90), ('brown', 'white', 'green', 'blue', 'beige', 'red'),
                            ('wood',), level=1.0),
    'microwave': Kind((.40, .60, .36), ('black', 'white', 'grey', 'red'), ('metal',), 'support'),
    'kettle': Kind((.28, .34, .36), ('red', 'grey', 'blue', 'black'), ('metal',), 'support'),
    'dishes': Kind((.40, .42, .28), ('white', 'blue', 'red', 'yellow', 'green'),
                   ('', 'glass'), 'support'),
    'kitchen table': Kind((.80, 1.10, .76), ('white', 'yellow', 'green', 'blue', 'red'),
                          ('wood', 'plastic'), level=1.0),
    'dining table': Kind((.95, 1.70, .76), ('brown', 'black', 'beige', 'grey'),
                         ('wood', 'glass', 'stone'), level=1.0, sizes=True),
    'chair': Kind((.46, .44, .90), _ANY, ('wood', 'plastic', 'metal')),
    'high chair': Kind((.50, .48, 1.05), _BRIGHT + ('white',), ('wood', 'plastic')),
    'sideboard': Kind((.45, 1.40, .80), _WOODS, ('wood',), level=1.0),
    'china cabinet': Kind((.45, 1.05, 1.90), ('brown', 'white', 'black'), ('wood', 'glass')),
    'freezer': Kind((.62, 1.05, .85), ('white', 'grey'), ('metal',)),
    'storage shelf': Kind((.42, 1.10, 1.75), ('brown', 'grey', 'black'), ('wood', 'metal')),
    'trash can': Kind((.34, .34, .55), ('grey', 'black', 'red', 'green', 'blue', 'yellow'),
                      ('metal', 'plastic')),
    'wine rack': Kind((.35, .70, 1.05), ('brown', 'black'), ('wood', 'metal')),
    # living room
    'sofa': Kind((.88, 1.95, .82), _SEATS, ('fabric', 'leather'), level=.52, sizes=True),
    'armchair': Kind((.84, .84, .92), _SEATS + ('orange',), ('fabric', 'leather'), sizes=True),
    'coffee table': Kind((.58, 1.0, .42), ('brown', 'white', 'black', 'beige'),
                         ('wood', 'glass', 'stone'), level=1.0),
    'television': Kind((.42, 1.30, 1.25), ('black', 'grey', 'white', 'brown'), ('',)),
    'bookshelf': Kind((.34, .95, 1.85), _WOODS, ('wood',), sizes=True),
    'fireplace': Kind((.42, 1.30, 1.15), ('red', 'grey', 'white', 'brown'), ('stone',), level=1.0),
    'piano': Kind((.62, 1.45, 1.20), ('black', 'brown', 'white'), ('wood',)),
    'fish tank': Kind((.42, .95, 1.15), ('blue',), ('glass',)),
    'guitar': Kind((.42, .48, 1.15), ('brown', 'red', 'black', 'orange', 'blue'), ('wood',)),
    'floor lamp': Kind((.42, .42, 1.60), _CLOTH + ('orange', 'black'), ('metal', 'wood')),
    'plant': Kind((.55, .55, 1.25), ('green',), ('',), sizes=True),
    'rug': Kind((1.5, 2.1, .012), ('red', 'blue', 'green', 'purple', 'beige', 'grey', 'orange'),
                ('fabric',), 'flat', sizes=True),
    'vase': Kind((.27, .27, .54), _ANY, ('glass', 'stone', ''), 'support'),
    'cushion': Kind((.24, .50, .46), _BRIGHT + ('white', 'grey'), ('fabric',), 'support'),
    'painting': Kind((.05, .85, .65), _ANY, ('',), 'wall', 1.10, sizes=True),
    'clock': Kind((.07, .50, .50), ('white', 'black', 'red', 'yellow', 'blue'), ('',),
                  'wall', 1.45),
    'window': Kind((.06, 1.20, 1.00), ('white', 'brown'), ('glass',), 'wall', .95),
    'curtain': Kind((.10, 1.85, 1.80), _CLOTH, ('fabric',), 'wall', .35),
    'radiator': Kind((.14, .95, .60), ('white', 'black'), ('metal',)),
    'chandelier': Kind((.80, .80, .55), ('yellow', 'white', 'black'), ('glass', 'metal'),
                       'ceiling', 1.80),
    # bedrooms and nursery
    'bed': Kind((2.02, 1.50, .95), ('white', 'blue', 'red', 'green', 'grey', 'purple', 'pink',
                                    'beige', 'yellow'), ('wood', 'fabric', 'metal'),
                level=.55, sizes=True),
    'nightstand': Kind((.40, .46, .55), _WOODS, ('wood',), level=1.0),
    'dresser': Kind((.48, 1.05, .92), _WOODS + ('blue', 'green'), ('wood',), level=1.0),
    'wardrobe': Kind((.58, 1.20, 2.00), _WOODS, ('wood',), sizes=True),
    'table lamp': Kind((.34, .34, .56), _CLOTH + ('orange',), ('', 'metal'), 'support'),
    'mirror': Kind((.05, .55, .85), ('brown', 'black', 'white', 'yellow'), ('glass',),
                   'wall', .95),
    'bench': Kind((.42, 1.10, .46), _WOODS + ('red', 'green', 'blue'), ('wood', 'leather')),
    'crib': Kind((.70, 1.25, .95), ('white', 'brown', 'pink', 'blue'), ('wood',)),
    'rocking horse': Kind((.85, .36, .75), ('brown', 'red', 'white', 'blue'), ('wood',)),
    'toy box': Kind((.42, .72, .50), _BRIGHT, ('wood', 'plastic')),
    'teddy bear': Kind((.38, .44, .58), ('brown', 'white', 'pink', 'beige'), ('fabric',),
                       'support'),
    'dollhouse': Kind((.40, .75, .85), ('pink', 'red', 'blue', 'white', 'yellow'), ('wood',)),
    # bathroom and laundry room
    'bathtub': Kind((.75, 1.60, .58), ('white', 'pink', 'blue', 'green'), ('',)),
    'shower': Kind((.90, .90, 2.05), ('white', 'grey', 'blue'), ('glass',)),
    'toilet': Kind((.68, .42, .80), ('white', 'beige', 'pink'), ('',)),
    'towel rack': Kind((.14, .65, .80), _CLOTH + ('orange',), ('metal',), 'wall', .75),
    'laundry basket': Kind((.42, .42, .58), ('white', 'beige', 'blue', 'pink', 'grey'),
                           ('plastic', 'fabric')),
    'washing machine': Kind((.60, .60, .86), ('white', 'grey', 'black'), ('metal',), level=1.0),
    'dryer': Kind((.60, .60, .86), ('white', 'grey', 'yellow'), ('metal',), level=1.0),
    'ironing board': Kind((.40, 1.25, .90), ('blue', 'red', 'grey', 'green', 'purple'),
                          ('fabric', 'metal')),
    # office and gym
    'desk': Kind((.68, 1.35, .75), _WOODS, ('wood', 'metal', 'glass'), level=1.0, sizes=True),
    'office chair': Kind((.58, .58, 1.05), ('black', 'grey', 'red', 'blue', 'green'),
                         ('leather', 'fabric')),
    'computer monitor': Kind((.22, .66, .50), ('black', 'white', 'grey'), ('',), 'support'),
    'printer': Kind((.42, .54, .36), ('white', 'black', 'grey'), ('plastic',), 'support'),
    'filing cabinet': Kind((.58, .58, .95), ('grey', 'green', 'black', 'beige'), ('metal',),
                           level=1.0),
    'treadmill': Kind((1.60, .75, 1.25), ('black', 'grey'), ('metal',)),
    'exercise ball': Kind((.62, .62, .62), _BRIGHT, ('plastic',)),
    # hallway and garage
    'coat rack': Kind((.44, .44, 1.75), ('brown', 'black', 'white'), ('wood', 'metal')),
    'shoe rack': Kind((.32, .80, .50), ('brown', 'white', 'black'), ('wood',)),
    'umbrella stand': Kind((.28, .28, .75), ('black', 'red', 'blue', 'green', 'grey'),
                           ('metal',)),
    'car': Kind((3.1, 1.45, 1.30), ('red', 'blue', 'black', 'grey', 'white', 'green', 'yellow'),
                ('metal',)),
    'bicycle': Kind((.30, 1.60, 1.00), _BRIGHT + ('black', 'white'), ('metal',)),
    'workbench': Kind((.62, 1.50, 1.40), ('brown', 'beige', 'red', 'blue'), ('wood', 'metal'),
                      level=.62),
    'toolbox': Kind((.30, .56, .38), ('red', 'yellow', 'blue', 'grey', 'green'),
                    ('metal', 'plastic'), 'support'),
    'ladder': Kind((.50, .50, 1.70), ('grey', 'yellow', 'red'), ('metal', 'wood'))}

KINDS: tuple[str, ...] = tuple(sorted(CATALOGUE))
BUILDERS: dict[str, Builder] = {**LIVING, **PRIVATE, **SERVICE}

_SIZES: dict[str, float] = {'small': 0.80, '': 1.0, 'large': 1.20}


@dataclass(frozen=True)
class Make:
    """What a single item will be, before it has a place."""

    kind: str
    colour: str
    material: str
    size: str
    extent: tuple[float, float, float]
    parts: tuple[Part, ...]

    def at(self, name: str, room: str, x: float, y: float, z: float, yaw: float,
           on: str = '') -> Item:
        """The item at its place in a room."""
        return Item(name, self.kind, self.colour, self.material, self.size,
                    round(x, 3), round(y, 3), round(z, 3), yaw, self.extent, room, self.parts,
                    on, collides=CATALOGUE[self.kind].mount == 'floor')


def make(kind: str, rng: np.random.Generator, colour: str = '', shrink: float = 1.0) -> Make:
    """A new item of a kind, with colour, material, size and exact dimensions drawn at random.

    :param colour: a colour word instead of a random one, as for a set of chairs
    :param shrink: a factor on depth and width, for a narrow place
    """
    entry = CATALOGUE[kind]
    colour = colour or str(rng.choice(entry.colours))
    material = str(rng.choice(entry.materials))
    size = str(rng.choice(('small', '', 'large'), p=(.22, .56, .22))) if entry.sizes else ''
    scale = _SIZES[size] * rng.uniform(0.95, 1.05, 3)
    scale[:2] *= shrink
    if entry.mount == 'flat':
        scale[2] = 1.0
    d, w, h = (round(float(a * s), 3) for a, s in zip(entry.extent, scale))
    rgb = _shade(COLOURS[colour], rng)
    parts = tuple(BUILDERS[kind](d, w, h, rgb, rng))
    return Make(kind, colour, material, size, (d, w, h), parts)


def _shade(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """A colour a little lighter or darker, and a little off in every channel."""
    value = np.clip(np.array(rgb) * rng.uniform(0.92, 1.06) + rng.uniform(-0.02, 0.02, 3), 0, 1)
    r, g, b = (round(float(v), 3) for v in value)
    return r, g, b


def surface(item: Item) -> float:
    """Height above the floor of the top that bears other items; 0 where nothing can stand."""
    return item.z + CATALOGUE[item.kind].level * item.extent[2] \
        if CATALOGUE[item.kind].mount == 'floor' else 0.0
