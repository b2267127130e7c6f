"""From what was explored in a home to a checkpoint that is used there, or to why it is not.

Label, learn, measure, activate: each step leaves its result in the home's folder, so that a
process that was killed goes on where it was.
"""

from __future__ import annotations

import dataclasses
import shutil
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nl_robot.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from nl_robot.homes import labels as labelling
from nl_robot.homes.files import write_json
from nl_robot.homes.labels import Counts, Label
from nl_robot.homes.store import Home
from nl_robot.homes.trajectories import Trajectory
from nl_robot.learning.home_analogies import Analogies
from nl_robot.learning.home_gate import GateSettings, Measure, Verdict, decide, successes
from nl_robot.learning.home_labels import LabelSettings, Listen, propose, shuffled
from nl_robot.learning.home_learning import imitate_on
from nl_robot.learning.home_lesson import (
    Learner,
    Lesson,
    Said,
    Tell,
    imagined,
    nets_of,
    tasks_of,
)
from nl_robot.nets.words import Encoder, Vocabulary
from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.tasks import GraphTask


@dataclass(frozen=True)
class RoadSettings:
    """How a home is learned from.

    :param imagined: shortest ways between places of the home, beside what was driven there
    :param held_out: share of the ways that the gate measures on
    :param fewest: labelled ways that are needed at all
    """

    imagined: int = 400
    held_out: float = 0.33
    fewest: int = 12
    labels: LabelSettings = LabelSettings(others=2)
    gate: GateSettings = GateSettings()


@dataclass(frozen=True)
class Old:
    """Demonstrations of before: to be mixed in, and a fixed set of others to measure on."""

    mixed_in: Sequence[GraphTask]
    measured: Sequence[GraphTask]


@dataclass(frozen=True)
class Outcome:
    """What came of it; `version` is '' where nothing was activated."""

    version: str
    verdict: Verdict
    counts: Counts


@dataclass(frozen=True)
class Road:
    """One adaptation of one home.

    :param base: the checkpoint that every home begins with; :param minutes: of learning
    :param learner: what learns; :param sabotage: every way gets another's sentences, a control
    :param listen: judges sentences by where one ends who hears them, made of what is active
    :param measure: success in the way in which the checkpoint will be used
    :param relabel: False where sentences that there are already will do
    """

    home: Home
    base: Path
    encoder: Encoder
    old: Old
    minutes: float
    seed: int
    tell: Tell
    settings: RoadSettings = RoadSettings()
    learner: Learner = imitate_on
    sabotage: bool = False
    listen: Callable[[Checkpoint], Listen] | None = None
    measure: Measure = successes
    relabel: bool = True

    def run(self) -> Outcome:
        """All of it.

        :raises ValueError: there is too little to learn from, or learning diverged
        :raises OSError: the disk is full
        """
        self.home.versions.sweep()
        active = self.home.versions.active()
        start = self.home.versions.path(active.version) or self.base
        stored = load_checkpoint(start)
        graph = self.home.map().graph()
        found = self._labels(graph, stored)
        count = labelling.counts(found)
        self.tell({'phase': 'labels', 'text': str(count), 'labels': count.kept})
        learn, held_out = split(found, self.settings.held_out)
        if count.with_goals < self.settings.fewest or not held_out:
            raise ValueError(f'too little to learn from: {count}; at least '
                             f'{self.settings.fewest} ways with sentences are needed, so let '
                             'it explore more')
        if self.sabotage:
            learn = shuffled(learn, np.random.default_rng(self.seed))
        lesson = Lesson(graph, learn, self.old.mixed_in, stored, self.encoder, self.minutes,
                        self.seed, self.home.folder / 'learning', self.tell)
        try:
            learned = self.learner(lesson)
        except ValueError:      # what diverged once would do so again
            shutil.rmtree(lesson.directory, ignore_errors=True)
            raise
        self.tell({'phase': 'measuring', 'text': f'{len(held_out)} ways that were held out'})
        verdict = decide(stored, learned, tasks_of(graph, held_out, 'home'), self.old.measured,
                         self.encoder, self.settings.gate, self.measure)
        return self._close(learned, start, verdict, count)

    def _labels(self, graph: PlaceGraph, stored: Checkpoint) -> list[Label]:
        """Labels as they are on disk where learning was under way; else proposed anew."""
        known, driven = self.home.labels(), self.home.trajectories()
        under_way = self.home.folder / 'learning'
        if (known and (under_way.is_dir() or not self.relabel)
                and not self.home.driven_since_labels()):
            return known
        shutil.rmtree(under_way, ignore_errors=True)
        rng = np.random.default_rng(self.seed)
        ways = [*driven, *imagined(graph, self.settings.imagined, rng)]
        self.tell({'phase': 'labelling', 'text': f'{len(ways)} ways, {len(driven)} of them '
                                                 'driven', 'episodes': len(driven)})
        found = labelling.merged(known, self._proposed(graph, ways, stored))
        self.home.save_labels(found)
        return found

    def _proposed(self, graph: PlaceGraph, ways: Sequence[Trajectory], stored: Checkpoint
                  ) -> list[Label]:
        """Labels for all ways.

        Those that are held out get sentences that hold by what is seen there, where there are
        any: what the old checkpoint chose would be what it is good at.
        """
        settings, nets, words = self.settings, nets_of(stored), Vocabulary(self.encoder)
        aside = [way for way in ways if is_held_out(way, settings.held_out)]
        rest = [way for way in ways if not is_held_out(way, settings.held_out)]
        analogies = Analogies(self.old.mixed_in, self.encoder)
        listen = None if self.listen is None else self.listen(stored)
        found = propose(graph, rest, nets, words, self.seed, settings.labels, analogies, listen)
        one = dataclasses.replace(settings.labels, proposals=0, analogies=1)
        measured = propose(graph, aside, nets, words, self.seed, one, analogies, sound=True)
        if not any(label.proposals for label in measured):
            measured = propose(graph, aside, nets, words, self.seed, settings.labels)
        return [*found, *measured]

    def _close(self, learned: Checkpoint, start: Path, verdict: Verdict, count: Counts
               ) -> Outcome:
        """Keep and activate what passed; remember why what did not was refused."""
        facts = {'home': self.home.name, 'seed': self.seed, 'minutes': self.minutes,
                 'labels': dataclasses.asdict(count), 'gate': verdict.facts()}
        version = ''
        if verdict.passed:
            path = self.home.versions.next()
            save_checkpoint(Checkpoint(learned.config, learned.weights, {
                **learned.origin, **facts, 'parent': str(start)}), path)
            self.home.versions.activate(path.name, verdict.why)
            version = path.name
        write_json(self.home.folder / 'verdict.json', facts)
        shutil.rmtree(self.home.folder / 'learning', ignore_errors=True)    # the next begins anew
        return Outcome(version, verdict, count)



def said_of(labels: Sequence[Label]) -> list[Said]:
    """Every sentence to learn from, with its trajectory."""
    return [Said(label.trajectory, words, label.human) for label in labels
            for words in label.goals]


def is_held_out(way: Trajectory, share: float) -> bool:
    """Whether a way is one to measure on; back and forth between two places count as one."""
    ends = sorted((way.places[0], way.places[-1]))
    return zlib.crc32(repr(ends).encode()) % 1000 < 1000 * share


def split(labels: Sequence[Label], share: float) -> tuple[list[Said], list[Said]]:
    """What is learned from, and what is held out: ways that the machine labelled.

    A way is always on the same side, whatever else there is.  Of a held-out way only one sentence
    is kept, so that episodes are independent: one that is sound; where none of the home is, the
    most telling.
    """
    learn: list[Said] = []
    held_out: list[Said] = []
    some_sound = any(p.sound for label in labels for p in label.proposals)
    for label in labels:
        if label.human or not is_held_out(label.trajectory, share):
            learn += said_of([label])
        elif label.verdict != 'dropped':
            good = [p for p in label.proposals
                    if (p.sound if some_sound else p.text in label.goals)]
            held_out += [Said(label.trajectory, p.text)
                         for p in sorted(good, key=lambda p: -p.telling)[:1]]
    return learn, held_out
