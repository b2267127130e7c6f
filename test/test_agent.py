"""The agent: what it decides on, what it remembers, and which checkpoints it refuses."""

from __future__ import annotations

import dataclasses
import math

import pytest
import tiny_building
import torch
from fake_encoder import FakeEncoder
from tiny_graph import star, task_in

from nl_robot.agent import Agent, Calibration, seen_of
from nl_robot.checkpoint import Checkpoint, CheckpointError, save_checkpoint
from nl_robot.datatypes import Observation, Pose, Sighting, Waypoint
from nl_robot.learning.arena import Arena
from nl_robot.learning.calibration import stops
from nl_robot.learning.walks import greedy, walk
from nl_robot.nets.looking import Acting
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.recurrent import RecurrentNavigator
from nl_robot.nets.words import Vocabulary
from nl_robot.settings import shared_dir
from nl_robot.worlds.graph import GraphWorld
from nl_robot.worlds.instructions import split_tasks

TINY = NavigatorSettings(text_dim=16, width=16, state=12, heads=2, dropout=0.5)
WAYS = tuple(Waypoint(k - 1.0, 1.5) for k in range(3))
VIEW = Observation((Sighting('red sofa', 0.3, distance=2.0), Sighting('door', -1.0)), WAYS,
                   Pose(1.0, 2.0, 0.5))
THINGS = ['sofa', 'fridge', 'bed', 'plant']


def tiny(stop: float = 0.0, seed: int = 1, **change) -> RecurrentNavigator:
    """A network with random weights, and this liking for stopping."""
    torch.manual_seed(seed)
    made = RecurrentNavigator(dataclasses.replace(TINY, **change))
    with torch.no_grad():
        made.stop[2].bias += stop
    return made


def an_agent(policy: RecurrentNavigator, goal: str = 'go to the red sofa', **more) -> Agent:
    made = Agent(policy, FakeEncoder(), **more)
    made.set_goal(goal)
    return made


@pytest.fixture()
def agent() -> Agent:
    return an_agent(tiny())


def test_a_decision_has_a_probability_for_each_waypoint_and_stop(agent):
    decision = agent.decide(VIEW)
    assert len(decision.probabilities) == 4
    assert sum(decision.probabilities) == pytest.approx(1.0, abs=1e-6)
    best = max(range(4), key=decision.probabilities.__getitem__)
    assert decision.waypoint_index == (None if best == 3 else best)
    assert decision.probability == decision.probabilities[best]


def test_stop_comes_last():
    decision = an_agent(tiny(stop=50.0)).decide(VIEW)
    assert decision.is_stop and decision.probabilities[3] == pytest.approx(1.0)
    decision = an_agent(tiny(stop=-50.0)).decide(VIEW)
    assert not decision.is_stop and decision.probabilities[3] == pytest.approx(0.0)


def test_probabilities_stand_in_the_order_of_the_waypoints():
    there = an_agent(tiny(stop=-50.0)).decide(VIEW).probabilities
    backwards = dataclasses.replace(VIEW, waypoints=WAYS[::-1])
    back = an_agent(tiny(stop=-50.0)).decide(backwards).probabilities
    assert back[:3] == pytest.approx(there[2::-1], abs=1e-6)
    assert there[0] != pytest.approx(there[2], abs=1e-4)


def test_nowhere_to_go_is_a_stop(agent):
    decision = agent.decide(Observation((), (), Pose(0, 0, 0)))
    assert decision.is_stop and decision.probabilities == (1.0,)
    assert an_agent(tiny(stop=-50.0)).decide(dataclasses.replace(VIEW, waypoints=())).is_stop


def test_nothing_to_see_is_no_hindrance(agent):
    decision = agent.decide(dataclasses.replace(VIEW, sightings=()))
    assert len(decision.probabilities) == 4 and all(map(math.isfinite, decision.probabilities))


def test_an_observation_as_the_networks_read_it():
    vocabulary = Vocabulary(FakeEncoder())
    seen = seen_of(dataclasses.replace(VIEW, sightings=(
        Sighting('door', -1.0, 0.1, 0.2, None, 0.5), Sighting('tv', 0.3, 0.2, 0.4, 2.0, 0.9))),
        vocabulary)
    assert [vocabulary.labels[row] for row in seen.labels[0]] == ['tv', 'door']     # largest first
    assert seen.sightings[0, 0] == pytest.approx([0.3, 0.2, 0.4, 2.0, 0.9])
    assert seen.sightings[0, 1] == pytest.approx([-1.0, 0.1, 0.2, math.nan, 0.5], nan_ok=True)
    assert seen.ways[0] == pytest.approx(torch.tensor([[-1, 0, 1.5], [0, 0, 1.5], [1, 0, 1.5]]))
    assert seen.mask_way_is_valid.tolist() == [[True] * 3]
    nothing = seen_of(Observation((), (), Pose(0, 0, 0)), vocabulary)
    assert nothing.labels.tolist() == [[0]] and nothing.mask_way_is_valid.tolist() == [[False]]


def test_without_a_goal_it_does_not_act():
    with pytest.raises(RuntimeError, match='call set_goal first'):
        Agent(tiny(), FakeEncoder()).decide(VIEW)


def test_a_new_goal_begins_a_new_episode(agent):
    first = agent.decide(VIEW)
    moved = dataclasses.replace(VIEW, sightings=(), pose=Pose(2.0, 2.0, 0.0))
    second = agent.decide(moved)
    agent.set_goal('go to the red sofa')
    assert agent.arrived() is None
    assert agent.decide(VIEW).probabilities == first.probabilities
    agent.set_goal('go to the red sofa')
    assert agent.decide(moved).probabilities != second.probabilities    # it had a past before
    agent.set_goal('quite another thing')
    assert agent.decide(VIEW).probabilities != first.probabilities


def test_decisions_do_not_drop_out(agent):
    before = agent.decide(VIEW).probabilities
    agent.set_goal('go to the red sofa')
    assert agent.decide(VIEW).probabilities == before


# ---- as in training

@pytest.fixture(scope='module')
def tasks(tmp_path_factory):
    """Tasks on a star, where all is on one floor, and in a building with a stair."""
    folder, graph = tmp_path_factory.mktemp('data'), star(THINGS)
    graph.sightings[:4, 4] = 1.6        # of what one remembers and stands on any bearing is true
    building = split_tasks(tiny_building.write(folder / 'data'), 'r2r', 'train', folder)[1]
    return [*(dataclasses.replace(task_in(graph, 0, f'go to the {thing}', [k + 1]), yaw=0.7 * k)
              for k, thing in enumerate(THINGS)), *building]


def as_in_training(tasks, policy: RecurrentNavigator, acting: Acting,
                   reward: RecurrentNavigator | None = None):
    """Arena, walks, and beside each walk the agent that did the same in a `GraphWorld`."""
    encoder = FakeEncoder()
    calibration = Calibration(2.0, -0.3)
    agent = Agent(policy, encoder, acting, reward, calibration)
    arena = Arena(tasks, Vocabulary(encoder))       # with words and labels in other rows
    with torch.inference_mode():
        passage = walk(policy, arena, torch.arange(len(tasks)), greedy, max_steps=7,
                       acting=acting, reward=reward, calibration=calibration)
    return agent, arena, passage


@pytest.mark.parametrize('change', [{}, {'sightings': False}, {'learned': 3}])
@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('acting', [Acting(), Acting(
    repeat_penalty=0.3, visit_penalty=0.1, stop_penalty=0.05, doubt_weight=0.5)])
def test_it_decides_as_the_same_network_does_in_training(tasks, seed, acting, change):
    policy = tiny(stop=-0.3, seed=seed, **change)
    reward = tiny(seed=seed + 10, **change).eval()
    agent, _, passage = as_in_training(tasks, policy.eval(), acting, reward)
    walks, odds = passage.walks, torch.softmax(passage.logits(), dim=2)
    for number, task in enumerate(tasks):
        world = GraphWorld(task.graph)
        observation = world.reset(*task.graph.points[task.place], task.yaw)
        agent.set_goal(task.goal)
        for step in range(int(walks.mask_is_valid[number].sum())):
            decision = agent.decide(observation)
            action = int(walks.actions[number, step])
            assert decision.waypoint_index == (None if action == 0 else action - 1)
            if acting == Acting():
                expected = odds[number, step, [*range(1, len(decision.probabilities)), 0]]
                assert decision.probabilities == pytest.approx(expected.tolist(), abs=1e-4)
            if action:
                observation = world.step(action - 1)
    assert len(walks.actions.unique()) > 1


@pytest.mark.parametrize('change', [{}, {'learned': 3}])
def test_it_doubts_as_the_same_reward_does_in_training(tasks, change):
    policy, reward = (tiny(stop=stop, seed=seed, **change).eval()
                      for stop, seed in ((0.3, 1), (0.0, 2)))
    agent, arena, passage = as_in_training(tasks, policy, Acting(), reward)
    numbers = list(stops(reward, arena, passage.walks).numbers)
    assert len(numbers) > 2
    for number in torch.nonzero(passage.walks.stopped)[:, 0].tolist():
        task = tasks[number]
        world = GraphWorld(task.graph)
        observation = world.reset(*task.graph.points[task.place], task.yaw)
        agent.set_goal(task.goal)
        while not (decision := agent.decide(observation)).is_stop:
            observation = world.step(decision.waypoint_index)
        assert agent.arrived() == pytest.approx(
            1 / (1 + math.exp(0.3 - 2 * numbers.pop(0))), abs=1e-5)


def test_circles_are_discouraged_by_the_stated_penalties():
    # a policy to which all ways are alike, so that what remains is the penalty
    policy = tiny()
    with torch.no_grad():
        for weight in (policy.score.weight, policy.stop[2].weight):
            weight.zero_()
        policy.stop[2].bias.fill_(-9.0)
    agent = an_agent(policy, acting=Acting(repeat_penalty=2.0, visit_penalty=0.5))
    here = Observation((), (Waypoint(0.0, 2.0), Waypoint(1.5, 2.0)), Pose(0.0, 0.0, 0.0))
    there = Observation((), (Waypoint(0.0, 2.0),), Pose(2.0, 0.0, 0.0))
    first = agent.decide(here).probabilities
    assert first[0] == pytest.approx(first[1])
    agent.decide(there)
    again = agent.decide(here).probabilities
    assert math.log(again[1] / again[0]) == pytest.approx(2.0 + 0.5, abs=1e-5)


def test_what_lies_a_floor_above_was_not_visited():
    policy = tiny(stop=-50.0)
    with torch.no_grad():
        policy.score.weight.zero_()
    agent = an_agent(policy, acting=Acting(visit_penalty=1.0))
    up = math.atan(1.5)                         # three metres on two
    start = Observation((), (Waypoint(0.0, 2.0, up),), Pose(0.0, 0.0, 0.0))
    # from above, the way back on this floor is new; that down the stair is not
    above = Observation((), (Waypoint(math.pi, 2.0), Waypoint(math.pi, 2.0, -up)),
                        Pose(2.0, 0.0, 0.0))
    agent.decide(start)
    same_floor, down = agent.decide(above).probabilities[:2]
    assert math.log(same_floor / down) == pytest.approx(1.0, abs=1e-5)


# ---- whether it has arrived

@pytest.mark.parametrize(('slope', 'offset', 'number', 'odds'), [
    (1.0, 0.0, 0.0, 0.5), (2.0, -1.0, 0.5, 0.5), (1.0, 0.0, math.log(3), 0.75),
    (-1.0, 0.0, math.log(3), 0.25), (1.0, 0.0, 1e9, 1.0), (1.0, 0.0, -1e9, 0.0)])
def test_a_probability_by_hand(slope, offset, number, odds):
    assert Calibration(slope, offset).probability(number) == pytest.approx(odds)


def test_log_odds_are_bounded_by_hand():
    odds = Calibration(2.0, -1.0).log_odds(torch.tensor([-9.0, 0.5, 1.0, 9.0]))
    assert odds.tolist() == [-6, 0, 1, 3]


def test_doubt_keeps_it_from_stopping_and_certainty_makes_it_stop():
    plain = an_agent(tiny()).decide(VIEW).probabilities
    for bias, odds in ((-50.0, -6.0), (50.0, 3.0)):
        doubting = an_agent(tiny(), acting=Acting(doubt_weight=0.5), reward=tiny(stop=bias))
        said = doubting.decide(VIEW).probabilities
        gained = math.log(said[3] / said[0]) - math.log(plain[3] / plain[0])
        assert gained == pytest.approx(0.5 * odds, abs=1e-4)


@pytest.mark.parametrize('number', [math.nan, math.inf])
def test_what_is_no_number_is_no_probability(number):
    with pytest.raises(ValueError, match='finite number, got'):
        Calibration().probability(number)


def test_without_a_reward_it_has_no_opinion(agent):
    assert agent.arrived() is None
    agent.decide(VIEW)
    assert agent.arrived() is None


@pytest.mark.parametrize(('bias', 'low', 'high'), [(-30.0, 0.0, 1e-6), (30.0, 1 - 1e-6, 1.0)])
def test_arrived_is_what_the_reward_says_of_stopping_here(bias, low, high):
    agent = an_agent(tiny(), reward=tiny(stop=bias))
    assert agent.arrived() is None
    agent.decide(VIEW)
    assert low <= agent.arrived() <= high
    calibrated = an_agent(tiny(), reward=tiny(stop=bias), calibration=Calibration(0.0, 0.0))
    calibrated.decide(VIEW)
    assert calibrated.arrived() == 0.5


def test_the_reward_does_not_change_what_it_does(agent):
    doubting = an_agent(tiny(), reward=tiny(seed=9))
    for view in (VIEW, dataclasses.replace(VIEW, pose=Pose(2.0, 2.0, 0.0))):
        assert doubting.decide(view).probabilities == agent.decide(view).probabilities


# ---- checkpoints

def saved(directory, **change):
    """A checkpoint of the tiny policy with parts of it changed."""
    parts = {'navigator': dataclasses.asdict(TINY),
             'text_encoder': {'name': 'fake', 'sha256': FakeEncoder.sha256},
             'weights': {'policy': tiny().state_dict()}, **change}
    weights = parts.pop('weights')
    config = parts.pop('config', {key: value for key, value in parts.items() if value is not None})
    save_checkpoint(Checkpoint(config, weights), directory)
    return directory


def test_a_loaded_agent_decides_as_the_saved_one(tmp_path, agent):
    loaded = Agent.load(saved(tmp_path / 'a'), FakeEncoder())
    assert loaded.arrived() is None and loaded.reward is None
    with pytest.raises(RuntimeError, match='no goal'):      # nothing is left of the trial decision
        loaded.decide(VIEW)
    loaded.set_goal('go to the red sofa')
    assert loaded.decide(VIEW).probabilities == agent.decide(VIEW).probabilities


def test_reward_calibration_and_penalties_come_from_the_checkpoint(tmp_path):
    weights = {'policy': tiny().state_dict(), 'reward': tiny(seed=9).state_dict()}
    agent = Agent.load(saved(tmp_path / 'a', weights=weights, acting={'repeat_penalty': 1.5},
                             calibration={'slope': 2.0, 'offset': -1.0}), FakeEncoder())
    assert agent.acting == Acting(1.5, 0.0) and agent.calibration == Calibration(2.0, -1.0)
    agent.set_goal('go to the red sofa')
    plain = an_agent(tiny(), reward=tiny(seed=9))
    for one in (agent, plain):
        one.decide(VIEW)
    number = math.log(plain.arrived() / (1 - plain.arrived()))
    assert agent.arrived() == pytest.approx(1 / (1 + math.exp(1 - 2 * number)), abs=1e-5)


def wild(name: str) -> dict:
    weights = {'policy': tiny().state_dict(), 'reward': tiny().state_dict()}
    return weights | {name: {key: value * 1e30 for key, value in weights[name].items()}}


def shape(**change) -> dict:
    return {**dataclasses.asdict(TINY), **change}


@pytest.mark.parametrize(('change', 'complaint'), [
    ({'text_encoder': {'name': 'other', 'sha256': '0' * 64}},
     "made with the text encoder 'other', which is not the 'fake' at hand"),
    ({'text_encoder': None}, "cannot act: 'text_encoder'"),
    ({'navigator': None}, "cannot act: 'navigator'"),
    ({'navigator': shape(depth=3)}, "unknown key 'depth'"),
    ({'navigator': shape(width=32)}, 'cannot act'),
    ({'navigator': shape(state=13)}, 'cannot act'),
    ({'navigator': shape(learned=2)}, 'cannot act'),
    ({'navigator': shape(heads=0)}, 'cannot act'),
    ({'navigator': shape(heads=3)}, 'cannot act'),
    ({'navigator': shape(width='wide')}, 'expected int'),
    ({'navigator': 3}, 'expected a mapping'),
    ({'acting': {'repeat': 1.0}}, "unknown key 'repeat'"),
    ({'calibration': {'slope': 'steep'}}, 'expected float'),
    ({'calibration': {'slope': math.nan}, 'weights': {
        'policy': tiny().state_dict(), 'reward': tiny().state_dict()}}, 'a finite number'),
    ({'weights': {}}, "cannot act: 'policy'"),
    ({'weights': {'policy': {'a': torch.ones(1)}}}, 'cannot act'),
    ({'weights': wild('policy')}, 'cannot act'),
    ({'weights': wild('reward')}, 'cannot act: the reward must say a finite number'),
    ({'config': [1]}, 'cannot act'),
])
def test_a_checkpoint_that_cannot_act_is_refused(tmp_path, change, complaint):
    with pytest.raises(CheckpointError, match=complaint):
        Agent.load(saved(tmp_path / 'a', **change), FakeEncoder())


def test_a_policy_for_another_encoder_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match='cannot act'):
        Agent.load(saved(tmp_path / 'a'), FakeEncoder(dim=8))


def test_a_stop_that_was_overruled_is_followed_to_where_the_robot_went():
    agent = Agent(tiny(stop=9.0), FakeEncoder())
    agent.set_goal('go to the sofa')
    assert agent.decide(VIEW).waypoint_index is None
    agent.decide(dataclasses.replace(VIEW, pose=Pose(1.0, 4.0, 2.0)))
    heading = math.pi / 2 - 0.5        # from (1, 2) facing 0.5 to (1, 4)
    expected = [math.cos(heading), math.sin(heading)]
    assert agent._track.action[0, :2].tolist() == pytest.approx(expected, abs=1e-5)
    assert float(agent._track.action[0, 5]) == pytest.approx(2.0 / 4)


def test_the_agent_of_the_package_acts():
    agent = Agent.load(shared_dir('models') / 'agent')
    with pytest.raises(RuntimeError, match='no goal'):
        agent.decide(VIEW)
    agent.set_goal('go to the red sofa')
    decision = agent.decide(VIEW)
    assert len(decision.probabilities) == 4 and 0.0 <= agent.arrived() <= 1.0
    agent.set_goal('find the fridge')
    assert agent.arrived() is None
