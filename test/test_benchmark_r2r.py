"""Training and measuring on instructions in the official formats, in a building of six places."""

from __future__ import annotations

import argparse
import dataclasses
import json

import pytest
import tiny_building
import torch
from fake_encoder import FakeEncoder

from nl_robot.agent import Agent
from nl_robot.checkpoint import Checkpoint, save_checkpoint
from nl_robot.cli import benchmark_r2r as command
from nl_robot.cli import train_tasks
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.recurrent import RecurrentNavigator

TINY = NavigatorSettings(text_dim=16, width=16, state=12, heads=2)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return tiny_building.write(tmp_path_factory.mktemp('data'))


def tiny(stop: float) -> RecurrentNavigator:
    """A network with random weights and this liking for stopping."""
    torch.manual_seed(0)
    made = RecurrentNavigator(TINY)
    with torch.no_grad():
        made.stop[2].bias.fill_(stop)
    return made


def measure(data, tmp_path, monkeypatch, stop: float, *more: str, reward: bool = False) -> dict:
    """The results file of an agent with this liking for stopping."""
    config = {'navigator': dataclasses.asdict(TINY),
              'text_encoder': {'name': 'fake', 'sha256': FakeEncoder.sha256}}
    weights = {'policy': tiny(stop).state_dict()}
    if reward:
        weights['reward'] = tiny(0.0).state_dict()
    save_checkpoint(Checkpoint(config, weights), tmp_path / 'agent')
    load = Agent.load
    monkeypatch.setattr(command.Agent, 'load', lambda where: load(where, FakeEncoder()))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = ['--data', str(data), '--split', 'train', '--checkpoint', str(tmp_path / 'agent'),
               '--cache', str(tmp_path), '--max-steps', '4', '--json', str(tmp_path / 'o.json'),
               *more]
    assert command.run(parser.parse_args(options)) == 0
    return json.loads((tmp_path / 'o.json').read_text())


def test_results_stand_under_their_official_ids(data, tmp_path, monkeypatch, capsys):
    written = measure(data, tmp_path, monkeypatch, 50.0)
    assert list(written['results']) == ['7_0', '7_1', '8_0', '9_0']
    # it stops at once: one place seen, nothing walked, and the ways are those of the file
    assert {r['steps'] for r in written['results'].values()} == {1}
    assert {r['travelled'] for r in written['results'].values()} == {0.0}
    assert written['results']['7_0']['error'] == written['results']['7_0']['shortest'] > 3.0
    assert written['table']['r2r']['episodes'] == 4
    out = capsys.readouterr().out
    assert '| r2r | 4 |' in out and '| instructions shuffled | 4 |' in out
    assert 'arrived' not in out and written['arrived'] == {}


def test_an_agent_that_never_stops_uses_its_steps_and_fails(data, tmp_path, monkeypatch):
    results = measure(data, tmp_path, monkeypatch, -50.0)['results'].values()
    assert {r['steps'] for r in results} == {4} and not any(r['success'] for r in results)


@pytest.mark.parametrize(('sure', 'kept'), [('0', 1.0), ('1', 0.0)])
def test_with_a_reward_it_says_how_well_it_knows_whether_it_has_arrived(
        data, tmp_path, monkeypatch, capsys, sure, kept):
    # who begins within three metres of where he is to go, and stops, is right: one of the four
    written = measure(data, tmp_path, monkeypatch, 50.0, '--sure', sure, reward=True)
    said = written['arrived']
    assert 'arrived: AUC' in capsys.readouterr().out and 0 <= said['auc'] <= 1
    assert said['false_before'] == 0.75 and said['false_after'] == 0.75 * kept
    assert said['true_kept'] == kept


def test_of_an_agent_that_never_stops_there_is_nothing_to_say(data, tmp_path, monkeypatch,
                                                               capsys):
    written = measure(data, tmp_path, monkeypatch, -50.0, reward=True)
    assert len(written['results']) == 4 and written['arrived'] == {}
    assert 'arrived: it never stopped' in capsys.readouterr().out


def options(data, tmp_path, world: str) -> argparse.Namespace:
    return argparse.Namespace(world=world, data=data, cache=tmp_path, workers=1)


def test_training_takes_the_instructions_and_says_which_splits_are_not_there(data, tmp_path,
                                                                             capsys):
    train, val = train_tasks.training_tasks(options(data, tmp_path, 'r2r'),
                                            train_tasks.HomesData())
    assert [t.goal for t in train][2:] == ['Go to the lamp.', 'Straight on.']
    assert {t.tags for t in train} == {('r2r', 'r2r train')} and val == []
    out = capsys.readouterr().out
    assert 'r2r train: 4 instructions' in out and 'r2r has no split dev_unseen' in out


def test_both_datasets_mix(tmp_path):
    data = tiny_building.write(tmp_path / 'data')
    (data / 'REVERIE_train.json').write_text(json.dumps(tiny_building.REVERIE))
    train, _ = train_tasks.training_tasks(options(data, tmp_path, 'mix'), train_tasks.HomesData())
    assert {tag for t in train for tag in t.tags} == {'r2r', 'reverie', 'r2r train',
                                                      'reverie train'}


def test_real_buildings_need_their_folder(tmp_path):
    with pytest.raises(ValueError, match='--world reverie needs --data DIR'):
        train_tasks.training_tasks(options(None, tmp_path, 'reverie'), train_tasks.HomesData())
