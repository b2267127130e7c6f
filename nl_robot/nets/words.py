"""The words of a goal as the networks read them, and how well words and labels agree.

A word has two faces: its contextual features, made by a frozen text encoder from the whole
goal, and itself, alone.  The scalar product of the word alone with a label, both as frozen
sentence vectors, says how well they agree; it needs no training and so holds for words and
labels that were never trained on.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float32]

MAX_WORDS = 80              # 99 of 100 Room-to-Room instructions have fewer
CHANNELS = 2                # of agreement: the cosine, and whether it is a match
MEAN_COSINE = 0.2           # of unrelated words and labels under the default encoder
MATCH_COSINE, MATCH_WIDTH = 0.6, 0.06       # synonyms are above, things of one room below


class Encoder(Protocol):
    """What is needed of a text encoder: see `nl_robot.language.encoder.TextEncoder`."""

    name: str
    sha256: str
    dim: int

    def encode(self, texts: Sequence[str]) -> list[Floats]:
        """Contextual token features, (tokens, dim) each."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """Sentence vectors of length 1, (n, dim)."""

    def tokens(self, text: str) -> list[str]:
        """The word pieces that the rows of `encode` stand for."""


@dataclass(frozen=True)
class GoalWords:
    """A goal as the networks read it.

    :param features: (t, dim) contextual, half precision
    :param ids: (t,) rows of the words in the `Vocabulary`
    """

    features: NDArray[np.float16]
    ids: NDArray[np.int64]


@dataclass(frozen=True)
class Known:
    """A vocabulary as tensors.

    :param words: (v, dim); :param labels: (u, dim); :param agreement: (v, u, CHANNELS)
    """

    words: Tensor
    labels: Tensor
    agreement: Tensor

    def to(self, device: torch.device) -> Known:
        """The same on another device."""
        return Known(self.words.to(device), self.labels.to(device), self.agreement.to(device))


class Pages:
    """The words of many goals one after the other, so that any of them are one gather.

    :param goals: may be none
    """

    def __init__(self, goals: Sequence[GoalWords], device: torch.device | str = 'cpu') -> None:
        # a goal without words is heard as one unknown word: zeros
        self._counts = torch.tensor([len(goal.ids) for goal in goals], dtype=torch.long,
                                    device=device)
        self._starts = torch.cumsum(self._counts, 0) - self._counts
        rows = [goal.features for goal in goals]
        self._features = torch.from_numpy(np.concatenate([*rows, np.zeros((1, _dim(rows)),
                                                                          np.float16)])).to(device)
        self._ids = torch.from_numpy(np.concatenate(
            [*(goal.ids for goal in goals), np.zeros(1, np.int64)])).to(device)

    def followed_by(self, others: Pages) -> Pages:
        """These goals, then others."""
        both = copy.copy(self)
        both._features = torch.cat([self._features[:-1], others._features.to(self._features)])
        both._ids = torch.cat([self._ids[:-1], others._ids])
        both._counts = torch.cat([self._counts, others._counts])
        both._starts = torch.cat([self._starts, others._starts + len(self._ids) - 1])
        return both

    def padded(self, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features (b, t, dim), ids (b, t) and mask (b, t), as `Navigator.read` takes them.

        :param numbers: (b,) which goals
        """
        counts = self._counts[numbers]
        longest = max(1, int(counts.max()))
        column = torch.arange(longest, device=counts.device)[None]
        some = column < counts[:, None]
        rows = torch.where(some, self._starts[numbers][:, None] + column, len(self._ids) - 1)
        mask = some.clone()
        mask[:, 0] = True
        return self._features[rows].float(), self._ids[rows], mask


def _dim(rows: Sequence[NDArray[np.float16]]) -> int:
    """Numbers per word; 0 where there are no goals to tell."""
    return rows[0].shape[1] if rows else 0


def padded(goals: Sequence[GoalWords]) -> tuple[Tensor, Tensor, Tensor]:
    """The words of some goals, as `Pages.padded` gives them."""
    return Pages(goals).padded(torch.arange(len(goals)))


class Vocabulary:
    """Every word and every label met so far, and the agreement of each with each.

    Grows as it is asked; what is known is never computed again.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.words: list[str] = []
        self.labels: list[str] = ['']       # row 0 stands for no label
        self._word_rows: dict[str, int] = {}
        self._label_rows: dict[str, int] = {'': 0}
        self._word_vectors = np.zeros((0, encoder.dim), np.float32)
        self._label_vectors = np.zeros((1, encoder.dim), np.float32)
        self._known: Known | None = None

    def label_ids(self, labels: Sequence[str]) -> NDArray[np.int64]:
        """(n,) rows of labels; new ones are embedded now."""
        new = [label for label in dict.fromkeys(labels) if label not in self._label_rows]
        if new:
            self._label_rows |= {label: len(self.labels) + k for k, label in enumerate(new)}
            self.labels += new
            self._label_vectors = np.concatenate([self._label_vectors, self.encoder.embed(new)])
        return np.array([self._label_rows[label] for label in labels], np.int64)

    def _word_ids(self, words: Sequence[str]) -> NDArray[np.int64]:
        """(n,) rows of words; new ones are embedded now."""
        new = [word for word in dict.fromkeys(words) if word not in self._word_rows]
        if new:
            self._word_rows |= {word: len(self.words) + k for k, word in enumerate(new)}
            self.words += new
            self._word_vectors = np.concatenate([self._word_vectors, self.encoder.embed(new)])
        return np.array([self._word_rows[word] for word in words], np.int64)

    def goals(self, texts: Sequence[str]) -> list[GoalWords]:
        """The words of goals; word pieces are put together, longer goals cut at MAX_WORDS."""
        found = []
        for text, features in zip(texts, self.encoder.encode(texts)):
            words, spans = whole_words(self.encoder.tokens(text))
            means = np.add.reduceat(features, spans, axis=0) / np.diff(
                [*spans, len(features)])[:, None]
            found.append(GoalWords(means[:MAX_WORDS].astype(np.float16),
                                   self._word_ids(words[:MAX_WORDS])))
        return found

    def known(self) -> Known:
        """The vectors of everything met so far and their agreement; no label agrees with any."""
        rows, columns = len(self.words), len(self.labels)
        if self._known is None or self._known.agreement.shape[:2] != (rows, columns):
            self._known = Known(torch.from_numpy(self._word_vectors),
                                torch.from_numpy(self._label_vectors),
                                agreement(self._word_vectors, self._label_vectors))
        return self._known


def agreement(words: Floats, labels: Floats) -> Tensor:
    """(v, dim) and (u, dim) unit vectors → (v, u, CHANNELS) cosine above its mean, and match."""
    cosine = torch.from_numpy(words @ labels.T)
    none = torch.from_numpy(~labels.any(axis=1))
    channels = torch.stack([cosine - MEAN_COSINE,
                            torch.sigmoid((cosine - MATCH_COSINE) / MATCH_WIDTH)], dim=2)
    return channels.masked_fill(none[None, :, None], 0.0)


def whole_words(pieces: Sequence[str]) -> tuple[list[str], list[int]]:
    """Words of WordPiece pieces (`##` goes on), and the number of each one's first piece."""
    words: list[str] = []
    starts: list[int] = []
    for number, piece in enumerate(pieces):
        if piece.startswith('##') and words:
            words[-1] += piece[2:]
        else:
            words.append(piece)
            starts.append(number)
    return words, starts
