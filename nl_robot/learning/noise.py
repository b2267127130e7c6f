"""What a detector gets wrong, applied to true sightings, so that the agent learns to live with it.

The rates are measured on validation homes by `nl_robot benchmark detector`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nl_robot.learning.sensor_noise import SensorNoise
from nl_robot.nets.memory import View


class LabelConfusion:
    """Which labels can be taken for which: the same kind in another colour, or any other."""

    def __init__(self, labels: Sequence[str]) -> None:
        kinds = [label.split(' ', 1)[-1] for label in labels]
        groups: dict[str, list[int]] = {}
        for index, kind in enumerate(kinds):
            groups.setdefault(kind, []).append(index)
        self.same_kind = [np.array(groups[kind]) for kind in kinds]
        self.count = len(labels)


def offered_ways(rows: NDArray[np.int64], noise: SensorNoise, rng: np.random.Generator
                 ) -> NDArray[np.int64]:
    """The rows of the waypoints that the scan gives this time; never none of several."""
    offered = rows[rng.random(len(rows)) > noise.way_loss]
    return offered if len(offered) else rows


def spoil(view: View, noise: SensorNoise, confusion: LabelConfusion, rng: np.random.Generator
          ) -> View:
    """The view as a detector might have given it; the pose stays true."""
    rows, labels = view.sightings, view.labels
    reach = np.nan_to_num(rows[:, 3], nan=4.0)
    seen = rng.random(len(rows)) > noise.miss_near + noise.miss_per_metre * reach
    rows, labels = rows[seen].copy(), labels[seen].copy()
    rows[:, 0] += rng.normal(0.0, noise.bearing, len(rows))
    rows[:, 1] += rng.normal(0.0, noise.bearing / 2, len(rows))
    rows[:, 3] *= np.exp(rng.normal(0.0, noise.distance, len(rows)))
    rows[:, 4] = rng.beta(6.0, 2.0, len(rows))
    for index in np.flatnonzero(rng.random(len(rows)) < noise.wrong_colour):
        labels[index] = rng.choice(confusion.same_kind[labels[index]])
    for index in np.flatnonzero(rng.random(len(rows)) < noise.wrong_kind):
        labels[index] = rng.integers(confusion.count)
    rows, labels = _with_ghosts(rows, labels, rng.poisson(noise.ghosts), confusion.count, rng)
    return View(labels, rows, view.waypoints, view.pose)


def _with_ghosts(rows: NDArray[np.float32], labels: NDArray[np.int64], ghosts: int,
                 labels_known: int, rng: np.random.Generator
                 ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Add sightings of things that are not there."""
    if not ghosts or not labels_known:
        return rows, labels
    false = np.stack([rng.uniform(-np.pi, np.pi, ghosts), rng.normal(0.0, 0.2, ghosts),
                      rng.uniform(0.05, 0.4, ghosts), rng.uniform(0.8, 6.0, ghosts),
                      rng.beta(2.0, 4.0, ghosts)], axis=1).astype(np.float32)
    return (np.concatenate([rows, false]),
            np.concatenate([labels, rng.integers(0, labels_known, ghosts)]))
