"""Many episodes in graph worlds side by side, so that one forward pass decides for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from nl_robot.evaluation import Result
from nl_robot.learning.noise import LabelConfusion, SensorNoise, offered_ways, spoil
from nl_robot.nets.inputs import GoalWords, LabelTable, StepInputs, step_inputs
from nl_robot.nets.memory import Memory, View
from nl_robot.nets.policy import Batch, Policy, collate
from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.tasks import GraphTask, expert_choice

Goals = Callable[[str], GoalWords]


@dataclass
class Run:
    """One episode under way. `offered` are the graph's way rows behind the view's waypoints."""

    task: GraphTask
    goal: GoalWords
    place: int
    yaw: float
    memory: Memory = field(default_factory=Memory)
    path: list[int] = field(default_factory=list)
    offered: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    travelled: float = 0.0
    stopped: bool = False


class GraphCache:
    """What is derived from a graph once: label ids, way lengths, sightings as float32."""

    def __init__(self, labels: LabelTable) -> None:
        self._labels = labels
        self._kept: dict[int, tuple[PlaceGraph, NDArray, NDArray, NDArray, NDArray]] = {}

    def arrays(self, graph: PlaceGraph) -> tuple[PlaceGraph, NDArray, NDArray, NDArray, NDArray]:
        """The graph with label ids (n,), sightings (n, 5), ways (w, 3), and lengths (w,)."""
        if id(graph) not in self._kept:
            self._kept[id(graph)] = (graph, self._labels.ids(graph.labels),
                                     graph.sightings[:, 1:].astype(np.float32),
                                     graph.ways[:, 1:].astype(np.float32), graph.lengths())
        return self._kept[id(graph)]


class Rollouts:
    """Steps runs through their graphs; draws what they see, with noise or without."""

    def __init__(self, labels: LabelTable, goals: Goals, max_steps: int,
                 noise: SensorNoise | None, rng: np.random.Generator) -> None:
        self._labels, self._goals = labels, goals
        self._cache = GraphCache(labels)
        self._noise, self.rng = noise, rng
        self._confusion = LabelConfusion(labels.labels)
        self.max_steps = max_steps

    def begin(self, task: GraphTask) -> Run:
        """A run at the start of its task."""
        return Run(task, self._goals(task.goal), task.place, task.yaw)

    def look(self, run: Run) -> StepInputs:
        """Take in the present place and describe the decision to be taken there."""
        graph, ids, sightings, ways, _ = self._cache.arrays(run.task.graph)
        rows = graph.sighting_rows[run.place]
        run.offered = graph.way_rows[run.place]
        if self._noise:
            run.offered = offered_ways(run.offered, self._noise, self.rng)
        seen, offered = sightings[rows].copy(), ways[run.offered].copy()
        seen[:, 0] -= run.yaw
        offered[:, 0] -= run.yaw
        pose = np.array([*graph.points[run.place], run.yaw])
        view = View(ids[rows], seen, offered, pose)
        if self._noise:
            if self._confusion.count < len(self._labels.labels):   # a graph brought new labels
                self._confusion = LabelConfusion(self._labels.labels)
            view = spoil(view, self._noise, self._confusion, self.rng)
        run.memory.add(view)
        run.path.append(run.place)
        return step_inputs(run.goal, run.memory, view, self._labels.vectors)

    def batch(self, runs: Sequence[Run], inputs: Sequence[StepInputs]) -> Batch:
        """The padded batch of these decisions."""
        return collate([run.goal for run in runs], inputs, self._labels.vectors)

    def expert(self, run: Run, choices: int, temperature: float) -> NDArray[np.float32]:
        """(choices,) the expert's distribution over stop and the offered waypoints."""
        lengths = self._cache.arrays(run.task.graph)[4]
        rows = run.task.graph.way_rows[run.place]
        full = expert_choice(run.task, run.place, lengths, temperature)
        offered = np.concatenate([full[:1], full[1:][np.isin(rows, run.offered)]])[:choices]
        total = offered.sum()
        if total <= 1e-6:     # the good ways are not offered this time: any of them will do
            offered[min(1, len(offered) - 1):] = 1.0
            total = offered.sum()
        return offered / total

    def act(self, run: Run, choice: int) -> bool:
        """Carry out a choice (0 stops); True when the run is over."""
        graph, _, _, ways, lengths = self._cache.arrays(run.task.graph)
        if choice == 0:
            run.stopped = True
            return True
        row = run.offered[choice - 1]
        run.yaw, run.place = float(ways[row, 0]), int(graph.leads_to[row])
        run.travelled += float(lengths[row])
        return len(run.path) >= self.max_steps


def result_of(run: Run) -> Result:
    """What became of a run; one that never stopped has failed wherever it is."""
    task = run.task
    return Result(run.stopped and bool(task.fulfilled[run.place]), float(task.cost[run.place]),
                  run.travelled, task.shortest, bool(task.fulfilled[run.path].any()), 0,
                  len(run.path), task.tags)


def greedy_results(policy: Policy, rollouts: Rollouts, tasks: Iterable[GraphTask],
                   width: int = 64) -> list[Result]:
    """Run the policy greedily on every task, `width` of them side by side; in their order."""
    policy.eval()
    waiting = iter(enumerate(tasks))
    results: dict[int, Result] = {}
    active: list[tuple[int, Run]] = []
    while True:
        active += [(number, rollouts.begin(task))
                   for number, task in islice(waiting, width - len(active))]
        if not active:
            return [results[number] for number in sorted(results)]
        runs = [run for _, run in active]
        inputs = [rollouts.look(run) for run in runs]
        with torch.inference_mode():
            choices = policy(rollouts.batch(runs, inputs))[0].argmax(dim=1).tolist()
        over = [rollouts.act(run, choice) for run, choice in zip(runs, choices)]
        results |= {number: result_of(run) for (number, run), done in zip(active, over) if done}
        active = [pair for pair, done in zip(active, over) if not done]
