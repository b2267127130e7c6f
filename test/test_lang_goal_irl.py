"""The method, its rivals and its ablations on stars of four things: what each learns, and how."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
import torch
from fake_encoder import FakeEncoder
from tiny_graph import star, task_in

from nl_robot.learning import lang_goal_irl as room
from nl_robot.learning.arena import Arena
from nl_robot.learning.goal_writing import WritingSettings
from nl_robot.learning.lang_goal_irl import LangGoalIRL, taken
from nl_robot.learning.learner_state import put_back, state_of
from nl_robot.learning.methods import METHODS, LearningSettings
from nl_robot.learning.replay import replay
from nl_robot.learning.resume import load_state, save_state
from nl_robot.learning.sensor_noise import SensorNoise
from nl_robot.learning.walks import expert_walks, greedy_results, walk
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.words import Vocabulary

TINY = NavigatorSettings(text_dim=16, width=24, state=24, heads=2, dropout=0.0)
THINGS = ['sofa', 'fridge', 'bed', 'plant']
ORDERS = list(itertools.permutations(THINGS))
AT_ONCE = LearningSettings(batch=16, learning_rate=1e-2, warmup=5, max_steps=4, expert_only=0.0,
                           reward_from=0.0, seek_from=0.0, seek_every=1, generator_share=0.25,
                           generated=12, written_every=1, walked_ahead=1, buffer=24)
WRITING = WritingSettings(batch=8)


def stars(orders, noise: SensorNoise | None = None) -> Arena:
    """The four things in some orders; every one is asked for in each."""
    graphs = [star(list(order)) for order in orders]
    return Arena([task_in(graph, 0, f'go to the {thing}', [1 + graph.labels.index(thing)])
                  for graph in graphs for thing in THINGS], Vocabulary(FakeEncoder()),
                 noise=noise)


def learner(method: str, settings: LearningSettings = AT_ONCE, arena: Arena | None = None,
            seed: int = 0, net: NavigatorSettings = TINY) -> LangGoalIRL:
    return LangGoalIRL(arena or stars(ORDERS[:3]), METHODS[method], net, settings, seed, WRITING)


def success(of: LangGoalIRL, arena: Arena) -> float:
    results = greedy_results(of.policy.net, arena, 4)
    return sum(r.success for r in results) / len(results)


# ---- each method

@pytest.mark.parametrize('method', METHODS)
def test_every_method_goes_on(method):
    made = learner(method)
    rows = [made.advance(spent) for spent in (0.0, 0.3, 0.6, 0.9)]
    assert made.update == 4
    assert all(math.isfinite(value) for row in rows for value in row.values())
    assert all(torch.isfinite(value).all() for part in made.weights().values()
               for value in part.values())
    names = set().union(*rows)
    what = METHODS[method]
    assert 'imitation' in names
    assert ('critic' in names) == bool(what.adversary)
    assert ('discriminator' in names) == (what.adversary in ('airl', 'gail'))
    assert ('writing' in rows[0]) == ('imitation_written' in rows[-1]) == what.generator
    assert ('imitation' in rows[0]) == (not what.generator)
    assert set(made.weights()) == {'policy'} | (
        {'reward'} if what.adversary in ('airl', 'gail') else set()) | (
        {'goal_generator'} if what.generator else set())
    assert made.policy.net.settings.sightings == (method != 'blind')


@pytest.mark.parametrize('method', ['cloning', 'sqil', 'gail', 'no-generator', 'lang-goal-irl'])
def test_all_that_learns_moves(method):
    made = learner(method)
    before = {name: {key: value.clone() for key, value in part.net.state_dict().items()}
              for name, part in made.parts().items()}
    for spent in (0.0, 0.5, 0.9):
        made.advance(spent)
    for name, part in made.parts().items():
        moved = [not torch.equal(value, before[name][key])
                 for key, value in part.net.state_dict().items()]
        assert sum(moved) > len(moved) / 2, name


def test_until_their_time_reward_and_seeking_wait():
    settings = replace(AT_ONCE, reward_from=0.5, seek_from=0.75, seek_every=2)
    made = learner('no-generator', settings)
    reward = {key: value.clone() for key, value in made.reward.net.state_dict().items()}
    assert set(made.advance(0.0)) == set(made.advance(0.4)) == {'imitation'}
    assert all(torch.equal(value, reward[key])
               for key, value in made.reward.net.state_dict().items())
    assert 'discriminator' in made.advance(0.5)
    assert set(made.advance(0.6)) == {'imitation'}      # every second update only


def test_seeking_the_reward_moves_the_policy_only_from_its_time_on():
    ends = []
    for seek_from, weight in ((1.0, 0.1), (1.0, 50.0), (0.0, 50.0)):
        made = learner('airl', replace(AT_ONCE, seek_from=seek_from, seek_weight=weight))
        made.advance(0.0)
        ends.append(made.policy.net.score.weight.clone())
    assert torch.equal(ends[0], ends[1]) and not torch.equal(ends[1], ends[2])


def test_who_never_seeks_the_reward_learns_it_without_critics():
    made = learner('airl', replace(AT_ONCE, seek_from=2.0))
    assert made.critics is None and 'critics' not in made.parts()
    assert set(made.advance(0.5)) == {'imitation', 'discriminator', 'logit_expert',
                                      'logit_negative'}


def test_reward_and_critics_begin_as_the_policy():
    made = learner('no-generator', replace(AT_ONCE, reward_from=0.5, warmup=10 ** 9))
    made.advance(0.0)
    fresh = made.reward.net.score.weight.clone()
    policy = made.policy.net.score.weight.clone()
    assert not torch.allclose(fresh, policy, atol=1e-3)
    made.advance(0.5)       # at a rate of next to nothing
    reward, critics = made.reward.net, made.critics.net
    torch.testing.assert_close(reward.score.weight, policy, atol=1e-5, rtol=0)
    torch.testing.assert_close(reward.cell.weight_hh, made.policy.net.cell.weight_hh,
                               atol=1e-5, rtol=0)
    first, second = critics.score.weight
    torch.testing.assert_close(first[None], policy, atol=1e-5, rtol=0)
    assert not torch.allclose(first, second, atol=1e-4)     # two critics of one mind were one
    torch.testing.assert_close(second, first, atol=0, rtol=0.6)
    torch.testing.assert_close(made.targets.score.weight, critics.score.weight, atol=1e-5, rtol=0)
    with torch.no_grad():
        reward.score.weight.zero_()
    made.advance(0.6)                                       # only once
    assert reward.score.weight.abs().max() < 1e-4


def test_written_goals_are_imitated_now_and_then():
    made = learner('no-relabelling', replace(AT_ONCE, written_every=3))
    rows = [made.advance(spent) for spent in (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)]
    assert ['imitation_written' in row for row in rows] == [False, False, False, True, False,
                                                            False, True]


def test_the_explorer_does_not_hear():
    made = learner('cloning', replace(AT_ONCE, explorer_every=2))
    assert 'exploring' in made.advance(0.0) and 'exploring' not in made.advance(0.1)
    assert set(made.weights()) == {'policy', 'explorer'}


def test_the_learning_rate_rises_and_falls():
    made = learner('cloning', replace(AT_ONCE, learning_rate=2.0, warmup=10))
    rates = []
    for update, progress in ((0, 0.0), (4, 0.0), (9, 0.0), (99, 0.5), (99, 1.0), (99, 1.5)):
        made.update, made.progress = update, progress
        rates.append(made.rate())
    assert rates == pytest.approx([0.2, 1.0, 2.0, 1.02, 0.04, 0.04])


def test_half_of_the_episodes_are_walked_by_the_learner_once_it_may():
    made = learner('dagger', replace(AT_ONCE, expert_only=0.5, own_share=0.8))
    made.progress = 0.4
    assert made._own_share().tolist() == [0.0] * 16
    made.progress = 0.5
    share = made._own_share()
    assert (share[:8] > 0).all() and (share < 0.8).all() and share[8:].tolist() == [0.0] * 8
    made = learner('cloning', replace(AT_ONCE, expert_only=0.0))
    assert made._own_share().tolist() == [0.0] * 16     # it has no teacher


def test_the_buffer_keeps_the_latest():
    made = learner('airl')
    made.advance(0.0)
    first = made.sampled
    for spent in (0.1, 0.2, 0.3):
        made.advance(spent)
    assert len(first) == 8 and len(made.sampled) == 24      # of 32 that were walked
    before = made.sampled
    made.advance(0.4)
    assert torch.equal(made.sampled.tasks[:16], before.tasks[8:])


# ---- what they learn

QUICK = replace(AT_ONCE, batch=32, expert_only=0.3, stop_weight=1.0)


@pytest.fixture(scope='module')
def cloned() -> LangGoalIRL:
    """A policy that learned on half of the orders."""
    made = learner('cloning', QUICK, stars(ORDERS[::2]))
    for update in range(150):
        made.advance(update / 150)
    return made


def test_cloning_learns_to_go_where_it_is_told_in_orders_never_seen(cloned):
    unseen = stars(ORDERS[1::2])
    assert success(learner('cloning', QUICK), unseen) < 0.5
    assert success(cloned, cloned.arena) == 1.0
    assert success(cloned, unseen) > 0.9


def test_a_blind_one_cannot():
    made = learner('blind', QUICK, stars(ORDERS[::2]))
    for update in range(60):
        made.advance(update / 60)
    assert success(made, made.arena) < 0.5


def test_with_the_sign_flipped_it_learns_nothing(monkeypatch):
    right = room.losses.cloning_loss
    monkeypatch.setattr(room.losses, 'cloning_loss', lambda *given: -right(*given))
    made = learner('cloning', QUICK, stars(ORDERS[::2]))
    for update in range(20):
        made.advance(update / 20)
    assert success(made, made.arena) < 0.3


def test_the_reward_learns_to_prefer_what_experts_do_to_wrong_goals():
    made = learner('no-generator', replace(QUICK, batch=24, seek_weight=0.0), stars(ORDERS[::3]))
    for update in range(60):
        row = made.advance(update / 60)
    assert row['logit_expert'] > row['logit_negative'] + 1
    experts = expert_walks(made.arena, torch.arange(len(made.arena.tasks)), 4)
    numbers = []
    for walks in (experts, experts.with_goals(experts.goals.roll(1))):
        with torch.no_grad():
            said = taken(replay(made.reward.net, made.arena, walks).outputs[..., 0], walks)
        last = walks.mask_is_valid.sum(dim=1) - 1
        numbers.append(said[torch.arange(len(walks)), last])
    right, wrong = numbers
    assert (right > wrong).float().mean() > 0.9         # of stopping where it was told to


# ---- what is told to the reward

def hand_walks(made: LangGoalIRL):
    """Two walks to the first thing of the first star: one arrives, one stops at once."""
    script = [[1, 0], [0]]
    return walk(made.policy.net, made.arena, torch.tensor([0, 0]), lambda now: torch.tensor(
        [script[int(row)][now.step] for row in now.rows]), max_steps=2).walks


@pytest.mark.parametrize(('method', 'positive', 'negative'), [
    # what failed; and what arrived is as good as an expert's
    ('no-generator', [[True, True], [False, False]], [[False, False], [True, False]]),
    # whatever the policy did
    ('airl', [[False, False]] * 2, [[True, True], [True, False]])])
def test_which_decisions_are_negative(method, positive, negative, monkeypatch):
    made = learner(method)
    walks = hand_walks(made)
    seen = []

    def loss(positive, mask_positive, negative, mask_negative, *weights):
        seen.append((mask_positive.tolist(), mask_negative.tolist()))
        # stopping counts three times: at the second step of the first, at once by the second
        assert all(weight.tolist() == [[1, 3], [3, 3]] for weight in weights) and len(weights) == 2
        return (positive * mask_positive).sum() * 0
    monkeypatch.setattr(room.losses, 'discriminator_loss', loss)
    kind = {name: torch.full((2,), name == 'sampled')
            for name in ('expert', 'sampled', 'wrong', 'generated')}
    made._learn_reward(walks, kind, torch.zeros(2, 2))
    assert seen == [(positive, negative)]
    made._learn_reward(walks, kind | {'expert': kind['sampled'], 'sampled': kind['expert']},
                       torch.zeros(2, 2))
    assert seen[1] == ([[True, True], [True, False]], [[False, False]] * 2)


def test_sqil_pays_one_for_what_experts_did():
    made = learner('sqil')
    kind = {'expert': torch.tensor([True, False])}
    rewards, row = made._learn_reward(hand_walks(made), kind, torch.zeros(2, 2))
    assert rewards.tolist() == [[1, 1], [0, 0]] and row == {}


@pytest.mark.parametrize(('method', 'rewards'), [
    # at a discount of 0.9 what stops with 1 earns 1 + 0.9 + 0.81 + … = 10
    ('gail', [[1, 10], [10, 1]]), ('sqil', [[1, 10], [10, 1]]), ('airl', [[1, 1], [1, 1]])])
def test_rewards_that_cannot_be_negative_last_after_a_stop(method, rewards):
    made = learner(method, replace(AT_ONCE, discount=0.9))
    found = made._at_the_end(torch.ones(2, 2), hand_walks(made))
    assert torch.allclose(found, torch.tensor(rewards, dtype=torch.float32))


# ---- going on

def tensors_of(made: LangGoalIRL) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in state_of(made)[0].items()}


SPENT = (0.0, 0.4, 0.7, 0.9)


@pytest.mark.parametrize('method', ['cloning', 'dagger', 'sqil', 'gail', 'airl', 'no-generator',
                                    'no-relabelling', 'lang-goal-irl'])
@pytest.mark.parametrize('after', [1, 3])
def test_a_resumed_run_ends_where_an_uninterrupted_one_does(method, after, tmp_path):
    net, noise = replace(TINY, dropout=0.3), SensorNoise()
    whole, half, rest = (learner(method, arena=stars(ORDERS[:3], noise), net=net)
                         for _ in range(3))
    for spent in SPENT:
        whole.advance(spent)
    for spent in SPENT[:after]:
        half.advance(spent)
    tensors, notes = state_of(half)
    save_state(tmp_path, tensors, {'a': 1}, notes)
    put_back(rest, *load_state(tmp_path, {'a': 1}))
    assert rest.update == after
    for spent in SPENT[after:]:
        rest.advance(spent)
    assert state_of(whole)[1] == state_of(rest)[1]
    expected, found = tensors_of(whole), tensors_of(rest)
    assert expected.keys() == found.keys()
    assert [key for key in expected if not torch.equal(expected[key], found[key])] == []


def test_another_seed_ends_elsewhere():
    ends = []
    for seed in (5, 5, 6):
        made = learner('dagger', seed=seed)
        made.advance(0.5)
        ends.append(tensors_of(made))
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    assert any(not torch.equal(ends[0][name], ends[2][name]) for name in ends[0])


def test_who_goes_on_from_a_checkpoint_begins_with_critics_of_its_policy():
    # critics are in no checkpoint: random ones would lead the policy away from what it knows
    first, second = learner('no-generator'), learner('no-generator', seed=1)
    first.reward.net.load_state_dict(learner('no-generator', seed=2).reward.net.state_dict())
    second.begin_with(first.weights())
    policy, reward = first.policy.net.state_dict(), first.reward.net.state_dict()
    for name, value in second.critics.net.state_dict().items():
        assert torch.equal(value[:len(policy[name])], policy[name])     # the first of the twins
        assert torch.equal(second.targets.state_dict()[name], value)
    assert all(torch.equal(value, reward[name])
               for name, value in second.reward.net.state_dict().items())
