"""From a goal, a memory and a view to the arrays that the policy reads.

Every token of the policy (stop, waypoints, sightings, remembered things, places, frontiers) is
described by the same `FEATURES` numbers, all relative to the robot, so that attention can
compare any two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nl_robot.nets.memory import Floats, Memory, View, _ends, _nearest
from nl_robot.nets.words import Encoder

MAX_WORDS, MAX_WAYPOINTS, MAX_SIGHTINGS, MAX_REMEMBERED, MAX_PLACES, MAX_FRONTIERS = (
    64, 14, 32, 20, 12, 10)
STOP, WAYPOINT, SIGHTING, REMEMBERED, PLACE, FRONTIER = range(6)
FEATURES = 16
FAR_METRES = 8.0            # distances are clipped here; the laser sees no further


class LabelTable:
    """Every label met so far with its frozen sentence vector, looked up once."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._ids: dict[str, int] = {}
        self.labels: list[str] = []
        self.vectors: Floats = np.zeros((0, encoder.dim), np.float32)

    def ids(self, labels: Sequence[str]) -> NDArray[np.int64]:
        """(n,) int64 ids; labels never met before are embedded now."""
        new = [label for label in dict.fromkeys(labels) if label not in self._ids]
        if new:
            for label in new:
                self._ids[label] = len(self.labels)
                self.labels.append(label)
            self.vectors = np.concatenate([self.vectors, self._encoder.embed(new)])
        return np.array([self._ids[label] for label in labels], np.int64)


@dataclass(frozen=True)
class GoalWords:
    """A goal as the policy reads it: `words` (t, dim) token features, `sentence` (dim,)."""

    words: Floats
    sentence: Floats


def goal_words(encoder: Encoder, texts: Sequence[str]) -> list[GoalWords]:
    """The token features of goals, and their mean; longer goals are cut at MAX_WORDS."""
    goals = []
    for words in encoder.encode(texts):
        mean = words.mean(axis=0)
        goals.append(GoalWords(words[:MAX_WORDS].astype(np.float32),
                               mean / max(float(np.linalg.norm(mean)), 1e-6)))
    return goals


@dataclass(frozen=True)
class StepInputs:
    """One decision's arrays: the tokens in the order stop, waypoints, things, places.

    :param tokens: (l, FEATURES)
    :param kinds: (l,) STOP .. FRONTIER
    :param labels: (l,) label ids, -1 for tokens without a label
    :param choices: number of waypoints; tokens 0..choices are the choices, 0 being stop
    """

    tokens: Floats
    kinds: NDArray[np.int64]
    labels: NDArray[np.int64]
    choices: int


def _polar(points: NDArray[np.float64], pose: NDArray[np.float64]
           ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bearings and distances of points in the fixed frame, seen from `pose`."""
    delta = points - pose[:2]
    return np.arctan2(delta[:, 1], delta[:, 0]) - pose[2], np.hypot(delta[:, 0], delta[:, 1])


def _rows(bearing: NDArray, distance: NDArray) -> Floats:
    """(n, FEATURES) with the geometry filled in: columns 0..5."""
    rows = np.zeros((len(bearing), FEATURES), np.float32)
    unknown = ~np.isfinite(distance)
    reach = np.clip(np.where(unknown, 2.0, distance), 0.0, FAR_METRES)
    rows[:, 0], rows[:, 1] = np.cos(bearing), np.sin(bearing)
    rows[:, 2] = reach / FAR_METRES
    rows[:, 3] = np.exp(-reach)
    rows[:, 4], rows[:, 5] = rows[:, 0] * reach / 4.0, rows[:, 1] * reach / 4.0
    rows[:, 6] = unknown
    return rows


def _agreement(goal: GoalWords, vectors: Floats) -> Floats:
    """(n, 2) cosine of each label with the goal's best word and with the whole goal."""
    if not len(vectors):
        return np.zeros((0, 2), np.float32)
    lengths = np.linalg.norm(goal.words, axis=1, keepdims=True)
    words = goal.words / np.maximum(lengths, 1e-6)
    return np.stack([(vectors @ words.T).max(axis=1), vectors @ goal.sentence], axis=1)


def _sightings(view: View) -> tuple[Floats, NDArray[np.int64]]:
    """Rows of what is seen now, the surest first, and their labels."""
    order = np.argsort(-view.sightings[:, 4], kind='stable')[:MAX_SIGHTINGS]
    seen = view.sightings[order]
    rows = _rows(seen[:, 0], seen[:, 3])
    rows[:, 7:10] = seen[:, [1, 2, 4]]
    return rows, view.labels[order]


def _remembered(memory: Memory, view: View) -> tuple[Floats, NDArray[np.int64]]:
    """Rows of what was seen before and not just now, the latest first, and their labels."""
    old = np.flatnonzero(memory.seen_at < memory.steps)[::-1][:MAX_REMEMBERED]
    bearing, distance = _polar(memory.things[old, :2], view.pose)
    rows = _rows(bearing, distance)
    rows[:, 7:10] = memory.things[old, 2:5]
    rows[:, 10] = (memory.steps - memory.seen_at[old]) / 10.0
    return rows, memory.thing_labels[old]


def _waypoints(memory: Memory, view: View) -> Floats:
    """Rows of the waypoints, with how well known the places are that they lead to."""
    ways = view.waypoints[:MAX_WAYPOINTS]
    rows = _rows(ways[:, 0], ways[:, 2])
    rows[:, 7] = ways[:, 1]
    ends = _ends(ways[:, 0], ways[:, 2], view.pose)
    rows[:, 10] = np.minimum(_nearest(ends, memory.places), 3.0) / 3.0
    if len(ends):
        apart = np.hypot(*(ends[:, None] - memory.places[None]).transpose(2, 0, 1))
        rows[:, 11] = np.minimum((apart < 1.0).sum(axis=1), 4) / 4.0
    rows[:, 12] = np.minimum(_nearest(ends, memory.places[-2:-1]), 3.0) / 3.0
    return rows


def _places(memory: Memory, view: View) -> tuple[Floats, Floats]:
    """Rows of the places visited (latest first, then the start) and of the ways not taken."""
    steps = memory.steps
    order = np.arange(steps - 1)[::-1][:MAX_PLACES]
    if steps - 1 > MAX_PLACES:
        order[-1] = 0
    rows = _rows(*_polar(memory.places[order], view.pose))
    rows[:, 10], rows[:, 11] = (steps - 1 - order) / 10.0, order / 10.0
    rows[:, 12] = order == 0
    fronts = memory.frontiers[::-1][:MAX_FRONTIERS]
    return rows, _rows(*_polar(fronts, view.pose))


def step_inputs(goal: GoalWords, memory: Memory, view: View, label_vectors: Floats) -> StepInputs:
    """The arrays of one decision; `view` was added to `memory` before."""
    stop = np.zeros((1, FEATURES), np.float32)
    stop[0, 9:13] = (memory.steps / 20.0, len(memory.frontiers) / 10.0,
                     len(view.waypoints) / 10.0, memory.steps == 1)
    ways = _waypoints(memory, view)
    seen, seen_labels = _sightings(view)
    old, old_labels = _remembered(memory, view)
    places, fronts = _places(memory, view)
    labels = np.concatenate([seen_labels, old_labels])
    blocks = [stop, ways, seen, old, places, fronts]
    tokens = np.concatenate(blocks)
    first = 1 + len(ways)
    tokens[first:first + len(labels), 13:15] = _agreement(goal, label_vectors[labels])
    kinds = np.repeat(np.arange(6), [len(block) for block in blocks])
    all_labels = np.full(len(tokens), -1, np.int64)
    all_labels[first:first + len(labels)] = labels
    return StepInputs(tokens, kinds, all_labels, len(ways))
