"""The training command on stars of four things: what it writes, and how it goes on."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from fake_encoder import FakeEncoder
from tiny_graph import star, task_in

from nl_robot.agent import Agent
from nl_robot.checkpoint import load_checkpoint
from nl_robot.cli import train as command
from nl_robot.cli.train_tasks import set_aside
from nl_robot.datatypes import Observation, Pose, Waypoint
from nl_robot.learning import checkpoints
from nl_robot.learning.methods import METHODS
from nl_robot.nets.looking import Acting
from nl_robot.settings import load_settings

THINGS = ['sofa', 'fridge', 'bed', 'plant']
SETTINGS = {'navigator': {'text_dim': 16, 'width': 16, 'state': 12, 'heads': 2},
            'learning': {'batch': 4, 'max_steps': 3, 'reward_from': 0.0, 'seek_from': 0.5,
                         'seek_every': 1, 'generated': 4},
            'writing': {'batch': 4}, 'acting': {'visit_penalty': 0.5}}


class CachingEncoder(FakeEncoder):
    """A fake encoder that can be asked to keep its cache."""

    def save_cache(self) -> None:
        """There is nothing to keep."""


def tasks_of(*names: str):
    """Two goals for each of the four arms of each star."""
    return [task_in(graph, 0, goal, [k + 1], ('room',)) for name in names
            for graph in [replace(star(THINGS), name=name)] for k, thing in enumerate(THINGS)
            for goal in (f'go to the {thing}', f'the {thing}')]


@pytest.fixture()
def options(tmp_path, monkeypatch):
    """Makes the options of a small run on stars instead of homes."""
    tasks = tasks_of('star'), tasks_of('other')
    monkeypatch.setattr(command, 'training_tasks', lambda *given: tasks)
    monkeypatch.setattr(command, 'load_text_encoder', lambda *given, **more: CachingEncoder())
    (tmp_path / 'train.yaml').write_text(yaml.safe_dump(SETTINGS))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)

    def make(*more: str) -> argparse.Namespace:
        budget = () if {'--updates', '--minutes'} & set(more) else ('--updates', '6')
        return parser.parse_args(['--settings', str(tmp_path / 'train.yaml'), '--out',
                                  str(tmp_path / 'run'), '--cache', str(tmp_path), *budget,
                                  *more])
    return make


def stored(tmp_path):
    return load_checkpoint(tmp_path / 'run' / 'checkpoint')


def test_a_run_leaves_an_agent_its_origin_and_its_curves(options, tmp_path, capsys):
    assert command.run(options('--seed', '4')) == 0
    out = capsys.readouterr().out
    assert 'update 6' in out and '| room | 8 |' in out
    run = tmp_path / 'run'
    assert (run / 'curves.csv').read_text().count('\n') == 2
    assert (run / 'curves.png').stat().st_size > 1000
    checkpoint = stored(tmp_path)
    origin = checkpoint.origin
    assert (origin['seed'], origin['updates'], origin['method']) == (4, 6, 'lang-goal-irl')
    assert origin['settings']['learning']['batch'] == 4
    assert origin['validation']['all']['episodes'] == 8
    assert set(checkpoint.weights) == {'policy', 'reward', 'goal_generator'}
    assert 'the' in checkpoint.config['goal_generator']['words']
    agent = Agent.load(run / 'checkpoint', FakeEncoder())
    assert agent.acting == Acting(visit_penalty=0.5)
    agent.set_goal('go to the bed')
    view = Observation((), (Waypoint(0.0, 1.0),), Pose(0, 0, 0))
    assert len(agent.decide(view).probabilities) == 2
    assert 0 <= agent.arrived() <= 1


@pytest.mark.parametrize('method', sorted(METHODS))
def test_every_method_leaves_an_agent(options, tmp_path, method):
    assert command.run(options('--method', method, '--updates', '2')) == 0
    checkpoint = stored(tmp_path)
    assert checkpoint.origin['method'] == method
    assert ('reward' in checkpoint.weights) == (METHODS[method].adversary in ('airl', 'gail'))
    assert checkpoint.config['navigator']['sightings'] == (method != 'blind')
    Agent.load(tmp_path / 'run' / 'checkpoint', FakeEncoder())


def test_stops_set_aside_calibrate_the_reward(options, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(checkpoints, 'logistic', lambda numbers, fulfilled: (2.0, -1.0))
    assert command.run(options('--method', 'airl')) == 0
    assert stored(tmp_path).config['calibration'] == {'slope': 2.0, 'offset': -1.0}
    assert 'arrived: AUC' in capsys.readouterr().out


def test_without_both_kinds_of_stops_it_says_so(options, tmp_path, monkeypatch, capsys):
    def refuse(numbers, fulfilled):
        raise ValueError('3 of 3 stops fulfil their goal')
    monkeypatch.setattr(checkpoints, 'logistic', refuse)
    assert command.run(options('--method', 'airl')) == 0
    # sigmoid(f) is the discriminator's own opinion
    assert stored(tmp_path).config['calibration'] == {'slope': 1.0, 'offset': 0.0}
    assert 'not calibrated: 3 of 3 stops' in capsys.readouterr().out


def test_the_same_command_again_changes_nothing(options, tmp_path, capsys):
    command.run(options())
    before = stored(tmp_path).weights
    assert command.run(options()) == 0
    assert 'at update 6' in capsys.readouterr().out
    after = stored(tmp_path).weights
    assert all(torch.equal(value, after[name][key]) for name, part in before.items()
               for key, value in part.items())


def test_an_interrupted_run_goes_on(options, tmp_path, capsys, monkeypatch):
    advance = command.LangGoalIRL.advance

    def interrupt(self, spent):
        if self.update == 4:
            raise KeyboardInterrupt
        return advance(self, spent)
    with monkeypatch.context() as patch:
        patch.setattr(command.LangGoalIRL, 'advance', interrupt)
        assert command.run(options()) == 130
    assert 'interrupted at update 4: the same command resumes' in capsys.readouterr().out
    assert not (tmp_path / 'run' / 'checkpoint').exists()
    assert command.run(options()) == 0
    assert 'at update 4' in capsys.readouterr().out
    assert stored(tmp_path).origin['updates'] == 6


def test_a_run_with_other_settings_is_left_alone(options):
    command.run(options('--method', 'cloning'))
    for other in (('--method', 'cloning', '--updates', '9'), ('--method', 'dagger'),
                  ('--method', 'cloning', '--seed', '1')):
        with pytest.raises(ValueError, match='holds a run with other settings'):
            command.run(options(*other))


@pytest.mark.parametrize(('settings', 'complaint'), [
    ({'policies': {}}, "train.yaml: unknown key 'policies'"),
    ({'learning': {'updats': 3}}, "learning: unknown key 'updats'"),
    ({'learning': {'batch': 'many'}}, "batch: expected int, got 'many'"),
    ({'learning': 3}, 'learning: expected a mapping'),
    ({'learning': None}, 'learning: expected a mapping'),
    ([1], 'expected a mapping for TrainSettings'),
    ('words', 'expected a mapping for TrainSettings'),
])
def test_wrong_settings_are_named(options, tmp_path, settings, complaint):
    (tmp_path / 'train.yaml').write_text(json.dumps(settings))
    with pytest.raises(ValueError, match=complaint):
        command.run(options())


@pytest.mark.parametrize('name', ['train.yaml', 'train_buildings.yaml'])
def test_the_settings_files_of_the_package_are_read(name):
    path = Path(__file__).resolve().parents[1] / 'config' / name
    settings = load_settings(command.TrainSettings, path)
    assert settings.minutes > 0 and settings.navigator.text_dim == 384


def test_the_budget_of_the_command_line_goes_before_the_file(options, tmp_path, monkeypatch):
    budgets = []

    class Enough(Exception):
        pass

    def made(learner, budget, *rest):
        budgets.append((budget.minutes, budget.updates))
        raise Enough
    monkeypatch.setattr(command, 'MethodRun', made)
    args = options()
    args.updates = None
    (tmp_path / 'train.yaml').write_text(yaml.safe_dump(SETTINGS | {'minutes': 7.0}))
    for given in (args, options('--minutes', '2.5'), options('--updates', '9')):
        with pytest.raises(Enough):
            command.run(given)
    assert budgets == [(7.0, None), (2.5, None), (None, 9)]


def test_a_budget_is_minutes_or_updates(options, capsys):
    with pytest.raises(SystemExit):
        options('--minutes', '2', '--updates', '3')
    assert 'not allowed with' in capsys.readouterr().err


@pytest.mark.parametrize('line, sentence', [
    ('data: {train_homes: 0}', 'data.train_homes must be at least 1 and at most 200, got 0'),
    ('data: {val_tasks_per_home: -1}', 'data.val_tasks_per_home must be at least 1, got -1')])
def test_numbers_that_make_no_sense_are_refused_before_the_work(tmp_path, line, sentence):
    (tmp_path / 'train.yaml').write_text(line)
    with pytest.raises(ValueError, match=sentence):
        load_settings(command.TrainSettings, tmp_path / 'train.yaml')


def test_another_encoder_sets_the_width_of_the_words(options, tmp_path, monkeypatch):
    named = []

    def load(name, **more):
        named.append((name, more['cache_path'].name))
        return CachingEncoder(dim=24)
    monkeypatch.setattr(command, 'load_text_encoder', load)
    assert command.run(options('--encoder', '/models/my_encoder', '--updates', '2')) == 0
    assert named == [('/models/my_encoder', 'words--models-my-encoder.npz')]
    assert stored(tmp_path).config['navigator']['text_dim'] == 24


# ---- what is set aside

def test_one_way_in_twenty_is_set_aside_with_all_its_goals():
    tasks = tasks_of(*(f'star {k}' for k in range(10)))         # forty ways, two goals for each
    kept, aside = set_aside(tasks)
    assert len(kept) == 76 and len(aside) == 4
    assert {(t.graph.name, t.goal) for t in kept}.isdisjoint((t.graph.name, t.goal) for t in aside)


def test_goals_of_one_way_stay_together():
    shared = [replace(task, goal=goal) for task in tasks_of('a', 'b')[::2]
              for goal in ('one', 'two', 'three')]
    kept, aside = set_aside(shared, every=4)
    assert len(aside) == 6 and len(kept) == 18
    assert {id(t.cost) for t in aside}.isdisjoint(id(t.cost) for t in kept)
    assert set_aside(shared, every=4)[1] == aside           # the same every time
    assert set_aside(shared[:3]) == (shared[:3], [])        # of one way nothing can be spared


def test_where_the_time_goes_is_shown_and_nothing_is_kept(options, tmp_path, capsys):
    assert command.run(options('--profile')) == 0
    told = capsys.readouterr().out
    assert 'aten::' in told and 'episodes a second of processor time, peak' in told
    assert not (tmp_path / 'run' / 'checkpoint').exists()
