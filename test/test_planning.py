"""Imagined routes: a tree worked by hand, what is said of it, and which route is best."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small_home
import tiny_building
import torch
from fake_encoder import FakeEncoder
from tiny_graph import corner, star, task_in

from nl_robot.agent import Agent
from nl_robot.checkpoint import Checkpoint, save_checkpoint
from nl_robot.cli import benchmark_explored, benchmark_runs
from nl_robot.datatypes import Waypoint
from nl_robot.learning.arena import Arena
from nl_robot.learning.goal_writing import sentences_of
from nl_robot.learning.replay import replay
from nl_robot.nets.goal_generator import GoalGenerator, GoalGeneratorSettings, TextTable
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.recurrent import RecurrentNavigator
from nl_robot.nets.words import Vocabulary
from nl_robot.planning.guide import Guide
from nl_robot.planning.guided import GuidedAgent
from nl_robot.planning.imagination import Routes, imagine, walks_to
from nl_robot.planning.partial_maps import explored, part_of, task_within
from nl_robot.planning.ranking import OPINIONS, Ranking, RoutePlanner, driven, fitted
from nl_robot.settings import to_mapping
from nl_robot.worlds.graph import GraphWorld
from nl_robot.worlds.instructions import split_tasks

TINY = NavigatorSettings(text_dim=16, width=16, state=12, heads=2, dropout=0.0)
CORNER, STAR = corner(), star(['sofa', 'fridge', 'bed'])


def net(seed: int) -> RecurrentNavigator:
    torch.manual_seed(seed)
    return RecurrentNavigator(TINY).eval()


@pytest.fixture()
def arena(tmp_path) -> Arena:
    """A corner, a star, and a building with a stair."""
    folder = tiny_building.write(tmp_path / 'data')
    building = split_tasks(folder, 'r2r', 'train', tmp_path)[1]
    return Arena([task_in(CORNER, 0, 'the white fridge', [2]), task_in(CORNER, 1, 'door', [0]),
                  task_in(STAR, 0, 'go to the bed', [3]), *building], Vocabulary(FakeEncoder()))


def test_the_tree_by_hand(arena):
    tree = Routes(arena).tree(torch.tensor([0, 2]))
    # the corner 0 - 1 - 2, then the star 3 with its points 4, 5 and 6
    assert tree.levels == (2, 4, 1)
    assert tree.task.tolist() == [0, 1, 0, 1, 1, 1, 0]
    assert tree.place.tolist() == [0, 3, 1, 4, 5, 6, 2]
    assert tree.parent.tolist() == [-1, -1, 0, 1, 1, 1, 2]
    assert tree.column.tolist() == [-1, -1, 0, 0, 1, 2, 1]
    assert tree.metres.tolist() == pytest.approx([0, 0, 2, 2, 2, 2, 4])
    assert tree.depths().tolist() == [0, 0, 1, 1, 1, 1, 2]
    assert Routes(arena, longest=1).tree(torch.tensor([0])).place.tolist() == [0, 1]


def test_routes_are_the_shortest(arena):
    everyone = torch.arange(len(arena.tasks))
    tree = Routes(arena).tree(everyone)
    for node in range(len(tree)):
        task = arena.tasks[int(tree.task[node])]
        first = int(arena.start[int(tree.task[node])]) - task.place
        between = task.graph.distances_between[task.place]
        assert float(tree.metres[node]) == pytest.approx(
            float(between[int(tree.place[node]) - first]), abs=1e-4)
    reached = torch.bincount(tree.task)
    assert reached.tolist() == [int(np.isfinite(
        task.graph.distances_between[task.place]).sum()) for task in arena.tasks]


def test_a_route_that_is_imagined_sounds_as_one_that_is_walked(arena):
    everyone = torch.arange(len(arena.tasks))
    tree, policy = Routes(arena).tree(everyone), net(1)
    found = imagine(policy, arena, everyone, tree)
    walks = walks_to(arena, everyone, tree, torch.arange(len(tree)))
    with torch.no_grad():
        passage = replay(policy, arena, walks)
    said = torch.log_softmax(passage.logits(), dim=2).gather(
        2, walks.actions[:, :passage.logits().shape[1], None])[..., 0]
    whole = (said * passage.walks.mask_is_valid).sum(dim=1)
    torch.testing.assert_close(found.log_way + found.log_stop, whole, atol=1e-4, rtol=1e-4)
    last = walks.mask_is_valid.sum(dim=1) - 1
    torch.testing.assert_close(found.stop, passage.outputs[torch.arange(len(walks)), last, 0, 0],
                               atol=1e-4, rtol=1e-4)
    assert torch.equal(walks.last, tree.place) and walks.stopped.all()
    assert torch.equal(walks.success, arena.fulfilled(everyone[tree.task], tree.place))


def generator_for(arena: Arena) -> GoalGenerator:
    words = TextTable.counted(sentences_of(arena, arena.goal), 1).words
    torch.manual_seed(0)
    return GoalGenerator(GoalGeneratorSettings(words=words, text_dim=16, label=4, way=4,
                                               embedding=8, goal=4, latent=2, state=8)).eval()


def test_opinions_of_the_shortlist(arena):
    policy, reward, everyone = net(1), net(2), torch.arange(len(arena.tasks))
    planner = RoutePlanner(arena, policy, reward, generator_for(arena))
    with torch.inference_mode():
        ranked = planner.rank(everyone)
    followed = imagine(policy, arena, everyone, ranked.tree)
    judged = imagine(reward, arena, everyone, ranked.tree)
    for row in range(len(everyone)):
        nodes = ranked.nodes[row][ranked.nodes[row] >= 0]
        assert sorted(nodes.tolist()) == torch.nonzero(ranked.tree.task == row)[:, 0].tolist()
        opinion = ranked.opinions[row, :len(nodes)]
        torch.testing.assert_close(opinion[:, 0], (followed.log_way + followed.log_stop)[nodes])
        torch.testing.assert_close(opinion[:, 1], judged.stop[nodes])
        assert (opinion[:, 3] < 0).all() and len(opinion[:, 3].unique()) == len(nodes)
        assert opinion[:, 4].tolist() == ranked.tree.depths()[nodes].tolist()
    best = ranked.best(Ranking(policy=0.0, reward=1.0))
    for row, node in enumerate(best.tolist()):
        assert judged.stop[node] == judged.stop[ranked.tree.task == row].max()


def test_other_words_are_other_opinions(arena):
    planner = RoutePlanner(arena, net(1), net(2))
    with torch.inference_mode():
        own, other = (planner.rank(torch.tensor([0]), goals) for goals in (
            None, arena.goal[torch.tensor([2])]))
    assert not torch.allclose(own.opinions[..., 1].sort().values,
                              other.opinions[..., 1].sort().values)
    assert (own.opinions[..., 3] == 0).all()        # nobody was asked for words


def test_what_tells_is_given_weight_and_what_does_not_is_not():
    torch.manual_seed(0)
    opinions = torch.randn(200, 6, len(OPINIONS))
    fulfilled = torch.nn.functional.one_hot(opinions[..., 1].argmax(dim=1), 6).bool()
    mask = torch.ones(200, 6, dtype=torch.bool)
    mask[:, 5] = False      # padding with whatever lies there
    found = fitted(opinions, mask, fulfilled)
    assert found.reward > 1.0
    assert all(abs(getattr(found, name)) < 0.3 for name in OPINIONS if name != 'reward')
    assert fitted(opinions, mask, fulfilled, ['policy']).reward == 0.0
    with pytest.raises(ValueError, match='nothing to fit'):
        fitted(opinions, mask, torch.zeros_like(fulfilled))


def test_driving_the_best_route_by_hand():
    arena = Arena([task_in(CORNER, 0, 'fridge', [2])], Vocabulary(FakeEncoder()))
    planner, tasks = RoutePlanner(arena, net(1), net(2)), torch.tensor([0])
    with torch.inference_mode():
        ranked = planner.rank(tasks)
    far, = driven(arena, tasks, ranked, Ranking(0.0, 0.0, ways=1.0))
    assert (far.success, far.travelled, far.spl) == (True, 4.0, 1.0)
    near, = driven(arena, tasks, ranked, Ranking(0.0, 0.0, ways=-1.0))
    assert (near.success, near.error, near.travelled) == (False, 4.0, 0.0)


# ---- driving the plan

def guide(ranking: Ranking) -> Guide:
    return Guide(Agent(net(1), FakeEncoder(), reward=net(2)), None, ranking)


FAR = Ranking(0.0, 0.0, ways=9.0)      # whatever is furthest is best


def test_it_drives_the_plan_to_its_end():
    made, world = guide(FAR), GraphWorld(CORNER)
    observation = world.reset(*CORNER.points[0], 0.0)
    plan = made.begin('the white fridge', CORNER, 0, 0.0)
    assert plan.places == (0, 1, 2) and plan.sure > 0.99 and not plan.ambiguous
    driven = []
    while not (decision := made.decide(observation)).is_stop:
        observation = world.step(decision.waypoint_index)
        driven.append(world.place)
    assert driven == [1, 2] and decision.probability == plan.sure


def test_who_is_led_astray_follows_the_plan_no_more():
    made, world = guide(FAR), GraphWorld(CORNER)
    observation = world.reset(*CORNER.points[0], 0.0)
    made.begin('fridge', CORNER, 0, 0.0)
    blocked = replace(observation, waypoints=(Waypoint(2.0, 2.0),))     # none leads to place 1
    assert made.decide(blocked) is None and made.plan is None
    assert made.decide(observation) is None
    made.begin('fridge', CORNER, 0, 0.0)
    away = replace(observation, pose=replace(observation.pose, y=-1.5))
    assert made.decide(away) is None and made.plan is None


def test_two_places_that_fit_alike_are_worth_a_question():
    # the points of a star are as far as each other, and two metres from the middle
    plan = guide(FAR).begin('go', STAR, 0, 0.0)
    assert plan.ambiguous and plan.rival[1] == pytest.approx(plan.sure, rel=0.7)
    assert len(plan.places) == 2 and plan.rival[0] != plan.places[-1]


def test_in_a_benchmark_it_drives_by_the_map_and_by_the_agent_off_it():
    world, agent = GraphWorld(CORNER), Agent(net(1), FakeEncoder())
    mapped = GuidedAgent(guide(FAR), agent, CORNER,
                         lambda: (*world.position, world.heading))
    observation = world.reset(*CORNER.points[0], 0.0)
    mapped.set_goal('the white fridge')
    while not (decision := mapped.decide(observation)).is_stop:
        observation = world.step(decision.waypoint_index)
    assert world.place == 2
    agent.set_goal('the white fridge')
    after = mapped.decide(observation)      # it stopped: what comes then is the agent's own
    agent.set_goal('the white fridge')
    assert len(after.probabilities) == len(agent.decide(observation).probabilities)
    with pytest.raises(ValueError, match='cannot plan: give another --guide'):
        benchmark_runs._kept['guide '] = None
        benchmark_runs._guide(Path('/nowhere'))


def test_opinions_of_all_tasks_side_by_side(arena):
    planner = RoutePlanner(arena, net(1), net(2))
    opinions, mask, good = planner.all_opinions()
    assert opinions.shape[0] == len(arena.tasks) and opinions.shape[2] == len(OPINIONS)
    assert mask.sum(dim=1).tolist() == [int(np.isfinite(
        t.graph.distances_between[t.place]).sum()) for t in arena.tasks]
    assert (good & mask).any(dim=1)[:3].all() and not (good & ~mask)[:3, 3:].any()
    few = planner.all_opinions(2)[1]
    assert len(few) == 2


def test_an_agent_without_a_reward_is_no_guide(tmp_path):
    with pytest.raises(ValueError, match='without a reward'):
        Guide(Agent(net(1), FakeEncoder()), None, Ranking())
    encoder = FakeEncoder()
    config = {'format': 2, 'navigator': to_mapping(TINY),
              'text_encoder': {'name': encoder.name, 'sha256': encoder.sha256}}
    for name, nets in (('deaf', ['policy']), ('wise', ['policy', 'reward'])):
        save_checkpoint(Checkpoint(config, {part: net(0).state_dict() for part in nets}),
                        tmp_path / name)
    load = {name: Guide.load(tmp_path / name, Agent.load(tmp_path / name, encoder))
            for name in ('deaf', 'wise')}
    assert load['deaf'] is None and load['wise'].begin('go', CORNER, 0, 0.0).places


def test_an_agent_goes_on_from_where_somebody_else_took_it():
    world = GraphWorld(CORNER)
    first = world.reset(*CORNER.points[0], 0.0)
    agents = [Agent(net(1), FakeEncoder()) for _ in range(2)]
    for agent in agents:
        agent.set_goal('fridge')
        agent.decide(first)
    second = world.step(0)
    agents[0]._way = torch.tensor([[0.0, 0.0, 2.0]])        # as if it had chosen the way itself
    agents[1].took(first.waypoints[0])
    one, other = (agent.decide(second).probabilities for agent in agents)
    assert one == pytest.approx(other)


def test_exploring_takes_the_nearest_new_place_first_and_pays_for_the_way_back():
    graph = star(['sofa', 'fridge', 'bed'])
    assert explored(graph, 0, 0) == [0]
    assert explored(graph, 0, 1) == [0, 1]
    assert explored(graph, 0, 2) == [0, 1]          # to the next arm it is two ways
    assert explored(graph, 0, 3) == [0, 1, 2]
    assert explored(graph, 0, 100) == [0, 1, 2, 3]  # and then nothing is new
    assert explored(graph, 2, 3) == [2, 0, 1]


def test_the_map_of_some_places_by_hand():
    graph = corner()
    part = part_of(graph, [2, 1])
    assert part.points.tolist() == [[2.0, 2.0], [2.0, 0.0]]
    assert part.labels == ('white fridge', 'red sofa')
    assert part.ways[:, 0].tolist() == [0.0, 1.0] and part.leads_to.tolist() == [1, 0]
    assert part.ways[:, 1].tolist() == pytest.approx([-np.pi / 2, np.pi / 2])
    task = task_in(graph, 1, 'the door', [0])
    inside = task_within(task, part, [2, 1])
    assert inside.place == 1 and not inside.fulfilled.any() and inside.shortest == 2.0
    assert task_within(task_in(graph, 0, 'x', [1]), part, [2, 1]) is None


def test_success_against_exploration(tmp_path, monkeypatch, capsys):
    folder = tiny_building.write(tmp_path / 'data')
    path = small_home.saved(tmp_path, small_home.checkpoint(updates=8))
    monkeypatch.setattr(benchmark_explored, 'encoder_with_cache', lambda *_: FakeEncoder())
    parser = argparse.ArgumentParser()
    benchmark_explored.add_arguments(parser)
    assert benchmark_explored.run(parser.parse_args([
        '--data', str(folder), '--split', 'train', '--checkpoint', str(path), '--episodes', '1',
        '9', '--png', str(tmp_path / 'c.png'), '--json', str(tmp_path / 'c.json'),
        '--cache', str(tmp_path / 'cache')])) == 0
    found = json.loads((tmp_path / 'c.json').read_text())
    assert list(found) == ['0', '1', '9'] and len(found['9']['success'][0]) == 4
    assert found['0']['places'] == 0 < found['1']['places'] <= found['9']['places'] <= 1
    assert '| 9 |' in capsys.readouterr().out and (tmp_path / 'c.png').stat().st_size > 5000
