"""What is minimised, and the rewards that come of it: functions of tensors, without any state.

Episodes are padded: (b, T) for steps, (b, T, c) for the choices at a step, column 0 to stop.
A mask is True where there is something; what lies elsewhere, even nan, changes no value and no
gradient.  A loss is a scalar that is to fall; a reward is to rise and never carries a gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def masked_mean(values: Tensor, mask: Tensor, weights: Tensor | None = None) -> Tensor:
    """Σ m w x / Σ m w over all entries; 0 where nothing is valid.

    :param values: any shape; :param mask: bool of the same shape
    :param weights: of the same shape, at least 0, without gradient; 1 if None
    """
    if values.shape != mask.shape or (weights is not None and weights.shape != values.shape):
        raise ValueError(f'values {tuple(values.shape)}, mask {tuple(mask.shape)} and weights '
                         f'{None if weights is None else tuple(weights.shape)} must be alike')
    weight = mask.to(values.dtype)
    if weights is not None:
        weight = torch.where(mask, weights.detach().to(values.dtype), 0.0)
    return (values.masked_fill(~mask, 0.0) * weight).sum() / weight.sum().clamp(min=1e-8)


# ---- imitation

def cloning_loss(logits: Tensor, expert: Tensor, mask_step_is_valid: Tensor,
                 stop_weight: float = 1.0) -> Tensor:
    """Cross-entropy -Σ p_expert log π in nats, averaged over decisions; falls as π nears it.

    The supervised loss of DAgger (Ross, Gordon & Bagnell 2011, algorithm 3.1), with the expert's
    distribution instead of its one action.

    :param logits: (b, T, c), -1e9 or -inf where there is no choice
    :param expert: (b, T, c) the expert's distribution, 0 where there is no choice
    :param mask_step_is_valid: (b, T)
    :param stop_weight: of a decision in which the expert rather stops; of others it is 1
    """
    logits = logits.masked_fill(~mask_step_is_valid[..., None], 0.0)
    log_policy = torch.log_softmax(logits, dim=-1).masked_fill(expert == 0, 0.0)
    weights = torch.where(expert[..., 0] > 0.5, stop_weight, 1.0)
    return masked_mean(-(expert * log_policy).sum(dim=-1), mask_step_is_valid, weights)


def airl_logit_expert_is_high(reward: Tensor, log_policy: Tensor) -> Tensor:
    """(b, T) f - log π of what was done: the logit of D = exp f / (exp f + π).

    Fu, Luo & Levine 2018, section 4: their equation 2 for single decisions.  D says how probably
    the expert took the decision.  No gradient reaches the policy.

    :param reward: (b, T) f(s, a); :param log_policy: (b, T) log π(a | s), both of the action taken
    """
    return reward - log_policy.detach()


def discriminator_loss(logits_positive: Tensor, mask_positive: Tensor, logits_negative: Tensor,
                       mask_negative: Tensor, weight_positive: Tensor | None = None,
                       weight_negative: Tensor | None = None) -> Tensor:
    """Binary cross-entropy in nats; falls as positive logits rise and negative ones sink.

    -(E₊[log D] + E₋[log(1 - D)]) / 2 (Goodfellow et al. 2014, equation 1; Fu et al. 2018,
    algorithm 1, line 5).  Each side is averaged on its own, so both weigh the same however many
    decisions they have; at D = 1/2 it is log 2.  A side without any counts as 0.

    :param logits_positive: (b, T) of the expert's decisions, label 1; :param mask_positive: same
    :param logits_negative: (n, S) of the others, label 0; :param mask_negative: same
    :param weight_positive: (b,) of episodes or (b, T) of decisions, within that side
    :param weight_negative: (n,) or (n, S)
    """
    positive = masked_mean(F.softplus(-logits_positive.masked_fill(~mask_positive, 0.0)),
                           mask_positive, _per_step(weight_positive, mask_positive))
    negative = masked_mean(F.softplus(logits_negative.masked_fill(~mask_negative, 0.0)),
                           mask_negative, _per_step(weight_negative, mask_negative))
    return (positive + negative) / 2


def _per_step(weight: Tensor | None, mask: Tensor) -> Tensor | None:
    """A weight of each episode (b,) for each of its steps (b, T)."""
    return weight if weight is None or weight.ndim > 1 else weight[:, None].expand(mask.shape)


# ---- rewards

def gail_reward(logit_expert_is_high: Tensor) -> Tensor:
    """(b, T) -log(1 - D), always positive; higher where it looks like the expert's.

    Ho & Ermon 2016, equation 16, whose D is high for the learner: its cost log D is log(1 - D)
    here.  As it is never negative, it pays for walking on and not for stopping: an episode that
    stops must be given what staying there would have earned (Kostrikov et al. 2019,
    Discriminator-Actor-Critic), or be compared with others of its own length.
    """
    return F.softplus(logit_expert_is_high.detach())


def airl_reward(logit_expert_is_high: Tensor) -> Tensor:
    """(b, T) log D - log(1 - D), which is the logit; of either sign, 0 where D = 1/2.

    Fu et al. 2018, algorithm 1, line 6.  It is f - log π: the entropy bonus (at temperature 1) is
    within, so a soft learner that adds its own takes f alone.
    """
    return logit_expert_is_high.detach()


def sqil_reward(is_expert: Tensor, mask: Tensor) -> Tensor:
    """(b, T) 1 for the expert's decisions, 0 for sampled ones and padding.

    Reddy, Dragan & Levine 2020, algorithm 1.

    :param is_expert: (b,) bool; :param mask: (b, T)
    """
    return (is_expert[:, None] & mask).float()


# ---- soft actor-critic for discrete choices

def entropy(log_policy: Tensor, mask_choice: Tensor) -> Tensor:
    """(b, T) -Σ π log π in nats over what may be chosen; (b, T, c) both."""
    log_policy = log_policy.masked_fill(~mask_choice, 0.0)      # then π log π is exactly 0
    return -(log_policy.exp() * log_policy).sum(dim=-1)


def soft_value(q_min: Tensor, log_policy: Tensor, temperature: Tensor | float,
               mask_choice: Tensor) -> Tensor:
    """(b, T) V = Σ π (Q - α log π): Christodoulou 2019, equation 10; 0 where nothing is valid.

    :param q_min: (b, T, c) the lesser of two critics (Fujimoto et al. 2018, equation 10)
    :param log_policy: (b, T, c); :param mask_choice: (b, T, c); :param temperature: α
    """
    q_min = q_min.masked_fill(~mask_choice, 0.0)                # then π (Q - α log π) is 1 · 0
    log_policy = log_policy.masked_fill(~mask_choice, 0.0)
    return (log_policy.exp() * (q_min - temperature * log_policy)).sum(dim=-1)


def next_values(soft_values: Tensor) -> Tensor:
    """(b, T) the value one step later; 0 at the end, where a target must not ask for it."""
    return F.pad(soft_values[:, 1:], (0, 1))


def soft_q_target(reward: Tensor, next_soft_value: Tensor, is_last: Tensor,
                  discount: float) -> Tensor:
    """(b, T) r + γ V(s'), without V where the decision ended the episode; no gradient.

    Christodoulou 2019, equation 4 (Haarnoja et al. 2018, equation 2), V' by the target critics.

    :param reward: (b, T); :param next_soft_value: (b, T); :param is_last: (b, T) bool
    """
    return (reward + discount * next_soft_value.masked_fill(is_last, 0.0)).detach()


def critic_loss(q_taken: Sequence[Tensor], target: Tensor, mask: Tensor) -> Tensor:
    """Mean of (Q - target)² over decisions and critics; draws each Q to the target.

    Christodoulou 2019, equation 4, but for its factor ½.  The target has no gradient.

    :param q_taken: (b, T) of the action taken, by each critic; :param target: (b, T)
    """
    target = target.detach()
    errors = [(q - target).masked_fill(~mask, 0.0) for q in q_taken]
    return torch.stack([masked_mean(error ** 2, mask) for error in errors]).mean()


def soft_policy_loss(q_min: Tensor, log_policy: Tensor, temperature: Tensor | float,
                     mask_choice: Tensor, mask_step: Tensor) -> Tensor:
    """E[Σ π (α log π - Q)]: falls as π prefers what is worth more, or is more even.

    Christodoulou 2019, equation 12; it is -V.  No gradient to Q nor to the temperature.

    :param q_min: (b, T, c); :param log_policy: (b, T, c); :param mask_choice: (b, T, c)
    :param mask_step: (b, T); :param temperature: α
    """
    if isinstance(temperature, Tensor):
        temperature = temperature.detach()
    mask_choice = mask_choice & mask_step[..., None]
    return masked_mean(-soft_value(q_min.detach(), log_policy, temperature, mask_choice),
                       mask_step)


def target_entropy(mask_choice: Tensor, ratio: float) -> Tensor:
    """(b, T) ratio · log(number of choices) in nats; 0 where there are none.

    Christodoulou 2019 takes 0.98 log |A|, the same everywhere; here places have different |A|.
    """
    return ratio * mask_choice.sum(dim=-1).clamp(min=1).float().log()


def temperature_loss(log_temperature: Tensor, log_policy: Tensor, mask_choice: Tensor,
                     mask_step: Tensor, ratio: float) -> Tensor:
    """E[α (H(π) - H̄)]: lowering it raises α where the entropy H is below its target H̄.

    Christodoulou 2019, equation 11, whose -α (log π + H̄) it is once π sums to 1, descended in
    log α, which keeps α positive.  H̄ is `target_entropy`.  No gradient to the policy.

    :param log_temperature: () log α; :param log_policy: (b, T, c); :param mask_choice: (b, T, c)
    :param mask_step: (b, T); :param ratio: target, as a share of the most that is possible
    """
    above = entropy(log_policy.detach(), mask_choice) - target_entropy(mask_choice, ratio)
    return log_temperature.exp() * masked_mean(above, mask_step)


# ---- the goal generator

def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """(b,) KL(N(μ, σ²) ‖ N(0, 1)) = ½ Σ (μ² + σ² - 1 - log σ²) in nats; at least 0.

    Kingma & Welling 2014, appendix B.

    :param mean: (b, d); :param log_variance: (b, d) log σ²
    """
    return 0.5 * (mean ** 2 + log_variance.exp() - 1 - log_variance).sum(dim=-1)


def kl_weight_at(update: int, begin: int, end: int, most: float) -> float:
    """0 until `begin`, then linearly up to `most` at `end`, and so on.

    KL cost annealing: Bowman et al. 2016, section 3.1, where the rise is a sigmoid.
    """
    if end <= begin:
        return most if update >= end else 0.0
    return most * min(max((update - begin) / (end - begin), 0.0), 1.0)


def drop_words(ids: Tensor, rate: float, unknown_id: int, mask: Tensor,
               generator: torch.Generator | None = None) -> Tensor:
    """(b, t) the ids, each with probability `rate` replaced by that of the unknown word.

    Word dropout of what the decoder reads: Bowman et al. 2016, section 3.1.

    :param ids: (b, t); :param mask: (b, t) which may be dropped, so not the mark of the beginning
    """
    drawn = torch.rand(ids.shape, generator=generator, device=ids.device)
    return ids.masked_fill((drawn < rate) & mask, unknown_id)


def reconstruction_loss(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """-Σ log p(word) of a sentence, mean over sentences that have words: nats per sentence.

    The first term of Kingma & Welling 2014, equation 3; not per word, or the KL weighs too much.

    :param logits: (b, t, v); :param targets: (b, t) ids, anything at padding; :param mask: (b, t)
    """
    nats = F.cross_entropy(logits[mask], targets[mask], reduction='sum')
    return nats / mask.any(dim=1).sum().clamp(min=1)


def elbo_loss(reconstruction: Tensor, kl: Tensor, kl_weight: float = 1.0,
              free_nats: float = 0.0) -> Tensor:
    """Reconstruction + weight · max(free, E[KL]): the negative evidence lower bound in nats.

    Kingma & Welling 2014, equation 3.  KL below `free_nats` is not pushed down: the free bits of
    Kingma et al. 2016 (IAF), equation 15, with all dimensions as their one group.

    :param reconstruction: () nats per sentence; :param kl: (b,) nats
    """
    return reconstruction + kl_weight * kl.mean().clamp(min=free_nats)


# ---- target networks

@torch.no_grad()
def moving_average_(target_net: nn.Module, net: nn.Module, rate: float) -> None:
    """In place θ' ← (1 - rate) θ' + rate θ (Lillicrap et al. 2016, algorithm 1).

    Of buffers, which are not learned, it takes the newest.
    """
    for old, new in zip(target_net.parameters(), net.parameters(), strict=True):
        old.lerp_(new, rate)
    for kept, newest in zip(target_net.buffers(), net.buffers(), strict=True):
        kept.copy_(newest)
