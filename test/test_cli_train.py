"""The training command on stars of four things: what it writes, and how it goes on."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
import torch
import yaml
from fake_encoder import FakeEncoder
from tiny_graph import star, task_in

from nl_robot.agent import Agent
from nl_robot.checkpoint import load_checkpoint
from nl_robot.cli import train as command
from nl_robot.datatypes import Observation, Pose, Waypoint
from nl_robot.settings import load_settings

THINGS = ['sofa', 'fridge', 'bed', 'plant']
SETTINGS = {'policy': {'text_dim': 16, 'width': 16, 'heads': 2, 'layers': 1},
            'cloning': {'updates': 6, 'batch': 4, 'max_steps': 3}}


class CachingEncoder(FakeEncoder):
    """A fake encoder that can be asked to keep its cache."""

    def save_cache(self) -> None:
        """There is nothing to keep."""


@pytest.fixture()
def options(tmp_path, monkeypatch):
    """Makes the options of a small run on stars instead of homes."""
    graph = star(THINGS)
    tasks = [task_in(graph, 0, f'go to the {thing}', [k + 1], ('room',))
             for k, thing in enumerate(THINGS)]
    monkeypatch.setattr(command, 'training_tasks', lambda *given: (tasks, tasks))
    monkeypatch.setattr(command, 'load_text_encoder', lambda *given, **more: CachingEncoder())
    (tmp_path / 'train.yaml').write_text(yaml.safe_dump(SETTINGS))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)

    def make(*more: str) -> argparse.Namespace:
        return parser.parse_args(['--settings', str(tmp_path / 'train.yaml'), '--out',
                                  str(tmp_path / 'run'), '--cache', str(tmp_path), *more])
    return make


def weights(tmp_path):
    return load_checkpoint(tmp_path / 'run' / 'checkpoint').weights['policy']


def test_a_run_leaves_an_agent_its_origin_and_its_curves(options, tmp_path, capsys):
    assert command.run(options('--seed', '4')) == 0
    out = capsys.readouterr().out
    assert 'update 6/6' in out and '| room | 4 |' in out
    run = tmp_path / 'run'
    assert (run / 'curves.csv').read_text().count('\n') == 2
    assert (run / 'curves.png').stat().st_size > 1000
    origin = load_checkpoint(run / 'checkpoint').origin
    assert origin['seed'] == 4 and origin['settings']['cloning']['updates'] == 6
    assert origin['validation']['all']['episodes'] == 4
    agent = Agent.load(run / 'checkpoint', FakeEncoder())
    agent.set_goal('go to the bed')
    view = Observation((), (Waypoint(0.0, 1.0),), Pose(0, 0, 0))
    assert len(agent.decide(view).probabilities) == 2


def test_the_same_command_again_changes_nothing(options, tmp_path, capsys):
    command.run(options())
    before = weights(tmp_path)
    assert command.run(options()) == 0
    assert 'resuming' in capsys.readouterr().out
    assert all(torch.equal(value, weights(tmp_path)[name]) for name, value in before.items())


def test_an_interrupted_run_goes_on(options, tmp_path, capsys, monkeypatch):
    progress = command._Progress.__call__

    def interrupt(self, update, row):
        progress(self, update, row)
        if update == 4:
            raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        patch.setattr(command._Progress, '__call__', interrupt)
        assert command.run(options()) == 130
    assert 'interrupted at update 4: the same command resumes' in capsys.readouterr().out
    assert not (tmp_path / 'run' / 'checkpoint').exists()
    assert command.run(options()) == 0
    assert 'at update 4' in capsys.readouterr().out
    assert weights(tmp_path)


def test_a_run_with_other_settings_is_left_alone(options, tmp_path):
    command.run(options())
    with pytest.raises(ValueError, match='holds a run with other settings'):
        command.run(options('--updates', '9'))
    with pytest.raises(ValueError, match='holds a run with other settings'):
        command.run(options('--seed', '1'))


@pytest.mark.parametrize(('settings', 'complaint'), [
    ({'policies': {}}, "train.yaml: unknown key 'policies'"),
    ({'cloning': {'updats': 3}}, "cloning: unknown key 'updats'"),
    ({'cloning': {'updates': 'many'}}, "updates: expected int, got 'many'"),
    ({'cloning': 3}, 'cloning: expected a mapping'),
    ({'cloning': None}, 'cloning: expected a mapping'),
    ([1], 'expected a mapping for TrainSettings'),
    ('words', 'expected a mapping for TrainSettings'),
])
def test_wrong_settings_are_named(options, tmp_path, settings, complaint):
    (tmp_path / 'train.yaml').write_text(json.dumps(settings))
    with pytest.raises(ValueError, match=complaint):
        command.run(options())


def test_the_settings_file_of_the_package_is_read():
    path = Path(__file__).resolve().parents[1] / 'config' / 'train.yaml'
    settings = load_settings(command.TrainSettings, path)
    assert settings.cloning.updates > 0 and settings.policy.text_dim == 384


def test_the_command_line_goes_before_the_file(options):
    args = options('--updates', '9', '--seed', '7')
    cloning = command._settings(args).cloning
    assert (cloning.updates, cloning.seed, cloning.batch) == (9, 7, 4)


def test_every_update_counts_in_the_curves(tmp_path, monkeypatch):
    class Learner:
        update = 0
    saved = []
    progress = command._Progress(Learner(), {'cloning': {'updates': 120}}, tmp_path)
    monkeypatch.setattr(command, 'save_state', lambda *given: saved.append(given))
    for update in range(1, 121):
        progress(update, {'loss': float(update), 'agreement': 0.0, 'arrived_loss': 0.0})
    rows = (tmp_path / 'curves.csv').read_text().split()
    # means of 1..50, 51..100 and 101..120
    assert [row.split(',')[:2] for row in rows[1:]] == [['50', '25.5'], ['100', '75.5'],
                                                        ['120', '110.5']]
    assert len(saved) == 1


@pytest.mark.parametrize('line, sentence', [
    ('data: {train_homes: 0}', 'data.train_homes must be at least 1 and at most 200, got 0'),
    ('data: {val_tasks_per_home: -1}', 'data.val_tasks_per_home must be at least 1, got -1'),
    ('cloning: {batch: 0}', 'cloning.batch must be positive, got 0')])
def test_numbers_that_make_no_sense_are_refused_before_the_work(tmp_path, line, sentence):
    (tmp_path / 'train.yaml').write_text(line)
    with pytest.raises(ValueError, match=sentence):
        load_settings(command.TrainSettings, tmp_path / 'train.yaml')


def test_another_encoder_sets_the_width_of_the_words(options, tmp_path, monkeypatch):
    named = []

    def load(name, **more):
        named.append((name, more['cache_path'].name))
        return CachingEncoder()
    monkeypatch.setattr(command, 'load_text_encoder', load)
    assert command.run(options('--encoder', '/models/my_encoder')) == 0
    assert named == [('/models/my_encoder', 'words--models-my-encoder.npz')]
    stored = load_checkpoint(tmp_path / 'run' / 'checkpoint')
    assert stored.config['policy']['text_dim'] == FakeEncoder().dim
