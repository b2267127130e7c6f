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
from nl_robot.nets.policy import Policy, PolicySettings

TINY = PolicySettings(text_dim=16, width=16, heads=2, layers=1)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return tiny_building.write(tmp_path_factory.mktemp('data'))


def measure(data, tmp_path, monkeypatch, stop_bias: float) -> dict:
    """The results file of an agent with random weights and this liking for stopping."""
    torch.manual_seed(0)
    policy = Policy(TINY)
    with torch.no_grad():
        policy.stop.bias.fill_(stop_bias)
    config = {'policy': dataclasses.asdict(TINY),
              'text_encoder': {'name': 'fake', 'sha256': FakeEncoder.sha256}}
    save_checkpoint(Checkpoint(config, {'policy': policy.state_dict()}), tmp_path / 'agent')
    load = Agent.load
    monkeypatch.setattr(command.Agent, 'load', lambda where: load(where, FakeEncoder()))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = ['--data', str(data), '--split', 'train', '--checkpoint', str(tmp_path / 'agent'),
               '--cache', str(tmp_path), '--max-steps', '4', '--json', str(tmp_path / 'o.json')]
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
    assert '| r2r | 4 |' in capsys.readouterr().out


def test_an_agent_that_never_stops_uses_its_steps_and_fails(data, tmp_path, monkeypatch):
    results = measure(data, tmp_path, monkeypatch, -50.0)['results'].values()
    assert {r['steps'] for r in results} == {4} and not any(r['success'] for r in results)


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
