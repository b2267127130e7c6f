"""What each of b runs remembers of the places that it has left: things, and ways not taken.

Explicit geometry instead of a recurrent state (after the history of HAMT, Chen et al., NeurIPS
2021, and the map of DUET, Chen et al., CVPR 2022): one decision depends on the goal, on this and
on what is seen, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

MOST_THINGS, MOST_FRONTIERS = 24, 10
SAME_THING_METRES = 0.8     # the scatter of a detector's distances within 3 m
SAME_END_METRES = 0.5       # ends of ways nearer than this are one
SAME_PLACE_METRES = 0.8     # half the usual spacing of waypoints


@dataclass
class Recollection:
    """Of b runs, the latest first; points are in the frame of the track.

    :param labels: (b, MOST_THINGS) vocabulary rows, 0 where padding
    :param things: (b, MOST_THINGS, 7) x, y, z, elevation, size, score, steps since it was seen
    :param frontiers: (b, MOST_FRONTIERS, 3) ends of ways that were not taken; nan: none
    """

    labels: Tensor
    things: Tensor
    frontiers: Tensor

    @classmethod
    def begin(cls, runs: int, device: torch.device) -> Recollection:
        """Runs that have been nowhere."""
        return cls(torch.zeros(runs, MOST_THINGS, dtype=torch.long, device=device),
                   torch.zeros(runs, MOST_THINGS, 7, device=device),
                   torch.full((runs, MOST_FRONTIERS, 3), torch.nan, device=device))

    def rows(self, rows: Tensor | slice) -> Recollection:
        """Some of the runs."""
        return Recollection(self.labels[rows], self.things[rows], self.frontiers[rows])

    @classmethod
    def together(cls, parts: Sequence[Recollection]) -> Recollection:
        """Runs one after the other."""
        return cls(*(torch.cat([getattr(part, field.name) for part in parts])
                     for field in fields(cls)))

    def after(self, labels: Tensor, things: Tensor, ends: Tensor, places: Tensor
              ) -> Recollection:
        """With what is seen from the present place taken in.

        :param labels: (b, s) of what is seen, 0 where padding or where nobody knows how far
        :param things: (b, s, 6) x, y, z, elevation, size, score
        :param ends: (b, k, 3) of the ways that are offered, nan where padding
        :param places: (b, t, 3) that were visited, the present one too
        """
        kept = self.labels * ~self.seen_again(labels, things)
        both = torch.cat([labels, kept], dim=1)
        aged = torch.cat([self.things[..., :6], self.things[..., 6:] + 1], dim=2)
        fresh = torch.cat([things, torch.ones_like(things[..., :1])], dim=2)
        order = torch.argsort((both == 0).byte(), dim=1, stable=True)[:, :MOST_THINGS]
        rows = torch.cat([fresh, aged], dim=1).gather(1, order[..., None].expand(-1, -1, 7))
        return Recollection(both.gather(1, order), rows, self._left_open(ends, places))

    def seen_again(self, labels: Tensor, things: Tensor) -> Tensor:
        """(b, MOST_THINGS) bool: it is among what is seen now, (b, s) and (b, s, 6)."""
        apart = torch.cdist(self.things[..., :3], things[..., :3])
        same = (self.labels[:, :, None] == labels[:, None]) & (labels > 0)[:, None]
        return (same & (apart < SAME_THING_METRES)).any(dim=2)

    def _left_open(self, ends: Tensor, places: Tensor) -> Tensor:
        """(b, MOST_FRONTIERS, 3) ends where nobody has been, the latest first."""
        again = (_apart(self.frontiers, ends) < SAME_END_METRES).any(dim=2)
        both = torch.cat([ends, self.frontiers.masked_fill(again[..., None], torch.nan)], dim=1)
        been = (_apart(both, places) < SAME_PLACE_METRES).any(dim=2)
        both = both.masked_fill(been[..., None], torch.nan)
        order = torch.argsort(both[..., 0].isnan().byte(), dim=1, stable=True)
        return both.gather(1, order[:, :MOST_FRONTIERS, None].expand(-1, -1, 3))


def _apart(ones: Tensor, others: Tensor) -> Tensor:
    """(b, m, n) metres between points (b, m, 3) and (b, n, 3); nan where either is."""
    return (ones[:, :, None] - others[:, None]).norm(dim=-1)
