"""A judge of sentences that the robot wrote itself: where would it go, if it heard them?

A sentence is believed when the best of all routes from where its way began ends where the way
did: writer, policy and reward then mean the same place.  The listener of Fried et al. (NAACL
2018) as a filter of what their speaker makes up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from nl_robot.homes.labels import Label
from nl_robot.learning.arena import Arena
from nl_robot.learning.home_lesson import FULFILLED_METRES, Nets, task_of
from nl_robot.nets.words import Vocabulary
from nl_robot.planning.ranking import Ranking, RoutePlanner
from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.tasks import GraphTask

LONGEST = 16            # ways of a route
NEAR_METRES = 3.0       # as the crow flies: ends that answer the same words


def planned_ends(tasks: Sequence[GraphTask], nets: Nets, vocabulary: Vocabulary,
                 ranking: Ranking) -> list[tuple[int, float]]:
    """Of each task the place, in its graph, at which the route ends that fits its words best.

    :returns: with the probability, among the routes, of an end there or within `NEAR_METRES`
    """
    arena = Arena(tasks, vocabulary)
    planner = RoutePlanner(arena, nets.policy, nets.reward,
                           nets.generator if ranking.words else None, LONGEST)
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
