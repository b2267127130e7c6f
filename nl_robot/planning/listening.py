"""Where one who knows the map ends on hearing words: the plan of a checkpoint, many at a time.

The listener of pragmatic inference (Fried et al., NAACL 2018, section 3.2): words for a way are
good where who hears them takes that way, and not another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from nl_robot.checkpoint import Checkpoint
from nl_robot.homes.labels import Label
from nl_robot.homes.trajectories import Trajectory
from nl_robot.learning.arena import Arena
from nl_robot.learning.home_lesson import FULFILLED_METRES, Nets, nets_of, task_of
from nl_robot.nets.words import Encoder, Vocabulary
from nl_robot.planning.guide import LONGEST
from nl_robot.planning.ranking import Ranking, RoutePlanner
from nl_robot.settings import from_mapping
from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.tasks import GraphTask

NEAR_METRES = 3.0       # as the crow flies: ends that answer the same words
SILENT = 0.01           # below this weight the generator is not asked: it takes most of the time


class Listener:
    """Hears words by the networks of a checkpoint, over maps that it knows."""

    def __init__(self, stored: Checkpoint, encoder: Encoder) -> None:
        self._nets = nets_of(stored)
        self._vocabulary = Vocabulary(encoder)
        self._ranking = from_mapping(Ranking, stored.config.get('ranking', {}), 'config.ranking')

    def odds(self, graph: PlaceGraph, ways: Sequence[Trajectory], texts: Sequence[str]
             ) -> NDArray[np.float64]:
        """(n,) probability of ending where each way does, from where it begins, by its words."""
        if not ways:
            return np.zeros(0)
        return self._heard([task_of(graph, way, text) for way, text in zip(ways, texts)])[0]

    def successes(self, tasks: Sequence[GraphTask]) -> NDArray[np.float64]:
        """(tasks,) 1 where the best route ends where the task is fulfilled."""
        return self._heard(tasks)[1]

    def _heard(self, tasks: Sequence[GraphTask]
               ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(tasks,) how probable a route that fulfils the task is; 1 where the best one does."""
        arena = Arena(tasks, self._vocabulary)
        planner = _planner(arena, self._nets, self._ranking)
        odds, hits = [], []
        for rows, found in planner.rank_all():
            at = found.nodes.clamp(min=0)
            good = (found.nodes >= 0) & arena.fulfilled(
                rows[found.tree.task[at]].flatten(), found.tree.place[at].flatten()).view_as(at)
            each = torch.softmax(found.scores(self._ranking), dim=1)
            odds.append((each * good).sum(dim=1))
            hits.append(good.gather(1, each.argmax(dim=1, keepdim=True))[:, 0])
        return (torch.cat(odds).double().numpy(), torch.cat(hits).double().numpy())


def successes(stored: Checkpoint, tasks: Sequence[GraphTask], encoder: Encoder
              ) -> NDArray[np.float64]:
    """(1, tasks) 1 where the plan of a checkpoint ends where the task is fulfilled."""
    return Listener(stored, encoder).successes(tasks)[None]


def _planner(arena: Arena, nets: Nets, ranking: Ranking) -> RoutePlanner:
    """Of these networks; the generator is asked only where it counts."""
    writer = nets.generator if abs(ranking.words) > SILENT else None
    return RoutePlanner(arena, nets.policy, nets.reward, writer, LONGEST)


def planned_ends(tasks: Sequence[GraphTask], nets: Nets, vocabulary: Vocabulary,
                 ranking: Ranking) -> list[tuple[int, float]]:
    """Of each task the place, in its graph, at which the route ends that fits its words best.

    :returns: with the probability, among the routes, of an end there or within `NEAR_METRES`
    """
    arena = Arena(tasks, vocabulary)
    planner = _planner(arena, nets, ranking)
    ends: list[tuple[int, float]] = []
    with torch.inference_mode():
        for numbers, found in planner.rank_all():
            odds = torch.softmax(found.scores(ranking), dim=1)
            best = found.tree.place[found.best(ranking)]
            away = arena.points[found.tree.place[found.nodes.clamp(min=0)]] - arena.points[
                best][:, None]
            near = (away.norm(dim=2) <= NEAR_METRES) & (found.nodes >= 0)
            ends += zip(arena.local(numbers, best).tolist(),
                        (odds * near).sum(dim=1).tolist())
    return ends


def agreed(labels: Sequence[Label], graph: PlaceGraph, nets: Nets, vocabulary: Vocabulary,
           ranking: Ranking, metres: float = FULFILLED_METRES) -> list[Label]:
    """The labels, their proposals kept only where the robot would drive to the same place.

    Writer, policy and reward then mean the same.

    :param metres: along the ways, between the end of the way and that of the route
    """
    asked = [(row, number) for row, label in enumerate(labels)
             for number, proposal in enumerate(label.proposals) if proposal.kept]
    if not asked:
        return list(labels)
    tasks = [task_of(graph, labels[row].trajectory, labels[row].proposals[number].text)
             for row, number in asked]
    ends = planned_ends(tasks, nets, vocabulary, ranking)
    believed = {where for where, task, (end, _) in zip(asked, tasks, ends)
                if task.cost[end] <= metres}
    return [replace(label, proposals=tuple(
        replace(proposal, kept=(row, number) in believed)
        for number, proposal in enumerate(label.proposals))) for row, label in enumerate(labels)]
