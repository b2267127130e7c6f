"""Demonstrations in generated homes: where to start, what was asked, and the expert's way there.

The expert is geodesic: it knows the home and walks the shortest way to where the goal is
fulfilled.  Its ways and the words for them are all that the agent is trained on.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Pose
from nl_robot.embodied.goals import Goal, Target, distance_field, goals_for_target
from nl_robot.embodied.home_graph import home_graph
from nl_robot.geometry import FloorGrid
from nl_robot.sim.homes import floor_grid, generate_home
from nl_robot.sim.records import Home
from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.tasks import GraphTask, load_tasks, save_tasks

SUCCESS_METRES = 1.5    # of an item or a point; a room must be entered
EXPERT_METRES = 0.8     # an expert goes closer than it must
INSIDE_METRES = 0.35    # and well into a room
LONGEST_METRES = 25.0


class HomeTasks:
    """Makes tasks on the graph of one home; what depends on the target alone is kept."""

    def __init__(self, home: Home, grid: FloorGrid, graph: PlaceGraph) -> None:
        self.home, self.grid, self.graph = home, grid, graph
        self._kept: dict[Target, tuple[NDArray, NDArray, NDArray]] = {}

    def places(self, target: Target) -> tuple[NDArray, NDArray, NDArray]:
        """(p,) arrays: fulfilled, best, and cost along the ways to the best."""
        if target not in self._kept:
            field = distance_field(self.home, self.grid, target)
            left = np.array([self.grid.distance_at(field, *point) for point in self.graph.points])
            if target.rooms:
                fulfilled = left <= 0
                best = fulfilled & np.array([self._well_inside(target, *point)
                                             for point in self.graph.points])
            else:
                fulfilled = left <= SUCCESS_METRES
                best = left <= EXPERT_METRES
            best = best if best.any() else fulfilled
            cost = self.graph.distances_to(best).astype(np.float32)
            self._kept[target] = fulfilled, best, cost
        return self._kept[target]

    def _well_inside(self, target: Target, x: float, y: float) -> bool:
        """True when the point is inside one of the rooms and away from its walls."""
        rooms = (self.home.room(name) for name in target.rooms)
        return any(room.x0 + INSIDE_METRES <= x <= room.x1 - INSIDE_METRES
                   and room.y0 + INSIDE_METRES <= y <= room.y1 - INSIDE_METRES for room in rooms)

    def task(self, place: int, yaw: float, goal: Goal) -> GraphTask | None:
        """The goal as a task from a place; None where it is no task (here already, no way)."""
        fulfilled, best, cost = self.places(goal.target)
        if fulfilled[place] or not math.isfinite(cost[place]) or cost[place] > LONGEST_METRES:
            return None
        tags = (goal.kind, 'held-out frames' if goal.held_out else 'trained frames')
        return GraphTask(self.graph, place, yaw, goal.text, fulfilled, best, cost, tags)

    def sample(self, count: int, rng: np.random.Generator, frames: str) -> list[GraphTask]:
        """`count` tasks from random places; several goals may share a start and a target."""
        tasks: list[GraphTask] = []
        for _ in range(20 * count):
            if len(tasks) >= count:
                break
            place, yaw = int(rng.integers(len(self.graph.points))), float(rng.uniform(-3.14, 3.14))
            x, y = map(float, self.graph.points[place])
            start = Pose(x, y, yaw, 'map')
            goals = goals_for_target(self.home, self.grid, start, rng, frames=frames)
            tasks += [task for task in (self.task(place, yaw, goal) for goal in goals) if task]
        return tasks[:count]


def home_tasks(seed: int, count: int, frames: str, cache: Path, sample_seed: int = 0
               ) -> list[GraphTask]:
    """Tasks in a generated home, from the cache directory or made now."""
    graph = home_graph(seed, cache / 'graphs')
    path = cache / 'tasks' / f'home-{seed:04d}-{frames}-{count}-{sample_seed}.npz'
    if path.exists():
        return load_tasks(path, graph)
    home = generate_home(seed)
    rng = np.random.default_rng((sample_seed, seed))
    tasks = HomeTasks(home, floor_grid(home), graph).sample(count, rng, frames)
    save_tasks(path, tasks)
    return tasks
