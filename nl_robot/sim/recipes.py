"""What people put into each kind of room, in the order in which they put it there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wish:
    """One line of a recipe: try to place up to `count` items of a kind, each with `chance`.

    :param how: `wall` (back to a wall), `corner`, `free` (in the open), `around`, `before`,
        `beside`, `opposite` or `under` one of the `partners`, `row` (beside, else at a wall),
        `on` one of them, `hang` (on a wall), `over` (hang on a wall above one of them),
        `outside` (hang on an outer wall), `ceiling`
    :param partners: kinds that the placement refers to
    :param alike: all of one colour, as a set of chairs
    """

    kind: str
    chance: float
    how: str
    count: int = 1
    partners: tuple[str, ...] = ()
    alike: bool = False


_UNITS = ('stove', 'kitchen cabinet', 'sink', 'dishwasher', 'fridge')
_LIGHT = (Wish('window', .85, 'outside', 2), Wish('curtain', .6, 'over', 2, ('window',), True))

_BEDROOM = (
    Wish('bed', 1.0, 'wall'), Wish('wardrobe', .85, 'wall'),
    Wish('nightstand', .8, 'beside', 2, ('bed',), True), Wish('dresser', .6, 'wall'),
    *_LIGHT, Wish('armchair', .35, 'corner'), Wish('desk', .2, 'wall'),
    Wish('chair', .7, 'before', 1, ('desk',)), Wish('mirror', .5, 'hang'),
    Wish('painting', .7, 'hang', 2), Wish('rug', .55, 'beside', 1, ('bed',)),
    Wish('table lamp', .75, 'on', 2, ('nightstand', 'dresser', 'desk')),
    Wish('cushion', .5, 'on', 2, ('bed',)), Wish('plant', .3, 'corner'),
    Wish('floor lamp', .3, 'corner'), Wish('bookshelf', .3, 'wall'), Wish('bench', .2, 'wall'),
    Wish('television', .2, 'opposite', 1, ('bed',)), Wish('clock', .25, 'hang'),
    Wish('vase', .25, 'on', 1, ('dresser',)), Wish('guitar', .2, 'corner'),
    Wish('radiator', .4, 'wall'), Wish('laundry basket', .25, 'corner'))

RECIPES: dict[str, tuple[Wish, ...]] = {
    'kitchen': (
        Wish('fridge', 1.0, 'corner'), Wish('kitchen cabinet', 1.0, 'row', 1, _UNITS),
        Wish('stove', 1.0, 'row', 1, _UNITS), Wish('sink', 1.0, 'row', 1, _UNITS),
        Wish('dishwasher', .65, 'row', 1, _UNITS),
        Wish('kitchen cabinet', .8, 'row', 2, _UNITS, True),
        Wish('kitchen table', .75, 'free'),
        Wish('chair', .85, 'around', 4, ('kitchen table',), True),
        Wish('microwave', .85, 'on', 1, ('kitchen cabinet', 'dishwasher')),
        Wish('kettle', .7, 'on', 1, ('kitchen cabinet', 'dishwasher', 'kitchen table')),
        Wish('dishes', .85, 'on', 2, ('kitchen table', 'kitchen cabinet')),
        Wish('window', .9, 'outside', 1), Wish('curtain', .4, 'over', 1, ('window',)),
        Wish('trash can', .7, 'corner'), Wish('clock', .55, 'hang'),
        Wish('high chair', .25, 'free'), Wish('painting', .25, 'hang'),
        Wish('plant', .2, 'corner'), Wish('radiator', .3, 'wall')),
    'dining room': (
        Wish('dining table', 1.0, 'free'),
        Wish('chair', .95, 'around', 6, ('dining table',), True),
        Wish('sideboard', .7, 'wall'), Wish('china cabinet', .65, 'wall'), *_LIGHT,
        Wish('chandelier', .8, 'ceiling', 1, ('dining table',)),
        Wish('rug', .4, 'under', 1, ('dining table',)),
        Wish('vase', .6, 'on', 1, ('dining table', 'sideboard')),
        Wish('dishes', .7, 'on', 2, ('dining table', 'sideboard')),
        Wish('painting', .85, 'hang', 2), Wish('plant', .5, 'corner', 2),
        Wish('wine rack', .4, 'wall'), Wish('clock', .25, 'hang'), Wish('mirror', .2, 'hang'),
        Wish('piano', .2, 'wall'), Wish('high chair', .15, 'free'), Wish('radiator', .4, 'wall')),
    'living room': (
        Wish('sofa', 1.0, 'wall'), Wish('television', .9, 'opposite', 1, ('sofa',)),
        Wish('coffee table', .8, 'before', 1, ('sofa',)), Wish('piano', .35, 'wall'),
        Wish('bookshelf', .7, 'wall'), Wish('armchair', .8, 'corner', 2),
        Wish('fireplace', .45, 'wall'), Wish('fish tank', .4, 'wall'), *_LIGHT,
        Wish('bookshelf', .5, 'wall'),
        Wish('rug', .75, 'before', 1, ('sofa',)), Wish('painting', .85, 'hang', 3),
        Wish('floor lamp', .7, 'corner'), Wish('plant', .7, 'corner', 2),
        Wish('cushion', .75, 'on', 2, ('sofa',)), Wish('guitar', .25, 'corner'),
        Wish('vase', .5, 'on', 1, ('coffee table', 'fireplace')),
        Wish('clock', .3, 'hang'), Wish('dishes', .2, 'on', 1, ('coffee table',)),
        Wish('armchair', .35, 'free'), Wish('radiator', .5, 'wall'),
        Wish('chandelier', .2, 'ceiling')),
    'bedroom': _BEDROOM,
    'guest room': (
        Wish('bed', 1.0, 'wall'), Wish('nightstand', .7, 'beside', 1, ('bed',)),
        Wish('sofa', .3, 'wall'), Wish('dresser', .6, 'wall'), *_LIGHT,
        Wish('desk', .35, 'wall'), Wish('chair', .8, 'before', 1, ('desk',)),
        Wish('bench', .45, 'wall'), Wish('armchair', .4, 'corner'),
        Wish('painting', .9, 'hang', 2), Wish('rug', .5, 'beside', 1, ('bed',)),
        Wish('table lamp', .7, 'on', 1, ('nightstand', 'dresser', 'desk')),
        Wish('vase', .4, 'on', 1, ('dresser', 'desk')), Wish('plant', .5, 'corner'),
        Wish('cushion', .4, 'on', 1, ('bed', 'sofa')), Wish('mirror', .4, 'hang'),
        Wish('radiator', .3, 'wall')),
    'bathroom': (
        Wish('toilet', 1.0, 'wall'), Wish('sink', 1.0, 'wall'),
        Wish('bathtub', .65, 'corner'), Wish('shower', .65, 'corner'),
        Wish('mirror', .85, 'over', 1, ('sink',)), Wish('towel rack', .85, 'hang', 2),
        Wish('window', .5, 'outside'), Wish('laundry basket', .35, 'corner'),
        Wish('rug', .35, 'free'), Wish('trash can', .3, 'corner'),
        Wish('radiator', .5, 'wall'), Wish('plant', .15, 'corner')),
    'hallway': (
        Wish('coat rack', .8, 'corner'), Wish('shoe rack', .75, 'wall'),
        Wish('mirror', .6, 'hang'), Wish('painting', .85, 'hang', 4),
        Wish('umbrella stand', .6, 'corner'), Wish('plant', .5, 'corner', 2),
        Wish('bench', .3, 'wall'), Wish('rug', .6, 'free', 1), Wish('clock', .35, 'hang'),
        Wish('window', .7, 'outside'), Wish('bookshelf', .25, 'wall'),
        Wish('radiator', .4, 'wall')),
    'office': (
        Wish('desk', 1.0, 'wall'), Wish('office chair', 1.0, 'before', 1, ('desk',)),
        Wish('computer monitor', .95, 'on', 1, ('desk',)), Wish('bookshelf', .85, 'wall', 2),
        Wish('filing cabinet', .7, 'wall'), *_LIGHT,
        Wish('printer', .75, 'on', 1, ('filing cabinet', 'desk')),
        Wish('armchair', .35, 'corner'), Wish('table lamp', .5, 'on', 1, ('desk',)),
        Wish('plant', .5, 'corner'), Wish('trash can', .5, 'corner'),
        Wish('painting', .7, 'hang', 2), Wish('clock', .5, 'hang'), Wish('rug', .35, 'free'),
        Wish('floor lamp', .35, 'corner'), Wish('guitar', .2, 'corner'),
        Wish('piano', .2, 'wall'), Wish('radiator', .3, 'wall')),
    'laundry room': (
        Wish('washing machine', 1.0, 'wall'), Wish('dryer', .85, 'row', 1, ('washing machine',)),
        Wish('ironing board', .75, 'wall'), Wish('laundry basket', .9, 'corner', 2),
        Wish('sink', .4, 'wall'), Wish('storage shelf', .5, 'wall'),
        Wish('window', .5, 'outside'), Wish('trash can', .3, 'corner'),
        Wish('towel rack', .4, 'hang'), Wish('clock', .2, 'hang')),
    'nursery': (
        Wish('crib', 1.0, 'wall'), Wish('dresser', .7, 'wall'), Wish('toy box', .9, 'wall'),
        Wish('rocking horse', .75, 'free'), Wish('armchair', .5, 'corner'),
        Wish('dollhouse', .5, 'wall'), *_LIGHT, Wish('rug', .7, 'free'),
        Wish('teddy bear', .85, 'on', 2, ('dresser', 'crib', 'armchair', 'rocking horse')),
        Wish('bookshelf', .4, 'wall'), Wish('painting', .8, 'hang', 2),
        Wish('table lamp', .4, 'on', 1, ('dresser',)), Wish('high chair', .2, 'free'),
        Wish('clock', .3, 'hang'), Wish('plant', .2, 'corner'), Wish('radiator', .3, 'wall')),
    'garage': (
        Wish('car', .75, 'free'), Wish('workbench', .9, 'wall'),
        Wish('toolbox', .9, 'on', 1, ('workbench',)), Wish('bicycle', .85, 'wall', 2),
        Wish('storage shelf', .7, 'wall'), Wish('ladder', .7, 'corner'),
        Wish('trash can', .6, 'corner'), Wish('freezer', .35, 'wall'),
        Wish('window', .5, 'outside')),
    'pantry': (
        Wish('storage shelf', 1.0, 'wall', 2), Wish('freezer', .75, 'wall'),
        Wish('wine rack', .6, 'wall'), Wish('kitchen cabinet', .5, 'wall'),
        Wish('dishes', .5, 'on', 1, ('kitchen cabinet',)), Wish('trash can', .4, 'corner'),
        Wish('kettle', .3, 'on', 1, ('kitchen cabinet',)), Wish('ladder', .25, 'corner'),
        Wish('window', .4, 'outside')),
    'gym': (
        Wish('treadmill', 1.0, 'wall'), Wish('exercise ball', .95, 'corner', 2),
        Wish('bench', .8, 'wall'), Wish('mirror', .85, 'hang', 2),
        Wish('bicycle', .5, 'wall'), *_LIGHT, Wish('television', .4, 'wall'),
        Wish('rug', .4, 'free'), Wish('towel rack', .5, 'hang'), Wish('plant', .4, 'corner'),
        Wish('clock', .5, 'hang'), Wish('painting', .5, 'hang'),
        Wish('radiator', .3, 'wall'))}
