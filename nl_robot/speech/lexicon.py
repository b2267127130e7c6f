"""How words sound: pronunciations of the CMU dictionary that comes with pocketsphinx.

pocketsphinx is imported when a lexicon is read, for its folder alone.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path

Phones = tuple[str, ...]
OWN: dict[str, Phones] = {
    'pyjamas': tuple('P AH JH AA M AH Z'.split()),
    'settee': tuple('S EH T IY'.split()),
    'halt': tuple('HH AO L T'.split()),
}
"""Words that the dictionary lacks and that are not two of its words put together."""
_LETTERS = {
    'tion': 'SH AH N', 'ough': 'OW', 'igh': 'AY', 'tch': 'CH', 'ch': 'CH', 'sh': 'SH', 'th': 'TH',
    'ph': 'F', 'wh': 'W', 'ck': 'K', 'ng': 'NG', 'qu': 'K W', 'ee': 'IY', 'ea': 'IY', 'oo': 'UW',
    'ou': 'AW', 'ow': 'OW', 'ai': 'EY', 'ay': 'EY', 'oa': 'OW', 'oi': 'OY', 'oy': 'OY',
    'au': 'AO', 'aw': 'AO', 'er': 'ER', 'ir': 'ER', 'ur': 'ER', 'ar': 'AA R', 'or': 'AO R',
    'a': 'AE', 'b': 'B', 'c': 'K', 'd': 'D', 'e': 'EH', 'f': 'F', 'g': 'G', 'h': 'HH', 'i': 'IH',
    'j': 'JH', 'k': 'K', 'l': 'L', 'm': 'M', 'n': 'N', 'o': 'AA', 'p': 'P', 'q': 'K', 'r': 'R',
    's': 'S', 't': 'T', 'u': 'AH', 'v': 'V', 'w': 'W', 'x': 'K S', 'y': 'IY', 'z': 'Z'}
"""Rough rules for a word that stands in no dictionary, as a recogniser of free text writes it."""


def model_folder() -> Path:
    """The folder with pocketsphinx' acoustic model and dictionary.

    :raises ValueError: pocketsphinx is not installed
    """
    spec = importlib.util.find_spec('pocketsphinx')
    if spec is None or not spec.submodule_search_locations:
        raise ValueError('pocketsphinx is not installed: `pip install pocketsphinx==5.1.1`')
    return Path(spec.submodule_search_locations[0]) / 'model' / 'en-us'


@cache
def _dictionary() -> dict[str, str]:
    """Word → pronunciations, one a line, as in the file; strings, for 126 000 of them."""
    found: dict[str, str] = {}
    with (model_folder() / 'cmudict-en-us.dict').open(encoding='utf-8') as file:
        for line in file:
            word, _, phones = line.rstrip().partition(' ')
            word = word.partition('(')[0]
            found[word] = f'{found[word]}\n{phones}' if word in found else phones
    return found


def known_words() -> Iterable[str]:
    """All words of the dictionary."""
    return _dictionary().keys()


def pronunciations(word: str) -> list[Phones]:
    """Every way to say a word, without stress marks; empty for one that is nowhere to be found.

    A word that is missing may be two known ones put together: `houseplant`, `sideboard`.
    """
    if word in OWN:
        return [OWN[word]]
    if word in _dictionary():
        return [tuple(line.split()) for line in _dictionary()[word].split('\n')]
    for at in range(len(word) - 3, 2, -1):
        first, second = word[:at], word[at:]
        if first in _dictionary() and second in _dictionary():
            return [a + b for a in pronunciations(first)[:1] for b in pronunciations(second)[:1]]
    return []


def phones_of(text: Iterable[str]) -> Phones:
    """One plausible sequence of phones for some words, by rules where no dictionary helps."""
    found: list[str] = []
    for word in text:
        known = pronunciations(word)
        found += known[0] if known else _by_rules(word)
    return tuple(found)


def _by_rules(word: str) -> list[str]:
    found, at = [], 0
    while at < len(word):
        size = next((n for n in (4, 3, 2, 1) if word[at:at + n] in _LETTERS), 0)
        if size:
            found += _LETTERS[word[at:at + size]].split()
        at += size or 1
    return found
