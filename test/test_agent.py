"""The agent: what it decides on, what it remembers, and which checkpoints it refuses."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from fake_encoder import FakeEncoder

from nl_robot.agent import Acting, Agent
from nl_robot.checkpoint import Checkpoint, CheckpointError, save_checkpoint
from nl_robot.datatypes import Observation, Pose, Sighting, Waypoint
from nl_robot.nets.policy import Policy, PolicySettings

TINY = PolicySettings(text_dim=16, width=16, heads=2, layers=1, dropout=0.5)
WAYS = tuple(Waypoint(k - 1.0, 1.5) for k in range(3))
VIEW = Observation((Sighting('red sofa', 0.3, distance=2.0), Sighting('door', -1.0)), WAYS,
                   Pose(1.0, 2.0, 0.5))


def tiny_policy(**biases: float) -> Policy:
    torch.manual_seed(1)
    policy = Policy(TINY)
    for name, value in biases.items():
        torch.nn.init.constant_(getattr(policy, name).bias, value)
    return policy


@pytest.fixture()
def agent() -> Agent:
    made = Agent(tiny_policy(), FakeEncoder())
    made.set_goal('go to the red sofa')
    return made


def test_a_decision_has_a_probability_for_each_waypoint_and_stop(agent):
    decision = agent.decide(VIEW)
    assert len(decision.probabilities) == 4
    assert sum(decision.probabilities) == pytest.approx(1.0, abs=1e-6)
    best = max(range(4), key=decision.probabilities.__getitem__)
    assert decision.waypoint_index == (None if best == 3 else best)
    assert decision.probability == decision.probabilities[best]


def test_stop_comes_last():
    agent = Agent(tiny_policy(stop=50.0), FakeEncoder())
    agent.set_goal('stop')
    decision = agent.decide(VIEW)
    assert decision.is_stop and decision.probabilities[3] == pytest.approx(1.0)


def test_waypoints_beyond_what_the_policy_reads_are_never_chosen():
    agent = Agent(tiny_policy(stop=-50.0), FakeEncoder())
    agent.set_goal('go')
    many = dataclasses.replace(VIEW, waypoints=tuple(Waypoint(0.1 * k, 1.0) for k in range(20)))
    decision = agent.decide(many)
    assert len(decision.probabilities) == 21
    assert decision.probabilities[14:20] == (0.0,) * 6 and decision.waypoint_index < 14


def test_nowhere_to_go_is_a_stop(agent):
    decision = agent.decide(Observation((), (), Pose(0, 0, 0)))
    assert decision.is_stop and decision.probabilities == (1.0,)


def test_without_a_goal_it_does_not_act():
    with pytest.raises(RuntimeError, match='call set_goal first'):
        Agent(tiny_policy(), FakeEncoder()).decide(VIEW)


def test_a_new_goal_begins_a_new_episode(agent):
    first = agent.decide(VIEW)
    moved = dataclasses.replace(VIEW, sightings=(), pose=Pose(2.0, 2.0, 0.0))
    second = agent.decide(moved)
    agent.set_goal('go to the red sofa')
    assert agent.arrived() is None
    assert agent.decide(VIEW).probabilities == first.probabilities
    agent.set_goal('go to the red sofa')
    assert agent.decide(moved).probabilities != second.probabilities    # it had a past before


def test_decisions_do_not_drop_out(agent):
    before = agent.decide(VIEW).probabilities
    agent.set_goal('go to the red sofa')
    assert agent.decide(VIEW).probabilities == before


@pytest.mark.parametrize(('bias', 'low', 'high'), [(-30.0, 0.0, 1e-6), (30.0, 1 - 1e-6, 1.0)])
def test_arrived_is_the_policys_own_opinion(bias, low, high):
    agent = Agent(tiny_policy(arrived=bias), FakeEncoder())
    assert agent.arrived() is None
    agent.set_goal('go')
    agent.decide(VIEW)
    assert low <= agent.arrived() <= high


def saved(directory, **change):
    """A checkpoint of the tiny policy with parts of it changed."""
    policy = tiny_policy()
    parts = {'policy': dataclasses.asdict(TINY),
             'text_encoder': {'name': 'fake', 'sha256': FakeEncoder.sha256},
             'weights': {'policy': policy.state_dict()}, **change}
    weights = parts.pop('weights')
    config = parts.pop('config', {key: value for key, value in parts.items() if value is not None})
    save_checkpoint(Checkpoint(config, weights), directory)
    return directory


def test_a_loaded_agent_decides_as_the_saved_one(tmp_path, agent):
    loaded = Agent.load(saved(tmp_path / 'a'), FakeEncoder())
    assert loaded.arrived() is None         # nothing is left of the trial decision
    with pytest.raises(RuntimeError, match='no goal'):
        loaded.decide(VIEW)
    loaded.set_goal('go to the red sofa')
    assert loaded.decide(VIEW).probabilities == agent.decide(VIEW).probabilities


def wild() -> dict:
    return {'policy': {name: value * 1e30 for name, value in tiny_policy().state_dict().items()}}


def shape(**change) -> dict:
    return {**dataclasses.asdict(TINY), **change}


@pytest.mark.parametrize(('change', 'complaint'), [
    ({'text_encoder': {'name': 'other', 'sha256': '0' * 64}},
     "made with the text encoder 'other', which is not the 'fake' at hand"),
    ({'text_encoder': None}, "cannot act: 'text_encoder'"),
    ({'policy': None}, "cannot act: 'policy'"),
    ({'policy': {**dataclasses.asdict(TINY), 'depth': 3}}, "unknown key 'depth'"),
    ({'policy': shape(width=32)}, 'cannot act'),
    ({'policy': shape(layers=2)}, 'cannot act'),
    ({'policy': shape(heads=0)}, 'cannot act'),
    ({'policy': shape(heads=3)}, 'cannot act'),
    ({'policy': shape(width='wide')}, 'expected int'),
    ({'policy': 3}, 'expected a mapping'),
    ({'weights': {}}, "cannot act: 'policy'"),
    ({'weights': {'policy': {'a': torch.ones(1)}}}, 'cannot act'),
    ({'weights': wild()}, 'cannot act'),
    ({'config': [1]}, 'cannot act'),
])
def test_a_checkpoint_that_cannot_act_is_refused(tmp_path, change, complaint):
    with pytest.raises(CheckpointError, match=complaint):
        Agent.load(saved(tmp_path / 'a', **change), FakeEncoder())


def test_a_policy_for_another_encoder_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match='cannot act'):
        Agent.load(saved(tmp_path / 'a'), FakeEncoder(dim=8))


def test_circles_are_discouraged_by_the_stated_penalties():
    # a policy of equal logits, so that what remains is the penalty: two ways, one taken before
    policy = tiny_policy()
    with torch.no_grad():
        policy.choice.weight.zero_()
        policy.stop.weight.zero_()
    agent = Agent(policy, FakeEncoder(), Acting(repeat_penalty=2.0, visit_penalty=0.5))
    agent.set_goal('go on')
    here = Observation((), (Waypoint(0.0, 2.0), Waypoint(1.5, 2.0)), Pose(0.0, 0.0, 0.0))
    there = Observation((), (Waypoint(0.0, 2.0),), Pose(2.0, 0.0, 0.0))
    first = agent.decide(here).probabilities
    assert first[0] == pytest.approx(first[1])
    agent.decide(there)
    again = agent.decide(here).probabilities
    assert math.log(again[1] / again[0]) == pytest.approx(2.0 + 0.5, abs=1e-5)


def test_penalties_come_from_the_checkpoint(tmp_path):
    policy = tiny_policy()
    config = {'policy': dataclasses.asdict(policy.settings), 'acting': {'repeat_penalty': 1.5},
              'text_encoder': {'name': 'fake', 'sha256': FakeEncoder.sha256}}
    save_checkpoint(Checkpoint(config, {'policy': policy.state_dict()}), tmp_path / 'agent')
    assert Agent.load(tmp_path / 'agent', FakeEncoder()).acting == Acting(1.5, 0.0)
