"""Engines that turn the sound of an utterance into words, behind one interface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from nl_robot.speech.sound import Samples


@dataclass(frozen=True)
class Guess:
    """One reading of an utterance.

    :param log_probability: natural logarithm, of the whole text, comparable among the guesses of
        one engine for one utterance
    """

    text: str
    log_probability: float


class Engine(Protocol):
    """Sound → guesses."""

    name: str

    def hear(self, samples: Samples) -> list[Guess]:
        """The best guesses for an utterance, best first; none where nothing was said."""


class Judge(Engine, Protocol):
    """An engine that can also tell how well any given text fits the utterance."""

    def judge(self, texts: Sequence[str]) -> list[float]:
        """Natural log-probabilities of texts, given what `hear` heard last."""
