"""What a detector gets wrong, applied to true sightings, so that the agent learns to live with it.

The rates are measured on validation homes by `nl_robot benchmark detector`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nl_robot.nets.looking import Seen

MOST_GHOSTS = 3             # per view; a constant, so that shapes do not depend on the draw
UNKNOWN_METRES = 4.0        # taken for the distance of a sighting that has none
WIDE = 2 ** 31              # draws below it, modulo a few thousand, are even to one in a million


@dataclass(frozen=True)
class SensorNoise:
    """How sightings are spoiled; rates per sighting unless said otherwise.

    :param miss_near: missed at 0 m; :param miss_per_metre: and more so per metre of distance
    :param wrong_colour: another colour of the same kind; :param wrong_kind: another label at all
    :param ghosts: false sightings per view
    :param bearing: standard deviation, radians; :param distance: relative standard deviation
    :param way_loss: a waypoint is not offered; at least one always is
    """

    miss_near: float = 0.10
    miss_per_metre: float = 0.05
    wrong_colour: float = 0.08
    wrong_kind: float = 0.03
    ghosts: float = 0.5
    bearing: float = 0.04
    distance: float = 0.12
    way_loss: float = 0.05


class LabelConfusion:
    """Which labels can be taken for which: the same kind in another colour, or any other.

    :param labels: of a `Vocabulary`, of which row 0 is the empty label.  Labels that it takes in
        later are not known here: build this when all tables are built.
    """

    def __init__(self, labels: Sequence[str], device: torch.device | str = 'cpu') -> None:
        if not labels or labels[0] != '':
            raise ValueError(f'row 0 of the labels must be the empty one, got {labels[:1]!r}')
        kinds = [label.split(' ', 1)[-1] for label in labels]
        groups: dict[str, list[int]] = {}
        for row, kind in enumerate(kinds[1:], start=1):
            groups.setdefault(kind, []).append(row)
        others: list[list[int]] = [[]]
        others += [[other for other in groups[kind] if other != row]
                   for row, kind in enumerate(kinds[1:], start=1)]
        self.count = len(labels)
        self.peers = torch.tensor([len(rows) for rows in others], device=device)
        most = max(1, max(map(len, others)))
        self.same_kind = torch.tensor([rows + [0] * (most - len(rows)) for rows in others],
                                      device=device)        # (labels, most), 0 where padding

    def other_colour(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Another colour of each label's kind; itself where there is none."""
        peers = self.peers[labels]
        other = self.same_kind[labels, _any_number(labels, generator) % peers.clamp(min=1)]
        return torch.where(peers > 0, other, labels)

    def other_label(self, labels: Tensor, generator: torch.Generator) -> Tensor:
        """Any other label than each, never the empty one; itself where there is no other."""
        if self.count < 3:
            return labels
        drawn = 1 + _any_number(labels, generator) % (self.count - 2)
        return torch.where(labels > 0, drawn + (drawn >= labels), labels)

    def any_label(self, like: Tensor, generator: torch.Generator) -> Tensor:
        """Any label but the empty one, in the shape of `like`."""
        return 1 + _any_number(like, generator) % (self.count - 1)


def spoil(seen: Seen, noise: SensorNoise, confusion: LabelConfusion, generator: torch.Generator
          ) -> Seen:
    """What a detector might have given; ways stay as they are (see `offered`).

    :param generator: on the device of `seen`; every draw depends on shapes alone
    :returns: sightings (b, s + MOST_GHOSTS, 5), missed ones as padding where they stood; no
        columns are added where the noise has no ghosts
    """
    labels, rows = seen.labels, seen.sightings
    missed = noise.miss_near + noise.miss_per_metre * rows[..., 3].nan_to_num(nan=UNKNOWN_METRES)
    labels = torch.where(_happens(labels, missed, generator), 0, labels)
    labels = torch.where(_happens(labels, noise.wrong_colour, generator),
                         confusion.other_colour(labels, generator), labels)
    labels = torch.where(_happens(labels, noise.wrong_kind, generator),
                         confusion.other_label(labels, generator), labels)
    rows = _jitter(rows, noise, generator)
    if noise.ghosts and confusion.count > 1:
        ghost_labels, ghost_rows = _ghosts(rows, noise.ghosts, confusion, generator)
        labels, rows = torch.cat([labels, ghost_labels], 1), torch.cat([rows, ghost_rows], 1)
    return replace(seen, labels=labels, sightings=torch.where(labels[..., None] > 0, rows, 0.0))


def offered(mask_way_is_valid: Tensor, noise: SensorNoise, generator: torch.Generator) -> Tensor:
    """(b, k) bool: the ways that the scan gives this time; where none would be left, all."""
    kept = mask_way_is_valid & ~_happens(mask_way_is_valid, noise.way_loss, generator)
    return torch.where(kept.any(dim=1, keepdim=True), kept, mask_way_is_valid)


def _happens(like: Tensor, rate: Tensor | float, generator: torch.Generator) -> Tensor:
    """Bool in the shape of `like`, True at the rate."""
    return torch.rand(like.shape, generator=generator, device=like.device) < rate


def _any_number(like: Tensor, generator: torch.Generator) -> Tensor:
    """Whole numbers in the shape of `like`, for a modulo."""
    return torch.randint(WIDE, like.shape, generator=generator, device=like.device)


def _beta(like: Tensor, a: int, b: int, generator: torch.Generator) -> Tensor:
    """Beta(a, b) in the shape of `like`: X / (X + Y), gamma variables as sums of exponentials."""
    draws = like.new_empty(*like.shape, a + b).exponential_(generator=generator)
    return draws[..., :a].sum(dim=-1) / draws.sum(dim=-1)


def _jitter(rows: Tensor, noise: SensorNoise, generator: torch.Generator) -> Tensor:
    """(b, s, 5) with bearings, elevations and distances a little off, and a detector's scores."""
    off = torch.randn(*rows.shape[:2], 3, generator=generator, device=rows.device,
                      dtype=rows.dtype)
    bearing, elevation, size, distance, _ = rows.unbind(-1)
    return torch.stack([bearing + noise.bearing * off[..., 0],
                        elevation + noise.bearing / 2 * off[..., 1], size,
                        distance * torch.exp(noise.distance * off[..., 2]),
                        _beta(bearing, 6, 2, generator)], dim=-1)


def _ghosts(rows: Tensor, rate: float, confusion: LabelConfusion, generator: torch.Generator
            ) -> tuple[Tensor, Tensor]:
    """(b, MOST_GHOSTS) labels and their rows, of things that are not there; label 0: none."""
    counts = torch.poisson(rows.new_full((len(rows), 1), rate), generator=generator)
    there = torch.arange(MOST_GHOSTS, device=rows.device) < counts
    labels = torch.where(there, confusion.any_label(there, generator), 0)
    bearing, size, distance = torch.rand(3, *there.shape, generator=generator,
                                         device=rows.device, dtype=rows.dtype)
    elevation = torch.randn(there.shape, generator=generator, device=rows.device,
                            dtype=rows.dtype)
    return labels, torch.stack([torch.pi * (2 * bearing - 1), 0.2 * elevation,
                                0.05 + 0.35 * size, 0.8 + 5.2 * distance,
                                _beta(bearing, 2, 4, generator)], dim=-1)
