"""What learning in a home starts from, and who may do it: the seam between the road and learning.

A `Learner` is any function from a `Lesson` to a checkpoint; `home_learning.imitate_on` is
one, and `nl_robot adapt --learner module:function` takes another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nl_robot.checkpoint import Checkpoint
from nl_robot.homes.trajectories import Trajectory
from nl_robot.learning.arena import Arena
from nl_robot.learning.walks import Walks
from nl_robot.nets.goal_generator import GoalGenerator, GoalGeneratorSettings
from nl_robot.nets.looking import Acting, Calibration
from nl_robot.nets.navigator import Navigator, NavigatorSettings
from nl_robot.nets.navigators import navigator_of
from nl_robot.nets.words import Encoder
from nl_robot.settings import from_mapping
from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.tasks import GraphTask

FULFILLED_METRES = 1.5      # along the ways: stopping so near to where a trajectory ends is right
Tell = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Said:
    """A trajectory in the home's graph with words for it.

    :param human: a person gave the words, so they are a demonstration
    """

    trajectory: Trajectory
    words: str
    human: bool = False


@dataclass(frozen=True)
class Lesson:
    """All that a learner is given.

    :param graph: the home; :param said: trajectories there, with words; none that is held out
    :param original: demonstrations of before, so that nothing is forgotten; none held out either
    :param checkpoint: what is active now; a learner gives back one of the same shape
    :param encoder: the text encoder that it was made with
    :param minutes: of one processor; :param directory: of the run, to go on where it was killed
    :param tell: takes facts about how it goes, at least every ten seconds
    """

    graph: PlaceGraph
    said: Sequence[Said]
    original: Sequence[GraphTask]
    checkpoint: Checkpoint
    encoder: Encoder
    minutes: float
    seed: int
    directory: Path
    tell: Tell


Learner = Callable[[Lesson], Checkpoint]


@dataclass
class Nets:
    """The networks of a checkpoint, as they act."""

    policy: Navigator
    reward: Navigator
    generator: GoalGenerator
    acting: Acting
    calibration: Calibration


def nets_of(stored: Checkpoint) -> Nets:
    """The networks of a checkpoint that can teach itself.

    :raises ValueError: it lacks a part, or is of another kind
    """
    config = stored.config
    missing = [name for name in ('policy', 'reward', 'goal_generator')
               if name not in stored.weights]
    if config.get('format') != 2 or missing:
        raise ValueError('this checkpoint cannot teach itself: it '
                         + (f'has no {", ".join(missing)}' if missing else 'is of an older kind')
                         + '; train one with `nl_robot train --method lang-goal-irl`')
    shape = from_mapping(NavigatorSettings, config['navigator'], 'config.navigator')
    policy, reward = navigator_of(shape).eval(), navigator_of(shape).eval()
    generator = GoalGenerator(from_mapping(GoalGeneratorSettings, config['goal_generator'],
                                           'config.goal_generator')).eval()
    for net, name in ((policy, 'policy'), (reward, 'reward'), (generator, 'goal_generator')):
        net.load_state_dict(stored.weights[name])
    return Nets(policy, reward, generator,
                from_mapping(Acting, config.get('acting', {}), 'config.acting'),
                from_mapping(Calibration, config.get('calibration', {}), 'config.calibration'))


def task_of(graph: PlaceGraph, trajectory: Trajectory, words: str,
            tags: tuple[str, ...] = ()) -> GraphTask:
    """A trajectory as a task: to go where it ends."""
    best = np.arange(len(graph.points)) == trajectory.places[-1]
    cost = graph.distances_between[:, trajectory.places[-1]]
    return GraphTask(graph, trajectory.places[0], trajectory.yaw, words,
                     cost <= FULFILLED_METRES, best, cost, tags)


def tasks_of(graph: PlaceGraph, said: Sequence[Said], tag: str) -> list[GraphTask]:
    """Each trajectory with its words as a task."""
    return [task_of(graph, one.trajectory, one.words, (tag,)) for one in said]


def walk_of(graph: PlaceGraph, trajectory: Trajectory) -> list[int] | None:
    """Its actions, 1 + way for each place but the last, then 0; None where a way is missing."""
    actions = []
    for place, to in zip(trajectory.places, trajectory.places[1:]):
        ways = np.flatnonzero(graph.leads_to[graph.way_rows[place]] == to)
        if not len(ways):
            return None
        actions.append(1 + int(ways[0]))
    return [*actions, 0]


def walks_of(arena: Arena, graph: PlaceGraph, trajectories: Sequence[Trajectory]) -> Walks:
    """Trajectories as walks; task n of the arena is to be `task_of` the nth of them."""
    actions = [walk_of(graph, trajectory) for trajectory in trajectories]
    longest = max(len(found or ()) for found in actions)
    count, tasks = len(actions), torch.arange(len(actions))
    places = torch.zeros(count, longest, dtype=torch.long)
    done, valid = places.clone(), torch.zeros(count, longest, dtype=torch.bool)
    first = arena.start - torch.tensor([t.place for t in arena.tasks])
    for row, (trajectory, found) in enumerate(zip(trajectories, actions)):
        if found is None:
            raise ValueError(f'the trajectory {trajectory.places} is off the graph')
        places[row, :len(found)] = torch.tensor(trajectory.places) + first[row]
        done[row, :len(found)] = torch.tensor(found)
        valid[row, :len(found)] = True
    last = torch.tensor([t.places[-1] for t in trajectories]) + first[:count]
    yes = torch.ones(count, dtype=torch.bool)
    metres = torch.tensor([_metres(graph, t) for t in trajectories])
    return Walks(tasks, arena.goal[tasks], places, done, valid, yes, yes, yes, last, metres)


def _metres(graph: PlaceGraph, trajectory: Trajectory) -> float:
    """Along the places of a trajectory."""
    return sum(math.dist(graph.points[a], graph.points[b])
               for a, b in zip(trajectory.places, trajectory.places[1:]))


def imagined(graph: PlaceGraph, count: int, rng: np.random.Generator, least: float = 2.5,
             most: float = 15.0) -> Iterator[Trajectory]:
    """Shortest ways between places of a home that nobody need have driven: its offline world.

    :param least, most: metres of a way
    """
    between = graph.distances_between
    pairs = np.argwhere((between >= least) & (between <= most))
    for row in rng.permutation(len(pairs))[:count]:
        places = shortest(graph, int(pairs[row, 0]), int(pairs[row, 1]))
        yield Trajectory(tuple(places), float(rng.uniform(-math.pi, math.pi)), 'imagined')


def shortest(graph: PlaceGraph, start: int, end: int) -> list[int]:
    """The places of a shortest way that there is."""
    places, lengths = [start], graph.lengths()
    to_end = graph.distances_between[:, end]
    while places[-1] != end:
        rows = graph.way_rows[places[-1]]
        ends = graph.leads_to[rows]
        onward = ends != places[-1]
        costs = np.where(onward, lengths[rows] + to_end[ends], np.inf)
        nearer = to_end[ends] < to_end[places[-1]] - 1e-6
        places.append(int(ends[np.argmin(np.where(nearer, costs, np.inf))]))
    return places


