"""Writes goals for ways that were walked: the variational goal generator of LangGoalIRL.

p(G | z, τ) and q(z | G, τ) of Zhou & Small, "Inverse Reinforcement Learning with Natural Language
Goals", AAAI 2021: z of the prior N(0, 1) labels an episode, z of a goal rephrases that goal.  The
shape is that of a conditional variational autoencoder of sentences (Bowman et al., CoNLL 2016)
with the attention of Luong, Pham & Manning (EMNLP 2015) over the steps of the way, which comes
after the recurrence, so that a whole sentence is one call.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

GEOMETRY, VIEWS = 11, 4     # of a step: numbers, and mean label vectors
PADDING, BEGIN, END, UNKNOWN = range(4)
_MARKS = 4
_SPACING = ((re.compile(r' ([.,;:!?)%])'), r'\1'), (re.compile(r'\( '), '('),
            (re.compile(r'(?<=\w) ([-/]) (?=\w)'), r'\1'),
            (re.compile(r"(?<=\w) ' (?=(?:s|t|d|m|re|ve|ll)\b)"), "'"))


class TextTable:
    """Words ↔ numbers; the first numbers are padding, beginning, end and unknown.

    :param words: whole words and signs, lower case, as `nets.words.whole_words` gives them; their
        order is their numbers', so a checkpoint keeps it
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._ids = {word: _MARKS + row for row, word in enumerate(self.words)}

    @classmethod
    def counted(cls, sentences: Iterable[Sequence[str]], least: int = 3) -> TextTable:
        """The words that are met `least` times, the most frequent first."""
        counts = Counter(word for sentence in sentences for word in sentence)
        return cls([word for word, count in sorted(counts.items(), key=lambda c: (-c[1], c[0]))
                    if count >= least])

    def __len__(self) -> int:
        return _MARKS + len(self.words)

    def ids(self, sentences: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
        """(b, t) numbers with END after the last word, then padding; (b, t) bool mask."""
        longest = 1 + max(map(len, sentences))
        rows = [[*(self._ids.get(word, UNKNOWN) for word in words), END] for words in sentences]
        ids = torch.tensor([row + [PADDING] * (longest - len(row)) for row in rows])
        return ids, ids != PADDING

    def texts(self, ids: Tensor) -> list[str]:
        """(b, t) numbers up to END, as people write them; unknown words are left out."""
        found = []
        for row in ids.tolist():
            row = row[:row.index(END)] if END in row else row
            found.append(spaced([self.words[n - _MARKS] for n in row if n >= _MARKS]))
        return found


def spaced(words: Sequence[str]) -> str:
    """Words and signs as a text: `don`, `'`, `t`, `go`, `.` are `don't go.`"""
    text = ' '.join(words)
    for pattern, instead in _SPACING:
        text = pattern.sub(instead, text)
    return text


@dataclass(frozen=True)
class GoalGeneratorSettings:
    """The shape of the networks, and the words; stored in the checkpoint's config.json.

    :param words: of the `TextTable`
    :param label: numbers that a label vector is projected to; few, or buildings are memorised
    :param way: state of the trajectory's encoder, in each direction
    :param latent: dimensions of z
    """

    words: tuple[str, ...] = ()
    text_dim: int = 384
    label: int = 64
    way: int = 128
    embedding: int = 128
    goal: int = 128
    latent: int = 32
    state: int = 256
    dropout: float = 0.3

    @property
    def features(self) -> int:
        """Numbers per step of a way: geometry, then the label vectors one after the other."""
        return GEOMETRY + VIEWS * self.text_dim


@dataclass
class Way:
    """A way, encoded once.

    :param steps: (b, T, 2 way); :param keys: (b, T, state) :param mask: (b, T) bool
    :param summary: (b, 2 way)
    """

    steps: Tensor
    keys: Tensor
    mask: Tensor
    summary: Tensor

    def rows(self, rows: Tensor) -> Way:
        """Some of the ways."""
        return Way(self.steps[rows], self.keys[rows], self.mask[rows], self.summary[rows])


class GoalGenerator(nn.Module):
    """q(z | G, τ) and p(G | z, τ); every mask is True from the left on, at least once."""

    def __init__(self, settings: GoalGeneratorSettings) -> None:
        super().__init__()
        self.settings, self.table = settings, TextTable(settings.words)
        s, both = settings, 2 * settings.way
        self.label = nn.Linear(s.text_dim, s.label)
        self.walk = nn.GRU(GEOMETRY + VIEWS * s.label, s.way, batch_first=True,
                           bidirectional=True)
        self.key = nn.Linear(both, s.state, bias=False)
        self.word = nn.Embedding(len(self.table), s.embedding)
        nn.init.normal_(self.word.weight, std=s.embedding ** -0.5)      # it is the output, too
        self.goal = nn.GRU(s.embedding, s.goal, batch_first=True)
        self.posterior = nn.Linear(s.goal + both, 2 * s.latent)
        self.first = nn.Linear(both + s.latent, s.state)
        self.say = nn.GRU(s.embedding + s.latent, s.state, batch_first=True)
        self.combined = nn.Linear(s.state + both + s.latent, s.embedding)
        self.bias = nn.Parameter(torch.zeros(len(self.table)))
        self.drop = nn.Dropout(s.dropout)

    def follow(self, features: Tensor, mask: Tensor) -> Way:
        """(b, T, features) and (b, T) of a way → what the decoder attends to."""
        geometry, seen = features[..., :GEOMETRY], features[..., GEOMETRY:]
        keep = self.drop(features.new_ones(len(features), 1, 1, self.settings.text_dim))
        seen = self.label(seen.unflatten(2, (VIEWS, -1)) * keep).flatten(2)
        steps = self.drop(_run(self.walk, torch.cat([geometry, seen], dim=2), mask))
        return Way(steps, self.key(steps), mask, _mean(steps, mask))

    def infer(self, way: Way, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """q(z | G, τ): (b, latent) mean and log variance, of goals (b, t) ended by END."""
        words = _mean(_run(self.goal, self.drop(self.word(ids)), mask), mask)
        found = self.posterior(torch.cat([words, way.summary], dim=1))
        mean, log_variance = found.chunk(2, dim=1)
        return mean, log_variance.clamp(-8.0, 4.0)

    def begin(self, way: Way, z: Tensor) -> Tensor:
        """(1, b, state) of the decoder before the first word."""
        return torch.tanh(self.first(torch.cat([way.summary, z], dim=1)))[None]

    def read(self, way: Way, z: Tensor, inputs: Tensor, mask: Tensor) -> Tensor:
        """(words, embedding): what to say after each of the inputs (b, t) that the mask has."""
        states = _run(self.say, self._heard(inputs, z), mask, self.begin(way, z))
        return self._look(states, way, z)[mask]

    def one_word(self, way: Way, z: Tensor, word: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """(b, words) logits after one more word (b,), and the state (1, b, state) after it."""
        states, state = self.say(self._heard(word[:, None], z), state)
        return self.logits(self._look(states, way, z)[:, 0]), state

    def logits(self, said: Tensor) -> Tensor:
        """(..., embedding) → (..., words); tied to the input (Press & Wolf, EACL 2017)."""
        return nn.functional.linear(said, self.word.weight, self.bias)

    def _heard(self, inputs: Tensor, z: Tensor) -> Tensor:
        """(b, t, embedding + latent) the decoder's input: z beside every word."""
        return torch.cat([self.drop(self.word(inputs)),
                          z[:, None].expand(-1, inputs.shape[1], -1)], dim=2)

    def _look(self, states: Tensor, way: Way, z: Tensor) -> Tensor:
        """(b, t, embedding) of states (b, t, state): Luong et al. 2015, equations 5, 7 and 8."""
        scores = states @ way.keys.transpose(1, 2) / self.settings.state ** 0.5
        attention = torch.softmax(scores.masked_fill(~way.mask[:, None], -1e9), dim=2)
        wide = z[:, None].expand(-1, states.shape[1], -1)
        found = torch.cat([self.drop(states), attention @ way.steps, wide], dim=2)
        return self.drop(torch.tanh(self.combined(found)))


def _run(gru: nn.GRU, x: Tensor, mask: Tensor, state: Tensor | None = None) -> Tensor:
    """(b, t, ...) → (b, t, state) without a step over padding."""
    packed = pack_padded_sequence(x, mask.sum(dim=1).cpu(), batch_first=True,
                                  enforce_sorted=False)
    return pad_packed_sequence(gru(packed, state)[0], batch_first=True,
                               total_length=x.shape[1])[0]


def _mean(x: Tensor, mask: Tensor) -> Tensor:
    """(b, t, d) → (b, d) mean over what is valid."""
    return (x * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
