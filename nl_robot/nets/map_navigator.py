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

from nl_robot.nets.looking import (
    AT_END_METRES,
    BROAD,
    NARROW,
    Seen,
    Track,
    climb_of,
    ends_of,
    things_of,
)
from nl_robot.nets.navigator import Agreement, Navigator, NavigatorSettings
from nl_robot.nets.recollection import Recollection
from nl_robot.nets.words import CHANNELS, MAX_WORDS

STOP, WAY, SIGHTING, REMEMBERED, PLACE, FRONTIER = range(6)
FEATURES, WAY_MATCHES = 16, 3 * CHANNELS
MOST_PLACES = 12
FAR_METRES = 8.0            # distances are clipped here; the laser sees no further
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


@dataclass
class MapLook:
    """All that is known at one step, l tokens in the order of their kinds.

    :param tokens: (b, l, FEATURES); :param kinds: (l,) STOP .. FRONTIER
    :param mask_token_is_valid: (b, l) bool
    :param mask_is_valid: (b, 1 + k) bool of the choices, the first tokens
    :param matches: (b, k, WAY_MATCHES) the best agreement that lies along each way
    :param labels: (b, s, content) of what is seen and remembered; None where labels say nothing
    :param agreement: (b, s, t, CHANNELS) of the same with every word; 0 where padding
    """

    tokens: Tensor
    kinds: Tensor
    mask_token_is_valid: Tensor
    mask_is_valid: Tensor
    matches: Tensor
    labels: Tensor | None
    agreement: Tensor

    def rows(self, rows: Tensor | slice) -> MapLook:
        """Some of the episodes."""
        return MapLook(self.tokens[rows], self.kinds, self.mask_token_is_valid[rows],
                       self.mask_is_valid[rows], self.matches[rows],
                       None if self.labels is None else self.labels[rows], self.agreement[rows])


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
        known = track.recollection
        if known is None:
            raise ValueError('a map navigator needs a track that remembers')
        if not self.settings.sightings:
            seen, known = _blinded(seen), _forgotten(known)
        old = known.labels * ~known.seen_again(
            seen.labels * torch.isfinite(seen.sightings[..., 3]), things_of(seen, track))
        most = max(1, int((old > 0).any(dim=0).nonzero().amax() + 1)) if old.any() else 1
        labels = torch.cat([seen.labels, old[:, :most]], dim=1)
        agrees = agreement.pairs[ids[:, None], labels[..., None]]               # (b, s, t, c)
        things = torch.cat([_sightings(seen), _remembered(known, track)[:, :most]], dim=1)
        best = agrees.amax(dim=2)
        things = torch.cat([things[..., :13], best, things[..., 15:]], dim=2)
        places, place_is_valid = _places(track)
        fronts, front_is_valid = _frontiers(known, track)
        ways = _ways(seen, track)
        blocks = [_stop(seen, track, front_is_valid), ways, things, places, fronts]
        sizes = [1, ways.shape[1], seen.labels.shape[1], most, places.shape[1], fronts.shape[1]]
        kinds = torch.repeat_interleave(torch.arange(6), torch.tensor(sizes)).to(labels.device)
        choices = F.pad(seen.mask_way_is_valid, (1, 0), value=True)
        mask = torch.cat([choices, labels > 0, place_is_valid, front_is_valid], dim=1)
        said = None if agreement.labels is None else F.embedding(labels, agreement.labels)
        matches = _along(ways, things, best * (labels > 0)[..., None])
        return MapLook(torch.cat(blocks, dim=1), kinds, mask, choices, matches, said, agrees)

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


def _along(ways: Tensor, things: Tensor, agreement: Tensor) -> Tensor:
    """(b, k, WAY_MATCHES) the best agreement among things in a way, on its side, at its end.

    :param ways: (b, k, FEATURES); :param things: (b, s, FEATURES)
    :param agreement: (b, s, CHANNELS) 0 where padding
    """
    cosine = (ways[:, :, None, :2] * things[:, None, :, :2]).sum(dim=-1).clamp(-1, 1)
    apart = torch.acos(cosine * 0.9999)
    gap = 4 * (ways[:, :, None, 4:6] - things[:, None, :, 4:6]).norm(dim=-1)
    kernels = torch.stack([torch.exp(-(apart / NARROW) ** 2), torch.exp(-(apart / BROAD) ** 2),
                           torch.exp(-(gap / AT_END_METRES) ** 2)], dim=-1)     # (b, k, s, 3)
    best = (kernels[..., None] * agreement[:, None, :, None]).amax(dim=2)
    return best.clamp(min=0).flatten(2)


def _blinded(seen: Seen) -> Seen:
    """Ways only."""
    return Seen(torch.zeros_like(seen.labels), seen.sightings, seen.ways, seen.mask_way_is_valid)


def _forgotten(known: Recollection) -> Recollection:
    """Ways only."""
    return Recollection(torch.zeros_like(known.labels), known.things, known.frontiers)


def _geometry(bearing: Tensor, distance: Tensor, elevation: Tensor) -> Tensor:
    """(b, n, 8) what every token says of where it is; distances may be nan."""
    unknown = ~torch.isfinite(distance)
    reach = torch.where(unknown, 2.0, distance).clamp(0.0, FAR_METRES)
    cosine, sine = torch.cos(bearing), torch.sin(bearing)
    return torch.stack([cosine, sine, reach / FAR_METRES, torch.exp(-reach), cosine * reach / 4,
                        sine * reach / 4, unknown.float(), elevation], dim=-1)


def _tokens(geometry: Tensor, *more: Tensor) -> Tensor:
    """(b, n, FEATURES) of geometry (b, n, 8) and further numbers (b, n), then zeros."""
    rows = torch.cat([geometry, *(number[..., None] for number in more)], dim=2)
    return F.pad(rows, (0, FEATURES - rows.shape[2]))


def _from_here(points: Tensor, track: Track) -> Tensor:
    """(b, n, 8) geometry of points (b, n, 3) in the frame of the track; nan reads as here."""
    delta = (points - track.points[:, -1:]).nan_to_num(nan=0.0)
    distance = delta[..., :2].norm(dim=-1)
    bearing = torch.atan2(delta[..., 1], delta[..., 0]) - track.yaw[:, None]
    return _geometry(bearing, distance, torch.atan2(delta[..., 2], distance + 0.1))


def _steps(track: Track) -> Tensor:
    """(b,) how many places were visited, the present one included."""
    return torch.isfinite(track.points[..., 0]).sum(dim=1)


def _stop(seen: Seen, track: Track, front_is_valid: Tensor) -> Tensor:
    """(b, 1, FEATURES) of stopping here."""
    steps = _steps(track)
    numbers = [steps / 20, front_is_valid.sum(dim=1) / 10,
               seen.mask_way_is_valid.sum(dim=1) / 10, (steps == 1).float()]
    return _tokens(seen.ways.new_zeros(len(steps), 1, 8), *(n[:, None] for n in numbers))


def _ways(seen: Seen, track: Track) -> Tensor:
    """(b, k, FEATURES) of the ways, with how well known the places are that they lead to."""
    bearing, elevation, distance = seen.ways.unbind(-1)
    gaps = (ends_of(seen, track)[:, :, None] - track.points[:, None]).norm(dim=-1)
    near = gaps.nan_to_num(nan=9.0)                                          # (b, k, t)
    before = near[:, :, -2] if near.shape[2] > 1 else torch.full_like(bearing, 9.0)
    return _tokens(_geometry(bearing, distance, elevation), climb_of(seen.ways) / 2,
                   torch.zeros_like(bearing), near.amin(dim=2).clamp(max=3.0) / 3,
                   (near < 1.0).sum(dim=2).clamp(max=4) / 4, before.clamp(max=3.0) / 3)


def _sightings(seen: Seen) -> Tensor:
    """(b, s, FEATURES) of what is seen now; columns 13 and 14 are for its agreement."""
    bearing, elevation, size, distance, score = seen.sightings.unbind(-1)
    return _tokens(_geometry(bearing, distance, elevation), size, score)


def _remembered(known: Recollection, track: Track) -> Tensor:
    """(b, m, FEATURES) of what was seen before; columns 13 and 14 are for its agreement."""
    things = known.things
    geometry = _from_here(things[..., :3], track)
    geometry = torch.cat([geometry[..., :7], things[..., 3:4]], dim=2)
    return _tokens(geometry, things[..., 4], things[..., 5], things[..., 6] / 10)


def _places(track: Track) -> tuple[Tensor, Tensor]:
    """(b, p, FEATURES) of the places visited before, the latest first; (b, p) bool."""
    before = track.points[:, :-1].flip(1)[:, :MOST_PLACES]
    valid = torch.isfinite(before[..., 0])
    if not before.shape[1]:
        return before.new_zeros(len(before), 0, FEATURES), valid
    ago = torch.arange(1, before.shape[1] + 1, device=before.device).expand_as(valid)
    order = (_steps(track)[:, None] - 1 - ago).clamp(min=0)
    turn = _turns(track)[:, :before.shape[1]]
    return _tokens(_from_here(before, track), torch.cos(turn), torch.sin(turn), ago / 10,
                   order / 10, (order == 0).float()), valid


def _turns(track: Track) -> Tensor:
    """(b, t) by how much it turned at each place before, the latest first; 0 where unknown."""
    points = track.points.flip(1)[..., :2]
    out = points[:, :-1] - points[:, 1:]
    heading = torch.atan2(out[..., 1], out[..., 0])
    turn = heading[:, :-1] - heading[:, 1:]
    return F.pad(turn, (0, 1)).nan_to_num(nan=0.0)


def _frontiers(known: Recollection, track: Track) -> tuple[Tensor, Tensor]:
    """(b, f, FEATURES) of the ways not taken, the latest first; (b, f) bool."""
    valid = torch.isfinite(known.frontiers[..., 0])
    return _tokens(_from_here(known.frontiers, track)), valid
