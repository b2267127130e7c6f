"""How alike words sound, and which name of a place somebody may have said.

Two sequences of phones are compared by edit distance; putting one phone for another is cheap when
they share manner, place and voice, as `t` and `d` do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from nl_robot.speech.lexicon import Phones, phones_of, pronunciations
from nl_robot.speech.meaning import LONGEST_NAME, concepts, names

# phone → (consonant's manner or vowel's height, place or backness, voice or roundness)
_FEATURES = {
    'P': 'stop lip -', 'B': 'stop lip +', 'T': 'stop ridge -', 'D': 'stop ridge +',
    'K': 'stop back -', 'G': 'stop back +', 'CH': 'affricate palate -', 'JH': 'affricate palate +',
    'F': 'fricative lip -', 'V': 'fricative lip +', 'TH': 'fricative tooth -',
    'DH': 'fricative tooth +', 'S': 'fricative ridge -', 'Z': 'fricative ridge +',
    'SH': 'fricative palate -', 'ZH': 'fricative palate +', 'HH': 'fricative back -',
    'M': 'nasal lip +', 'N': 'nasal ridge +', 'NG': 'nasal back +', 'L': 'liquid ridge +',
    'R': 'liquid palate +', 'W': 'glide lip +', 'Y': 'glide palate +',
    'IY': 'high front -', 'IH': 'high front ~', 'EY': 'mid front -', 'EH': 'mid front ~',
    'AE': 'low front -', 'AA': 'low back -', 'AO': 'low back +', 'AH': 'mid middle ~',
    'ER': 'mid middle +', 'OW': 'mid back +', 'UH': 'high back ~', 'UW': 'high back +',
    'AY': 'low middle -', 'AW': 'low middle +', 'OY': 'mid back ~'}
_ORDER = {phone: number for number, phone in enumerate(_FEATURES)}
_VOWELS = frozenset(list(_FEATURES)[24:])
DROPPED = 0.8           # the cost of a phone too many or too few
DROPPED_VOWEL = 0.6
FAR = 0.45              # per phone: what sounds less alike than this is no reading of a name
NO_NAMES = frozenset('the a an to and of in at by on my your it is you i then please'.split())


@dataclass(frozen=True)
class Repair:
    """Words [begin, end) of a text that may have been a name.

    :param distance: per phone, 0 for the same sound
    """

    begin: int
    end: int
    name: tuple[str, ...]
    distance: float


@cache
def _costs() -> NDArray[np.float32]:
    """(phones, phones): what it costs to put one for another."""
    features = [(phone, values.split()) for phone, values in _FEATURES.items()]
    table = np.ones((len(features), len(features)), np.float32)
    for i, (a, of_a) in enumerate(features):
        for j, (b, of_b) in enumerate(features):
            shared = sum(x == y for x, y in zip(of_a, of_b))
            alike = (a in _VOWELS) == (b in _VOWELS)
            table[i, j] = 0.0 if a == b else 1.0 - 0.25 * shared if alike else 1.2
    return table


def _drop(phone: str) -> float:
    return DROPPED_VOWEL if phone in _VOWELS else DROPPED


def distance(a: Sequence[str], b: Sequence[str]) -> float:
    """How unlike two sequences of phones sound, per phone of the longer one."""
    return float(_distances(tuple(a), (tuple(b),))[0])


def _distances(said: Phones, others: tuple[Phones, ...]) -> NDArray[np.float32]:
    """(others,) distances per phone from `said`, all in one go; Wagner and Fischer (1974)."""
    indices, lengths, drops = _table(others)
    costs = _costs()
    many, longest = indices.shape
    row = np.concatenate([np.zeros((many, 1), np.float32), np.cumsum(drops, 1)], 1)
    for phone in said:
        swap = costs[_ORDER[phone]][indices]
        fresh = np.empty_like(row)
        fresh[:, 0] = row[:, 0] + _drop(phone)
        best = np.minimum(row[:, :-1] + swap, row[:, 1:] + _drop(phone))
        for column in range(longest):
            fresh[:, column + 1] = np.minimum(best[:, column],
                                              fresh[:, column] + drops[:, column])
        row = fresh
    total = row[np.arange(many), lengths]
    return np.asarray(total / np.maximum(lengths, max(len(said), 1)), np.float32)


@cache
def _table(others: tuple[Phones, ...]
           ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Phones as numbers (others, longest), how many there are, and the cost to drop each."""
    lengths = np.array([len(phones) for phones in others])
    indices = np.zeros((len(others), lengths.max()), np.int64)
    drops = np.zeros(indices.shape, np.float32)
    for k, phones in enumerate(others):
        indices[k, :len(phones)] = [_ORDER[p] for p in phones]
        drops[k, :len(phones)] = [_drop(p) for p in phones]
    return indices, lengths, drops


@cache
def _spoken_names() -> tuple[tuple[tuple[str, ...], ...], tuple[Phones, ...]]:
    """Every way to say every name: the names, and their phones beside them."""
    ways = [(name, phones) for name in names() for phones in _ways(name)]
    return tuple(name for name, _ in ways), tuple(phones for _, phones in ways)


def _ways(name: tuple[str, ...]) -> Iterable[Phones]:
    """The pronunciations of a name; for several words only the first of each."""
    if len(name) == 1 and pronunciations(name[0]):
        return pronunciations(name[0])
    return [phones_of(name)]


@lru_cache(4096)
def _near(said: tuple[str, ...], far: float, most: int) -> tuple[tuple[tuple[str, ...], float],
                                                                ...]:
    """The names that sound like some words, nearest first, each once."""
    ways, phones = _spoken_names()
    apart = _distances(phones_of(said), phones)
    best: dict[tuple[str, ...], float] = {}
    for k in np.argsort(apart, kind='stable')[:4 * most]:
        if apart[k] <= far:
            best.setdefault(ways[k], float(apart[k]))
    return tuple(list(best.items())[:most])


def repairs(said: Sequence[str], far: float = FAR, most: int = 4) -> list[Repair]:
    """Where names may have been misheard, nearest first; what names something already is kept."""
    taken = {at for found in concepts(said) for at in range(found.begin, found.end)}
    found = []
    for begin in range(len(said)):
        for end in range(begin + 1, min(begin + LONGEST_NAME, len(said)) + 1):
            span = tuple(said[begin:end])
            if taken.issuperset(range(begin, end)) or {span[0], span[-1]} & NO_NAMES:
                continue
            found += [Repair(begin, end, name, far) for name, far in _near(span, far, most)
                      if name != span and len(span) <= len(name) + 1]
    return sorted(found, key=lambda repair: (repair.distance, repair.begin))
