"""The grammar of commands: frames and words from YAML, filled in at random.

A frame is one way of putting a command; a fifth of every kind is held out for tests.  A frame
holds placeholders (`{room}`), choices (`[a|b|]`), and for routes `{steps:JOINT|LAST JOINT}`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml

BLANK_COMMAND = 'go'
_SPLITS = {'train': (False,), 'held_out': (True,), 'all': (False, True)}
_CHOICE = re.compile(r'\[([^\[\]]*)\]')
_PLACE = re.compile(r'\{(\w+)(?::([^}]*))?\}')
_NOT_A_SIDE = r'right (?=now|away|there|here|by|next|beside|after|before)|(?<=all )right'


@dataclass(frozen=True)
class Frame:
    """One way of putting something.

    :param id: unique, `room-07`
    :param kind: what it is for: a kind of sentence (`room`) or of phrase (`turn_into`)
    :param text: with placeholders
    :param held_out: True when it is kept for tests
    :param sentence: True for a whole command, False for a part of one
    """

    id: str
    kind: str
    text: str
    held_out: bool
    sentence: bool

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names that must be filled in, in order."""
        return tuple(match[1] for match in _PLACE.finditer(self.text))


@cache
def load_frames() -> tuple[Frame, ...]:
    """All frames of frames.yaml; ids are stable as long as lines are only appended."""
    frames = []
    for group, kinds in _yaml('frames.yaml').items():
        for kind, splits in kinds.items():
            for split, lines in splits.items():
                mark = 'x' if split == 'held_out' else ''
                frames += [Frame(f'{kind}-{mark}{number:02d}', kind, line,
                                 split == 'held_out', group == 'sentences')
                           for number, line in enumerate(lines.strip('\n').split('\n'))]
    return tuple(frames)


@cache
def frames_of(kind: str, split: str = 'all') -> tuple[Frame, ...]:
    """The frames of one kind in a split: `train`, `held_out` or `all`.

    :raises ValueError: for a kind or a split that does not exist
    """
    if split not in _SPLITS:
        raise ValueError(f'frames must be train, held_out or all, got {split!r}')
    found = tuple(frame for frame in load_frames()
                  if frame.kind == kind and frame.held_out in _SPLITS[split])
    if not found:
        kinds = dict.fromkeys(frame.kind for frame in load_frames())
        raise ValueError(f'no frames of kind {kind!r}; kinds: {", ".join(kinds)}')
    return found


@cache
def words(group: str) -> dict[str, list[str]]:
    """One group of words.yaml; a plain list comes back under the key ''."""
    content = _yaml('words.yaml')[group]
    return content if isinstance(content, dict) else {'': content}


def word_for(group: str, key: str, rng: np.random.Generator) -> str:
    """What people call `key`: the first word half of the time, else any of its synonyms."""
    choices = words(group).get(key, [key])
    return choices[0] if rng.random() < 0.5 else str(pick(choices, rng))


def pick(choices: Sequence[Any], rng: np.random.Generator) -> Any:
    """One of `choices`, at random."""
    return choices[int(rng.integers(len(choices)))]


def fill(frame: Frame, values: Mapping[str, str | Sequence[str]],
         rng: np.random.Generator) -> str:
    """The frame in words.

    :param values: a text per placeholder; for `steps` a list of texts
    :raises ValueError: naming the placeholder without a value
    """
    text = _CHOICE.sub(lambda match: str(pick(match[1].split('|'), rng)), frame.text)

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise ValueError(f'frame {frame.id} needs {match[1]!r}, got only '
                             + (', '.join(values) or 'nothing'))
        given = values[match[1]]
        return given if isinstance(given, str) else joined(given, match[2] or ', ')

    return _with_articles(' '.join(_PLACE.sub(value, text).split()))


def _with_articles(text: str) -> str:
    """`a armchair` becomes `an armchair`, `a dishes` becomes `some dishes`."""
    text = re.sub(r'\b([Aa]) (?=[aeio]|um)', r'\1n ', text)
    return re.sub(r'\ba (?=(\w+ )?(dishes|plates|crockery|towels|umbrellas)\b)', 'some ', text)


def joined(steps: Sequence[str], joints: str) -> str:
    """Steps put together by `JOINT|LAST JOINT`.

    >>> joined(['turn left', 'go on', 'stop'], ', |, and ')
    'turn left, go on, and stop'
    """
    joint, _, last = joints.partition('|')
    text = joint.join(steps[:-1])
    return text + (last or joint) + steps[-1] if len(steps) > 1 else steps[0]


def polish(text: str, rng: np.random.Generator) -> str:
    """The sentence as somebody says or types it: courtesies, capitals and a full stop, or not."""
    if rng.random() < 0.12:
        text = f"{pick(words('openings')[''], rng)} {text}"
    if rng.random() < 0.10 and not text.endswith('?'):
        text = f"{text}{pick((' ', ', '), rng)}{pick(words('closings')[''], rng)}"
    if rng.random() < 0.5:
        return text
    text = re.sub(r'(^|[.?!] )([a-z])', lambda match: match[1] + match[2].upper(), text)
    text = re.sub(r"\bi\b(?=[ '])", 'I', text)
    return text if text[-1] in '?!.' or rng.random() < 0.3 else text + '.'


def vocabulary(texts: Iterable[str]) -> Counter[str]:
    """How often each word, in lower case, occurs in the texts.

    >>> vocabulary(["Go to the baby's room.", 'go!'])['go']
    2
    """
    return Counter(word for text in texts for word in re.findall(r"[a-z0-9'-]+", text.lower()))


def swap_left_right(text: str) -> str:
    """Every left made right and every right left, as a control: does the agent listen?

    `right now` and `all right` stay as they are.

    >>> swap_left_right('Turn left, then right')
    'Turn right, then left'
    """
    def other(match: re.Match[str]) -> str:
        word = {'left': 'right', 'right': 'left'}[match[1].lower()]
        return word.capitalize() if match[1][0].isupper() else word

    parts = re.split(rf'({_NOT_A_SIDE})', text, flags=re.IGNORECASE)
    return ''.join(part if number % 2 else
                   re.sub(r'\b(left|right)\b', other, part, flags=re.IGNORECASE)
                   for number, part in enumerate(parts))


def blank(text: str) -> str:
    """A command that says nothing, whatever `text` said: the other control."""
    return BLANK_COMMAND


def _yaml(name: str) -> Any:
    return yaml.safe_load(resources.files(__package__).joinpath(name).read_text('utf-8'))
