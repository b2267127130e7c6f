"""All that is known at one step of an episode, as the tokens that a map navigator takes in.

Every token is described by the same numbers, all relative to the robot, so that attention can
compare any two of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

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
from nl_robot.nets.recollection import Recollection
from nl_robot.nets.words import CHANNELS

STOP, WAY, SIGHTING, REMEMBERED, PLACE, FRONTIER = range(6)
FEATURES, WAY_MATCHES = 16, 3 * CHANNELS
MOST_PLACES = 12
FAR_METRES = 8.0            # distances are clipped here; the laser sees no further


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


def look_over(ids: Tensor, seen: Seen, track: Track, pairs: Tensor, content: Tensor | None,
              sightings: bool = True) -> MapLook:
    """What is seen and what the track remembers.

    :param ids: (b, t) vocabulary rows of the goals' words
    :param pairs: (words, labels, CHANNELS) how well each word agrees with each label
    :param content: (labels, content) what each label says by itself, or None
    :param sightings: False for a blind agent, which knows of ways only
    :raises ValueError: the track does not remember
    """
    known = track.recollection
    if known is None:
        raise ValueError('a map navigator needs a track that remembers')
    if not sightings:
        seen, known = _blinded(seen), _forgotten(known)
    old = known.labels * ~known.seen_again(*things_of(seen, track))
    most = max(1, int((old > 0).any(dim=0).nonzero().amax() + 1)) if old.any() else 1
    labels = torch.cat([seen.labels, old[:, :most]], dim=1)
    agrees = pairs[ids[:, None], labels[..., None]]               # (b, s, t, c)
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
    said = None if content is None else F.embedding(labels, content)
    matches = _along(ways, things, best * (labels > 0)[..., None])
    return MapLook(torch.cat(blocks, dim=1), kinds, mask, choices, matches, said, agrees)


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
