"""Where in a known home the robot is, by what it sees: after it was carried while it was off.

Every label that is seen here and at a place of the map votes for a heading there; what else is
seen then must be where the map has it.  Rare labels count more, as rare words do in the search of
texts (Spärck Jones, Journal of Documentation 1972), and the overlap is a weighted Jaccard index.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Observation, Pose, Sighting
from nl_robot.geometry import wrap_angle
from nl_robot.homes.home_map import HomeMap


@dataclass(frozen=True)
class LocalisingSettings:
    """When a place is recognised; chosen in validation homes.

    :param bearing: radians by which a sighting may be off; :param ratio: of distances
    :param near: metres around the place that was expected, and :param turn: radians
    :param enough: overlap (0 to 1) of a place that is recognised
    :param stays: of the best overlap anywhere, what the expected place needs to be believed
    :param clear: times the overlap of the next place elsewhere, which a new one needs
    """

    bearing: float = 0.15
    ratio: float = 1.5
    near: float = 1.0
    turn: float = 0.5
    enough: float = 0.2
    stays: float = 0.6
    clear: float = 1.5


@dataclass(frozen=True)
class Fit:
    """How well an observation fits a pose in the map, 0 to 1."""

    overlap: float
    pose: Pose


def located(home: HomeMap, seen: Observation, expected: Pose,
            settings: LocalisingSettings | None = None) -> Pose | None:
    """The pose in the map; None where what is seen fits nowhere, or several places alike.

    :param expected: in the map, where the robot was last; it stays there unless another place
        fits clearly better.  Where nothing is seen that is known, it is believed.
    """
    settings = settings or LocalisingSettings()
    fits = sorted(fits_of(home, seen.sightings, settings), key=lambda fit: -fit.overlap)
    if not fits:
        return expected
    best = fits[0]

    def apart(pose: Pose) -> tuple[float, float]:
        return (math.hypot(pose.x - expected.x, pose.y - expected.y),
                abs(wrap_angle(pose.yaw - expected.yaw)))
    here = max((fit.overlap for fit in fits if apart(fit.pose)[0] <= settings.near
                and apart(fit.pose)[1] <= settings.turn), default=0.0)
    if here >= settings.stays * best.overlap:
        return expected
    rival = max((fit.overlap for fit in fits if math.hypot(
        fit.pose.x - best.pose.x, fit.pose.y - best.pose.y) > 2 * settings.near), default=0.0)
    if best.overlap >= settings.enough and best.overlap >= settings.clear * rival:
        return best.pose
    return None


def fits_of(home: HomeMap, seen: tuple[Sighting, ...], settings: LocalisingSettings) -> list[Fit]:
    """The best heading at every place that shows a label which is seen now."""
    places = Counter(label for some in home.sightings for label in {s.label for s in some})
    found = []
    for place, known in enumerate(home.sightings):
        overlap, yaw = _best_heading(seen, known, places, len(home), settings)
        if overlap > 0:
            x, y, _ = home.points[place]
            found.append(Fit(overlap, Pose(x, y, yaw, 'map')))
    return found


def _best_heading(seen: tuple[Sighting, ...], known: tuple[Sighting, ...],
                  places: Counter[str], count: int, settings: LocalisingSettings
                  ) -> tuple[float, float]:
    """(overlap, yaw) of the heading at one place that explains most of what is seen."""
    pairs = [(s, k) for s in seen for k in known if s.label == k.label
             and _same_distance(s, k, settings.ratio)]
    if not pairs:
        return 0.0, 0.0
    yaws = np.array([wrap_angle(k.bearing - s.bearing) for s, k in pairs])
    worth = np.array([_worth(s.label, places, count) for s, _ in pairs])
    rows = {id(s): row for row, s in enumerate(seen)}
    owner = np.array([rows[id(s)] for s, _ in pairs])
    apart = np.abs((yaws[:, None] - yaws[None] + math.pi) % (2 * math.pi) - math.pi)
    # the same sighting counts once for a heading, however many things of its label are known
    fits: NDArray[np.float64] = np.zeros((len(yaws), len(seen)))
    for pair in range(len(pairs)):
        near = apart[:, pair] <= settings.bearing
        fits[near, owner[pair]] = worth[pair]
    shared = fits.sum(axis=1)
    whole = (sum(_worth(s.label, places, count) for s in seen)
             + sum(_worth(k.label, places, count) for k in known))
    best = int(np.argmax(shared))
    near = apart[best] <= settings.bearing
    yaw = math.atan2(float((worth * np.sin(yaws))[near].sum()),
                     float((worth * np.cos(yaws))[near].sum()))
    return float(shared[best] / max(whole - shared[best], 1e-9)), yaw


def _worth(label: str, places: Counter[str], count: int) -> float:
    """The rarer, the more: natural logarithm of places to places that show it."""
    return math.log((count + 1) / max(places[label], 1))


def _same_distance(one: Sighting, other: Sighting, ratio: float) -> bool:
    """Whether two sightings are about as far away; where one has no distance, yes."""
    if not one.distance or not other.distance:
        return True
    return 1 / ratio <= one.distance / other.distance <= ratio
