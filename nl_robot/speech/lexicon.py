"""How words sound: pronunciations of the CMU dictionary that comes with pocketsphinx.

pocketsphinx is imported when a lexicon is read, for its folder alone.
"""

from __future__ import annotations

import importlib.util
import zlib
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Phones = tuple[str, ...]
OWN: dict[str, Phones] = {
    'pyjamas': tuple('P AH JH AA M AH Z'.split()),
    'settee': tuple('S EH T IY'.split()),
    'halt': tuple('HH AO L T'.split()),
}
"""Words that the dictionary lacks and that are not two of its words put together."""
BRITISH: dict[str, Phones] = {word: tuple(phones.split()) for word, phones in {
    'after': 'AA F T ER', 'basket': 'B AA S K AH T', 'bath': 'B AA TH', 'fast': 'F AA S T',
    'bathroom': 'B AA TH R UW M', 'garage': 'G AE R IH JH', 'glass': 'G L AA S',
    'glasses': 'G L AA S AH Z', 'last': 'L AA S T', 'past': 'P AA S T',
    'pass': 'P AA S', 'plant': 'P L AA N T', 'plants': 'P L AA N T S', 'vase': 'V AA Z',
    'over': 'OW V AH', 'door': 'D AO', 'floor': 'F L AO',
    'chair': 'CH EH AH', 'armchair': 'AA M CH EH AH', 'mirror': 'M IH R AH', 'car': 'K AA',
    'drawers': 'D R AO Z', 'near': 'N IH AH', 'stair': 'S T EH AH', 'board': 'B AO D',
    'wardrobe': 'W AO D R OW B', 'corridor': 'K AO R IH D AO', 'office': 'AO F IH S',
    'computer': 'K AH M P Y UW T AH', 'shower': 'SH AW AH', 'dryer': 'D R AY AH',
    'freezer': 'F R IY Z AH', 'dresser': 'D R EH S AH', 'printer': 'P R IH N T AH'}.items()}
"""How words of this household sound in England, beside the American of the dictionary."""
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
def _dictionary() -> bytes:
    """The file as it is: 126 000 Python strings would take eight times as much memory."""
    return b'\n' + (model_folder() / 'cmudict-en-us.dict').read_bytes().strip() + b'\n'


def known_words() -> Iterator[str]:
    """All words of the dictionary."""
    for line in _dictionary().split(b'\n'):
        word = line.partition(b' ')[0]
        if word and b'(' not in word:
            yield word.decode('ascii')


@lru_cache(8192)
def pronunciations(word: str) -> list[Phones]:
    """Every way to say a word, without stress marks; empty for one that is nowhere to be found.

    A word that is missing may be two known ones put together: `houseplant`, `sideboard`.
    """
    if word in OWN:
        return [OWN[word]]
    if found := _entries(word):
        return [*found, BRITISH[word]] if word in BRITISH else found
    for at in range(len(word) - 3, 2, -1):
        first, second = _entries(word[:at]), _entries(word[at:])
        if first and second:
            return [first[0] + second[0]]
    return []


@cache
def _index() -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Hashes of the words in order, and where the line of each begins; 1 MB for all of them."""
    content = _dictionary()
    begins = np.flatnonzero(np.frombuffer(content, np.uint8) == ord('\n'))[:-1] + 1
    hashes = np.array([zlib.crc32(content[at:content.find(b' ', at)]) for at in begins.tolist()],
                      np.uint32)
    order = np.argsort(hashes, kind='stable')
    return hashes[order], begins[order].astype(np.int32)


def _entries(word: str) -> list[Phones]:
    """What stands in the dictionary under a word: `word`, `word(2)`, and so on."""
    found: list[Phones] = []
    for number in range(1, 6):
        line = _line(word if number == 1 else f'{word}({number})')
        if not line:
            break
        found.append(tuple(line.split()[1:]))
    return found


def _line(key: str) -> str:
    """The line that begins with this word, or ''."""
    raw = key.encode('utf-8')
    hashes, begins = _index()
    at = int(np.searchsorted(hashes, np.uint32(zlib.crc32(raw))))
    while at < len(hashes) and hashes[at] == zlib.crc32(raw):
        begin = int(begins[at])
        if _dictionary()[begin:begin + len(raw) + 1] == raw + b' ':
            return _dictionary()[begin:_dictionary().find(b'\n', begin)].decode('ascii')
        at += 1
    return ''


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
