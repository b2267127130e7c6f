"""Noun phrases for items of a home, and the items that a phrase could mean."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import cache

import numpy as np

from nl_robot.embodied.places import Places, gap
from nl_robot.language.grammar import pick, word_for, words
from nl_robot.sim.records import Item

NEXT_TO = 0.6        # metres between footprints: one says "next to"
STILL_NEXT_TO = 0.9  # metres: one might, so it counts as well
Attributes = tuple[tuple[str, str], ...]   # (('colour', 'red'), ('size', 'large'))


def attributes(item: Item, rng: np.random.Generator) -> Attributes:
    """One or two of the item's colour, size and material; colour most often."""
    known = [(name, getattr(item, name)) for name in ('size', 'colour', 'material')
             if getattr(item, name)]
    chance = {'size': 0.45, 'colour': 0.75, 'material': 0.3}
    chosen = [pair for pair in known if rng.random() < chance[pair[0]]]
    return tuple(chosen[:2]) or ((('colour', item.colour),) if item.colour else ())


def phrase(kind: str, given: Attributes, rng: np.random.Generator) -> str:
    """The noun phrase without article: `large red couch`."""
    adjectives = [word_for('attributes', value, rng) for _, value in given]
    return ' '.join([*adjectives, word_for('objects', kind, rng)])


def matching(items: Iterable[Item], kind: str, given: Attributes = ()) -> list[Item]:
    """The items of a kind that have all the given attributes."""
    return [item for item in items if item.kind == kind
            and all(getattr(item, name) == value for name, value in given)]


def neighbours(places: Places) -> list[tuple[str, str, float]]:
    """Pairs of names (an item, a landmark by it) with the metres between them, remembered."""
    if places.pairs is None:
        places.pairs = []
        for a, b in itertools.permutations(places.home.items, 2):
            stands = b.collides and not b.on and a.on != b.name
            if stands and a.room == b.room and a.kind != b.kind:
                apart = gap(a, b) if abs(a.x - b.x) + abs(a.y - b.y) < 6 else 6.0
                if apart <= STILL_NEXT_TO:
                    places.pairs.append((a.name, b.name, apart))
    return places.pairs


@cache
def things(group: str, kind: str) -> tuple[str, ...]:
    """What is carried to a room or an object of this kind in a household."""
    table = words(group)
    return tuple(table.get(kind, table.get('default', ['my things'])))


def thing(group: str, kind: str, rng: np.random.Generator) -> str:
    """One of `things`, at random."""
    return str(pick(things(group, kind), rng))
