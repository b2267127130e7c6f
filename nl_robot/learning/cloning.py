"""Behaviour cloning of the geodesic expert, on its ways and then on the learner's own.

The learner first walks where the expert would; then more and more where it wants to itself,
while the expert still says at every place what would have been right there (DAgger: Ross, Gordon
& Bagnell, AISTATS 2011).  Every decision is learned from once, at the moment it is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nl_robot.learning.noise import SensorNoise
from nl_robot.learning.rollouts import Goals, Rollouts, Run
from nl_robot.nets.inputs import LabelTable
from nl_robot.nets.policy import Policy
from nl_robot.worlds.tasks import GraphTask


@dataclass(frozen=True)
class CloningSettings:
    """How cloning goes on.

    :param updates: optimizer steps; :param batch: decisions in each
    :param expert_only: share of the updates in which the expert walks
    :param own_share: share of decisions that the learner walks at the end
    :param temperature: metres; ways that differ by less are about equally right
    :param arrived_weight: of the loss of knowing whether the goal is fulfilled here
    :param stop_weight: of decisions where the expert stops, which are rare and decide success
    """

    updates: int = 16000
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: int = 200
    expert_only: float = 0.1
    own_share: float = 0.9
    temperature: float = 0.3
    arrived_weight: float = 0.2
    stop_weight: float = 1.5
    max_steps: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ('updates', 'batch', 'learning_rate', 'temperature', 'max_steps'):
            if getattr(self, name) <= 0:
                raise ValueError(f'cloning.{name} must be positive, got {getattr(self, name)!r}')
        if not 0 <= self.expert_only < 0.5:
            raise ValueError('CloningSettings.expert_only must lie in 0..0.5 (the learner walks '
                             f'by itself from half-way on), got {self.expert_only!r}')


def cloning_loss(logits: Tensor, expert: Tensor, stop_weight: float = 1.0) -> Tensor:
    """Cross-entropy -Σ p_expert log π, averaged over decisions; lower is closer to the expert.

    :param logits: (b, c), -inf where there is no choice
    :param expert: (b, c) the expert's distribution, 0 where there is no choice
    """
    log_policy = torch.log_softmax(logits, dim=1).masked_fill(expert == 0, 0.0)
    weights = torch.where(expert[:, 0] > 0.5, stop_weight, 1.0)
    return -((expert * log_policy).sum(dim=1) * weights).sum() / weights.sum()


def learning_rate_at(update: int, settings: CloningSettings) -> float:
    """Linear warm-up, then a cosine to a hundredth of the peak."""
    if update < settings.warmup:
        return settings.learning_rate * (update + 1) / settings.warmup
    progress = (update - settings.warmup) / max(1, settings.updates - settings.warmup)
    return settings.learning_rate * (0.01 + 0.99 * (1 + np.cos(np.pi * min(progress, 1.0))) / 2)


def own_share_at(update: int, settings: CloningSettings) -> float:
    """Share of decisions that the learner walks: 0 while the expert shows, then rising."""
    progress = (update / settings.updates - settings.expert_only) / (0.5 - settings.expert_only)
    return settings.own_share * float(np.clip(progress, 0.0, 1.0))


class Cloning:
    """The state of a cloning run: policy, optimizer, runs under way, updates done."""

    def __init__(self, policy: Policy, tasks: Sequence[GraphTask], labels: LabelTable,
                 goals: Goals, settings: CloningSettings, noise: SensorNoise | None) -> None:
        self.policy, self.settings = policy, settings
        self._tasks = tasks
        self._rollouts = Rollouts(labels, goals, settings.max_steps, noise,
                                  np.random.default_rng(settings.seed))
        self.optimizer = torch.optim.AdamW(policy.parameters(), lr=settings.learning_rate,
                                           weight_decay=settings.weight_decay)
        self.update = 0
        self._runs: list[Run] = []

    def train(self, on_update: Callable[[int, dict[str, float]], None]) -> None:
        """Run the updates that are left; `on_update` may save, print or raise to interrupt."""
        while self.update < self.settings.updates:
            row = self._one_update()
            self.update += 1
            on_update(self.update, row)

    def _one_update(self) -> dict[str, float]:
        """One batch of decisions: look, compare with the expert, learn, walk on."""
        settings, rollouts = self.settings, self._rollouts
        rng = rollouts.rng = np.random.default_rng((settings.seed, self.update))
        torch.manual_seed(settings.seed * 1_000_003 + self.update)
        while len(self._runs) < settings.batch:
            self._runs.append(rollouts.begin(self._tasks[int(rng.integers(len(self._tasks)))]))
        runs = self._runs
        batch = rollouts.batch(runs, [rollouts.look(run) for run in runs])
        choices = batch.mask_choice_is_valid.shape[1]
        expert = np.zeros((len(runs), choices), np.float32)
        for row, run in enumerate(runs):
            right = rollouts.expert(run, choices, settings.temperature)
            expert[row, :len(right)] = right
        fulfilled = torch.tensor([float(run.task.fulfilled[run.place]) for run in runs])
        self.policy.train()
        logits, arrived = self.policy(batch)
        loss = cloning_loss(logits, torch.from_numpy(expert), settings.stop_weight)
        doubt = F.binary_cross_entropy_with_logits(arrived, fulfilled)
        self._descend(loss + settings.arrived_weight * doubt)
        chosen = self._walk(logits.detach(), expert, rng)
        right_rate = float(np.mean([expert[i, c] > 0.3 for i, c in enumerate(chosen)]))
        return {'loss': loss.item(), 'arrived_loss': doubt.item(), 'agreement': right_rate,
                'learning_rate': self.optimizer.param_groups[0]['lr']}

    def _descend(self, loss: Tensor) -> None:
        """One optimizer step."""
        for group in self.optimizer.param_groups:
            group['lr'] = learning_rate_at(self.update, self.settings)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.policy.parameters(), 1.0)
        self.optimizer.step()

    def _walk(self, logits: Tensor, expert: np.ndarray, rng: np.random.Generator) -> list[int]:
        """Carry out the learner's or the expert's choices; runs that end leave. What was done."""
        own = torch.softmax(logits, dim=1).numpy().astype(np.float64)
        walks_own = rng.random(len(self._runs)) < own_share_at(self.update, self.settings)
        chosen, left = [], []
        for row, run in enumerate(self._runs):
            odds = (own if walks_own[row] else expert)[row].astype(np.float64)
            choice = int(rng.choice(len(odds), p=odds / odds.sum()))
            chosen.append(choice)
            if not self._rollouts.act(run, choice):
                left.append(run)
        self._runs = left
        return chosen
