"""What a command is about, as a list of concepts: places, sides, ordinals, and what to do.

Two sentences of one meaning send the robot to the same place: `over to the couch, please` and
`drive to the sofa` both mean ('sofa',).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from nl_robot.language.commands import control_word
from nl_robot.language.grammar import words
from nl_robot.speech.corpus import COLOURS, spoken

Meaning = tuple[str, ...]
GROUPS = ('rooms', 'objects')
LONGEST_NAME = 4      # words: `wash basin`, `chest of drawers`
SIMPLE = {'left': 'left', 'right': 'right', 'door': 'door', 'doorway': 'door', 'stairs': 'stairs',
          'around': 'around', 'past': 'past', 'pass': 'past', 'passed': 'past', 'not': 'not',
          "don't": 'not', 'never': 'not', 'straight': 'straight'}
NOT_SIDES = (('right', 'now'), ('right', 'away'), ('right', 'then'), ('all', 'right'),
             ('that', 'is', 'right'), ('right', 'there'), ('right', 'here'), ('right', 'er'))
BEFORE_A_SIDE = frozenset(('turn', 'go', 'bear', 'head'))      # `turn right now` is a turn
AFTER_A_SIDE = frozenset('turn side at into door and then hand'.split())
PLACELESS = frozenset(SIMPLE.values()) - {'left', 'right', 'door', 'stairs', 'around',
                                          'straight'}


@dataclass(frozen=True)
class Found:
    """A concept and the words [begin, end) that name it."""

    concept: str
    begin: int
    end: int


@cache
def names() -> dict[tuple[str, ...], str]:
    """Every name of a room, an object or a kind of them as words → the concept it stands for.

    Where one name serves two (`buffet`), the first in the file keeps it.
    """
    table: dict[tuple[str, ...], str] = {}
    for group in GROUPS:
        for concept, synonyms in words(group).items():
            for name in synonyms:
                table.setdefault(tuple(spoken(name)), concept)
    for generic in words('generics'):
        table.setdefault(tuple(spoken(generic)), generic)
    table[('basket',)] = 'laundry basket'
    return table


@cache
def _simple() -> dict[tuple[str, ...], str]:
    """Words that are concepts, but no places."""
    table: dict[tuple[str, ...], str] = {(word,): concept for word, concept in SIMPLE.items()}
    table |= {(word,): word for word in (*words('ordinals')[''], *COLOURS)}
    for concept, synonyms in words('attributes').items():
        table |= {tuple(spoken(word)): concept for word in synonyms}
    return table


def concepts(said: Sequence[str]) -> list[Found]:
    """The concepts in some words, in order; the longest name at a place wins."""
    found, at = [], 0
    while at < len(said):
        skip = 0 if said[at - 1:at] and said[at - 1] in BEFORE_A_SIDE else next(
            (len(p) for p in NOT_SIDES if tuple(said[at:at + len(p)]) == p), 0)
        if at == 0 and said[0] == 'right' and said[1:2] and said[1] not in AFTER_A_SIDE:
            skip = 1     # `right, off you go`
        size = 0 if skip else next((n for n in range(min(LONGEST_NAME, len(said) - at), 0, -1)
                                    if _concept(said[at:at + n])), 0)
        if size:
            found.append(Found(_concept(said[at:at + size]), at, at + size))
        at += size or skip or 1
    return found


def _concept(said: Sequence[str]) -> str:
    """The concept that exactly these words name, or ''; plurals count, and joined words."""
    key = tuple(said)
    for form in (key, key[:-1] + (key[-1].removesuffix('s'),), _joined(key)):
        if form in names():
            return names()[form]
    return _simple().get(key, '')


@cache
def _by_letters() -> dict[str, tuple[str, ...]]:
    return {''.join(name): name for name in names()}


def _joined(key: tuple[str, ...]) -> tuple[str, ...]:
    """`book shelf` and `bookshelf`, `tea kettle` and `teakettle` are the same."""
    return _by_letters().get(''.join(key), ())


@lru_cache(1024)
def meaning(text: str) -> Meaning:
    """What a text is about: its control word, or its concepts in order, each once."""
    if word := control_word(text):
        return (f'control: {word}',)
    return tuple(dict.fromkeys(found.concept for found in concepts(spoken(text))))


def has_place(about: Meaning) -> bool:
    """True when a meaning names somewhere to go."""
    return any(concept not in PLACELESS and not concept.startswith('control')
               and concept not in COLOURS and concept not in words('ordinals')['']
               and concept not in words('attributes') for concept in about)
