"""Sentences for ways of a home by analogy: what people said of ways that ended in such a place.

A demonstration whose end looks like the end of a way lends it its words, with the things that they
name taken over: who said `drive to the white fridge` beside a white fridge says `drive to the blue
stove` beside a blue stove.  As in example-based translation (Nagao 1984), where words come from
people and only the slots are filled by the machine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nl_robot.nets.words import Encoder
from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.tasks import GraphTask

NEAR_METRES = 1.6       # of a place: what a sentence that ends there may name
NAMED_METRES = 2.5      # of the end of a demonstration: what its words may have meant
SAME_METRES = 1.5       # things of one label nearer than this are one thing
UNKNOWN_METRES = 2.5    # of a thing whose distance is not known
FADE_METRES = 1.5       # things count by exp(-distance / this) in how a place looks
EVERYWHERE = 1 / 3      # share of places: what is seen from more of them tells no place, as doors
FEW_PLACES = 3          # and from more than these
NEAREST = 3             # things of a place that a sentence may be about
ALIKE = 40              # demonstrations with the most similar ends, from which words are drawn
FEW_WORDS = 8           # beside the thing: a longer sentence says more than where to end


@dataclass(frozen=True)
class Named:
    """A thing that the words of a demonstration name: characters, and whether with its colour."""

    begin: int
    end: int
    whole: bool


@dataclass(frozen=True)
class Drafted:
    """A sentence for a place.

    :param sound: it names one thing that stands here and nowhere else in the home, and little
        more: true by what is seen, whatever any network thinks of it
    """

    text: str
    sound: bool


@dataclass(frozen=True)
class _Example:
    words: str
    named: tuple[Named, ...]
    look: NDArray[np.float64]


class Analogies:
    """Draws sentences out of demonstrations.

    :param demonstrations: in other homes; only those that end somewhere lend their words
    """

    def __init__(self, demonstrations: Sequence[GraphTask], encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, NDArray[np.float32]] = {}
        self._scenes: dict[int, Scene] = {}
        self._examples = [self._example(task) for task in demonstrations if task.best.any()]
        self._looks = np.stack([e.look for e in self._examples]) if self._examples else None

    def __len__(self) -> int:
        return len(self._examples)

    def drafts(self, graph: PlaceGraph, place: int, count: int, rng: np.random.Generator,
               sound: bool = False) -> list[Drafted]:
        """At most `count` different sentences for ways that end at a place.

        :param sound: no others; their words may come from any demonstration
        """
        if self._looks is None:
            return []
        scene, found = self._scene(graph), dict[str, Drafted]()
        alike = np.argsort(-(self._looks @ self._look(graph, place)), kind='stable')
        alike = alike if sound else alike[:ALIKE]
        near = scene.things(place, NEAR_METRES)
        for row in rng.permutation(alike):
            example = self._examples[int(row)]
            few = [near[k] for k in rng.permutation(min(len(near), NEAREST))]
            draft = _filled(example, few, scene)
            if draft is not None and (draft.sound or not sound):
                found.setdefault(draft.text, draft)
            if len(found) == count:
                break
        return list(found.values())

    def _example(self, task: GraphTask) -> _Example:
        """A demonstration: its words, what they name, and how its end looks."""
        graph, ends = task.graph, np.flatnonzero(task.best)
        end = int(ends[np.argmin(graph.distances_between[task.place][ends])])
        words, named = ' '.join(task.goal.lower().split()), list[Named]()
        for label, _ in self._scene(graph).things(end, NAMED_METRES):
            for text, whole in ((label, True), (noun_of(label), False)):
                found = re.search(rf'\b{re.escape(text)}\b', words)
                if found and not any(n.begin < found.end() and found.start() < n.end
                                     for n in named):
                    named.append(Named(found.start(), found.end(), whole))
                    break
        return _Example(words, tuple(named), self._look(graph, end))

    def _scene(self, graph: PlaceGraph) -> Scene:
        return self._scenes.setdefault(id(graph), Scene(graph))

    def _look(self, graph: PlaceGraph, place: int) -> NDArray[np.float64]:
        """(dim,) of length 1: the things around, without their colours, the near ones most."""
        rows = graph.sighting_rows[place]
        nouns = [noun_of(graph.labels[row]) for row in rows]
        new = [noun for noun in dict.fromkeys(nouns) if noun not in self._vectors]
        if new:
            self._vectors |= dict(zip(new, self._encoder.embed(new)))
        metres = np.nan_to_num(graph.sightings[rows, 4].astype(float), nan=UNKNOWN_METRES)
        look = np.zeros(self._encoder.dim)
        for noun, far in zip(nouns, metres):
            look += np.exp(-far / FADE_METRES) * self._vectors[noun]
        return look / max(float(np.linalg.norm(look)), 1e-9)


class Scene:
    """The things of a home: which are near to a place, and which there is only one of."""

    def __init__(self, graph: PlaceGraph) -> None:
        self._graph = graph
        seen_from: dict[str, set[int]] = {}
        self._where: dict[str, list[tuple[float, float]]] = {}
        for label, (place, bearing, _, _, metres, _) in zip(graph.labels, graph.sightings):
            seen_from.setdefault(label, set()).add(int(place))
            if np.isfinite(metres):
                x, y = graph.points[int(place)]
                self._where.setdefault(label, []).append(
                    (x + metres * np.cos(bearing), y + metres * np.sin(bearing)))
        self._everywhere = {label for label, places in seen_from.items()
                            if len(places) > max(FEW_PLACES, EVERYWHERE * len(graph.points))}

    def things(self, place: int, within: float) -> list[tuple[str, float]]:
        """Labels and metres of what is this near, the nearest first, each label once."""
        found: dict[str, float] = {}
        for row in self._graph.sighting_rows[place]:
            label, metres = self._graph.labels[row], float(self._graph.sightings[row, 4])
            if metres <= within and label not in self._everywhere:
                found[label] = min(found.get(label, metres), metres)
        return sorted(found.items(), key=lambda thing: thing[1])

    def only_one(self, label: str) -> bool:
        """Whether all sightings of a label are of one thing."""
        where = np.array(self._where.get(label, []))
        return bool(len(where)) and bool(
            (np.linalg.norm(where - np.median(where, axis=0), axis=1) <= SAME_METRES).all())


def noun_of(label: str) -> str:
    """`white floor lamp` → `floor lamp`; a label of one word is itself."""
    return label.partition(' ')[2] or label


def _filled(example: _Example, things: Sequence[tuple[str, float]], scene: Scene
            ) -> Drafted | None:
    """The words of an example with other things in its slots; None where these are too few."""
    if len(things) < len(example.named):
        return None
    words = example.words
    for slot, (label, _) in sorted(zip(example.named, things), key=lambda pair: -pair[0].begin):
        words = words[:slot.begin] + (label if slot.whole else noun_of(label)) + words[slot.end:]
    if len(example.named) != 1:
        return Drafted(words, False)
    slot, (label, _) = example.named[0], things[0]
    rest = example.words[:slot.begin] + example.words[slot.end:]
    return Drafted(words, slot.whole and len(rest.split()) <= FEW_WORDS and scene.only_one(label))
