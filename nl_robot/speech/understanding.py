"""From guesses of words to a command: what makes sense to say to a robot, and how sure that is.

The guesses of one or two engines, and the same with misheard names repaired, are candidates.  An
engine that can judge texts tells how well each fits the sound, the command grammar's model of
language how likely people say it, and candidates of one meaning share their probability.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from nl_robot.speech.corpus import spoken
from nl_robot.speech.engines import Guess
from nl_robot.speech.meaning import Meaning, meaning
from nl_robot.speech.phonetics import Repair, repairs

Judging = Callable[[Sequence[str]], list[float]]
Likely = Callable[[Sequence[str]], float]
LONGEST_SWAP = 4        # words of one engine that are put in the place of another's


@dataclass(frozen=True)
class Weights:
    """How much each kind of evidence counts; chosen on the development commands.

    :param language: of the natural log-probability of the words in a command
    :param word: added for every word, since a model of language likes few
    :param repair: taken off for every unit of distance between what was heard and a name, where
        no judge has heard the sound
    :param rank: taken off for every guess that came before, where no judge has heard the sound
    :param most: how many candidates are judged
    :param strange: taken off for every word that neither commands nor the commonest English hold
    :param seconded: added for every concept that a second engine heard, too
    """

    language: float = 0.35
    word: float = 0.6
    repair: float = 12.0
    rank: float = 0.5
    most: int = 12
    strange: float = 2.0
    seconded: float = 2.0


@dataclass(frozen=True)
class Candidate:
    """A text that somebody may have said.

    :param rank: of the guess it comes from, 0 for the best
    :param apart: sum of the distances of its repairs
    """

    text: str
    engine: str
    rank: int
    apart: float = 0.0
    acoustic: float = 0.0
    language: float = 0.0
    total: float = 0.0
    about: Meaning = field(default=())


def crossed(text: str, other: str) -> list[str]:
    """The text with words of another engine in it, where those change its meaning.

    >>> crossed('Go left at the mime work shelf.', 'go left at the bookshelf')
    ['Go left at the bookshelf.']
    """
    said, others = spoken(text), spoken(other)
    places = list(re.finditer(r"[A-Za-z0-9]+(?:['’][A-Za-z]+)*", text))
    if len(places) != len(said):
        return []
    blocks = SequenceMatcher(None, said, others, False).get_opcodes()
    swaps = [Repair(i, j, tuple(others[k:m]), 0.0) for tag, i, j, k, m in blocks
             if tag == 'replace' and max(j - i, m - k) <= LONGEST_SWAP]
    swaps = [swap for swap in swaps if meaning(_replaced(text, places, [swap])) != meaning(text)]
    found = [_replaced(text, places, [swap]) for swap in swaps]
    return [*found, _replaced(text, places, swaps)] if len(swaps) > 1 else found


def repaired(text: str, most: int = 6) -> list[tuple[str, float]]:
    """The text with names in the place of what sounds like them, and how far apart those are.

    >>> repaired('Go to the kitten.')[0]
    ('Go to the kitchen.', 0.15)
    """
    said = spoken(text)
    places = list(re.finditer(r"[A-Za-z0-9]+(?:['’][A-Za-z]+)*", text))
    if len(places) != len(said):     # a text whose words cannot be told apart is kept as it is
        return []
    fixes = repairs(said)
    found = [(_replaced(text, places, [fix]), fix.distance) for fix in fixes[:most]]
    both = _apart(fixes[:most])
    if len(both) > 1:
        found.append((_replaced(text, places, both), sum(fix.distance for fix in both)))
    return [(words, round(apart, 4)) for words, apart in found]


def _apart(fixes: Sequence[Repair]) -> list[Repair]:
    """The nearest repairs that do not touch one another, in the order of the text."""
    kept: list[Repair] = []
    for fix in fixes:
        if all(fix.end <= other.begin or fix.begin >= other.end for other in kept):
            kept.append(fix)
    return sorted(kept, key=lambda fix: fix.begin)


def _replaced(text: str, places: Sequence[re.Match[str]], fixes: Sequence[Repair]) -> str:
    """The text with the words of each repair put in, capitals at its beginning kept."""
    for fix in reversed(fixes):
        begin, end = places[fix.begin].start(), places[fix.end - 1].end()
        name = ' '.join(fix.name)
        name = name.capitalize() if text[begin].isupper() and begin == 0 else name
        text = text[:begin] + name + text[end:]
    return text


def candidates(heard: Sequence[tuple[str, Sequence[Guess]]], weights: Weights | None = None
               ) -> list[Candidate]:
    """All readings of an utterance, each text once, the likeliest to be right first.

    :param heard: pairs (name of an engine, its guesses)
    """
    weights = weights or Weights()
    found: dict[str, Candidate] = {}
    for engine, guesses in heard:
        for rank, guess in enumerate(guesses):
            text = guess.text if any(c.isupper() for c in guess.text) else _written(guess.text)
            for form, apart in ((text, 0.0), *repaired(text)):
                known = found.get(form)
                if known is None or _plain(weights, rank, apart) > _plain(
                        weights, known.rank, known.apart):
                    found[form] = Candidate(form, engine, rank, apart)
    pairs = [(rank, first, engine, second) for engine, guesses in heard[1:]
             for rank, first in enumerate(heard[0][1][:2]) for second in guesses[:2]]
    for rank, first, engine, second in pairs:
        for form in crossed(first.text, second.text):
            found.setdefault(form, Candidate(form, engine, rank))
    kept: dict[tuple[str, ...], Candidate] = {}
    for candidate in sorted(found.values(), key=lambda c: -_plain(weights, c.rank, c.apart)):
        # one way to write the same words is enough
        kept.setdefault(tuple(spoken(candidate.text)), candidate)
    return list(kept.values())[:weights.most]


def _plain(weights: Weights, rank: int, apart: float) -> float:
    """The score of a candidate that nobody has judged."""
    return -weights.rank * rank - weights.repair * apart


def _written(text: str) -> str:
    """Words as a recogniser of free text would write them, which is what it can judge."""
    text = text[:1].upper() + text[1:] + '.'
    return re.sub(r"\bi\b", 'I', text)


def weighed(found: Sequence[Candidate], judge: Judging | None, likely: Likely,
            weights: Weights | None = None, known: Callable[[str], bool] = lambda word: True,
            second: frozenset[str] = frozenset()) -> list[Candidate]:
    """The candidates with their scores, best first.

    :param judge: log-probabilities of texts given the sound, or None
    :param likely: the natural log-probability of words as a command
    :param known: tells the words that people use every day from those that they do not
    :param second: concepts that a second engine heard
    """
    weights = weights or Weights()
    acoustic = (judge([c.text for c in found]) if judge
                else [_plain(weights, c.rank, c.apart) for c in found])
    scored = []
    for candidate, fits in zip(found, acoustic):
        said = spoken(candidate.text)
        language = likely(said)
        about = meaning(candidate.text)
        total = (fits + weights.language * language + weights.word * len(said)
                 - weights.strange * sum(not known(word) for word in said)
                 + weights.seconded * len(second.intersection(about)))
        scored.append(Candidate(candidate.text, candidate.engine, candidate.rank, candidate.apart,
                                fits, language, total, about))
    return sorted(scored, key=lambda c: -c.total)


def shares(scored: Sequence[Candidate]) -> dict[Meaning, float]:
    """How probable each meaning is among the candidates, likeliest first; they sum to 1."""
    if not scored:
        return {}
    top = max(candidate.total for candidate in scored)
    sums: dict[Meaning, float] = {}
    for candidate in scored:
        sums[candidate.about] = sums.get(candidate.about, 0.0) + math.exp(candidate.total - top)
    whole = sum(sums.values())
    return {about: part / whole for about, part in sorted(sums.items(), key=lambda p: -p[1])}
