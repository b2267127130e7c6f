"""What is known of a building after so many moves: the map of an exploration under way.

Exploring is by the frontier rule, the nearest place not seen before first (Yamauchi 1997), as
`homes.exploring` does it without an opinion of the explorer.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.tasks import GraphTask


def explored(graph: PlaceGraph, start: int, moves: int) -> list[int]:
    """The places that somebody has been at, in the order of the first visits.

    :param start: where it begins; :param moves: from place to place, those over known ones, too
    """
    visited, here = [start], start
    known = {start}
    while moves > 0:
        reach = _ways_over(graph, known, here)
        fresh = [(count, place) for place, count in reach.items() if place not in known]
        if not fresh:
            break
        count, here = min(fresh)
        moves -= count
        if moves >= 0:
            known.add(here)
            visited.append(here)
    return visited


def _ways_over(graph: PlaceGraph, known: set[int], start: int) -> dict[int, int]:
    """How many ways lead to what is reached over places that are known."""
    found, level = {start: 0}, [start]
    while level:
        following = []
        for place in level:
            for end in graph.leads_to[graph.way_rows[place]]:
                if int(end) not in found:
                    found[int(end)] = found[place] + 1
                    if int(end) in known:
                        following.append(int(end))
        level = following
    return found


def part_of(graph: PlaceGraph, places: list[int]) -> PlaceGraph:
    """The map of some places: what was seen there, and the ways between them.

    :param places: place n of the part is the nth of them
    """
    number = np.full(len(graph.points), -1)
    number[places] = np.arange(len(places))
    seen = np.flatnonzero(number[graph.sightings[:, 0].astype(int)] >= 0)
    kept = np.flatnonzero((number[graph.ways[:, 0].astype(int)] >= 0)
                          & (number[graph.leads_to] >= 0))
    sightings, ways = graph.sightings[seen].copy(), graph.ways[kept].copy()
    sightings[:, 0] = number[sightings[:, 0].astype(int)]
    ways[:, 0] = number[ways[:, 0].astype(int)]
    order, way_order = np.argsort(sightings[:, 0], kind='stable'), np.argsort(ways[:, 0],
                                                                              kind='stable')
    return PlaceGraph(graph.name, graph.points[places],
                      tuple(graph.labels[row] for row in seen[order]), sightings[order],
                      ways[way_order], number[graph.leads_to[kept]][way_order],
                      graph.heights[places])


def task_within(task: GraphTask, part: PlaceGraph, places: list[int]) -> GraphTask | None:
    """The task on a partial map; None where its start is not on it.

    What it costs is still measured along all the ways that there are.
    """
    if task.place not in places:
        return None
    return replace(task, graph=part, place=places.index(task.place),
                   fulfilled=task.fulfilled[places], best=task.best[places],
                   cost=task.cost[places])
