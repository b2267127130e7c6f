"""A navigator that remembers the episode as a map: a transformer over all that it holds.

Tokens are stopping, the ways, what is seen, what was seen before, the places visited and the ways
not taken, all described by the same numbers relative to the robot.  Each layer lets tokens look at
each other, with a bias made of their relative geometry, and at the words of the goal, with a bias
made of how well they agree; agreement is frozen, which is what holds for words never trained on.
The shape follows HAMT (Chen et al., NeurIPS 2021), the relative bias Shaw et al. (NAACL 2018) with
geometry for offsets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from nl_robot.nets.looking import Seen, Track
from nl_robot.nets.map_look import FEATURES, FRONTIER, WAY_MATCHES, MapLook, look_over
from nl_robot.nets.navigator import TO_UNIT_SCALE, Agreement, Navigator, NavigatorSettings
from nl_robot.nets.words import CHANNELS, MAX_WORDS, Known

AT_A_TIME = 32              # looks on a processor, whose pairs of tokens fit into its cache
PADDING = -1e9              # of attention to what is not there


@dataclass
class MapWords:
    """Goals, encoded once per episode.

    :param words: (b, t, width); :param ids: (b, t) vocabulary rows
    :param bias: (b, t) 0 for words, PADDING elsewhere
    """

    words: Tensor
    ids: Tensor
    bias: Tensor

    def rows(self, rows: Tensor | slice) -> MapWords:
        """Some of the episodes."""
        return MapWords(self.words[rows], self.ids[rows], self.bias[rows])


class NoState:
    """A map navigator carries nothing along: the track does."""

    def rows(self, rows: Tensor | slice) -> NoState:
        """Of some of the episodes."""
        return self


class GeometryBias(nn.Module):
    """(b, l, FEATURES) → (b, heads, l, l): how much one token should mind another by place."""

    def __init__(self, heads: int, hidden: int = 12) -> None:
        super().__init__()
        self.inner = nn.Linear(5, hidden)
        self.outer = nn.Linear(hidden, heads)

    def forward(self, tokens: Tensor) -> Tensor:
        """Pairwise cosine and sine of the bearing difference, distance, and its two decays."""
        cosine, sine = tokens[..., 0], tokens[..., 1]
        x, y = tokens[..., 4], tokens[..., 5]
        same = cosine[:, :, None] * cosine[:, None] + sine[:, :, None] * sine[:, None]
        left = cosine[:, :, None] * sine[:, None] - sine[:, :, None] * cosine[:, None]
        apart = torch.sqrt((x[:, :, None] - x[:, None]) ** 2
                           + (y[:, :, None] - y[:, None]) ** 2 + 1e-6)
        pairs = torch.stack([same, left, apart, torch.exp(-4 * apart), torch.exp(-apart)], dim=-1)
        return self.outer(F.relu(self.inner(pairs))).permute(0, 3, 1, 2)


class Attention(nn.Module):
    """Multi-head attention of queries (b, q, width) to keys (b, k, width) with a bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)

    def forward(self, queries: Tensor, keys: Tensor, bias: Tensor) -> Tensor:
        """`bias` (b, heads, q, k) holds PADDING for keys that are not there."""
        def split(x: Tensor) -> Tensor:
            return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)     # (b, heads, n, dim)
        key, value = self.key_value(keys).chunk(2, dim=-1)
        mixed = F.scaled_dot_product_attention(split(self.query(queries)), split(key),
                                               split(value), attn_mask=bias)
        return self.out(mixed.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """Tokens look at tokens, then at words, then think (pre-norm)."""

    def __init__(self, settings: NavigatorSettings) -> None:
        super().__init__()
        width = settings.width
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.to_tokens = Attention(width, settings.heads)
        self.to_words = Attention(width, settings.heads)
        self.agree = nn.Linear(CHANNELS, settings.heads, bias=False)
        with torch.no_grad():       # half of the heads begin by looking at words that match
            self.agree.weight.copy_(torch.tensor([[0.0, 4.0], [0.0, 0.0]]).repeat(
                settings.heads, 1)[:settings.heads])
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(),
                                  nn.Linear(2 * width, width))
        self.drop = nn.Dropout(settings.dropout)

    def forward(self, x: Tensor, words: MapWords, look: MapLook, bias: Tensor, queries: int
                ) -> Tensor:
        """(b, l, width) → (b, queries, width): only the first `queries` tokens go on."""
        keys = self.norms[0](x)
        x = x[:, :queries]
        x = x + self.to_tokens(keys[:, :queries], keys, bias[:, :, :queries])
        to_words = words.bias[:, None, None].expand(-1, self.agree.out_features, queries, -1)
        if queries > look.mask_is_valid.shape[1]:
            agrees = self.agree(look.agreement).permute(0, 3, 1, 2)     # (b, heads, s, t)
            first = look.mask_is_valid.shape[1]
            to_words = to_words + F.pad(
                agrees, (0, 0, first, queries - first - agrees.shape[2]))
        x = x + self.to_words(self.norms[1](x), words.words, to_words)
        return x + self.drop(self.feed(self.norms[2](x)))


class MapNavigator(Navigator):
    """A number for each choice, from the goal and everything that the episode has shown."""

    def __init__(self, settings: NavigatorSettings, outputs: int = 1) -> None:
        super().__init__(settings, outputs)
        width = settings.width
        self.geometry = nn.Linear(FEATURES, width)
        self.match = nn.Linear(WAY_MATCHES, width)
        self.kind = nn.Embedding(FRONTIER + 1, width)
        if settings.content:
            self.says = nn.Linear(settings.text_dim, settings.content)
            self.label = nn.Linear(settings.content, width, bias=False)
        self.word = nn.Sequential(nn.LayerNorm(settings.text_dim),
                                  nn.Linear(settings.text_dim, width))
        self.order = nn.Embedding(MAX_WORDS, width)
        self.word_norm = nn.LayerNorm(width)
        self.bias = GeometryBias(settings.heads)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(width)
        self.choice = nn.Linear(width, outputs)
        self.stop = nn.Linear(width, outputs)

    def content(self, known: Known) -> Tensor | None:
        """See `Navigator.content`."""
        if not self.settings.content:
            return None
        some = known.labels.any(dim=1, keepdim=True)
        return self.says(self.drop(known.labels * TO_UNIT_SCALE)) * some

    def read(self, features: Tensor, ids: Tensor, mask_is_valid: Tensor) -> MapWords:
        """See `Navigator.read`."""
        x = self.word(features) + self.order.weight[:features.shape[1]]
        bias = torch.zeros_like(features[..., 0]).masked_fill(~mask_is_valid, PADDING)
        return MapWords(self.drop(self.word_norm(x)), ids, bias)

    def start(self, words: MapWords) -> NoState:
        """See `Navigator.start`."""
        return NoState()

    def look(self, ids: Tensor, seen: Seen, track: Track, agreement: Agreement) -> MapLook:
        """See `Navigator.look`."""
        return look_over(ids, seen, track, agreement.pairs, agreement.labels,
                         self.settings.sightings)

    def forward(self, words: MapWords, state: NoState, look: MapLook) -> tuple[Tensor, NoState]:
        """See `Navigator.forward`."""
        if look.tokens.is_cuda or len(look.tokens) <= AT_A_TIME:
            return self._judge(words, look), state
        said = []
        for rows in torch.arange(len(look.tokens)).split(AT_A_TIME):
            part = words.rows(rows), look.rows(rows)
            said.append(checkpoint(self._judge, *part, use_reentrant=False)
                        if torch.is_grad_enabled() else self._judge(*part))
        return torch.cat(said), state

    def _judge(self, words: MapWords, look: MapLook) -> Tensor:
        """(b, 1 + k, outputs) what is said of every choice."""
        choices = look.mask_is_valid.shape[1]
        x = self.geometry(look.tokens) + self.kind(look.kinds)
        x = x + F.pad(self.match(look.matches), (0, 0, 1, x.shape[1] - choices))
        if look.labels is not None:
            x = x + F.pad(self.label(look.labels), (0, 0, choices, x.shape[1] - choices
                                        - look.labels.shape[1]))
        bias = self.bias(look.tokens).masked_fill(
            ~look.mask_token_is_valid[:, None, None], PADDING)
        for index, layer in enumerate(self.layers):
            last = index == len(self.layers) - 1
            x = layer(x, words, look, bias, choices if last else x.shape[1])
        x = self.norm(x)
        return torch.cat([self.stop(x[:, :1]), self.choice(x[:, 1:])], dim=1)

    def follow(self, words: MapWords, look: MapLook, counts: Sequence[int]) -> Tensor:
        """See `Navigator.follow`; every look stands for itself, so all are judged at once."""
        episodes = torch.cat([torch.arange(count) for count in counts]).to(words.ids.device)
        return self.forward(words.rows(episodes), NoState(), look)[0]
