"""What the agent remembers of an episode: places, ways not taken, and things seen on the way.

The memory is explicit geometry instead of a recurrent state (after the history of HAMT, Chen et
al., NeurIPS 2021, and the map of DUET, Chen et al., CVPR 2022), so one decision depends on the
goal, this record and the observation only, and can be learned from in any order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Observation

Floats = NDArray[np.float32]

SAME_PLACE_METRES = 0.8     # half the usual spacing of waypoints
SAME_THING_METRES = 0.8     # the scatter of a detector's distances within 3 m


@dataclass(frozen=True)
class View:
    """An observation as arrays; the fast form in which worlds feed the learning.

    :param labels: (n,) int64 ids of the sightings' labels in a `LabelTable`
    :param sightings: (n, 5) bearing, elevation, size (radians), distance (m, nan: unknown), score
    :param waypoints: (k, 3) bearing, elevation (radians), distance (m)
    :param pose: (3,) x, y, yaw in a fixed frame
    """

    labels: NDArray[np.int64]
    sightings: Floats
    waypoints: Floats
    pose: NDArray[np.float64]


def view_of(observation: Observation, label_ids: NDArray[np.int64]) -> View:
    """The arrays of an observation, its labels already turned into ids."""
    rows = [(s.bearing, s.elevation, s.size,
             np.nan if s.distance is None else s.distance, s.score)
            for s in observation.sightings]
    ways = [(w.bearing, w.elevation, w.distance) for w in observation.waypoints]
    pose = observation.pose
    return View(label_ids, np.array(rows, np.float32).reshape(-1, 5),
                np.array(ways, np.float32).reshape(-1, 3),
                np.array((pose.x, pose.y, pose.yaw), np.float64))


def _ends(bearings: Floats, distances: Floats, pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2) points in the fixed frame at these bearings and distances of `pose`."""
    angles = bearings + pose[2]
    return np.stack([pose[0] + distances * np.cos(angles),
                     pose[1] + distances * np.sin(angles)], axis=1)


def _nearest(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) distance from each point to the nearest of the others; inf where there are none."""
    if not len(others) or not len(points):
        return np.full(len(points), np.inf)
    return np.hypot(*(points[:, None] - others[None]).transpose(2, 0, 1)).min(axis=1)


class Memory:
    """Places visited, waypoints offered but not taken, and things seen, in the fixed frame.

    `places` (p, 2) in the order of the visits; `frontiers` (f, 2); `thing_labels` (m,) with
    `things` (m, 5): x, y, elevation, size, score, and `seen_at` (m,) the step of the last sight.
    """

    def __init__(self) -> None:
        self.places = np.zeros((0, 2))
        self.frontiers = np.zeros((0, 2))
        self.thing_labels = np.zeros(0, np.int64)
        self.things = np.zeros((0, 5))
        self.seen_at = np.zeros(0, np.int64)

    @property
    def steps(self) -> int:
        """How many places were visited so far, the present one included."""
        return len(self.places)

    def add(self, view: View) -> None:
        """Take in what is seen from a new place."""
        here = view.pose[None, :2]
        self.places = np.concatenate([self.places, here])
        ends = _ends(view.waypoints[:, 0], view.waypoints[:, 2], view.pose)
        frontiers = np.concatenate([self.frontiers, ends])
        open_still = _nearest(frontiers, self.places) > SAME_PLACE_METRES
        self.frontiers = frontiers[open_still]
        self._remember(view)

    def visits(self, view: View) -> NDArray[np.int64]:
        """(k,) how often the place that each way of the view leads to was visited."""
        return self._reached(view, self.places).sum(axis=1)

    def repeats(self, view: View) -> NDArray[np.int64]:
        """(k,) how often each way of the view was already taken from here.

        `view` was added before, so the last place is the present one.
        """
        from_here = np.hypot(*(self.places[:-1] - self.places[-1]).T) < SAME_PLACE_METRES
        return (self._reached(view, self.places[1:]) & from_here).sum(axis=1)

    @staticmethod
    def _reached(view: View, places: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(k, p) True where the end of a way is one of the places."""
        ends = _ends(view.waypoints[:, 0], view.waypoints[:, 2], view.pose)
        apart = np.hypot(*(ends[:, None] - places[None]).transpose(2, 0, 1))
        return np.asarray(apart < SAME_PLACE_METRES)

    def _remember(self, view: View) -> None:
        """Replace what is seen again, add what is new; things without distance are not kept."""
        known = np.isfinite(view.sightings[:, 3])
        rows, labels = view.sightings[known], view.labels[known]
        points = _ends(rows[:, 0], rows[:, 3], view.pose)
        keep = np.ones(len(self.things), bool)
        if len(rows) and len(self.things):
            apart = np.hypot(*(self.things[:, None, :2] - points[None]).transpose(2, 0, 1))
            same = (self.thing_labels[:, None] == labels[None]) & (apart < SAME_THING_METRES)
            keep = ~same.any(axis=1)
        fresh = np.concatenate([points, rows[:, [1, 2, 4]]], axis=1)
        self.things = np.concatenate([self.things[keep], fresh])
        self.thing_labels = np.concatenate([self.thing_labels[keep], labels])
        self.seen_at = np.concatenate([self.seen_at[keep],
                                       np.full(len(rows), self.steps, np.int64)])
