"""What `nl_robot benchmark adaptation` compares: ways to adapt an agent to one building.

Nothing of a building is used but its graph and what is seen there; its instructions are only
measured on.
"""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nl_robot.checkpoint import Checkpoint, load_checkpoint
from nl_robot.evaluation import Result
from nl_robot.homes.labels import Label, counts
from nl_robot.homes.trajectories import Trajectory
from nl_robot.learning.arena import Arena
from nl_robot.learning.home_gate import STEPS, decide
from nl_robot.learning.home_labels import LabelSettings, propose, shuffled
from nl_robot.learning.home_learning import continue_learning
from nl_robot.learning.home_lesson import Lesson, Said, imagined, nets_of, shortest, tasks_of
from nl_robot.learning.home_road import split
from nl_robot.learning.walks import greedy_results
from nl_robot.nets.words import Encoder, Vocabulary
from nl_robot.planning.listening import agreed, planned_ends
from nl_robot.planning.ranking import Ranking, RoutePlanner, all_driven
from nl_robot.settings import from_mapping
from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.tasks import GraphTask

WAYS = 250              # imagined in a building
BORROWED = 1000         # sentences of elsewhere, of which those are kept that fit best
LEAST, MOST = 5.0, 16.0     # metres of a way: about as long as those that people described
HELD_OUT = 0.25         # of labelled ways, for the gate
AGREED_METRES = 3.0     # between the end of a way and where the agent would drive to
PROPOSED = LabelSettings(proposals=3, sure=0.0, telling=0.0)
REFUSED = -1.0          # of the reward's probability: no filter at all


@dataclass(frozen=True)
class Arm:
    """One way to adapt.

    :param title: one line for the table
    :param labels: `agreed` where the agent would drive to the end of the way, `all` of them,
        `shuffled` over the ways, or `borrowed` from demonstrations elsewhere
    :param elsewhere: ways of a training building, in the place of this one
    :param mixed: original demonstrations are learned from, too
    :param parts: networks that are taken from what was learned
    :param share: of the way from the weights of before to those that were learned (Wortsman et
        al., CVPR 2022: half of it is often more robust than all)
    """

    title: str
    labels: str = 'agreed'
    elsewhere: bool = False
    mixed: bool = True
    parts: tuple[str, ...] = ('policy', 'reward')
    share: float = 1.0

    @property
    def learned(self) -> bool:
        """Whether it needs learning of its own; if not, it is made of what `adapted` learned."""
        return len(self.parts) == 2 and self.share == 1.0


ARMS = {
    'adapted': Arm('policy and reward, labels that the planner agrees with'),
    'half way': Arm('weights half way between before and after', share=0.5),
    'policy only': Arm('the reward stays as it was', parts=('policy',)),
    'reward only': Arm('the policy stays as it was', parts=('reward',)),
    'no agreement': Arm('every sentence that was written', labels='all'),
    'borrowed words': Arm("people's words of elsewhere, on ways to where the planner is surest",
                          labels='borrowed'),
    'random labels': Arm('every way with the sentence of another', labels='shuffled'),
    'no mixing': Arm('without demonstrations of before', mixed=False),
    'elsewhere': Arm('as many labels made in a training building', elsewhere=True),
}
PARTIAL = {name: arm for name, arm in ARMS.items() if not arm.learned}


@dataclass(frozen=True)
class Subject:
    """An agent, and what it learned from.

    :param original: demonstrations to mix in; :param old: others, of training buildings, that are
        not to be forgotten
    """

    name: str
    stored: Checkpoint
    encoder: Encoder
    ranking: Ranking
    original: Sequence[GraphTask]
    old: Sequence[GraphTask]

    @classmethod
    def load(cls, path: Path, name: str, encoder: Encoder, original: Sequence[GraphTask],
             old: Sequence[GraphTask]) -> Subject:
        """The agent of a checkpoint; ValueError where it cannot teach itself."""
        stored = load_checkpoint(path)
        nets_of(stored)
        ranking = from_mapping(Ranking, stored.config.get('ranking', {}), 'config.ranking')
        return cls(name, stored, encoder, ranking, original, old)


def measured(stored: Checkpoint, subject: Subject, tasks: Sequence[GraphTask]
             ) -> dict[str, dict[str, list[float]]]:
    """Success and SPL of every task: step by step, and with the map of the whole building."""
    nets, vocabulary = nets_of(stored), Vocabulary(subject.encoder)
    arena = Arena(tasks, vocabulary)
    step = greedy_results(nets.policy, arena, STEPS, nets.acting, nets.reward, nets.calibration)
    planner = RoutePlanner(arena, nets.policy, nets.reward, nets.generator)
    return {'step': outcome(step), 'map': outcome(all_driven(planner, subject.ranking))}


def outcome(results: Sequence[Result]) -> dict[str, list[float]]:
    """Success and SPL, one number per task."""
    return {'success': [float(r.success) for r in results],
            'spl': [round(float(r.spl), 4) for r in results]}


def labels_of(graph: PlaceGraph, subject: Subject, seed: int, agree: bool) -> list[Label]:
    """What the agent writes for ways through a building, and believes itself where `agree`."""
    nets, vocabulary = nets_of(subject.stored), Vocabulary(subject.encoder)
    rng = np.random.default_rng(seed)
    ways = list(imagined(graph, WAYS, rng, LEAST, MOST))
    settings = PROPOSED if agree else replace(PROPOSED, telling=-np.inf, sure=REFUSED)
    found = propose(graph, ways, nets, vocabulary, seed, settings)
    return agreed(found, graph, nets, vocabulary, subject.ranking,
                  AGREED_METRES) if agree else found


def borrowed(graph: PlaceGraph, subject: Subject, seed: int) -> list[Said]:
    """What people said elsewhere, on the ways through this building that it fits best."""
    rng = np.random.default_rng(seed)
    nowhere = np.zeros(len(graph.points), bool)
    tasks = [GraphTask(graph, int(rng.integers(len(graph.points))),
                       float(rng.uniform(-math.pi, math.pi)), subject.original[int(row)].goal,
                       nowhere, nowhere, np.zeros(len(graph.points), np.float32))
             for row in rng.integers(len(subject.original), size=BORROWED)]
    ends = planned_ends(tasks, nets_of(subject.stored), Vocabulary(subject.encoder),
                        subject.ranking)
    far = graph.distances_between
    fit = sorted(((sure, row) for row, (task, (end, sure)) in enumerate(zip(tasks, ends))
                  if LEAST <= far[task.place, end] <= MOST), reverse=True)
    return [Said(Trajectory(tuple(shortest(graph, tasks[row].place, ends[row][0])),
                            tasks[row].yaw, 'imagined'), tasks[row].goal)
            for _, row in fit[:WAYS]]


def adapt(arm: Arm, subject: Subject, graph: PlaceGraph, other: PlaceGraph, seed: int,
          minutes: float, directory: Path) -> tuple[Checkpoint, dict[str, Any]]:
    """The adapted checkpoint, and what was noted on the way.

    :param other: a training building; :param directory: for what is under way
    """
    began = time.process_time()
    where = other if arm.elsewhere else graph
    labels = labels_of(where, subject, seed, arm.labels in ('agreed', 'borrowed'))
    learn, held_out = split(labels, HELD_OUT)
    if arm.labels == 'borrowed':
        learn = borrowed(where, subject, seed)
    if arm.labels == 'shuffled':
        learn = shuffled(learn, np.random.default_rng(seed))
    written = time.process_time() - began
    lesson = Lesson(where, learn, subject.original if arm.mixed else (), subject.stored,
                    subject.encoder, minutes, seed, directory, lambda _: None)
    learned = continue_learning(lesson)
    seconds = time.process_time() - began
    verdict = decide(subject.stored, learned, tasks_of(where, held_out, 'home'), subject.old,
                     subject.encoder)
    found = counts(labels)
    assert verdict.there is not None
    return learned, {
        'proposed': found.proposed, 'kept': found.kept, 'ways': found.with_goals,
        'examples': [said.words for said in learn[:3]],
        'held_out': len(held_out), 'passed': verdict.passed, 'why': verdict.why,
        'here': verdict.here.paired.difference.value,
        'old_before': verdict.there.before.value, 'old_after': verdict.there.after.value,
        'label_seconds': written, 'seconds': seconds,
        'memory': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}


def made_of(learned: Checkpoint, before: Checkpoint, arm: Arm) -> Checkpoint:
    """What was learned, as far as the arm takes it over; the rest is as before."""
    weights = {**before.weights, **{
        part: {name: torch.lerp(before.weights[part][name], value, arm.share)
               for name, value in learned.weights[part].items()} for part in arm.parts}}
    config = learned.config if 'reward' in arm.parts else {
        **learned.config, 'calibration': before.config.get('calibration', {})}
    return Checkpoint(config, weights, learned.origin)
