"""Losses and rewards: values and signs by hand, padding, and formulas done twice over."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from nl_robot.learning.losses import (
    airl_logit_expert_is_high,
    airl_reward,
    cloning_loss,
    critic_loss,
    discriminator_loss,
    drop_words,
    elbo_loss,
    entropy,
    gail_reward,
    gaussian_kl,
    kl_weight_at,
    masked_mean,
    moving_average_,
    next_values,
    reconstruction_loss,
    soft_policy_loss,
    soft_q_target,
    soft_value,
    sqil_reward,
    target_entropy,
    temperature_loss,
)

LOG2, LOG3 = math.log(2), math.log(3)
NO = -1e9               # what the walks write where there is no choice
NAN = math.nan


def close(tensor: Tensor, expected: list) -> bool:
    assert tensor.shape == torch.tensor(expected).shape
    return torch.allclose(tensor, torch.tensor(expected, dtype=tensor.dtype), atol=1e-5)


def leaf(values: list) -> Tensor:
    return torch.tensor(values, requires_grad=True)


def stepped(x: Tensor, loss: Tensor, rate: float = 0.1) -> Tensor:
    """Where one gradient step takes x, whose gradients are finite."""
    (gradient,) = torch.autograd.grad(loss, x)
    assert gradient.isfinite().all()
    return (x - rate * gradient).detach()


def test_a_masked_mean_by_hand():
    x, mask = torch.tensor([[1.0, 2.0], [5.0, NAN]]), torch.tensor([[True, True], [True, False]])
    assert masked_mean(x, mask) == pytest.approx(8 / 3)
    weights = torch.tensor([[2.0, 1.0], [1.0, NAN]])
    assert masked_mean(x, mask, weights) == pytest.approx(9 / 4)
    assert masked_mean(x, torch.zeros(2, 2, dtype=torch.bool)) == 0.0
    with pytest.raises(ValueError, match=r'values \(2, 2\), mask \(2, 1\)'):
        masked_mean(x, mask[:, :1])
    with pytest.raises(ValueError, match=r'weights \(2,\)'):
        masked_mean(x, mask, weights[0])


# ---- imitation

def test_cloning_loss_by_hand():
    logits = torch.tensor([[[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]]).log()
    expert = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    valid = torch.ones(1, 2, dtype=torch.bool)
    assert cloning_loss(logits, expert, valid) == pytest.approx(1.5 * LOG2)
    # the stop weighs three times: (3 log 2 + log 4) / 4
    assert cloning_loss(logits, expert, valid, 3.0) == pytest.approx(1.25 * LOG2)
    # two ways as good as each other: ½ log 4 + ½ log 2
    even = torch.tensor([[[0.0, 0.5, 0.5]]])
    assert cloning_loss(logits[:, 1:], even, valid[:, 1:]) == pytest.approx(1.5 * LOG2)
    # half a stop is not more stop than not
    half = torch.tensor([[[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]])
    assert cloning_loss(logits, half, valid, 3.0) == pytest.approx(1.75 * LOG2)


@pytest.mark.parametrize('none', [NO, -math.inf])
def test_cloning_moves_to_the_expert_and_padding_moves_nothing(none: float):
    logits = leaf([[[0.0, 0.0, none], [NAN, NAN, NAN], [none, none, none]]])
    expert = torch.tensor([[[0.0, 1.0, 0.0], [NAN, 0.0, 0.0], [1.0, 0.0, 0.0]]])
    loss = cloning_loss(logits, expert, torch.tensor([[True, False, False]]), 3.0)
    assert loss.item() == pytest.approx(LOG2)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert close(gradient, [[[0.5, -0.5, 0.0], [0.0] * 3, [0.0] * 3]])


def test_the_airl_logit_is_that_of_its_discriminator():
    """D computed as Fu et al. write it, one scalar at a time."""
    rewards = [[-3.0, -0.5, 0.0], [0.7, 1.3, 2.5]]
    policies = [[0.9, 0.5, 0.01], [0.3, 0.999, 0.2]]
    got = airl_logit_expert_is_high(torch.tensor(rewards, dtype=torch.float64),
                                    torch.tensor(policies, dtype=torch.float64).log())
    for b in range(2):
        for t in range(3):
            f, pi = rewards[b][t], policies[b][t]
            d = math.exp(f) / (math.exp(f) + pi)
            assert got[b, t].item() == pytest.approx(math.log(d / (1 - d)), abs=1e-9)
            assert torch.sigmoid(got)[b, t].item() == pytest.approx(d, abs=1e-9)
            assert airl_reward(got)[b, t].item() == pytest.approx(math.log(d) - math.log(1 - d),
                                                                  abs=1e-9)
            assert gail_reward(got)[b, t].item() == pytest.approx(-math.log(1 - d), abs=1e-9)


def test_the_airl_logit_teaches_the_reward_and_not_the_policy():
    reward, log_policy = leaf([[1.0]]), leaf([[-2.0]])      # the less usual, the more expert
    logit = airl_logit_expert_is_high(reward, log_policy)
    assert close(logit, [[3.0]])
    logit.sum().backward()
    assert reward.grad.item() == 1.0 and log_policy.grad is None


def test_discriminator_loss_by_hand():
    odds3, blind = torch.tensor([[LOG3, 0.0]]), torch.zeros(1, 2)       # D = 3/4, 1/2
    one = torch.tensor([[True, False]])
    assert discriminator_loss(blind, one, blind, one) == pytest.approx(LOG2)
    # -(log ¾ + log(1 - ¾)) / 2; then right on both sides, -log ¾
    assert discriminator_loss(odds3, one, odds3, one) == pytest.approx(2 * LOG2 - LOG3 / 2)
    assert discriminator_loss(odds3, one, -odds3, one) == pytest.approx(2 * LOG2 - LOG3)


def test_each_side_of_the_discriminator_weighs_half():
    few, many = torch.tensor([[LOG3]]), torch.full((5, 4), LOG3)
    loss = discriminator_loss(few, few > 0, many, many > 0)
    assert loss == pytest.approx((4 * LOG2 - LOG3) / 2)
    nothing = torch.zeros(1, 1, dtype=torch.bool)
    assert discriminator_loss(few, nothing, many, many > 0) == pytest.approx(LOG2)


def test_weights_of_the_discriminator_are_within_a_side():
    positive = torch.tensor([[LOG3, LOG3], [0.0, NAN]])
    mask = torch.tensor([[True, True], [True, False]])
    sure, unsure = 2 * LOG2 - LOG3, LOG2            # -log ¾, -log ½
    none = torch.zeros(1, 1, dtype=torch.bool)
    for weight in (torch.tensor([1.0, 4.0]), torch.tensor([[1.0, 1.0], [4.0, 4.0]])):
        loss = discriminator_loss(positive, mask, torch.zeros(1, 1), none, weight_positive=weight)
        assert loss == pytest.approx((2 * sure + 4 * unsure) / 6 / 2)
        loss = discriminator_loss(torch.zeros(1, 1), none, -positive, mask, weight_negative=weight)
        assert loss == pytest.approx((2 * sure + 4 * unsure) / 6 / 2)


def test_the_discriminator_parts_the_sides_and_padding_moves_nothing():
    positive, negative = leaf([[0.0, NAN]]), leaf([[0.0, NAN]])
    mask = torch.tensor([[True, False]])
    loss = discriminator_loss(positive, mask, negative, mask)
    loss.backward()
    assert close(positive.grad, [[-0.25, 0.0]])     # a step down the gradient raises it
    assert close(negative.grad, [[0.25, 0.0]])


# ---- rewards

def test_rewards_by_hand():
    logit = leaf([[0.0, LOG3]])                      # D = 1/2, 3/4
    assert close(gail_reward(logit), [[LOG2, 2 * LOG2]])
    assert close(airl_reward(logit), [[0.0, LOG3]])
    extreme = leaf([[-50.0, -1.0, 0.0, 1.0, 200.0]])
    for reward in (gail_reward(extreme), airl_reward(extreme)):
        assert not reward.requires_grad
        assert reward.isfinite().all() and (reward.diff() > 0).all()


def test_sqil_pays_for_what_the_expert_did():
    mask = torch.tensor([[True, True, False], [True, True, True]])
    assert close(sqil_reward(torch.tensor([True, False]), mask), [[1.0, 1.0, 0.0], [0.0] * 3])


# ---- soft actor-critic for discrete choices

CHOICES = torch.tensor([[[True, True, False], [True, True, True], [False, False, False]]])


def some_policy(requires_grad: bool = False) -> Tensor:
    """Probabilities [½, ½], [½, ¼, ¼] and padding, as log_softmax of masked logits gives."""
    logits = torch.tensor([[[0.0, 0.0, NO], [LOG2, 0.0, 0.0], [NO, NO, NO]]])
    return torch.log_softmax(logits, dim=-1).requires_grad_(requires_grad)


def test_entropy_and_its_target_by_hand():
    assert close(entropy(some_policy(), CHOICES), [[LOG2, 1.5 * LOG2, 0.0]])
    assert close(target_entropy(CHOICES, 0.5), [[0.5 * LOG2, 0.5 * LOG3, 0.0]])


@pytest.mark.parametrize('nothing', [0.0, NO, -math.inf, math.inf, NAN])
def test_soft_value_by_hand_whatever_lies_where_there_is_no_choice(nothing: float):
    q = torch.tensor([[[1.0, 3.0, nothing], [4.0, 0.0, 8.0], [nothing] * 3]], requires_grad=True)
    log_policy = some_policy().masked_fill(~CHOICES, nothing).requires_grad_()
    value = soft_value(q, log_policy, 0.5, CHOICES)
    # ½·1 + ½·3 + ½ log 2;  ½·4 + ¼·8 + ½ · 1.5 log 2
    assert close(value, [[2 + 0.5 * LOG2, 4 + 0.75 * LOG2, 0.0]])
    value.sum().backward()
    assert close(q.grad, [[[0.5, 0.5, 0.0], [0.5, 0.25, 0.25], [0.0] * 3]])
    assert log_policy.grad.isfinite().all()
    assert (log_policy.grad[~CHOICES] == 0).all()


def test_values_move_up_by_one_step():
    assert close(next_values(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])),
                 [[2.0, 3.0, 0.0], [5.0, 6.0, 0.0]])


def test_soft_q_target_by_hand():
    target = soft_q_target(torch.tensor([[1.0, 1.0]]), leaf([[10.0, NAN]]),
                           torch.tensor([[False, True]]), 0.9)
    assert close(target, [[10.0, 1.0]]) and not target.requires_grad


def test_the_soft_target_is_the_explicit_sum():
    """The whole target again, in plain numbers, from probabilities and a list of choices."""
    generator = torch.Generator().manual_seed(3)
    b, t, c, alpha, gamma = 3, 5, 4, 0.3, 0.95
    lengths, counts = [5, 3, 1], torch.randint(1, c + 1, (b, t), generator=generator)
    q1, q2, logits = (torch.randn(b, t, c, generator=generator, dtype=torch.float64)
                      for _ in range(3))
    reward = torch.randn(b, t, generator=generator, dtype=torch.float64)
    steps = torch.arange(t) < torch.tensor(lengths)[:, None]
    choices = (torch.arange(c) < counts[..., None]) & steps[..., None]
    is_last = torch.arange(t) == torch.tensor(lengths)[:, None] - 1
    log_policy = torch.log_softmax(logits.masked_fill(~choices, NO), dim=-1)
    got = soft_q_target(reward, next_values(soft_value(torch.minimum(q1, q2), log_policy, alpha,
                                                       choices)), is_last, gamma)
    for i in range(b):
        for j in range(lengths[i]):
            expected = reward[i, j].item()
            if j < lengths[i] - 1:
                n = int(counts[i, j + 1])
                weights = [math.exp(logits[i, j + 1, k].item()) for k in range(n)]
                for k in range(n):
                    p = weights[k] / sum(weights)
                    q = min(q1[i, j + 1, k].item(), q2[i, j + 1, k].item())
                    expected += gamma * p * (q - alpha * math.log(p))
            assert got[i, j].item() == pytest.approx(expected, abs=1e-9)


def test_critics_are_drawn_to_the_target_which_stays():
    first, second, target = (leaf([row]) for row in ([1.0, 3.0, NAN], [2.0, 0.0, 7.0],
                                                     [2.0, 2.0, NAN]))
    mask = torch.tensor([[True, True, False]])
    loss = critic_loss((first, second), target, mask)
    assert loss.item() == pytest.approx(((1 + 1) / 2 + (0 + 4) / 2) / 2)
    loss.backward()
    assert target.grad is None
    assert close(first.grad, [[-0.5, 0.5, 0.0]])
    assert close(second.grad, [[0.0, -1.0, 0.0]])


def test_soft_policy_loss_by_hand():
    q = leaf([[[1.0, 3.0, 0.0], [4.0, 0.0, 8.0], [NAN] * 3]])
    alpha = torch.tensor(0.5, requires_grad=True)
    log_policy = some_policy(requires_grad=True)
    steps = CHOICES.any(dim=-1)
    loss = soft_policy_loss(q, log_policy, alpha, CHOICES, steps)
    assert loss.item() == pytest.approx(-(2 + 0.5 * LOG2 + 4 + 0.75 * LOG2) / 2)
    loss.backward()
    assert q.grad is None and alpha.grad is None
    assert log_policy.grad.isfinite().all()
    first = torch.tensor([[True, False, False]])
    assert soft_policy_loss(q, log_policy, 0.5, CHOICES, first).item() \
        == pytest.approx(-(2 + 0.5 * LOG2))


def test_padded_steps_do_not_reach_the_policy_even_with_choices():
    log_policy = leaf([[[-LOG2, -LOG2], [NAN, NAN]]])
    loss = soft_policy_loss(torch.zeros(1, 2, 2), log_policy, 1.0, torch.ones(1, 2, 2).bool(),
                            torch.tensor([[True, False]]))
    assert loss.item() == pytest.approx(-LOG2)
    (gradient,) = torch.autograd.grad(loss, log_policy)
    assert gradient.isfinite().all() and (gradient[:, 1] == 0).all()


@pytest.mark.parametrize('logit, q, alpha, expected', [
    (0.0, 1.0, 0.1, 0.25),                      # p₁' (Q₁ - Q₀) = ½ · ½ · 1
    (-LOG3, 0.0, 1.0, 3 / 16 * LOG3),           # all alike: towards evenness, ¼ · ¾ · log 3
    (2.0, 1.0, 0.5, 0.0),                       # π ∝ exp(Q / α): nothing to be gained
])
def test_the_soft_policy_goes_where_q_is_higher_and_else_to_evenness(logit, q, alpha, expected):
    logits = leaf([[[0.0, logit, NO]]])
    loss = soft_policy_loss(torch.tensor([[[0.0, q, 100.0]]]), torch.log_softmax(logits, dim=-1),
                            alpha, torch.tensor([[[True, True, False]]]), torch.tensor([[True]]))
    assert close(stepped(logits, loss, 1.0)[..., :2] - logits[..., :2],
                 [[[-expected, expected]]])


def test_temperature_loss_by_hand():
    log_alpha = torch.tensor(math.log(0.5), requires_grad=True)
    log_policy = some_policy(requires_grad=True)
    # entropies log 2 and 1.5 log 2; targets half of log 2 and of log 3
    expected = 0.5 * (2.5 * LOG2 - 0.5 * LOG2 - 0.5 * LOG3) / 2
    loss = temperature_loss(log_alpha, log_policy, CHOICES, CHOICES.any(dim=-1), 0.5)
    assert loss.item() == pytest.approx(expected)
    loss.backward()
    assert log_policy.grad is None
    assert log_alpha.grad.item() == pytest.approx(expected)


@pytest.mark.parametrize('ratio, rises', [(1.0, True), (0.9, False)])   # log 2 and .95 log 3 now
def test_the_temperature_rises_while_the_entropy_is_below_its_target(ratio: float, rises: bool):
    log_alpha = torch.tensor(-1.0, requires_grad=True)
    log_policy = some_policy().masked_fill(~CHOICES, NAN)
    loss = temperature_loss(log_alpha, log_policy, CHOICES, CHOICES.any(dim=-1), ratio)
    assert (stepped(log_alpha, loss).item() > -1.0) is rises


# ---- the goal generator

def test_gaussian_kl_by_hand():
    mean = torch.tensor([[0.0, 0.0], [1.0, -2.0], [0.0, 0.0]])
    log_variance = torch.tensor([[0.0, 0.0], [0.0, 0.0], [LOG2, -LOG2]])
    # ½ (1 + 4);  ½ (2 - 1 - log 2 + ½ - 1 + log 2)
    assert close(gaussian_kl(mean, log_variance), [0.0, 2.5, 0.25])


def test_gaussian_kl_is_that_of_torch():
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 6, 4, generator=generator)
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(
        normal(mean, (log_variance / 2).exp()), normal(0.0, 1.0)).sum(dim=1)
    assert torch.allclose(gaussian_kl(mean, log_variance), expected, atol=1e-5)


def test_kl_draws_to_the_standard_normal():
    mean, log_variance = leaf([[2.0]]), leaf([[-1.0]])
    assert stepped(mean, gaussian_kl(mean, log_variance).sum()) < 2.0
    assert stepped(log_variance, gaussian_kl(mean, log_variance).sum()) > -1.0


def test_the_weight_of_kl_rises_linearly():
    assert [kl_weight_at(u, 100, 300, 0.5) for u in (0, 100, 200, 250, 300, 999)] \
        == pytest.approx([0, 0, 0.25, 0.375, 0.5, 0.5])
    assert [kl_weight_at(u, 5, 5, 0.5) for u in (4, 5)] == [0.0, 0.5]


def test_words_are_dropped_at_their_rate_where_they_may_be():
    ids = torch.arange(10, 20).repeat(1000, 1)
    mask = torch.arange(10).repeat(1000, 1) > 0         # not the mark of the beginning
    dropped = drop_words(ids, 0.3, 1, mask, torch.Generator().manual_seed(0))
    assert (dropped[:, 0] == 10).all()
    gone = dropped[:, 1:] == 1
    assert gone.float().mean().item() == pytest.approx(0.3, abs=0.015)
    assert (dropped[:, 1:][~gone] == ids[:, 1:][~gone]).all()
    assert (ids[:, 1] == 11).all()                      # the words given are as they were
    assert torch.equal(dropped, drop_words(ids, 0.3, 1, mask, torch.Generator().manual_seed(0)))
    assert torch.equal(drop_words(ids, 0.0, 1, mask), ids)
    assert (drop_words(ids, 1.0, 1, mask)[:, 1:] == 1).all()


def test_reconstruction_is_counted_per_sentence():
    logits = torch.tensor([[[0.5, 0.5], [0.25, 0.75]], [[0.125, 0.875], [NAN, NAN]],
                           [[NAN, NAN], [NAN, NAN]]]).log().requires_grad_()
    targets = torch.tensor([[0, 0], [0, -7], [-7, 999]])
    mask = torch.tensor([[True, True], [True, False], [False, False]])
    loss = reconstruction_loss(logits, targets, mask)
    assert loss.item() == pytest.approx(((1 + 2) + 3) * LOG2 / 2)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert (gradient[~mask] == 0).all()
    assert (gradient[mask][:, 0] < 0).all()             # a step makes the words more probable
    assert close(gradient[0, 0], [-0.25, 0.25])         # (p - 1) / 2 sentences
    assert reconstruction_loss(logits, targets, torch.zeros_like(mask)) == 0.0


def test_elbo_by_hand():
    reconstruction, kl = torch.tensor(7.0), torch.tensor([1.0, 3.0])
    assert elbo_loss(reconstruction, kl) == pytest.approx(9.0)
    assert elbo_loss(reconstruction, kl, kl_weight=0.25) == pytest.approx(7.5)
    assert elbo_loss(reconstruction, kl, kl_weight=0.5, free_nats=4.0) == pytest.approx(9.0)
    assert elbo_loss(reconstruction, kl, kl_weight=0.5, free_nats=1.5) == pytest.approx(8.0)


def test_free_nats_are_not_pushed_down():
    for free, gradient in ((4.0, 0.0), (1.0, 0.25)):    # 0.25 = weight ½ of a mean over two rows
        kl = leaf([1.0, 3.0])
        elbo_loss(torch.tensor(7.0), kl, 0.5, free).backward()
        assert close(kl.grad, [gradient, gradient])


# ---- target networks

def test_the_target_network_follows_slowly():
    slow, fast = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    with torch.no_grad():
        slow.weight.fill_(1.0)
        fast.weight.copy_(torch.tensor([3.0, -1.0]))
    fast.running_mean.fill_(5.0)
    fast.num_batches_tracked.fill_(4)
    moving_average_(slow, fast, 0.25)
    assert close(slow.weight.detach(), [1.5, 0.5])
    assert close(fast.weight.detach(), [3.0, -1.0])
    assert close(slow.running_mean, [5.0, 5.0]) and slow.num_batches_tracked == 4
    moving_average_(slow, fast, 1.0)
    assert torch.equal(slow.weight, fast.weight) and slow.weight is not fast.weight
    with pytest.raises(ValueError):
        moving_average_(nn.Linear(2, 2), nn.Linear(2, 2, bias=False), 0.5)
