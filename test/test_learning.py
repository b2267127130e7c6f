"""Cloning, noise, rollouts and resuming: values by hand, and a small thing really learned."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from fake_encoder import FakeEncoder
from tiny_graph import corner, star, task_in

from nl_robot.evaluation import Result
from nl_robot.learning import cloning as cloning_room
from nl_robot.learning.cloning import (
    Cloning,
    CloningSettings,
    cloning_loss,
    learning_rate_at,
    own_share_at,
)
from nl_robot.learning.noise import LabelConfusion, SensorNoise, offered_ways, spoil
from nl_robot.learning.resume import append_curves, draw_curves, load_state, save_state
from nl_robot.learning.rollouts import Rollouts, greedy_results, result_of
from nl_robot.nets.inputs import LabelTable, goal_words, step_inputs
from nl_robot.nets.memory import Memory, View, view_of
from nl_robot.nets.policy import Policy, PolicySettings
from nl_robot.worlds.graph import GraphWorld

TINY = PolicySettings(text_dim=16, width=24, heads=2, layers=1, dropout=0.0)
QUIET = SensorNoise(0, 0, 0, 0, 0, 0, 0, 0)
LOG2 = math.log(2)


def logits(*probabilities: list[float]) -> torch.Tensor:
    return torch.tensor(probabilities).log()


def test_cloning_loss_by_hand():
    assert cloning_loss(logits([0.5, 0.25, 0.25]),
                        torch.tensor([[0.0, 1.0, 0.0]])) == pytest.approx(2 * LOG2)
    # two ways as good as each other
    assert cloning_loss(logits([0.5, 0.25, 0.25]),
                        torch.tensor([[0.0, 0.5, 0.5]])) == pytest.approx(2 * LOG2)
    # a stop weighs three times: (3 log 2 + 1 log 4) / 4
    two = logits([0.5, 0.25, 0.25], [0.25, 0.25, 0.5])
    experts = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert cloning_loss(two, experts, 3.0) == pytest.approx(1.25 * LOG2)
    assert cloning_loss(two, experts) == pytest.approx(1.5 * LOG2)


def test_choices_that_are_none_cost_nothing():
    padded = torch.tensor([[0.0, 0.0, -torch.inf]], requires_grad=True)
    loss = cloning_loss(padded, torch.tensor([[1.0, 0.0, 0.0]]))
    loss.backward()
    assert loss.item() == pytest.approx(LOG2)
    assert padded.grad[0].tolist() == pytest.approx([-0.5, 0.5, 0.0])


def test_the_loss_falls_towards_the_expert():
    free = torch.zeros(1, 3, requires_grad=True)
    expert = torch.tensor([[0.0, 0.0, 1.0]])
    cloning_loss(free, expert).backward()
    # softmax minus expert
    assert free.grad[0].tolist() == pytest.approx([1 / 3, 1 / 3, -2 / 3])
    assert cloning_loss(free - free.grad, expert) < cloning_loss(free, expert)


def test_the_learning_rate_rises_and_falls():
    settings = CloningSettings(updates=110, warmup=10, learning_rate=2.0)
    values = [learning_rate_at(update, settings) for update in (0, 4, 9, 10, 60, 110, 500)]
    assert values == pytest.approx([0.2, 1.0, 2.0, 2.0, 1.01, 0.02, 0.02])


def test_the_learner_walks_more_and_more():
    settings = CloningSettings(updates=100, expert_only=0.1, own_share=0.9)
    values = [own_share_at(update, settings) for update in (0, 10, 30, 50, 99)]
    assert values == pytest.approx([0, 0, 0.45, 0.9, 0.9])


def view(labels, distance=2.0) -> View:
    rows = np.array([(0.1 * k, 0.2, 0.3, distance, 0.9) for k in range(len(labels))], np.float32)
    return View(np.array(labels), rows.reshape(-1, 5), np.ones((1, 3), np.float32), np.zeros(3))


CONFUSION = LabelConfusion(['red sofa', 'blue sofa', 'door', 'red coffee table'])


def test_labels_are_confused_within_their_kind():
    assert [same.tolist() for same in CONFUSION.same_kind] == [[0, 1], [0, 1], [2], [3]]
    assert CONFUSION.count == 4


def test_quiet_senses_tell_the_truth_but_for_the_score():
    one = view([0, 2, 3])
    before = one.sightings.copy()
    out = spoil(one, QUIET, CONFUSION, np.random.default_rng(0))
    assert out.labels.tolist() == [0, 2, 3]
    np.testing.assert_allclose(out.sightings[:, :4], before[:, :4], rtol=1e-6)
    assert ((out.sightings[:, 4] > 0) & (out.sightings[:, 4] < 1)).all()
    np.testing.assert_array_equal(one.sightings, before)        # the graph's own rows are whole
    assert out.pose is one.pose and out.waypoints is one.waypoints


@pytest.mark.parametrize(('noise', 'distance', 'share'), [
    (SensorNoise(miss_near=0.1, miss_per_metre=0.05, ghosts=0), 2.0, 0.8),
    (SensorNoise(miss_near=0.1, miss_per_metre=0.05, ghosts=0), 8.0, 0.5),
    (SensorNoise(miss_near=0.1, miss_per_metre=0.05, ghosts=0), math.nan, 0.7),   # as if at 4 m
    (SensorNoise(miss_near=1.1, ghosts=0), 2.0, 0.0)])
def test_more_is_missed_the_farther_it_is(noise, distance, share):
    out = spoil(view([0] * 4000, distance), noise, CONFUSION, np.random.default_rng(0))
    assert len(out.labels) / 4000 == pytest.approx(share, abs=0.03)
    assert len(out.labels) == len(out.sightings)


def test_noise_has_the_spread_that_it_says():
    noise = SensorNoise(0, 0, 0, 0, 0, bearing=0.2, distance=0.1)
    one = view([0] * 4000)
    out = spoil(one, noise, CONFUSION, np.random.default_rng(0))
    change = out.sightings - one.sightings
    assert change[:, 0].std() == pytest.approx(0.2, rel=0.05)
    assert change[:, 1].std() == pytest.approx(0.1, rel=0.05)
    assert np.log(out.sightings[:, 3] / 2.0).std() == pytest.approx(0.1, rel=0.05)


def test_wrong_colours_and_wrong_kinds():
    rng = np.random.default_rng(0)
    colours = spoil(view([0, 2] * 500), SensorNoise(0, 0, 1.0, 0, 0, 0, 0), CONFUSION, rng).labels
    assert set(colours[::2]) == {0, 1} and set(colours[1::2]) == {2}
    kinds = spoil(view([0] * 500), SensorNoise(0, 0, 0, 1.0, 0, 0, 0), CONFUSION, rng).labels
    assert set(kinds) == {0, 1, 2, 3}


def test_ghosts_come_on_top():
    counts = [len(spoil(view([0]), SensorNoise(0, 0, 0, 0, ghosts=2.0), CONFUSION,
                        np.random.default_rng(k)).labels) - 1 for k in range(300)]
    assert min(counts) == 0 and np.mean(counts) == pytest.approx(2.0, abs=0.3)


def test_some_waypoint_is_always_offered():
    rows, rng = np.array([4, 5, 6]), np.random.default_rng(0)
    assert offered_ways(rows, QUIET, rng).tolist() == [4, 5, 6]
    assert offered_ways(rows, SensorNoise(way_loss=1.0), rng).tolist() == [4, 5, 6]
    kept = [len(offered_ways(rows, SensorNoise(way_loss=0.5), rng)) for _ in range(300)]
    assert set(kept) == {1, 2, 3}
    assert len(offered_ways(np.arange(1000), SensorNoise(way_loss=0.2), rng)) == pytest.approx(
        800, abs=50)


THINGS = ['sofa', 'fridge', 'bed', 'plant']


def book(encoder=None):
    """A label table and a goal book over the fake encoder."""
    encoder = encoder or FakeEncoder()
    labels = LabelTable(encoder)
    labels.ids(THINGS)
    return labels, lambda text: goal_words(encoder, [text])[0]


def rollouts(noise=None, max_steps=6) -> Rollouts:
    return Rollouts(*book(), max_steps, noise, np.random.default_rng(0))


def test_a_run_by_hand():
    walk = rollouts()
    run = walk.begin(task_in(corner(), 0, 'go to the fridge', [2], ('item',)))
    assert walk.look(run).choices == 1 and run.offered.tolist() == [0]
    assert not walk.act(run, 1)
    assert (run.place, run.yaw, run.travelled) == (1, 0.0, 2.0)
    assert result_of(run) == Result(False, 2.0, 2.0, 4.0, False, 0, 1, ('item',))
    walk.look(run)
    assert not walk.act(run, 2)
    walk.look(run)
    assert not result_of(run).success and result_of(run).oracle     # there, but not stopped yet
    assert walk.act(run, 0)
    assert result_of(run) == Result(True, 0.0, 4.0, 4.0, True, 0, 3, ('item',))
    assert run.path == [0, 1, 2]


def test_a_run_ends_with_its_steps():
    walk = rollouts(max_steps=2)
    run = walk.begin(task_in(corner(), 0, 'go', [2]))
    walk.look(run)
    assert not walk.act(run, 1)
    walk.look(run)
    assert walk.act(run, 2)
    assert run.place == 2 and not result_of(run).success        # it never said that it had arrived


def test_training_and_the_agent_see_the_same():
    graph, encoder = corner(), FakeEncoder()
    labels, goals = book(encoder)
    walk = Rollouts(labels, goals, 6, None, np.random.default_rng(0))
    run = walk.begin(task_in(graph, 0, 'go to the fridge', [2]))
    world, memory = GraphWorld(graph), Memory()
    observation = world.reset(0.0, 0.0, 0.0)
    for choice in (1, 2, 1):
        trained = walk.look(run)
        seen = view_of(observation, labels.ids([s.label for s in observation.sightings]))
        memory.add(seen)
        acted = step_inputs(run.goal, memory, seen, labels.vectors)
        np.testing.assert_allclose(trained.tokens, acted.tokens, atol=1e-5)
        assert trained.kinds.tolist() == acted.kinds.tolist()
        assert trained.labels.tolist() == acted.labels.tolist()
        walk.act(run, choice)
        observation = world.step(choice - 1)


def test_the_expert_makes_do_with_what_is_offered():
    walk = rollouts()
    run = walk.begin(task_in(corner(), 1, 'go', [2]))
    choices = 1 + walk.look(run).choices
    assert walk.expert(run, choices, 0.1) == pytest.approx([0, 0, 1])
    run.offered = run.offered[:1]           # only the way back is offered
    assert walk.expert(run, 2, 0.1) == pytest.approx([0, 1])
    run.offered = run.offered[:0]
    assert walk.expert(run, 1, 0.1) == pytest.approx([1])


class Scripted(torch.nn.Module):
    """Takes the last waypoint until it has nothing but one to take, then stops."""

    def forward(self, batch):
        count = batch.mask_choice_is_valid.sum(dim=1)
        best = torch.where(count > 2, count - 1, 0)
        return torch.nn.functional.one_hot(best, batch.mask_choice_is_valid.shape[1]).float(), None


@pytest.mark.parametrize('width', [1, 2, 64])
def test_greedy_results_of_every_task(width):
    graph = corner()
    tasks = [task_in(graph, 1, 'go', [2], ('there',)), task_in(graph, 1, 'go', [0], ('missed',)),
             task_in(graph, 0, 'go', [0], ('at once',))] * 2
    results = greedy_results(Scripted(), rollouts(), tasks, width)
    assert sorted((r.tags[0], r.success, r.steps) for r in results) == [
        ('at once', True, 1), ('at once', True, 1), ('missed', False, 2), ('missed', False, 2),
        ('there', True, 2), ('there', True, 2)]


def star_tasks(orders):
    graphs = [star(list(order)) for order in orders]
    return [task_in(graph, 0, f'go to the {thing}', [1 + graph.labels.index(thing)])
            for graph in graphs for thing in THINGS]


ORDERS = list(itertools.permutations(THINGS))
TRAIN, UNSEEN = star_tasks(ORDERS[::2]), star_tasks(ORDERS[1::2])


def learner(settings: CloningSettings, noise=None, tasks=TRAIN) -> Cloning:
    torch.manual_seed(settings.seed)
    return Cloning(Policy(TINY), tasks, *book(), settings, noise)


def success(trained: Cloning, tasks) -> float:
    walk = Rollouts(*book(), 4, None, np.random.default_rng(0))
    return float(np.mean([r.success for r in greedy_results(trained.policy, walk, tasks)]))


QUICK = CloningSettings(updates=120, batch=32, learning_rate=1e-2, warmup=10, max_steps=4)


@pytest.fixture(scope='module')
def trained_and_rows():
    """A policy trained on half of the stars, and what was told after every update."""
    trained = learner(QUICK)
    assert success(trained, UNSEEN) < 0.5
    rows = []
    trained.train(lambda update, row: rows.append((update, row)))
    return trained, rows


def test_a_small_policy_learns_to_go_where_it_is_told(trained_and_rows):
    trained, rows = trained_and_rows
    assert [update for update, _ in rows] == list(range(1, 121))
    late = {key: np.mean([row[key] for _, row in rows[-20:]]) for key in rows[0][1]}
    assert late['loss'] < 0.3 * rows[0][1]['loss'] and late['agreement'] > 0.9
    assert success(trained, UNSEEN) > 0.9


def test_with_the_sign_flipped_it_learns_nothing(monkeypatch):
    right = cloning_room.cloning_loss
    monkeypatch.setattr(cloning_room, 'cloning_loss', lambda *given: -right(*given))
    trained = learner(dataclasses.replace(QUICK, updates=40))
    trained.train(lambda update, row: None)
    assert success(trained, UNSEEN) < 0.3


def test_the_learner_knows_when_it_has_arrived(trained_and_rows):
    trained, _ = trained_and_rows
    walk = Rollouts(*book(), 4, None, np.random.default_rng(0))
    task, opinions = UNSEEN[0], []
    run = walk.begin(task)
    for choice in (int(np.flatnonzero(task.best)[0]), 0):   # up the right arm; stop
        with torch.inference_mode():
            opinions.append(trained.policy(walk.batch([run], [walk.look(run)]))[1].item())
        walk.act(run, choice)
    assert result_of(run).success
    assert opinions[0] < 0 < opinions[1]


def weights(trained: Cloning) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trained.policy.state_dict().items()}


class Enough(Exception):
    """Interrupts a training run."""


def stop_after(updates: int):
    def on_update(update, row):
        if update == updates:
            raise Enough
    return on_update


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(tmp_path):
    # With one step to a run none is under way between updates: runs begin anew on resuming.
    settings = CloningSettings(updates=12, batch=8, max_steps=1, seed=5)
    noise = SensorNoise()
    whole = learner(settings, noise)
    whole.train(lambda update, row: None)
    half = learner(settings, noise)
    with pytest.raises(Enough):
        half.train(stop_after(7))
    save_state(half, {'a': 1}, tmp_path)
    rest = learner(CloningSettings(updates=12, batch=8, max_steps=1, seed=5), noise)
    assert load_state(rest, {'a': 1}, tmp_path)
    assert rest.update == 7
    rest.train(lambda update, row: None)
    for name, value in weights(whole).items():
        assert torch.equal(value, rest.policy.state_dict()[name]), name


def test_another_seed_ends_elsewhere():
    ends = []
    for seed in (5, 5, 6):
        run = learner(CloningSettings(updates=3, batch=8, max_steps=1, seed=seed))
        run.train(lambda update, row: None)
        ends.append(weights(run))
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    assert any(not torch.equal(ends[0][name], ends[2][name]) for name in ends[0])


def test_the_state_on_disk_is_whole(tmp_path):
    settings = CloningSettings(updates=3, batch=8)
    run = learner(settings)
    assert not load_state(run, {'a': 1}, tmp_path / 'none')
    run.train(lambda update, row: None)
    save_state(run, {'a': 1}, tmp_path)
    again = learner(CloningSettings(updates=3, batch=8, seed=9))
    assert load_state(again, {'a': 1}, tmp_path)
    assert all(torch.equal(value, again.policy.state_dict()[name])
               for name, value in weights(run).items())
    before, after = run.optimizer.state_dict()['state'], again.optimizer.state_dict()['state']
    assert before.keys() == after.keys()
    assert all(torch.equal(before[number][name], after[number][name])
               for number in before for name in before[number])
    assert [path.name for path in tmp_path.iterdir()] == ['training.safetensors']


def test_a_run_with_other_settings_is_not_resumed(tmp_path):
    run = learner(CloningSettings(updates=1, batch=2))
    run.train(lambda update, row: None)
    save_state(run, {'a': 1, 'b': (2, 3)}, tmp_path)
    assert load_state(run, {'b': [2, 3], 'a': 1}, tmp_path)
    with pytest.raises(ValueError, match='holds a run with other settings: choose another --out'):
        load_state(run, {'a': 2, 'b': (2, 3)}, tmp_path)


def test_curves(tmp_path):
    append_curves(tmp_path / 'run', [])
    assert not (tmp_path / 'run').exists()
    append_curves(tmp_path, [{'update': 50, 'loss': 2.0}])
    append_curves(tmp_path, [{'update': 100, 'loss': 1.0}, {'update': 150, 'loss': 0.5}])
    with open(tmp_path / 'curves.csv', newline='') as file:
        rows = list(csv.DictReader(file))
    assert [(row['update'], float(row['loss'])) for row in rows] == [
        ('50', 2.0), ('100', 1.0), ('150', 0.5)]
    draw_curves(tmp_path)
    assert (tmp_path / 'curves.png').read_bytes().startswith(b'\x89PNG')
