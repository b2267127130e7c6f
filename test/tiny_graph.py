"""Graphs small enough to work out by hand."""

from __future__ import annotations

import math

import numpy as np

from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.tasks import GraphTask

NAN = math.nan


def corner() -> PlaceGraph:
    """Three places: 0 at (0, 0), 1 two metres to the east of it, 2 two metres north of 1."""
    return PlaceGraph(
        'corner', np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]]),
        ('door', 'red sofa', 'white fridge'),
        np.array([[0, 0.0, 0.1, 0.2, 1.0, 0.9],
                  [1, math.pi / 2, 0.0, 0.3, NAN, 0.8],
                  [2, math.pi, 0.0, 0.4, 0.5, 0.7]]),
        np.array([[0, 0.0, 0.0, 2.0], [1, math.pi, 0.0, 2.0], [1, math.pi / 2, 0.0, 2.0],
                  [2, -math.pi / 2, 0.0, 2.0]]),
        np.array([1, 0, 2, 1]))


def task_in(graph: PlaceGraph, place: int, goal: str, targets: list[int],
            tags: tuple[str, ...] = ()) -> GraphTask:
    """A task whose goal is fulfilled, and best fulfilled, at `targets`."""
    where = np.zeros(len(graph.points), bool)
    where[targets] = True
    return GraphTask(graph, place, 0.0, goal, where, where,
                     graph.distances_to(where).astype(np.float32), tags)


def star(things: list[str]) -> PlaceGraph:
    """A middle place 0 with one arm, two metres long, to every thing; things stand at the ends.

    From the middle every thing is seen two metres away; at the end of an arm only its own thing.
    """
    count = len(things)
    angles = [2 * math.pi * k / count for k in range(count)]
    points = [(0.0, 0.0)] + [(2 * math.cos(a), 2 * math.sin(a)) for a in angles]
    seen = [(0, a, 0.0, 0.3, 2.0, 1.0) for a in angles]
    seen += [(k + 1, a, 0.0, 0.9, 0.3, 1.0) for k, a in enumerate(angles)]
    ways = [(0, a, 0.0, 2.0) for a in angles]
    ways += [(k + 1, a + math.pi, 0.0, 2.0) for k, a in enumerate(angles)]
    return PlaceGraph('star', np.array(points), (*things, *things), np.array(seen),
                      np.array(ways), np.array([*range(1, count + 1), *[0] * count]))
