"""From what is seen at a place to what the networks take in; for one robot or a thousand runs.

Everything is relative to the robot: bearings to where it faces, ways to where it has been.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nl_robot.nets.recollection import SAME_PLACE_METRES, Recollection

WAY_FEATURES = 12
ACTION_FEATURES = 7
KERNELS = 3
MAX_SIGHTINGS = 32          # of a place, the largest
NARROW, BROAD = 0.35, 0.9   # radians: a thing in the way itself, and on that side of the room
AT_END_METRES = 1.0         # a thing beside the place that a way leads to
NEAR_METRES = 1.5


@dataclass
class Seen:
    """An observation of each of b runs, padded.

    :param labels: (b, s) vocabulary rows, 0 where padding
    :param sightings: (b, s, 5) bearing, elevation, size (radians), distance (m, nan), score
    :param ways: (b, k, 3) bearing, elevation (radians), distance on the plan (m)
    :param mask_way_is_valid: (b, k) bool
    """

    labels: Tensor
    sightings: Tensor
    ways: Tensor
    mask_way_is_valid: Tensor

    def rows(self, rows: Tensor | slice) -> Seen:
        """Some of the observations."""
        return Seen(self.labels[rows], self.sightings[rows], self.ways[rows],
                    self.mask_way_is_valid[rows])


@dataclass
class Track:
    """Where each of b runs has been.

    :param points: (b, t, 3) places in the order of the visits, the present one last; nan: none
    :param yaw: (b,) which way it faces, in the same frame as the points
    :param action: (b, ACTION_FEATURES) what it did last; zeros at the start
    :param recollection: what was seen at the places before; None where nobody asks for it
    """

    points: Tensor
    yaw: Tensor
    action: Tensor
    recollection: Recollection | None = None

    @classmethod
    def begin(cls, points: Tensor, yaw: Tensor, remembers: bool = False) -> Track:
        """Runs that stand at their first place, points (b, 3)."""
        return cls(points[:, None], yaw,
                   torch.zeros(len(yaw), ACTION_FEATURES, device=yaw.device),
                   Recollection.begin(len(yaw), yaw.device) if remembers else None)

    def rows(self, rows: Tensor | slice) -> Track:
        """Some of the runs."""
        return Track(self.points[rows], self.yaw[rows], self.action[rows],
                     None if self.recollection is None else self.recollection.rows(rows))

    def go(self, point: Tensor, yaw: Tensor, way: Tensor) -> Track:
        """After walking `way` (b, 3) to points (b, 3), where one faces `yaw` (b,)."""
        return replace(self, points=torch.cat([self.points, point[:, None]], dim=1), yaw=yaw,
                       action=action_features(way))

    def remember(self, seen: Seen) -> Track:
        """Before leaving a place: what was seen there will be known."""
        if self.recollection is None:
            return self
        ends = ends_of(seen, self).masked_fill(~seen.mask_way_is_valid[..., None], torch.nan)
        return replace(self, recollection=self.recollection.after(
            *things_of(seen, self), ends, self.points))


def action_features(way: Tensor) -> Tensor:
    """(..., 3) bearing, elevation, distance of the way just walked → (..., ACTION_FEATURES)."""
    bearing, elevation, distance = way.unbind(-1)
    return torch.stack([torch.cos(bearing), torch.sin(bearing), torch.cos(2 * bearing),
                        torch.sin(2 * bearing), 3 * torch.sin(elevation), distance / 4,
                        torch.ones_like(distance)], dim=-1)


def climb_of(way: Tensor) -> Tensor:
    """(..., 3) bearing, elevation, distance on the plan → (...) metres up."""
    return way[..., 2] * torch.tan(way[..., 1].clamp(-1.2, 1.2))


def ends_of(seen: Seen, track: Track) -> Tensor:
    """(b, k, 3) where the ways lead, in the frame of the track."""
    bearing = seen.ways[..., 0] + track.yaw[:, None]
    distance = seen.ways[..., 2]
    offsets = torch.stack([distance * torch.cos(bearing), distance * torch.sin(bearing),
                           climb_of(seen.ways)], dim=-1)
    return track.points[:, -1:] + offsets


def things_of(seen: Seen, track: Track) -> tuple[Tensor, Tensor]:
    """(b, s) labels of what is seen, 0 where nobody knows how far it is, and (b, s, 6) where it
    stands, in the frame of the track; elevation, size, score."""
    bearing, elevation, size, distance, score = seen.sightings.unbind(-1)
    labels = seen.labels * torch.isfinite(distance)
    distance, bearing = distance.nan_to_num(nan=0.0), bearing + track.yaw[:, None]
    here = track.points[:, -1]
    return labels, torch.stack([here[:, :1] + distance * torch.cos(bearing),
                                here[:, 1:2] + distance * torch.sin(bearing),
                                here[:, 2:].expand_as(distance), elevation, size, score], dim=-1)


@dataclass
class AgreeingLook:
    """What a recurrent navigator takes in at one step.

    :param agreement: (b, t, s, channels) of every word with every sighting; 0 where padding
    :param kernels: (b, k, s, KERNELS) how much a sighting lies along a way
    :param near: (b, s, 2) how much a sighting lies here; and ahead
    :param ways: (b, k, WAY_FEATURES)
    :param mask_is_valid: (b, 1 + k) bool of the choices, stop first
    :param action: (b, ACTION_FEATURES) what was done last
    """

    agreement: Tensor
    kernels: Tensor
    near: Tensor
    ways: Tensor
    mask_is_valid: Tensor
    action: Tensor

    def rows(self, rows: slice) -> AgreeingLook:
        """Some of the looks."""
        return AgreeingLook(self.agreement[rows], self.kernels[rows], self.near[rows],
                            self.ways[rows], self.mask_is_valid[rows], self.action[rows])


def look_at(ids: Tensor, seen: Seen, track: Track, agreement: Tensor, sightings: bool = True
            ) -> AgreeingLook:
    """What a recurrent navigator takes in.

    :param ids: (b, t) vocabulary rows of the goals' words
    :param agreement: (words, labels, channels) how well each word agrees with each label
    :param sightings: False for a blind agent, which sees ways only
    """
    valid = torch.cat([torch.ones_like(seen.mask_way_is_valid[:, :1]), seen.mask_way_is_valid],
                      dim=1)
    agrees = agreement[ids[:, :, None], seen.labels[:, None]]                # (b, t, s, c)
    if not sightings:
        agrees = torch.zeros_like(agrees)
    return AgreeingLook(agrees, _kernels(seen), _near(seen), _way_features(seen, track), valid,
                        track.action)


def _distances(seen: Seen) -> Tensor:
    """(b, s) metres on the plan; what is unknown is taken as 2.5 m."""
    return seen.sightings[..., 3].nan_to_num(nan=2.5)


def _kernels(seen: Seen) -> Tensor:
    """(b, k, s, KERNELS) how much each sighting lies along each way, or beside its end."""
    apart = seen.ways[:, :, None, 0] - seen.sightings[:, None, :, 0]
    apart = torch.remainder(apart + torch.pi, 2 * torch.pi) - torch.pi
    far = _distances(seen)[:, None]
    reach = seen.ways[:, :, None, 2]
    gap = torch.sqrt((far ** 2 + reach ** 2 - 2 * far * reach * torch.cos(apart)).clamp(min=0))
    there = (seen.labels > 0)[:, None, :, None].float()
    return there * torch.stack([torch.exp(-(apart / NARROW) ** 2),
                                torch.exp(-(apart / BROAD) ** 2),
                                torch.exp(-(gap / AT_END_METRES) ** 2)], dim=-1)


def _near(seen: Seen) -> Tensor:
    """(b, s, 2) how much each sighting is here, and ahead."""
    near = torch.exp(-_distances(seen) / NEAR_METRES)
    ahead = torch.exp(-(torch.atan2(torch.sin(seen.sightings[..., 0]),
                                    torch.cos(seen.sightings[..., 0])) / BROAD) ** 2)
    return torch.stack([near, ahead], dim=-1) * (seen.labels > 0)[..., None]


def _way_features(seen: Seen, track: Track) -> Tensor:
    """(b, k, WAY_FEATURES) direction, distance, and how well known its end is."""
    bearing, elevation, distance = seen.ways.unbind(-1)
    ends = ends_of(seen, track)
    gaps = (ends[:, :, None] - track.points[:, None]).norm(dim=-1)           # (b, k, t)
    been = (gaps < SAME_PLACE_METRES).float()       # nan compares as False
    nearest = gaps.nan_to_num(nan=9.0).amin(dim=2).clamp(max=4.0) / 4.0
    before = been[:, :, -2:-1].sum(dim=2)       # 0 where there was none
    been_nowhere = ~torch.isfinite(track.points[:, :-1, 0]).any(dim=1)
    first = been_nowhere[:, None].expand_as(bearing).float()
    return torch.stack([torch.cos(bearing), torch.sin(bearing), torch.cos(2 * bearing),
                        torch.sin(2 * bearing), 3 * torch.sin(elevation), distance / 4,
                        (elevation > 0.15).float(), (elevation < -0.15).float(),
                        been.sum(dim=2).clamp(max=3) / 3, before, nearest, first], dim=-1)


@dataclass(frozen=True)
class Acting:
    """How a greedy policy acts on what it says; chosen on validation data.

    :param repeat_penalty: off the logit of a way, for each time it was taken from here before
    :param visit_penalty: likewise, for each visit to the place that it leads to
    :param stop_penalty: off the logit of stopping: a policy that imitates stops too early
    :param doubt_weight: of the reward's opinion, the log odds of having arrived, added to the
        logit of stopping
    """

    repeat_penalty: float = 0.0
    visit_penalty: float = 0.0
    stop_penalty: float = 0.0
    doubt_weight: float = 0.0


@dataclass(frozen=True)
class Calibration:
    """From the reward's number for stopping here to the probability that the goal is fulfilled.

    Logistic (Platt 1999): sigmoid(slope * number + offset), fitted on held-out episodes.
    """

    slope: float = 1.0
    offset: float = 0.0

    def probability(self, number: float) -> float:
        """Between 0 and 1.

        :raises ValueError: the number is not finite
        """
        odds = self.slope * number + self.offset
        if not math.isfinite(odds):
            raise ValueError(f'the reward must say a finite number, got {number!r}')
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, odds))))

    def log_odds(self, numbers: Tensor) -> Tensor:
        """Of having arrived; bounded, so that no opinion outweighs everything else."""
        return (self.slope * numbers + self.offset).clamp(-6.0, 3.0)


def discouragement(seen: Seen, track: Track, acting: Acting) -> Tensor:
    """(b, 1 + k) how much each choice is to be thought less of."""
    ends = ends_of(seen, track)
    been = (ends[:, :, None] - track.points[:, None]).norm(dim=-1) < SAME_PLACE_METRES
    here = (track.points - track.points[:, -1:]).norm(dim=-1) < SAME_PLACE_METRES
    repeats = (been[:, :, 1:] & here[:, None, :-1]).sum(dim=2)
    off = acting.repeat_penalty * repeats + acting.visit_penalty * been.sum(dim=2)
    return torch.nn.functional.pad(off.to(seen.ways.dtype), (1, 0), value=acting.stop_penalty)
