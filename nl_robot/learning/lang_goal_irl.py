"""LangGoalIRL: a reward and a policy that learn from each other, and a generator of goals.

After Zhou & Small, 'Inverse Reinforcement Learning with Natural Language Goals' (AAAI 2021):
the reward tells what experts do from what the policy does, the policy seeks the reward, and the
goal generator writes more goals for ways that are known.  Rivals and ablations are the same loop
with parts switched off (`methods`).  What departs from the paper: the policy is warmed up by
imitation and keeps imitating while it seeks the reward, since both are far too slow without.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from nl_robot.learning import losses, parallel
from nl_robot.learning.arena import Arena
from nl_robot.learning.descent import Adam
from nl_robot.learning.goal_writer import GoalWriter
from nl_robot.learning.goal_writing import WritingSettings
from nl_robot.learning.methods import LearningSettings, Method
from nl_robot.learning.replay import replay
from nl_robot.learning.walks import (
    Experts,
    Passage,
    Walks,
    as_the_expert,
    expert_walks,
    mixture,
    sample,
    taken,
    together,
    walk,
)
from nl_robot.nets.navigator import Navigator, NavigatorSettings
from nl_robot.nets.navigators import navigator_of
from nl_robot.settings import to_mapping

LEAST_LOG = -6.0    # of log π in the discriminator's logit: below, one decision would rule it


class LangGoalIRL:
    """The networks, what they have seen, and one update after the other.

    :param rank: which of several processes that train together
    """

    def __init__(self, arena: Arena, method: Method, net: NavigatorSettings,
                 settings: LearningSettings, seed: int,
                 writing: WritingSettings | None = None,
                 rank: parallel.Rank = parallel.ALONE) -> None:
        self.arena, self.method, self.settings, self.seed = arena, method, settings, seed
        self.rank = rank
        torch.manual_seed(seed)
        shape = replace(net, sightings=method.sightings)
        self.policy = Adam(navigator_of(shape).to(arena.device), settings)
        self.reward: Adam[Navigator] | None = None
        self.critics: Adam[Navigator] | None = None
        if method.adversary and settings.seeks:
            self.critics = Adam(navigator_of(shape, outputs=2).to(arena.device), settings)
            self.targets = copy.deepcopy(self.critics.net).requires_grad_(False)
            self.log_temperature = torch.tensor(-3.0, requires_grad=True, device=arena.device)
            self.warmth = torch.optim.Adam([self.log_temperature], lr=1e-2)
        if method.adversary in ('airl', 'gail'):
            self.reward = Adam(navigator_of(shape).to(arena.device), settings)
        self.experts = Experts(arena, settings.max_steps)
        self.writer: GoalWriter | None = None
        if method.generator:
            self.writer = GoalWriter(arena, writing or WritingSettings(), self.experts, seed)
            self.generator = Adam(self.writer.generator, settings)
        self.explorer: Adam[Navigator] | None = None
        if settings.explorer_every:
            self.explorer = Adam(navigator_of(shape).to(arena.device), settings)
            self._nothing = arena.add_goals([''])[0]
        for part in self.parts().values():
            parallel.same_start(part.net)
        self.update, self.progress, self.episodes = 0, 0.0, 0
        self.sampled: Walks | None = None
        self.ahead: Walks | None = None
        self.rephrased = self.relabelled = self.inherited = False

    def rate(self) -> float:
        """The learning rate now: linear warm-up, then a cosine over the budget."""
        return self.settings.learning_rate * self._schedule(self.progress)

    def _schedule(self, progress: float) -> float:
        """Of the rate at its highest, what there is now."""
        warm = min(1.0, (self.update + 1) / self.settings.warmup)
        fall = 0.02 + 0.98 * (1 + np.cos(np.pi * min(max(progress, 0.0), 1.0))) / 2
        return warm * float(fall)

    def advance(self, spent: float) -> dict[str, Tensor]:
        """One update, where `spent` (0 to 1) of the budget is gone.

        The goal generator learns first; what is left is the budget of everything else.
        """
        torch.manual_seed(self.seed * 1_000_003 + self.update)
        self.arena.generator.manual_seed(self.seed * 1_000_003 + self.update)
        share = self.settings.generator_share if self.writer is not None else 0.0
        self.progress = (spent - share) / (1.0 - share)
        row = self._learn_to_write(spent / share) if self.progress < 0 else self._learn_to_act()
        self.update += 1
        return row

    def _learn_to_write(self, progress: float) -> dict[str, Tensor]:
        """One step of the goal generator, where `progress` (0 to 1) of its time is gone."""
        assert self.writer is not None
        loss, row = self.writer.loss(self.update)
        rate = self.writer.settings.learning_rate * self._schedule(progress)
        self.generator.step(loss / self.rank.world, rate, self.rank)
        return {'writing': loss.detach(), **{f'writing_{key}': row[key] for key in row}}

    def _learn_to_act(self) -> dict[str, Tensor]:
        """Imitate; then, as far as the method has them, learn the reward and seek it."""
        settings = self.settings
        self._write()
        self.policy.net.train()
        walks = self._walked()
        seen = replay(self.policy.net, self.arena, walks, expert=True)
        loss = self._imitation(seen) * parallel.portion(walks.mask_is_valid.sum(), self.rank)
        row = {'imitation': loss.detach()}
        self.episodes += settings.batch
        if (self.writer is not None and self.writer.walks is not None
                and self.update % settings.written_every == 0):
            written = self._generated_imitation(self.writer.walks)
            row['imitation_written'] = written.detach()
            loss = loss + settings.generated_share * written / self.rank.world
        if (self.method.adversary and self.progress >= settings.reward_from
                and self.update % settings.seek_every == 0):
            self._inherit()
            sought, more = self._adversarial()
            row |= more
            if sought is not None and self.progress >= settings.seek_from:
                loss = loss + settings.seek_weight * sought / self.rank.world
        self.policy.step(loss, self.rate(), self.rank)
        if self.explorer is not None and self.update % settings.explorer_every == 0:
            row['exploring'] = self._explore(walks)
        return row

    def _walked(self) -> Walks:
        """The episodes of this update, by the expert or in part by the learner itself.

        They are walked some updates ahead, since many walk as fast as few.
        """
        settings, arena = self.settings, self.arena
        mine = parallel.share(settings.batch, self.rank).to(arena.device)
        number = self.update % settings.walked_ahead
        if number == 0 or self.ahead is None:
            tasks = torch.randint(len(arena.tasks), (settings.walked_ahead, settings.batch),
                                  device=arena.device)[:, mine].flatten()
            shares = torch.stack([self._own_share()[mine] for _ in range(settings.walked_ahead)])
            self.ahead = self._walk(tasks, shares.flatten())
        return self.ahead.rows(number * len(mine) + torch.arange(len(mine), device=arena.device))

    def _walk(self, tasks: Tensor, own_share: Tensor) -> Walks:
        """Episodes in which the learner takes that share (b,) of the decisions."""
        steps = self.settings.max_steps
        if not own_share.any():
            return expert_walks(self.arena, tasks, steps, as_the_expert)
        with torch.no_grad():
            return walk(self.policy.net, self.arena, tasks, mixture(own_share), max_steps=steps,
                        expert=True).walks

    def _explore(self, walks: Walks) -> Tensor:
        """One step of the explorer: it imitates experts whose goals it does not hear."""
        assert self.explorer is not None
        deaf = walks.with_goals(torch.full_like(walks.goals, self._nothing))
        loss = self._imitation(replay(self.explorer.net, self.arena, deaf, expert=True))
        self.explorer.step(loss / self.rank.world, self.rate(), self.rank)
        return loss.detach()

    def _write(self) -> None:
        """Goals for experts' ways as soon as the generator is done; for sampled ones later."""
        if self.writer is None:
            return
        count = self.settings.generated
        if self.method.rephrasing and not self.rephrased:
            self.rephrased = True
            self.writer.rephrase(count)
        if (self.method.relabelling and not self.relabelled
                and self.progress >= self.settings.reward_from):
            self.relabelled = True
            tasks = torch.randint(len(self.arena.tasks), (count,), device=self.arena.device)
            with torch.no_grad():
                parts = [walk(self.policy.net, self.arena, chunk, sample,
                              max_steps=self.settings.max_steps).walks
                         for chunk in tasks.split(256)]
            self.writer.relabel(together(parts))

    def _own_share(self) -> Tensor:
        """(batch,) how much of each episode the learner walks itself: nothing, or in half of
        them, once it has shown what it learned, a share drawn anew for each."""
        share = torch.zeros(self.settings.batch, device=self.arena.device)
        if self.method.teacher and self.progress >= self.settings.expert_only:
            half = self.settings.batch // 2
            share[:half] = self.settings.own_share * torch.rand(half, device=self.arena.device)
        return share

    def _imitation(self, passage: Passage) -> Tensor:
        """Cross-entropy with the expert wherever the walk came by."""
        assert passage.expert is not None
        return losses.cloning_loss(passage.logits(), passage.expert,
                                   passage.walks.mask_is_valid, self.settings.stop_weight)

    def _generated_imitation(self, walks: Walks) -> Tensor:
        """Cross-entropy with what was done, on ways that carry generated goals."""
        passage = replay(self.policy.net, self.arena,
                         self._draw(walks, self.settings.batch // 2))
        logits = passage.logits()
        done = F.one_hot(passage.walks.actions, logits.shape[2]).to(logits)
        return losses.cloning_loss(logits, done, passage.walks.mask_is_valid,
                                   self.settings.stop_weight)

    def _draw(self, walks: Walks, count: int) -> Walks:
        """Some walks of a pool, at random."""
        return walks.rows(torch.randint(len(walks), (count,), device=self.arena.device))

    def _sample(self) -> Walks:
        """Ways that the policy walks now and then, into the buffer; then some of the buffer."""
        settings, arena = self.settings, self.arena
        turn = self.update // settings.seek_every % settings.walked_ahead
        if turn == 0 or self.sampled is None:
            tasks = torch.randint(len(arena.tasks), (
                settings.walked_ahead * settings.batch // 2,), device=arena.device)
            with torch.no_grad():
                fresh = walk(self.policy.net, arena, tasks, sample, max_steps=settings.max_steps)
            self.episodes += len(tasks)
            kept = [fresh.walks] if self.sampled is None else [self.sampled, fresh.walks]
            self.sampled = together(kept)
            if len(self.sampled) > settings.buffer:
                self.sampled = self.sampled.rows(torch.arange(
                    len(self.sampled) - settings.buffer, len(self.sampled), device=arena.device))
        return self._draw(self.sampled, settings.batch)

    def _inherit(self) -> None:
        """Reward and critics begin as copies of the warmed-up policy: they need not learn again
        what words look like.

        At the optimum of AIRL f is log π of the expert but for a constant (Fu et al. 2018,
        section 5), and a soft Q is α log π but for the value of the state.
        """
        if self.inherited:
            return
        self.inherited = True
        for part in (self.reward, self.critics):
            self._take_over(part)

    def _take_over(self, part: Adam[Navigator] | None) -> None:
        """What the policy has learned, into another network; twins are made to differ."""
        if part is None:
            return
        learned = self.policy.net.state_dict()
        part.net.load_state_dict({
            name: value if value.shape == own.shape else torch.cat(
                [value, value * (1 + 0.1 * torch.randn_like(value))])
            for (name, own), value in zip(part.net.state_dict().items(), learned.values())})
        if part is self.critics:
            self.targets.load_state_dict(part.net.state_dict())

    def _adversarial(self) -> tuple[Tensor | None, dict[str, Tensor]]:
        """Learn the reward and the critics; the loss of a policy that seeks the reward.

        None where it never will: then there are no critics.

        One batch serves all: experts, experts with wrong words, sampled ways, generated goals.
        """
        half = self.settings.batch // 2
        tasks = torch.randint(len(self.arena.tasks), (half,), device=self.arena.device)
        experts = self.experts.of(tasks)
        parts = {'expert': experts, 'sampled': self._sample()}
        if self.method.negatives:
            others = torch.nonzero(~self.arena.same_target(tasks, tasks.roll(1)))[:, 0]
            if len(others):     # words of another way to the same place are not wrong
                parts['wrong'] = experts.with_goals(experts.goals.roll(1)).rows(others)
        if self.writer is not None and self.writer.walks is not None:
            parts['generated'] = self._draw(self.writer.walks, half)
        walks = together(list(parts.values()))
        names = [name for name, part in parts.items() for _ in range(len(part))]
        kind = {name: torch.tensor([n == name for n in names], device=self.arena.device)
                for name in ('expert', 'sampled', 'wrong', 'generated')}
        with torch.set_grad_enabled(self.critics is not None):
            passage = replay(self.policy.net, self.arena, walks)
            log_policy = torch.log_softmax(passage.logits(), dim=-1)
        walks = passage.walks
        done = taken(log_policy.detach(), walks).clamp(min=LEAST_LOG)
        rewards, row = self._learn_reward(walks, kind, done)
        if self.critics is None:
            return None, row
        sought, more = self._seek(passage, log_policy, rewards, ~kind['wrong'])
        return sought, row | more

    def _learn_reward(self, walks: Walks, kind: dict[str, Tensor], log_policy: Tensor
                      ) -> tuple[Tensor, dict[str, Tensor]]:
        """One step of the discriminator; (b, T) rewards as they were before it.

        :param kind: (b,) bool masks of `expert`, `sampled`, `wrong` and `generated` walks
        :param log_policy: (b, T) of what was done, without gradient
        """
        valid = walks.mask_is_valid
        if self.reward is None:
            return losses.sqil_reward(kind['expert'], valid), {}
        reward = taken(replay(self.reward.net, self.arena, walks).outputs[..., 0], walks)
        logit = (losses.airl_logit_expert_is_high(reward, log_policy)
                 if self.method.adversary == 'airl' else reward)
        positive, negative = kind['expert'] | kind['generated'], kind['sampled'] | kind['wrong']
        if self.method.negatives:       # what did fulfil its goal is no negative
            positive = positive | (kind['sampled'] & walks.success)
            negative = negative & ~(kind['sampled'] & walks.success)
        weights = torch.where(walks.actions == 0, self.settings.judged_stop_weight, 1.0)
        loss = losses.discriminator_loss(logit, valid & positive[:, None],
                                         logit, valid & negative[:, None], weights, weights)
        self.reward.step(loss / self.rank.world, self.rate(), self.rank)
        found = reward if self.method.adversary == 'airl' else losses.gail_reward(logit)
        clip = self.settings.reward_clip
        return (found.detach().clamp(-clip, clip),
                {'discriminator': loss.detach(),
                 'logit_expert': losses.masked_mean(logit.detach(), valid & positive[:, None]),
                 'logit_negative': losses.masked_mean(logit.detach(), valid & negative[:, None])})

    def _seek(self, passage: Passage, log_policy: Tensor, rewards: Tensor, use: Tensor
              ) -> tuple[Tensor, dict[str, Tensor]]:
        """Discrete soft actor-critic (Christodoulou 2019) along the walks of a passage.

        :param log_policy: (b, T, c) with gradient; :param rewards: (b, T)
        :param use: (b,) bool, walks that count
        """
        assert self.critics is not None
        walks, settings = passage.walks, self.settings
        mask, valid = passage.mask_choice_is_valid, passage.walks.mask_is_valid & use[:, None]
        temperature = self.log_temperature.exp().detach()
        with torch.no_grad():
            later = replay(self.targets, self.arena, walks).outputs.amin(dim=-1)
            value = losses.soft_value(later, log_policy.detach(), temperature, mask)
            steps = torch.arange(valid.shape[1], device=valid.device)
            last = steps[None] == walks.mask_is_valid.sum(dim=1, keepdim=True) - 1
            target = losses.soft_q_target(self._at_the_end(rewards, walks), losses.next_values(
                value), last, settings.discount)
        q = replay(self.critics.net, self.arena, walks).outputs                # (b, T, c, 2)
        critic = losses.critic_loss([taken(q[..., n], walks) for n in (0, 1)], target, valid)
        self.critics.step(critic / self.rank.world, self.rate(), self.rank)
        losses.moving_average_(self.targets, self.critics.net, settings.target_rate)
        sought = losses.soft_policy_loss(q.detach().amin(dim=-1), log_policy, temperature, mask,
                                         valid)
        warmth = losses.temperature_loss(self.log_temperature, log_policy, mask, valid,
                                         settings.entropy)
        self.warmth.zero_grad()
        warmth.backward()
        self.warmth.step()
        return sought, {'critic': critic.detach(), 'seeking': sought.detach(),
                        'temperature': temperature,
                        'value': losses.masked_mean(value, valid)}

    def parts(self) -> dict[str, Adam[Any]]:
        """The networks that learn, by name."""
        parts: dict[str, Adam[Any] | None] = {
            'policy': self.policy, 'reward': self.reward, 'critics': self.critics,
            'explorer': self.explorer,
            'goal_generator': None if self.writer is None else self.generator}
        return {name: part for name, part in parts.items() if part is not None}

    def begin_with(self, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take over networks of a checkpoint, by name; ValueError where their shapes differ."""
        for name, part in self.parts().items():
            if name not in weights:
                continue
            try:
                part.net.load_state_dict(weights[name])
            except RuntimeError as error:
                raise ValueError(f'the {name} of the checkpoint to start with has another shape '
                                 'than the settings ask for') from error
        if 'reward' in weights:
            self.inherited = True
            self._take_over(self.critics)       # which are in no checkpoint

    def weights(self) -> dict[str, dict[str, Tensor]]:
        """What acts later: policy, reward, goal generator and explorer, as far as they exist."""
        return {name: part.net.state_dict() for name, part in self.parts().items()
                if name != 'critics'}

    def written_config(self) -> dict[str, Any]:
        """The shape and the words of the goal generator, for a checkpoint."""
        if self.writer is None:
            return {}
        return {'goal_generator': to_mapping(self.writer.generator.settings)}

    def _at_the_end(self, rewards: Tensor, walks: Walks) -> Tensor:
        """(b, T) rewards, where stopping earns its own for ever after if they cannot be negative.

        Else they would pay for walking on (Kostrikov et al. 2019, section 4.1).
        """
        if self.method.adversary == 'airl':
            return rewards
        stops = (walks.actions == 0) & walks.mask_is_valid
        return torch.where(stops, rewards / (1 - self.settings.discount), rewards)
