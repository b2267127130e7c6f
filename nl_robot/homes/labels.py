"""The words that were found for trajectories: what the machine proposed, and what a person said.

A person's words count as a demonstration; what a person dropped is never learned from.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nl_robot.homes.files import read_json, write_json
from nl_robot.homes.trajectories import Trajectory
from nl_robot.settings import from_mapping

VERDICTS = ('', 'kept', 'dropped', 'corrected')


@dataclass(frozen=True)
class Proposal:
    """A goal that was written for a trajectory.

    :param arrived: the reward's calibrated probability that the trajectory fulfils it
    :param telling: nats per word by which it fits this way better than others of the home
    :param kept: those who judge it agree with it
    :param heard: probability that who hears it, and knows the map, ends where the trajectory does
    :param sound: true by what is seen there, whatever anybody thinks of it
    """

    text: str
    arrived: float
    telling: float
    kept: bool
    heard: float = 0.0
    sound: bool = False


@dataclass(frozen=True)
class Label:
    """A trajectory with its proposals and what a person made of them.

    :param number: names it for people; :param verdict: one of VERDICTS
    :param words: a person's own, where the verdict is `corrected`
    """

    number: int
    trajectory: Trajectory
    proposals: tuple[Proposal, ...] = ()
    verdict: str = ''
    words: str = ''

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f'Label.verdict must be one of {VERDICTS}, got {self.verdict!r}')
        if (self.verdict == 'corrected') != bool(self.words.strip()):
            raise ValueError('a corrected label has words, and no other has')

    @property
    def goals(self) -> tuple[str, ...]:
        """The words to learn from; none where it was dropped or nobody agreed."""
        if self.verdict == 'dropped':
            return ()
        if self.verdict == 'corrected':
            return (self.words,)
        if self.trajectory.kind == 'demonstration':
            return (self.trajectory.goal,)
        return tuple(dict.fromkeys(p.text for p in self.proposals
                                   if p.kept or self.verdict == 'kept'))

    @property
    def human(self) -> bool:
        """Whether a person gave the words: they count as a demonstration."""
        return self.verdict == 'corrected' or self.trajectory.kind == 'demonstration'


@dataclass(frozen=True)
class Counts:
    """How many sentences were proposed, kept and dropped, on how many trajectories."""

    trajectories: int
    with_goals: int
    proposed: int
    kept: int
    by_people: int

    def __str__(self) -> str:
        return (f'{self.proposed} sentences for {self.trajectories} ways; kept {self.kept} of '
                f'{self.proposed}, on {self.with_goals} ways; {self.by_people} by people')


def counts(labels: Sequence[Label]) -> Counts:
    """What became of the proposals."""
    kept = sum(len(label.goals) for label in labels if not label.human)
    return Counts(len(labels), sum(bool(label.goals) for label in labels),
                  sum(len(label.proposals) for label in labels), kept,
                  sum(label.human for label in labels))


def summary(labels: Sequence[Label]) -> str:
    """The labels with words as JSON, and how many there are: what is told to people."""
    rows = [{'number': label.number, 'kind': label.trajectory.kind,
             'places': label.trajectory.places, 'goals': label.goals, 'by_person': label.human}
            for label in labels if label.goals]
    return json.dumps({'counts': str(counts(labels)), 'labels': rows})


def save(path: Path, labels: Iterable[Label]) -> None:
    """Write all labels of a home, whole or not at all."""
    write_json(path, [dataclasses.asdict(label) for label in labels])


def load(path: Path) -> list[Label]:
    """The labels of a home; none where there is no file.

    :raises ValueError: names the file that is damaged
    """
    if not path.exists():
        return []
    rows = read_json(path)
    if not isinstance(rows, list):
        raise ValueError(f'{path} is no list of labels')
    return [from_mapping(Label, row, f'{path}, label {number}')
            for number, row in enumerate(rows, 1)]


def judged(labels: Sequence[Label], number: int, verdict: str, words: str = '') -> list[Label]:
    """The labels, one of them judged by a person.

    :raises ValueError: there is no such label
    """
    if number not in {label.number for label in labels}:
        raise ValueError(f'there is no label {number}; they are numbered 1 to {len(labels)}')
    return [replace(label, verdict=verdict, words=words.strip()) if label.number == number
            else label for label in labels]


def merged(labels: Sequence[Label], fresh: Sequence[Label]) -> list[Label]:
    """New labels in the place of the old ones, but where a person has judged."""
    by_people = [label for label in labels if label.verdict or label.human]
    known = {(label.trajectory.places, label.trajectory.kind) for label in by_people}
    rest = [label for label in fresh
            if (label.trajectory.places, label.trajectory.kind) not in known]
    return [replace(label, number=number) for number, label in enumerate([*by_people, *rest], 1)]
