"""A task in a graph world: where one starts, what is asked, and which places fulfil it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nl_robot.worlds.graph import PlaceGraph


@dataclass(frozen=True)
class GraphTask:
    """One goal in one graph.

    :param place: where it starts; :param yaw: and which way it faces, radians
    :param goal: the words
    :param fulfilled: (p,) bool, where stopping is success
    :param best: (p,) bool, where an expert stops: well inside of what is fulfilled
    :param cost: (p,) metres along the ways to the nearest of `best`, inf where there is no way
    :param tags: what results are grouped by (`room`, `route`, `held-out`)
    """

    graph: PlaceGraph
    place: int
    yaw: float
    goal: str
    fulfilled: NDArray[np.bool_]
    best: NDArray[np.bool_]
    cost: NDArray[np.float32]
    tags: tuple[str, ...] = ()

    @property
    def shortest(self) -> float:
        """Metres of the expert's way from the start."""
        return float(self.cost[self.place])


def expert_choice(task: GraphTask, place: int, lengths: NDArray[np.float64],
                  temperature: float) -> NDArray[np.float32]:
    """The geodesic expert's distribution over stop (first) and the waypoints of a place.

    Stop where the place is one of the best; otherwise softmax(-Q / temperature) over the metres
    Q that are left when a waypoint is taken, so that two ways as good as each other are both
    right.  All zeros where no way leads on.

    :param lengths: (w,) metres of the graph's ways
    :param temperature: metres
    """
    rows = task.graph.way_rows[place]
    choice = np.zeros(1 + len(rows), np.float32)
    if task.best[place]:
        choice[0] = 1.0
        return choice
    left = lengths[rows] + task.cost[task.graph.leads_to[rows]]
    finite = np.isfinite(left)
    if finite.any():
        weights = np.where(finite, np.exp(-(left - left[finite].min()) / temperature), 0.0)
        choice[1:] = weights / weights.sum()
    return choice


def save_tasks(path: Path, tasks: Sequence[GraphTask]) -> None:
    """Write the tasks of one graph as one npz file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f'.{os.getpid()}.tmp')
    with open(temporary, 'wb') as file:
        np.savez_compressed(
            file, places=np.array([t.place for t in tasks]),
            yaws=np.array([t.yaw for t in tasks]),
            words=np.array([json.dumps([t.goal, *t.tags]) for t in tasks], dtype=str),
            fulfilled=np.array([t.fulfilled for t in tasks]),
            best=np.array([t.best for t in tasks]), cost=np.array([t.cost for t in tasks]))
    os.replace(temporary, path)


def load_tasks(path: Path, graph: PlaceGraph) -> list[GraphTask]:
    """Read the tasks of `save_tasks` back onto their graph."""
    with np.load(path, allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files}
    words = [json.loads(str(row)) for row in arrays['words']]
    return [GraphTask(graph, int(place), float(yaw), goal, fulfilled, best, cost, tuple(tags))
            for place, yaw, (goal, *tags), fulfilled, best, cost in zip(
                arrays['places'], arrays['yaws'], words, arrays['fulfilled'], arrays['best'],
                arrays['cost'])]
