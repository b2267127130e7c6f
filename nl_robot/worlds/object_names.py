"""The names people typed for the objects of REVERIE, made into words.

`#` stands for a space.  What was noted about a box and is no part of its name (`/otherroom`,
`#2`, `?`) goes; slips of the keyboard are corrected by the table; names that say nothing
(`unknown#/#remove`) become empty, and their objects are left out.
"""

from __future__ import annotations

import re
from functools import cache

# notes behind a name: 'wall#\other#room', 'window#/reflection', 'wall#behind'
_NOTES = re.compile(r'\s*(([/\\]|\b)\s*other\s*o?room|[/\\]\s*(outside|reflection|shifted|remove'
                    r'|room above|upstairs room)|\bbehind\b).*$')
_WITH = re.compile(r'\s*(/w|w/)\s')         # 'table#/w#books'
_NOISE = re.compile(r"[;.?'\"]|\([^)]*\)|\d+")
NOTHING_SAID = frozenset(('', 'object', 'objects', 'item', 'misc', 'miscellaneous object', 'junk',
                          'other', 'room', 'top', 'edge', 'hole', 'stack', 'stuff', 'remove',
                          'bot', 'pip', 'slab', 'softer', 'flood', 'access area', 'show space'))
NOTHING_SAID_FIRST = ('unknown', 'unkown')

# slip or compound → words; looked up word by word
WORDS = {
    'alamari': 'cupboard', 'baracade': 'barricade', 'bathtab': 'bathtub', 'billow': 'pillow',
    'borader': 'border', 'bothroom': 'bathroom', 'cailing': 'ceiling', 'ceilin': 'ceiling',
    'ceilling': 'ceiling', 'celling': 'ceiling', 'chairir': 'chair', 'chandellier': 'chandelier',
    'chanellier': 'chandelier', 'closte': 'closet', 'coutertop': 'countertop',
    'cradenza': 'credenza', 'curatain': 'curtain', 'cusion': 'cushion', 'deco': 'decoration',
    'decor': 'decoration', 'desert': 'dessert', 'displensor': 'dispenser',
    'dooframe': 'door frame', 'doore': 'door', 'doorframe': 'door frame',
    'doorgrame': 'door frame', 'doorhandle': 'door handle', 'doorr': 'door', 'dushbin': 'dustbin',
    'endtable': 'end table', 'excercise': 'exercise', 'exericse': 'exercise',
    'firealarm': 'fire alarm', 'fireextinctioms': 'fire extinguishers', 'firewook': 'firewood',
    'flowerpot': 'flower pot', 'flowerwage': 'flower vase', 'frige': 'fridge',
    'handsoap': 'hand soap', 'hearst': 'hearth', 'horizonal': 'horizontal',
    'kitchencounter': 'kitchen counter', 'knive': 'knife', 'laundary': 'laundry',
    'liight': 'light', 'llight': 'light', 'matt': 'mat', 'mirrorframe': 'mirror frame',
    'nighstand': 'nightstand', 'nob': 'knob', 'paingitn': 'painting', 'paining': 'painting',
    'painter': 'painting', 'paintintg': 'painting', 'paip': 'pipe', 'picutre': 'picture',
    'placesetting': 'place setting', 'poll': 'pole', 'scultpure': 'sculpture', 'self': 'shelf',
    'sidetable': 'side table', 'sofachair': 'sofa chair', 'soffet': 'soffit', 'sowing': 'sewing',
    'tarrace': 'terrace', 'trashcan': 'trash can', 'trohpy': 'trophy', 'utencil': 'utensil',
    'utencils': 'utensils', 'vaccum': 'vacuum', 'wal': 'wall', 'walll': 'wall', 'whine': 'wine',
    'whineshelf': 'wine shelf', 'windowframe': 'window frame'}
PHRASES = {'flower wash': 'flower vase', 'flower wage': 'flower vase', 'draw': 'drawer',
           'closest area': 'closet area', 'hot water/cold water knob': 'water knob',
           'arc': 'arch', 'door arc': 'door arch'}


@cache
def clean_name(name: str) -> str:
    """The words of an annotated name, lower case; empty where it says nothing.

    Of two alternatives (`art#/#statue`) the first is taken.
    """
    words = _WITH.sub(' with ', f"{name.lower().replace('#', ' ').strip()} ").strip()
    if words.startswith(NOTHING_SAID_FIRST):
        return ''
    words = _NOISE.sub('', _NOTES.sub('', words)).strip()
    words = PHRASES.get(words, words)
    words = re.split(r'[/\\]', words)[0]
    words = ' '.join(WORDS.get(word, word) for word in words.replace('-', ' ').split())
    return '' if words in NOTHING_SAID else words
