"""A navigator that goes through an episode with a recurrent state.

At every step a recurrent state (GRU) looks for the words that matter now, those words look for
the sightings that agree with them, and every way is scored by its geometry and by what agrees
in its direction.  Objects enter as agreement only: object vectors in trained layers memorise
buildings.  The shape follows the Speaker-Follower agent (Fried et al., NeurIPS 2018); the
attention remembers where it was (Chorowski et al., NeurIPS 2015, eq. 8), since goals are mostly
told in the order of the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nl_robot.nets.looking import (
    ACTION_FEATURES,
    KERNELS,
    WAY_FEATURES,
    AgreeingLook,
    Seen,
    Track,
    look_at,
)
from nl_robot.nets.navigator import TO_UNIT_SCALE, Agreement, Navigator, NavigatorSettings
from nl_robot.nets.words import CHANNELS, Known

LOCATIONS = 5           # words that a head looks at to tell where it was


@dataclass
class Words:
    """Goals, encoded once per episode.

    :param keys: (b, heads, t, d); :param values: (b, heads, t, d)
    :param ids: (b, t) vocabulary rows; :param bias: (b, 1, t) 0 for words, -1e9 for padding
    :param keep: (b, state) dropout mask of the episode
    """

    keys: Tensor
    values: Tensor
    ids: Tensor
    bias: Tensor
    keep: Tensor

    def rows(self, rows: Tensor | slice) -> Words:
        """Some of the episodes."""
        return Words(self.keys[rows], self.values[rows], self.ids[rows], self.bias[rows],
                     self.keep[rows])


@dataclass
class State:
    """What the network carries along.

    :param hidden: (b, state); :param attention: (b, heads, t); :param context: (b, width)
    """

    hidden: Tensor
    attention: Tensor
    context: Tensor

    def rows(self, rows: Tensor | slice) -> State:
        """Some of the episodes."""
        return State(self.hidden[rows], self.attention[rows], self.context[rows])


class RecurrentNavigator(Navigator):
    """Words, sightings, ways, and a state that finds the words that matter now."""

    def __init__(self, settings: NavigatorSettings, outputs: int = 1) -> None:
        super().__init__(settings, outputs)
        width, state, heads = settings.width, settings.state, settings.heads
        matched = heads * (CHANNELS + (settings.learned > 0))
        if settings.learned:
            self.word_side = nn.Linear(settings.text_dim, settings.learned)
            self.label_side = nn.Linear(settings.text_dim, settings.learned)
        self.norm = nn.LayerNorm(settings.text_dim)
        self.word = nn.Linear(settings.text_dim, width)
        self.order = nn.Embedding(128, width)
        nn.init.normal_(self.order.weight, std=0.1)
        self.key = nn.Linear(width, width)
        self.where = nn.Conv1d(heads, heads, LOCATIONS, padding=LOCATIONS // 2)
        self.query = nn.Linear(state, width)
        self.cell = nn.GRUCell(ACTION_FEATURES + width + 2 * matched + 1, state)
        self.way = nn.Sequential(nn.Linear(WAY_FEATURES + KERNELS * matched, width), nn.ReLU())
        self.way_inner = nn.Linear(width, width)
        self.asked = nn.Linear(state + width, 2 * width)
        self.score = nn.Linear(width, outputs)
        self.stop = nn.Sequential(nn.Linear(state + width + 2 * matched + 1, width), nn.ReLU(),
                                  nn.Linear(width, outputs))

    def pairs(self, known: Known) -> Tensor:
        """See `Navigator.pairs`."""
        if not self.settings.learned:
            return known.agreement
        words, labels = (self.drop(x * TO_UNIT_SCALE) for x in (known.words, known.labels))
        pairs = self.word_side(words) @ self.label_side(labels).T / self.settings.learned ** 0.5
        pairs = torch.sigmoid(pairs - 2.0)      # most words agree with no label
        some = known.labels.any(dim=1)
        return torch.cat([known.agreement, (pairs * some)[..., None]], dim=2)

    def look(self, ids: Tensor, seen: Seen, track: Track, agreement: Agreement) -> AgreeingLook:
        """See `Navigator.look`."""
        return look_at(ids, seen, track, agreement.pairs, self.settings.sightings)

    def read(self, features: Tensor, ids: Tensor, mask_is_valid: Tensor) -> Words:
        """(b, t, text_dim) contextual features → words that every step can look at."""
        ones = features.new_ones
        shared = self.drop(ones(len(ids), 1, self.settings.text_dim))   # one mask per episode
        x = self.word(self.norm(features) * shared) + self.order.weight[:features.shape[1]]
        x = F.relu(x) * self.drop(ones(len(ids), 1, self.settings.width))
        keep = self.drop(ones(len(ids), self.settings.state))
        heads, each = self.settings.heads, self.settings.width // self.settings.heads
        keys, values = (part.unflatten(2, (heads, -1)).transpose(1, 2).contiguous()
                        for part in (self.key(x) / each ** 0.5, x))
        bias = torch.zeros_like(features[:, None, :, 0]).masked_fill(~mask_is_valid[:, None], -1e9)
        return Words(keys, values, ids, bias, keep)

    def start(self, words: Words) -> State:
        """The state before the first look: attention on the first word."""
        b, t = words.ids.shape
        attention = torch.zeros(b, self.settings.heads, t, device=words.keys.device)
        attention[:, :, 0] = 1.0
        return State(words.keys.new_zeros(b, self.settings.state), attention,
                     words.keys.new_zeros(b, self.settings.width))

    def _matches(self, attention: Tensor, look: AgreeingLook) -> Tensor:
        """(b, s, heads * channels) how well each sighting agrees with the words looked at."""
        b, t, s, c = look.agreement.shape
        found = attention @ look.agreement.view(b, t, s * c)                # (b, heads, s * c)
        return found.view(b, -1, s, c).transpose(1, 2).reshape(b, s, -1)

    def _here(self, matches: Tensor, look: AgreeingLook) -> Tensor:
        """(b, 2 * heads * channels + 1) the best that lies here, and ahead; 0 where nothing."""
        best = (matches[:, :, :, None] * look.near[:, :, None]).amax(dim=1).flatten(1)
        best = best.clamp(min=0)    # what agrees less than nothing does is as padding is
        ways = look.mask_is_valid[:, 1:].sum(dim=1, keepdim=True) / 8.0
        return torch.cat([best, ways], dim=1)

    def forward(self, words: Words, state: State, look: AgreeingLook) -> tuple[Tensor, State]:
        """(b, 1 + k, outputs) a number for stop and for each way, and the state after it.

        Numbers of padding are meaningless: mask them by `look.mask_is_valid`.
        """
        state = self._go_on(words, state, look)
        return self._judge(state, words.keep, look), state

    def follow(self, words: Words, look: AgreeingLook, counts: Sequence[int]) -> Tensor:
        """(n, 1 + k, outputs) of whole episodes that are known: as `forward`, step after step.

        Only what is recurrent goes step by step; the choices are judged all at once.

        :param words: of the b episodes, the longest first
        :param look: n looks, those of the first step of all episodes, then those of the second
        :param counts: how many episodes have a first step, a second ...; their sum is n
        """
        state, keep, begin = self.start(words), words.keep, 0
        states: list[State] = []
        for count in counts:
            first = slice(0, count)
            if count < len(words.ids):
                words, state = words.rows(first), state.rows(first)
            state = self._go_on(words, state, look.rows(slice(begin, begin + count)))
            states.append(state)
            begin += count
        whole = State(*(torch.cat([getattr(state, field.name) for state in states])
                        for field in fields(State)))
        return self._judge(whole, torch.cat([keep[:count] for count in counts]), look)

    def _go_on(self, words: Words, state: State, look: AgreeingLook) -> State:
        """The state after one more look: what it knows now, and which words matter."""
        before = self._here(self._matches(state.attention, look), look)
        hidden = self.cell(torch.cat([look.action, state.context, before], dim=1), state.hidden)
        query = self.query(hidden * words.keep).unflatten(1, (self.settings.heads, -1))
        scores = (words.keys @ query[..., None])[..., 0] + self._location(state.attention)
        attention = torch.softmax(scores + words.bias, dim=2)                    # (b, heads, t)
        context = (attention[:, :, None] @ words.values).flatten(1)              # (b, width)
        return State(hidden, attention, context)

    def _location(self, attention: Tensor) -> Tensor:
        """(b, heads, t) `where` applied to where it looked before (b, heads, t).

        By hand, since the convolution of oneDNN is prepared anew for every b and t.
        """
        t = attention.shape[2]
        wide = F.pad(attention, (LOCATIONS // 2, LOCATIONS // 2))
        moved = torch.cat([wide[:, :, shift:shift + t] for shift in range(LOCATIONS)], dim=1)
        weight, bias = self.where.weight.transpose(1, 2).flatten(1), self.where.bias
        assert bias is not None
        return weight @ moved + bias[:, None]           # weight: (heads, LOCATIONS * heads)

    def _judge(self, state: State, keep: Tensor, look: AgreeingLook) -> Tensor:
        """(b, 1 + k, outputs) what is said of every choice in a state.

        :param keep: (b, state) dropout masks of the episodes
        """
        seen = state.hidden * keep
        matches = self._matches(state.attention, look)
        best = (matches[:, None, :, None] * look.kernels[..., None]).amax(dim=2)
        best = best.clamp(min=0).flatten(2)         # as in `_here`
        asked = self.asked(torch.cat([seen, state.context], dim=1))
        add, times = asked.chunk(2, dim=1)
        way = self.way(torch.cat([look.ways, best], dim=2))                      # (b, k, width)
        inner = F.relu(self.way_inner(way) + add[:, None]) + way * times[:, None]
        stop = self.stop(torch.cat([seen, state.context, self._here(matches, look)], dim=1))
        return torch.cat([stop[:, None], self.score(inner)], dim=1)
