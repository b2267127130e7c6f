"""Many episodes at once: the same world as one at a time, and outcomes worked by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import tiny_building
import torch
from fake_encoder import FakeEncoder
from tiny_graph import corner, star, task_in

from nl_robot.agent import seen_of
from nl_robot.evaluation import Result
from nl_robot.learning.arena import Arena
from nl_robot.learning.replay import replay
from nl_robot.learning.sensor_noise import SensorNoise
from nl_robot.learning.walks import (
    EXPERT_TEMPERATURE,
    NO_CHOICE,
    Choosing,
    expert_walks,
    greedy,
    greedy_results,
    greedy_walks,
    mixture,
    results_of,
    sample,
    together,
    walk,
)
from nl_robot.nets.looking import MAX_SIGHTINGS, Acting
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.recurrent import RecurrentNavigator
from nl_robot.nets.words import Vocabulary
from nl_robot.worlds.graph import GraphWorld, PlaceGraph
from nl_robot.worlds.instructions import split_tasks
from nl_robot.worlds.tasks import GraphTask, expert_choice

TINY = NavigatorSettings(text_dim=16, width=16, state=12, heads=2, dropout=0.0)
THINGS = ['sofa', 'fridge', 'bed', 'plant']
STAR, CORNER = star(THINGS), corner()


def tasks_of_star() -> list[GraphTask]:
    return [task_in(STAR, 0, f'go to the {thing}', [k + 1], ('star',))
            for k, thing in enumerate(THINGS)]


def tasks_of_corner() -> list[GraphTask]:
    return [task_in(CORNER, 0, 'the white fridge', [2], ('corner',)),
            replace(task_in(CORNER, 1, 'door', [0]), yaw=2.0), task_in(CORNER, 2, 'here', [2])]


@pytest.fixture(scope='module')
def building(tmp_path_factory):
    """Instructions in a building with a stair, and with places that lead nowhere."""
    folder = tmp_path_factory.mktemp('data')
    return split_tasks(tiny_building.write(folder / 'data'), 'r2r', 'train', folder)[1]


@pytest.fixture()
def arena(building) -> Arena:
    """Three graphs side by side."""
    return Arena([*tasks_of_corner(), *tasks_of_star(), *building], Vocabulary(FakeEncoder()))


def net(seed: int = 0, stop: float = 0.0, outputs: int = 1) -> RecurrentNavigator:
    torch.manual_seed(seed)
    made = RecurrentNavigator(TINY, outputs).eval()
    with torch.no_grad():
        made.stop[2].bias += stop
    return made


def every_place(arena: Arena):
    """(arena place, graph, place) of all that the arena holds."""
    first = 0
    for graph in {id(task.graph): task.graph for task in arena.tasks}.values():
        for place in range(len(graph.points)):
            yield first + place, graph, place
        first += len(graph.points)


def wrapped(angles: torch.Tensor) -> torch.Tensor:
    return torch.stack([torch.cos(angles), torch.sin(angles)], dim=-1)


@pytest.mark.parametrize('yaw', [0.0, 2.5, -7.0])
def test_it_sees_what_one_robot_sees(arena, yaw):
    rows = list(every_place(arena))
    assert len(rows) == len(arena.points) == 3 + 5 + 6
    places = torch.tensor([number for number, _, _ in rows])
    seen = arena.seen(places, torch.full((len(rows),), yaw))
    for row, (_, graph, place) in enumerate(rows):
        world = GraphWorld(graph)
        world.place, world.yaw = place, yaw
        one = seen_of(world._observation(), arena.vocabulary)
        things, ways = len(graph.sighting_rows[place]), len(graph.way_rows[place])
        assert seen.labels[row, :things].tolist() == one.labels[0, :things].tolist()
        assert (seen.labels[row, things:] == 0).all()
        assert seen.mask_way_is_valid[row].tolist() == [
            k < ways for k in range(seen.ways.shape[1])]
        for mine, his in ((seen.sightings[row, :things], one.sightings[0, :things]),
                          (seen.ways[row, :ways], one.ways[0, :ways])):
            torch.testing.assert_close(wrapped(mine[:, 0]), wrapped(his[:, 0]), atol=1e-5, rtol=0)
            torch.testing.assert_close(mine[:, 1:], his[:, 1:], equal_nan=True)


def test_what_it_sees_by_hand():
    arena = Arena(tasks_of_corner(), Vocabulary(FakeEncoder()))
    seen = arena.seen(torch.tensor([1, 0]), torch.tensor([math.pi, 0.0]))
    assert seen.labels.tolist() == [[2], [1]]           # the red sofa; the door
    assert seen.sightings[0, 0] == pytest.approx([-math.pi / 2, 0, 0.3, math.nan, 0.8],
                                                 nan_ok=True)
    assert seen.ways[0] == pytest.approx(np.array([[0, 0, 2], [-math.pi / 2, 0, 2]]), abs=1e-6)
    assert seen.mask_way_is_valid.tolist() == [[True, True], [True, False]]
    assert arena.ends.tolist() == [[1, -1], [0, 2], [1, -1]]
    assert arena.lengths.tolist() == [[2, math.inf], [2, 2], [2, math.inf]]


def test_of_too_much_the_largest_is_seen():
    count = MAX_SIGHTINGS + 8
    graph = PlaceGraph('heap', np.zeros((1, 2)), tuple(f'thing {k}' for k in range(count)),
                       np.array([[0, 0.0, 0.0, k / count, 1.0, 1.0] for k in range(count)]),
                       np.zeros((0, 4)), np.zeros(0, np.int64))
    arena = Arena([task_in(graph, 0, 'on', [0])], Vocabulary(FakeEncoder()))
    seen = arena.seen(torch.tensor([0]), torch.tensor([0.0]))
    # label 1 is that of thing 0, the smallest
    assert seen.labels[0].tolist() == list(range(count, count - MAX_SIGHTINGS, -1))
    one = seen_of(GraphWorld(graph).reset(0, 0, 0), arena.vocabulary)
    assert one.labels.tolist() == seen.labels.tolist()
    assert greedy_walks(net(), arena, 3).actions.tolist() == [[0]]      # nowhere to go


def test_noise_comes_from_the_seed():
    arena = Arena(tasks_of_star(), Vocabulary(FakeEncoder()), noise=SensorNoise())
    places, yaws = torch.zeros(64, dtype=torch.long), torch.zeros(64)
    looks = []
    for seed in (1, 1, 2):
        arena.generator.manual_seed(seed)
        looks.append(arena.seen(places, yaws))
    assert torch.equal(looks[0].labels, looks[1].labels)
    assert torch.equal(looks[0].mask_way_is_valid, looks[1].mask_way_is_valid)
    assert not torch.equal(looks[0].labels, looks[2].labels)
    quiet = Arena(tasks_of_star(), arena.vocabulary).seen(places, yaws)
    assert (quiet.labels > 0).sum() > (looks[0].labels > 0).sum()


def test_goals_have_the_same_numbers_in_every_process():
    # a set of words has another order in each; walks on disk name goals by number
    tasks = [replace(task, goal=goal) for task, goal in zip(
        tasks_of_star() * 2, ['go b', 'go a', 'a', 'go c', 'go a', 'c', 'go longer', 'b'])]
    arena = Arena(tasks, Vocabulary(FakeEncoder()))
    assert arena.goal.tolist() == [4, 3, 0, 5, 3, 2, 6, 1]
    assert [len(goal.ids) for goal in arena.goals] == [1, 1, 1, 2, 2, 2, 2]


def test_more_goals_are_heard_by_number(arena):
    before = len(arena.goals)
    numbers = arena.add_goals(['quite new words', 'door'])
    assert numbers == [before, before + 1]
    features, ids, mask = arena.words(torch.tensor(numbers))
    assert [arena.vocabulary.words[row] for row in ids[0]] == ['quite', 'new', 'words']
    assert mask.tolist() == [[True] * 3, [True, False, False]]
    assert len(arena.known.words) == len(arena.vocabulary.words) > int(ids.max())
    assert features.shape == (2, 3, 16)


def test_the_expert_is_that_of_the_world(arena):
    found = 0
    for number, task in enumerate(arena.tasks):
        first = int(arena.start[number]) - task.place
        for place in range(len(task.graph.points)):
            at = torch.tensor([first + place])
            seen = arena.seen(at, torch.zeros(1))
            said = arena.expert(torch.tensor([number]), at, seen.mask_way_is_valid, 0.3)[0]
            expected = expert_choice(task, place, task.graph.lengths(), 0.3)
            if expected.sum() == 0:                 # no way leads on: then it may as well stop
                expected[0] = 1
                found += 1
            assert said.tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert found > 0


def test_the_expert_makes_do_with_what_is_offered():
    arena = Arena(tasks_of_corner(), Vocabulary(FakeEncoder()))
    task, middle = torch.tensor([0]), torch.tensor([1])

    def said(*offered: bool) -> list[float]:
        return arena.expert(task, middle, torch.tensor([offered]), 0.1)[0].tolist()
    assert said(True, True) == pytest.approx([0, 0, 1], abs=1e-6)
    assert said(True, False) == pytest.approx([0, 1, 0])
    assert said(False, False) == pytest.approx([1, 0, 0])


def test_experts_arrive_by_the_shortest_way(arena):
    reached = torch.tensor([n for n, task in enumerate(arena.tasks)
                            if math.isfinite(task.shortest)])
    walks = expert_walks(arena, reached, 10)
    assert [round(r.spl, 4) for r in results_of(arena, walks)] == [1.0] * len(reached)
    assert torch.equal(walks.goals, arena.goal[reached])
    # the fridge: on, to the left, and stop; the door: straight back; here: stop
    assert walks.actions[:3, :3].tolist() == [[1, 2, 0], [1, 0, 0], [0, 0, 0]]
    assert walks.places[0, :3].tolist() == [0, 1, 2]
    assert walks.mask_is_valid.sum(dim=1)[:3].tolist() == [3, 2, 1]


def scripted(*rows: list[int]):
    """Chooses what is written for each episode."""
    def choose(now: Choosing) -> torch.Tensor:
        return torch.tensor([rows[int(row)][now.step] for row in now.rows])
    return choose


def test_outcomes_by_hand():
    arena = Arena(tasks_of_corner(), Vocabulary(FakeEncoder()))
    ways = [[1, 2, 0], [1, 2, 1, 0], [1, 1, 1, 2, 0], [0], [1, 2, 1, 1, 1]]
    walks = walk(net(), arena, torch.zeros(5, dtype=torch.long), scripted(*ways),
                 max_steps=5).walks
    assert results_of(arena, walks) == [
        Result(True, 0.0, 4.0, 4.0, True, 0, 3, ('corner',)),
        Result(False, 2.0, 6.0, 4.0, True, 0, 4, ('corner',)),      # came by, and went on
        Result(True, 0.0, 8.0, 4.0, True, 0, 5, ('corner',)),       # a detour
        Result(False, 4.0, 0.0, 4.0, False, 0, 1, ('corner',)),
        Result(False, 2.0, 10.0, 4.0, True, 0, 5, ('corner',))]     # it never stopped
    assert [r.spl for r in results_of(arena, walks)] == [1, 0, 0.5, 0, 0]
    assert walks.stopped.tolist() == [True, True, True, True, False]
    assert walks.last.tolist() == [2, 1, 2, 0, 1]
    assert walks.places[2].tolist() == [0, 1, 0, 1, 2]
    assert walks.actions.tolist() == [[*way, *[0] * (5 - len(way))] for way in ways]
    assert walks.mask_is_valid.sum(dim=1).tolist() == [len(way) for way in ways]


def test_who_stands_at_the_goal_but_does_not_say_so_has_failed():
    arena = Arena(tasks_of_corner(), Vocabulary(FakeEncoder()))
    walks = walk(net(), arena, torch.tensor([0]), scripted([1, 2]), max_steps=2).walks
    result, = results_of(arena, walks)
    assert (result.success, result.error, result.oracle) == (False, 0.0, True)


def test_a_way_that_is_not_offered_is_never_taken():
    arena = Arena(tasks_of_star(), Vocabulary(FakeEncoder()), noise=SensorNoise(way_loss=0.5))
    tasks = torch.arange(4).repeat(64)
    with torch.no_grad():
        for choose, expert in ((sample, False), (greedy, False),
                               (mixture(torch.full((256,), 0.5)), True)):
            passage = walk(net(stop=-1.0), arena, tasks, choose, max_steps=4, expert=expert)
            walks = passage.walks
            offered = passage.mask_choice_is_valid
            taken = offered.gather(2, walks.actions[..., None])[..., 0]
            assert taken[walks.mask_is_valid].all()
            assert 1 < offered[:, 0].sum(dim=1).float().mean() < 4.5     # 5 without the noise
            # and what is followed later was offered, whatever is drawn then
            again = replay(net(), arena, walks)
            assert torch.equal(again.walks.places, walks.places)
            done = again.logits().gather(2, walks.actions[..., None])[..., 0]
            assert (done[walks.mask_is_valid] > NO_CHOICE / 2).all()


def sampled(arena: Arena, count: int = 6):
    torch.manual_seed(5)
    tasks = torch.arange(len(arena.tasks)).repeat(count)
    with torch.no_grad():
        return walk(net(stop=-0.5), arena, tasks, sample, max_steps=5, expert=True)


def test_a_walk_that_is_followed_sounds_the_same(arena):
    passage = sampled(arena)
    with torch.no_grad():
        again = replay(net(stop=-0.5), arena, passage.walks, expert=True)
    for name, value in vars(passage.walks).items():
        assert torch.equal(getattr(again.walks, name), value), name
    torch.testing.assert_close(again.logits(), passage.logits(), atol=1e-5, rtol=1e-4)
    assert torch.equal(again.mask_choice_is_valid, passage.mask_choice_is_valid)
    torch.testing.assert_close(again.expert, passage.expert)
    assert passage.walks.mask_is_valid.sum(dim=1).unique().tolist() == [1, 2, 3, 4, 5]


def test_one_alone_sounds_as_among_many(arena):
    passage = sampled(arena, 2)
    for row in range(len(passage.walks)):
        with torch.no_grad():
            alone = replay(net(stop=-0.5), arena, passage.walks.rows(torch.tensor([row])))
        steps, choices = alone.logits().shape[1:]
        assert steps == int(passage.walks.mask_is_valid[row].sum())
        torch.testing.assert_close(alone.logits(), passage.logits()[row:row + 1, :steps, :choices],
                                   atol=1e-5, rtol=1e-4)


def test_words_change_what_is_said_and_are_those_that_the_walk_is_paired_with(arena):
    walks = sampled(arena, 1).walks
    other = walks.with_goals(walks.goals.roll(1))
    assert torch.equal(other.actions, walks.actions) and torch.equal(other.tasks, walks.tasks)
    with torch.no_grad():
        mine, his = replay(net(), arena, walks), replay(net(), arena, other)
    assert torch.equal(his.walks.goals, walks.goals.roll(1))
    assert torch.equal(his.walks.success, mine.walks.success)       # of the task, not the words
    assert not torch.allclose(mine.logits(), his.logits(), atol=1e-3)


@pytest.mark.parametrize('width', [1, 3])
@pytest.mark.parametrize('acting', [None, Acting(1.0, 0.5)])
def test_greedy_walks_do_not_depend_on_who_walks_beside(arena, width, acting):
    whole = greedy_walks(net(stop=-0.2), arena, 5, acting=acting)
    parts = greedy_walks(net(stop=-0.2), arena, 5, width=width, acting=acting)
    assert torch.equal(whole.tasks, torch.arange(len(arena.tasks)))
    for name in ('actions', 'places', 'mask_is_valid', 'travelled', 'success'):
        assert torch.equal(getattr(whole, name), getattr(parts, name)), name
    assert len(whole.actions.unique()) > 2
    assert results_of(arena, whole) == greedy_results(net(stop=-0.2), arena, 5, acting)


def test_greedy_takes_the_most_probable_less_what_it_is_discouraged():
    # a network to which all ways are alike: it takes the first that is offered
    arena = Arena([task_in(CORNER, 1, 'on', [2])], Vocabulary(FakeEncoder()))
    made = net(stop=-50.0)
    with torch.no_grad():
        for weight in (made.score.weight, made.way_inner.weight, made.way[0].weight):
            weight.zero_()
    free = greedy_walks(made, arena, 5)
    assert free.places.tolist() == [[1, 0, 1, 0, 1]]        # the first way, again and again
    shy = greedy_walks(made, arena, 5, acting=Acting(repeat_penalty=1.0))
    assert shy.places.tolist() == [[1, 0, 1, 2, 1]]


def test_the_mixture_is_the_expert_or_the_network(arena):
    reached = torch.tensor([n for n, task in enumerate(arena.tasks)
                            if math.isfinite(task.shortest)])
    torch.manual_seed(0)
    for share, stops in ((0.0, True), (1.0, False)):
        choose = mixture(torch.full((len(reached),), share))
        passage = walk(net(stop=-50.0), arena, reached, choose, max_steps=8, expert=True)
        assert passage.walks.stopped.tolist() == [stops] * len(reached)
        assert passage.walks.success.tolist() == [stops] * len(reached)
    both = walk(net(stop=-50.0), arena, reached.repeat(2), mixture(torch.tensor(
        [0.0] * len(reached) + [1.0] * len(reached))), max_steps=8, expert=True)
    assert both.walks.stopped.tolist() == [True] * len(reached) + [False] * len(reached)


def test_the_expert_is_asked_where_the_learner_is():
    arena = Arena(tasks_of_corner(), Vocabulary(FakeEncoder()))
    passage = walk(net(), arena, torch.tensor([0]), scripted([1, 1, 0]), max_steps=5, expert=True)
    assert EXPERT_TEMPERATURE == 0.3
    assert passage.expert[0] == pytest.approx(np.array([[0, 1, 0], [0, 0, 1], [0, 1, 0]]),
                                              abs=1e-4)


def test_walks_are_put_together_and_taken_apart(arena):
    short = walk(net(stop=50.0), arena, torch.tensor([0, 1]), greedy, max_steps=5).walks
    long = walk(net(stop=-50.0), arena, torch.tensor([3]), greedy, max_steps=5).walks
    both = together([short, long])
    assert len(both) == 3 and both.places.shape == both.mask_is_valid.shape == (3, 5)
    assert both.mask_is_valid.sum(dim=1).tolist() == [1, 1, 5]
    assert both.tasks.tolist() == [0, 1, 3] and both.stopped.tolist() == [True, True, False]
    back = both.rows(torch.tensor([2, 0]))
    assert torch.equal(back.actions[0], long.actions[0])
    assert back.tasks.tolist() == [3, 0]
    with torch.no_grad():
        passage = replay(net(), arena, both)
    assert torch.equal(passage.walks.travelled, both.travelled)


def test_gradients_reach_the_network_through_a_whole_walk(arena):
    made = net(stop=-50.0)
    passage = walk(made, arena, torch.tensor([3, 4]), greedy, max_steps=3)
    passage.logits()[:, 2, 0].sum().backward()      # what it says last
    assert made.cell.weight_hh.grad.abs().max() > 0
    assert torch.isfinite(made.word.weight.grad).all()


def test_two_ways_of_saying_it_have_the_same_target():
    graph = star(['sofa', 'fridge'])
    first = task_in(graph, 0, 'go to the sofa', [1])
    again = replace(first, goal='find the couch')
    arena = Arena([first, again, task_in(graph, 0, 'go to the fridge', [2])],
                  Vocabulary(FakeEncoder()))
    same = arena.same_target(torch.tensor([0, 0, 1]), torch.tensor([1, 2, 2]))
    assert same.tolist() == [True, False, False]
