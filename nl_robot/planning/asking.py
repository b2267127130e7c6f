"""What a robot asks where the words fit two places alike: which of them, by what stands there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nl_robot.planning.guide import Plan
from nl_robot.worlds.graph import PlaceGraph

NEAR_METRES = 2.5       # of a place: what tells it from another
SAME_METRES = 1.5       # things of one label nearer than this are one thing
SIDES = ('ahead', 'to the left', 'behind me', 'to the right')


def question(plan: Plan, graph: PlaceGraph, yaw: float) -> str:
    """Which of two places is meant, for a person; '' where there is no doubt.

    :param yaw: which way the robot faces, in the map
    """
    if not plan.ambiguous or plan.rival is None:
        return ''
    here = plan.places[0]
    one, other = ({thing.label: thing for thing in _things(graph, place)}
                  for place in (plan.places[-1], plan.rival[0]))
    first, second = (_told(graph, here, place, yaw, [
        thing for thing in own.values() if not _same(thing, rest.get(thing.label))])
        for place, own, rest in ((plan.places[-1], one, other), (plan.rival[0], other, one)))
    return (f'Two places fit: the first is {first}, the second {second}. Which one? Say the '
            'first one or the second one.')


@dataclass(frozen=True)
class _Thing:
    label: str
    x: float
    y: float


def _things(graph: PlaceGraph, place: int) -> list[_Thing]:
    """What is near to a place and tells it, the nearest first, each label once."""
    (x, y), rows = graph.points[place], graph.sighting_rows[place]
    found: dict[str, _Thing] = {}
    for row in rows[np.argsort(graph.sightings[rows, 4], kind='stable')]:
        _, bearing, _, _, metres, _ = map(float, graph.sightings[row])
        if metres <= NEAR_METRES and graph.labels[row] != 'door':
            found.setdefault(graph.labels[row], _Thing(
                graph.labels[row], x + metres * math.cos(bearing), y + metres * math.sin(bearing)))
    return list(found.values())


def _same(one: _Thing, other: _Thing | None) -> bool:
    """Whether both sightings are of one thing, so that it tells no place from the other."""
    return other is not None and math.hypot(one.x - other.x, one.y - other.y) <= SAME_METRES


def _told(graph: PlaceGraph, here: int, place: int, yaw: float, things: list[_Thing]) -> str:
    """Where a place is and what stands there: `3 m to the left, by the red sofa`."""
    offset = graph.points[place] - graph.points[here]
    metres = float(np.hypot(*offset))
    text = 'here'
    if metres >= 1.0:
        turn = math.atan2(offset[1], offset[0]) - yaw
        text = f'{metres:.0f} m {SIDES[round(turn / (math.pi / 2)) % 4]}'
    return text + (f', by the {" and the ".join(t.label for t in things[:2])}' if things else '')
