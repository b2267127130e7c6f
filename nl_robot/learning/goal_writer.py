"""The goal generator at work beside policy and reward: it learns from experts, then writes."""

from __future__ import annotations

import torch
from torch import Tensor

from nl_robot.learning.arena import Arena
from nl_robot.learning.goal_writing import (
    WritingSettings,
    label_walks,
    sentences_of,
    tells_apart,
    writing_loss,
)
from nl_robot.learning.walks import Experts, Walks, together
from nl_robot.nets.goal_generator import GoalGenerator, GoalGeneratorSettings, TextTable


class GoalWriter:
    """A generator for the goals of an arena, and the walks with goals that it wrote.

    :param experts: of the same arena
    :param least: a word is known when the goals hold it so often
    """

    def __init__(self, arena: Arena, settings: WritingSettings, experts: Experts, seed: int,
                 least: int = 3) -> None:
        self.arena, self.settings, self._experts = arena, settings, experts
        self._rng, self._seed = torch.Generator(arena.device), seed
        words = TextTable.counted(sentences_of(arena, arena.goal), least).words
        self.generator = GoalGenerator(GoalGeneratorSettings(
            words=words, text_dim=arena.known.labels.shape[1])).to(arena.device)
        self.texts: list[str] = []
        self.walks: Walks | None = None

    def loss(self, update: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Of one batch of experts' ways with the goals that people gave them."""
        self.generator.train()
        self._draw_anew(update)
        count = self.settings.batch
        tasks = torch.randint(len(self.arena.tasks), (count,), device=self.arena.device)
        return writing_loss(self.generator, self.arena, self._experts.of(tasks), update,
                            self.settings, self._rng)

    def rephrase(self, count: int) -> None:
        """Experts' ways with other words than theirs, into `walks`."""
        tasks = torch.randint(len(self.arena.tasks), (count,), device=self.arena.device)
        self._keep(self._experts.of(tasks), rephrase=True)

    def relabel(self, walks: Walks) -> None:
        """Ways that somebody walked, with the goal that they do fulfil, into `walks`."""
        walks = walks.rows(torch.nonzero(walks.stopped)[:, 0])
        if len(walks):
            self._keep(walks, rephrase=False)

    def _keep(self, walks: Walks, rephrase: bool) -> None:
        """Write a goal for each and remember those that tell their way from another one."""
        self._draw_anew(len(self.texts))
        texts = label_walks(self.generator, self.arena, walks, rephrase=rephrase, rng=self._rng)
        fitting = tells_apart(self.generator, self.arena, walks, texts)
        if fitting.any():
            self.restore([*self.texts, *(texts[row] for row in fitting.nonzero()[:, 0].tolist())],
                         _joined(self.walks, walks.rows(fitting)))

    def _draw_anew(self, number: int) -> None:
        """Whatever was drawn before: a run that is resumed goes on as if it had never stopped."""
        self._rng.manual_seed(self._seed * 1_000_003 + number)

    def restore(self, texts: list[str], walks: Walks) -> None:
        """Take `walks` with these texts, one each, for what was written."""
        fresh = texts[len(self.texts):]
        numbers = self.arena.add_goals(fresh)
        known = [] if self.walks is None else self.walks.goals.tolist()
        self.texts = texts
        self.walks = walks.with_goals(torch.tensor([*known, *numbers], device=self.arena.device))


def _joined(first: Walks | None, second: Walks) -> Walks:
    """Both, one after the other."""
    return second if first is None else together([first, second])
