"""Many episodes in graph worlds at once: every step is a few tensor operations for all of them.

All graphs lie in padded tables side by side, so looking around at hundreds of places in as many
buildings is one gather.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from nl_robot.learning.sensor_noise import LabelConfusion, SensorNoise, offered, spoil
from nl_robot.nets.looking import MAX_SIGHTINGS, Seen
from nl_robot.nets.words import GoalWords, Pages, Vocabulary
from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.tasks import GraphTask

MAX_WAYS = 14


class Arena:
    """The tables of a set of tasks.

    :param tasks: episodes are named by their number in this sequence
    :param noise: what the senses get wrong at every look; None: nothing
    :param generator: of the noise; whoever wants the same noise again seeds it
    """

    def __init__(self, tasks: Sequence[GraphTask], vocabulary: Vocabulary,
                 device: torch.device | str = 'cpu', noise: SensorNoise | None = None) -> None:
        self.tasks, self.vocabulary, self.device = tasks, vocabulary, torch.device(device)
        self.noise, self.generator = noise, torch.Generator(device)
        graphs = list({id(task.graph): task.graph for task in tasks}.values())
        self._offsets = dict(zip(map(id, graphs), np.cumsum([0] + [len(g.points)
                                                                   for g in graphs])))
        self._build_places(graphs)
        self._build_tasks()
        self._build_words()
        self._confusion = LabelConfusion(vocabulary.labels, device)

    def _build_places(self, graphs: Sequence[PlaceGraph]) -> None:
        """Padded tables of what is seen at every place, and where its ways lead."""
        count = sum(len(graph.points) for graph in graphs)
        most = max((len(rows) for g in graphs for rows in g.sighting_rows), default=1)
        seen = max(1, min(MAX_SIGHTINGS, most))
        ways = max(1, min(MAX_WAYS, max(len(rows) for g in graphs for rows in g.way_rows)))
        points = np.zeros((count, 3), np.float32)
        labels = np.zeros((count, seen), np.int64)
        sightings = np.zeros((count, seen, 5), np.float32)
        geometry = np.zeros((count, ways, 3), np.float32)
        ends = np.full((count, ways), -1, np.int64)
        lengths = np.full((count, ways), np.inf, np.float32)
        for graph in graphs:
            first = self._offsets[id(graph)]
            points[first:first + len(graph.points)] = np.column_stack([graph.points,
                                                                       graph.heights])
            ids, metres = self.vocabulary.label_ids(graph.labels), graph.lengths()
            for place in range(len(graph.points)):
                rows = graph.sighting_rows[place]
                rows = rows[np.argsort(-graph.sightings[rows, 3], kind='stable')][:seen]
                labels[first + place, :len(rows)] = ids[rows]
                sightings[first + place, :len(rows)] = graph.sightings[rows, 1:]
                rows = graph.way_rows[place][:ways]
                geometry[first + place, :len(rows)] = graph.ways[rows, 1:]
                ends[first + place, :len(rows)] = first + graph.leads_to[rows]
                lengths[first + place, :len(rows)] = metres[rows]
        self.points, self._labels, self._sightings, self._ways, self.ends, self.lengths = (
            torch.from_numpy(table).to(self.device)
            for table in (points, labels, sightings, geometry, ends, lengths))

    def _build_tasks(self) -> None:
        """Start, heading, and what is fulfilled where, for every task."""
        widest = max(len(task.graph.points) for task in self.tasks)
        known: dict[tuple[int, int], int] = {}
        costs: list[np.ndarray] = []
        fulfilled: list[np.ndarray] = []
        best: list[np.ndarray] = []
        index: list[int] = []
        for task in self.tasks:
            key = id(task.cost), id(task.fulfilled)
            if key not in known:
                known[key] = len(costs)
                pad = widest - len(task.cost)
                costs.append(np.pad(task.cost.astype(np.float32), (0, pad),
                                    constant_values=np.inf))
                fulfilled.append(np.pad(task.fulfilled, (0, pad)))
                best.append(np.pad(task.best, (0, pad)))
            index.append(known[key])
        self._target = torch.tensor(index, device=self.device)
        self._cost, self._fulfilled, self._best = (
            torch.from_numpy(np.stack(rows)).to(self.device)
            for rows in (costs, fulfilled, best))
        self._first = torch.tensor([int(self._offsets[id(t.graph)]) for t in self.tasks],
                                   device=self.device)
        self.start = self._first + torch.tensor([t.place for t in self.tasks],
                                                device=self.device)
        self.yaw = torch.tensor([t.yaw for t in self.tasks], dtype=torch.float32,
                                device=self.device)

    def _build_words(self) -> None:
        """The words of every goal, each text once; their numbers are the same in every process."""
        texts = sorted({task.goal for task in self.tasks}, key=lambda text: (len(text), text))
        rows = {text: row for row, text in enumerate(texts)}
        self.goal = torch.tensor([rows[task.goal] for task in self.tasks], device=self.device)
        self.goals: list[GoalWords] = []
        for start in range(0, len(texts), 512):
            self.goals += self.vocabulary.goals(texts[start:start + 512])
        self._words = Pages(self.goals, self.device)
        self.known = self.vocabulary.known().to(self.device)

    def add_goals(self, texts: Sequence[str]) -> list[int]:
        """Take in goals that are no task's; their numbers, for `words`."""
        if not texts:
            return []
        first, fresh = len(self.goals), self.vocabulary.goals(texts)
        self.goals += fresh
        self._words = self._words.followed_by(Pages(fresh, self.device))
        self.known = self.vocabulary.known().to(self.device)
        return list(range(first, len(self.goals)))

    def refresh(self) -> None:
        """Take in what the vocabulary has learned elsewhere since."""
        self.known = self.vocabulary.known().to(self.device)

    def words(self, goals: Sequence[int] | Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Padded (features, ids, mask) of goals by number, as `Navigator.read` takes them."""
        return self._words.padded(torch.as_tensor(goals, device=self.device))

    def seen(self, places: Tensor, yaws: Tensor) -> Seen:
        """What is seen at places (b,) facing `yaws` (b,)."""
        ends = self.ends[places]
        ways = max(1, int((ends >= 0).sum(dim=1).max()))
        labels = self._labels[places]
        things = max(1, int((labels > 0).sum(dim=1).max()))
        sightings = self._sightings[places, :things].clone()
        sightings[..., 0] -= yaws[:, None]
        ways_seen = self._ways[places, :ways].clone()
        ways_seen[..., 0] -= yaws[:, None]
        seen = Seen(labels[:, :things], sightings, ways_seen, ends[:, :ways] >= 0)
        if self.noise is None:
            return seen
        seen = spoil(seen, self.noise, self._confusion, self.generator)
        return replace(seen, mask_way_is_valid=offered(seen.mask_way_is_valid, self.noise,
                                                       self.generator))

    def way(self, places: Tensor, columns: Tensor) -> Tensor:
        """(n, 3) bearing in the map, elevation, metres on the plan of a way of each place."""
        return self._ways[places, columns]

    def without_noise(self) -> Arena:
        """The same places and tasks, seen as they are."""
        quiet = copy.copy(self)
        quiet.noise = None
        return quiet

    def local(self, tasks: Tensor, places: Tensor) -> Tensor:
        """Places within their own graph."""
        return places - self._first[tasks]

    def fulfilled(self, tasks: Tensor, places: Tensor) -> Tensor:
        """(b,) bool: stopping here is success."""
        return self._fulfilled[self._target[tasks], self.local(tasks, places)]

    def same_target(self, tasks: Tensor, others: Tensor) -> Tensor:
        """(b,) bool: both are fulfilled at the same places of the same graph."""
        return (self._target[tasks] == self._target[others]) & (
            self._first[tasks] == self._first[others])

    def cost(self, tasks: Tensor, places: Tensor) -> Tensor:
        """(b,) metres along the ways to the nearest of the best places."""
        return self._cost[self._target[tasks], self.local(tasks, places)]

    def expert(self, tasks: Tensor, places: Tensor, mask_way_is_valid: Tensor,
               temperature: float) -> Tensor:
        """(b, 1 + k) the geodesic expert's distribution over stop and the ways that are offered.

        See `worlds.tasks.expert_choice`.

        :param mask_way_is_valid: (b, k) the first k ways of each place, False where not offered
        """
        ways = mask_way_is_valid.shape[1]
        ends = self.ends[places, :ways].masked_fill(~mask_way_is_valid, -1)
        rows = self._target[tasks][:, None]
        local = (ends - self._first[tasks][:, None]).clamp(min=0)
        left = self.lengths[places, :ways] + self._cost[rows, local]
        left = left.masked_fill(ends < 0, math.inf)
        least = left.min(dim=1, keepdim=True).values
        weights = torch.exp(-(left - least).nan_to_num(nan=math.inf) / temperature)
        there = self._best[self._target[tasks], self.local(tasks, places)].float()[:, None]
        onward = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-9)
        lost = (~torch.isfinite(least)).float()
        stop = torch.maximum(there, lost)
        return torch.cat([stop, onward * (1 - stop)], dim=1)
