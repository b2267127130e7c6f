"""Whether words are meant for the robot, or are said among people: a logistic regression.

It weighs words, neighbouring words, and how much better everyday English explains a sentence than
the command grammar does.  Names of places stand for one another, so that what is learned of one
sofa holds for every bed.  Features are hashed into one table (Weinberger et al., ICML 2009), which
is learned in seconds from the sentences of `addressed.yaml` and of the grammar, and then kept.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nl_robot.language.grammar import words
from nl_robot.settings import load_yaml
from nl_robot.speech import corpus, meaning
from nl_robot.speech.corpus import COLOURS, sentences, spoken
from nl_robot.speech.meaning import concepts, names

SIZE = 1 << 16          # of the table
SENTENCES = Path(__file__).with_name('addressed.yaml')
GRAMMAR, GRAMMAR_WEIGHT = 3000, 0.05    # sentences of the grammar, and what each counts
PENALTY = 0.1           # of squared weights
ROUNDS, RATE = 400, 0.05
STRANGE = (0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)      # natural log-probability per word
PRONOUNS = frozenset('i you he she we they it your my his her our their me us him them'.split())
ENDINGS = ('ed', 'ing', "n't", "'s", "'ll", 's')
STRENGTH = 3.0          # of the sum of a sentence's features, whatever its length

Strange = Callable[[Sequence[str]], float]


class Addressing:
    """The log-odds that a sentence is for the robot.

    :param table: (SIZE + 1,) weights, the last one that of no feature
    :param strange: by how much everyday English explains words better than the command grammar
        does, natural log-probability per word
    """

    def __init__(self, table: NDArray[np.float32], strange: Strange) -> None:
        if table.shape != (SIZE + 1,):
            raise ValueError(f'the table has the shape {table.shape}, not {(SIZE + 1,)}')
        self._table, self._strange = table, strange

    def __call__(self, said: Sequence[str]) -> float:
        """Natural log-odds; above 0 it is likelier for the robot than not."""
        rows = features(said, self._strange(said))
        return float(self._table[rows].sum() * _norm(len(rows)) + self._table[-1])

    @classmethod
    def learned(cls, commands: Iterable[Sequence[str]], talk: Iterable[Sequence[str]],
                strange: Strange, grammar: Iterable[Sequence[str]] = ()) -> Addressing:
        """Maximum of the penalised likelihood, sought by Adam (Kingma & Ba, ICLR 2015).

        :param grammar: more commands, of which each counts little
        """
        rows: list[NDArray[np.int64]] = []
        goals, weights = [], []
        for some, goal, weight in ((commands, 1.0, 1.0), (talk, 0.0, 1.0),
                                   (grammar, 1.0, GRAMMAR_WEIGHT)):
            for said in some:
                rows.append(features(said, strange(said)))
                goals.append(goal)
                weights.append(weight)
        return cls(_fitted(rows, np.array(goals), np.array(weights)), strange)

    @property
    def table(self) -> NDArray[np.float32]:
        """What was learned."""
        return self._table


def features(said: Sequence[str], strange: float) -> NDArray[np.int64]:
    """(features,) the rows of a sentence in the table, each once."""
    shape = ['^', *_shape(said), '$']
    found = set(shape[1:-1])
    found |= {f'{a} {b}' for a, b in zip(shape, shape[1:])}
    for a, b, c in zip(shape, shape[1:], shape[2:]):
        found |= {f'{a} {b} {c}', f'{a} * {c}'}
    found.add('people: ' + ' '.join(dict.fromkeys(w for w in shape if w in PRONOUNS)))
    found |= {f'*{e}' for w in shape[1:-1] for e in ENDINGS if w.endswith(e)}
    found |= {f'strange > {limit}' for limit in STRANGE if strange > limit}
    return np.array(sorted({zlib.crc32(name.encode()) % SIZE for name in found}), np.int64)


def _shape(said: Sequence[str]) -> list[str]:
    """The words, names of one kind of thing being one word."""
    out: list[str] = []
    at = 0
    for found in concepts(said):
        out += [*said[at:found.begin], _kind(found.concept)]
        at = found.end
    return out + list(said[at:])


def _kind(concept: str) -> str:
    if concept in words('ordinals')['']:
        return '<nth>'
    if concept in _places():
        return '<place>'
    return '<kind>' if concept in COLOURS or concept in words('attributes') else concept


@cache
def _places() -> frozenset[str]:
    return frozenset((*names().values(), 'door', 'stairs'))


def _norm(features_of_it: int) -> float:
    return STRENGTH / max(1.0, features_of_it) ** 0.5


def _fitted(rows: Sequence[NDArray[np.int64]], goals: NDArray[np.float64],
            weights: NDArray[np.float64]) -> NDArray[np.float32]:
    """The table that explains the goals (0 or 1) of sentences with these rows best."""
    column = np.concatenate(rows)
    sentence = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
    value = np.repeat([_norm(len(r)) for r in rows], [len(r) for r in rows])
    table, first, second = np.zeros(SIZE + 1), np.zeros(SIZE + 1), np.zeros(SIZE + 1)
    for turn in range(1, ROUNDS + 1):
        odds = np.bincount(sentence, table[column] * value, len(rows)) + table[-1]
        wrong = (1 / (1 + np.exp(-odds)) - goals) * weights
        slope = PENALTY * table
        slope[:-1] += np.bincount(column, wrong[sentence] * value, SIZE)
        slope[-1] = wrong.sum()
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope ** 2
        rate = RATE * min(1.0, 2 * (1 - turn / ROUNDS) + 0.02)
        table -= rate * first / (1 - 0.9 ** turn) / (np.sqrt(second / (1 - 0.999 ** turn)) + 1e-8)
    return table.astype(np.float32)


def load(folder: Path, strange: Strange, key: str) -> Addressing:
    """What was learned before, else learned now and kept.

    :param folder: where it is kept; :param key: of the models behind `strange`
    :raises ValueError: the folder cannot be written
    """
    digest = hashlib.sha256(key.encode())
    for path in (SENTENCES, Path(__file__), Path(corpus.__file__), Path(meaning.__file__)):
        digest.update(path.read_bytes())
    path = folder / f'addressed-{digest.hexdigest()[:16]}.npy'
    if path.is_file():
        return Addressing(np.load(path, allow_pickle=False), strange)
    made = Addressing.learned(*sentences_of(SENTENCES), strange, sentences(GRAMMAR, seed=1))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mine = folder / f'.{os.getpid()}.npy'
        np.save(mine, made.table)
        mine.replace(path)
    except OSError as error:
        raise ValueError(f'what commands sound like cannot be written to {folder}: '
                         f'{error.strerror}') from error
    return made


def sentences_of(path: Path) -> tuple[list[list[str]], list[list[str]]]:
    """The words of commands, and of talk that is not for the robot, of a YAML file."""
    found = load_yaml(path)
    commands, talk = ([spoken(line) for line in found[kind].strip().split('\n')]
                      for kind in ('commands', 'talk'))
    return commands, talk
