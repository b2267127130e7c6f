"""One run of one method on disk: its budget, its curves, and how it goes on."""

from __future__ import annotations

import csv

import pytest
import torch
from fake_encoder import FakeEncoder
from tiny_graph import star, task_in

from nl_robot.learning.arena import Arena
from nl_robot.learning.lang_goal_irl import LangGoalIRL
from nl_robot.learning.method_run import Budget, MethodRun
from nl_robot.learning.methods import METHODS, LearningSettings
from nl_robot.learning.parallel import Rank
from nl_robot.learning.resume import (
    append_curves,
    draw_curves,
    load_state,
    notes_of,
    save_state,
)
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.words import Vocabulary

TINY = NavigatorSettings(text_dim=16, width=16, state=12, heads=2)
QUICK = LearningSettings(batch=4, max_steps=3)
THINGS = ['sofa', 'fridge', 'bed', 'plant']


def learner(seed: int = 0) -> LangGoalIRL:
    graph = star(THINGS)
    arena = Arena([task_in(graph, 0, f'go to the {thing}', [k + 1])
                   for k, thing in enumerate(THINGS)], Vocabulary(FakeEncoder()))
    return LangGoalIRL(arena, METHODS['dagger'], TINY, QUICK, seed)


def job(directory, updates: int = 6, said: list[str] | None = None, **settings) -> MethodRun:
    return MethodRun(learner(), Budget(updates=updates), directory, settings,
                     (said if said is not None else []).append)


def weights(of: MethodRun) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in of.learner.policy.net.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, other[key]) for key, value in one.items())


def rows_of(directory) -> list[dict[str, str]]:
    with open(directory / 'curves.csv', newline='') as file:
        return list(csv.DictReader(file))


def test_a_budget_by_hand():
    assert Budget(updates=8).spent(1e9, 2) == 0.25
    assert Budget(minutes=2.0).spent(30.0, 10 ** 9) == 0.25
    assert Budget(updates=8).spent(0, 8) == Budget(minutes=0.5).spent(30.0, 0) == 1.0


@pytest.mark.parametrize('given', [{}, {'minutes': 1.0, 'updates': 3}])
def test_a_budget_is_one_or_the_other(given):
    with pytest.raises(ValueError, match='either minutes or updates'):
        Budget(**given)


def test_a_run_spends_its_budget_and_leaves_its_curves(tmp_path):
    said: list[str] = []
    run = job(tmp_path, 6, said)
    assert not run.resume()
    run.train()
    assert run.learner.update == 6 and run.seconds > 0
    assert 'update 6' in said[-1] and 'imitation' in said[-1]
    row, = rows_of(tmp_path)
    assert row['update'] == '6' and 0 < float(row['imitation']) < 10
    assert (tmp_path / 'curves.png').read_bytes().startswith(b'\x89PNG')
    assert notes_of(tmp_path, {})['update'] == 6


def test_a_curve_is_the_mean_of_the_updates(tmp_path, monkeypatch):
    run = job(tmp_path, 4)
    values = iter(torch.tensor([1.0, 2.0, 3.0, 6.0]))

    def advance(spent):
        run.learner.update += 1
        row = {'imitation': next(values)}
        return row | {'critic': torch.tensor(5.0)} if run.learner.update == 2 else row
    monkeypatch.setattr(run.learner, 'advance', advance)
    run.train()
    assert rows_of(tmp_path) == [{'update': '4', 'imitation': '3.0', 'critic': '5.0'}]


def test_the_schedules_follow_the_budget(tmp_path, monkeypatch):
    run, seen = job(tmp_path, 4), []
    right = run.learner.advance
    monkeypatch.setattr(run.learner, 'advance', lambda spent: seen.append(spent) or right(spent))
    run.train()
    assert seen == [0.0, 0.25, 0.5, 0.75]


def test_minutes_are_those_of_the_processor(tmp_path, monkeypatch):
    # a budget of nothing to speak of: one update, however long it takes by the clock on the wall
    run = MethodRun(learner(), Budget(minutes=1e-9), tmp_path, {}, lambda line: None)
    run.train()
    assert run.learner.update == 1
    kept = run.seconds
    again = MethodRun(learner(), Budget(minutes=1e-9), tmp_path, {}, lambda line: None)
    assert again.resume() and again.seconds == kept
    again.train()
    assert again.learner.update == 1


class Interrupted(KeyboardInterrupt):
    """Somebody pressed Ctrl-C."""


def interrupt_at(run: MethodRun, update: int, monkeypatch) -> None:
    """Let a run be interrupted when so many updates are done."""
    right = run.learner.advance

    def advance(spent):
        if run.learner.update == update:
            raise Interrupted
        return right(spent)
    monkeypatch.setattr(run.learner, 'advance', advance)


@pytest.mark.parametrize('update', [0, 3, 5])
def test_an_interrupted_run_is_saved_and_ends_as_one_that_was_not(tmp_path, monkeypatch, update):
    whole = job(tmp_path / 'whole')
    whole.train()
    half = job(tmp_path / 'half')
    with monkeypatch.context() as patch:
        interrupt_at(half, update, patch)
        with pytest.raises(Interrupted):
            half.train()
    assert notes_of(tmp_path / 'half', {})['update'] == update
    rest = job(tmp_path / 'half')
    assert rest.resume() and rest.learner.update == update
    rest.train()
    assert same(weights(whole), weights(rest)) and not same(weights(half), weights(rest))
    assert rows_of(tmp_path / 'half')[-1]['update'] == '6'


def test_a_run_that_is_over_stays_as_it_is(tmp_path):
    first = job(tmp_path)
    first.train()
    again = job(tmp_path)
    assert again.resume()
    again.train()
    assert same(weights(first), weights(again)) and len(rows_of(tmp_path)) == 1


def test_only_one_process_writes(tmp_path):
    run = job(tmp_path / 'none')
    run.learner.rank = Rank(1, 2)
    run.save()
    assert not (tmp_path / 'none').exists()


# ---- files

def test_a_run_with_other_settings_is_not_resumed(tmp_path):
    save_state(tmp_path, {'x': torch.ones(2)}, {'a': 1, 'b': (2, 3)}, {'update': 7})
    tensors, notes = load_state(tmp_path, {'b': [2, 3], 'a': 1})
    assert tensors['x'].tolist() == [1, 1] and notes == {'update': 7}
    assert load_state(tmp_path / 'none', {'a': 1}) is None
    for ask in (load_state, notes_of):
        with pytest.raises(ValueError, match='holds a run with other settings: choose another'):
            ask(tmp_path, {'a': 2, 'b': (2, 3)})
    assert [path.name for path in tmp_path.iterdir()] == ['training.safetensors']


def test_curves(tmp_path):
    append_curves(tmp_path / 'run', [])
    assert not (tmp_path / 'run').exists()
    append_curves(tmp_path, [{'update': 50, 'loss': 2.0}])
    append_curves(tmp_path, [{'update': 100, 'loss': 1.0}, {'update': 150, 'loss': 0.5}])
    assert [(row['update'], float(row['loss'])) for row in rows_of(tmp_path)] == [
        ('50', 2.0), ('100', 1.0), ('150', 0.5)]
    # a column that comes later is empty before, and one that ends is empty after
    append_curves(tmp_path, [{'update': 200, 'critic': 3.0}])
    append_curves(tmp_path, [{'update': 250, 'loss': 0.1}])
    assert [(row['loss'], row['critic']) for row in rows_of(tmp_path)] == [
        ('2.0', ''), ('1.0', ''), ('0.5', ''), ('', '3.0'), ('0.1', '')]
    draw_curves(tmp_path)
    assert (tmp_path / 'curves.png').read_bytes().startswith(b'\x89PNG')
