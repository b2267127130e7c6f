"""What the explorer of a checkpoint thinks of ways."""

from __future__ import annotations

from dataclasses import replace

import pytest
import small_home
from fake_encoder import FakeEncoder
from tiny_graph import star

from nl_robot.checkpoint import CheckpointError, save_checkpoint
from nl_robot.homes.exploring import Explorer
from nl_robot.homes.home_map import HomeMap
from nl_robot.wanderer import MEMORY, Wanderer
from nl_robot.worlds.graph import GraphWorld


@pytest.fixture(scope='module')
def made():
    return small_home.checkpoint(20)


def test_it_has_an_opinion_of_every_way_and_none_of_stopping(made, tmp_path):
    wanderer = Wanderer.of_checkpoint(small_home.saved(tmp_path, made), FakeEncoder())
    observation = GraphWorld(star(small_home.THINGS)).reset(0.0, 0.0, 0.0)
    odds = wanderer.opinion(observation)
    assert len(odds) == 6 and all(0 <= p <= 1 for p in odds) and sum(odds) <= 1 + 1e-6


def test_it_goes_on_for_longer_than_it_remembers(made, tmp_path):
    wanderer = Wanderer.of_checkpoint(small_home.saved(tmp_path, made), FakeEncoder())
    world = GraphWorld(star(small_home.THINGS))
    observation = world.reset(0.0, 0.0, 0.0)
    for step in range(2 * MEMORY):
        wanderer.opinion(observation)
        observation = world.step(step // 2 % 6 if step % 2 == 0 else 0)
    explorer = Explorer(HomeMap('h'), opinion=wanderer.opinion)
    observation, seen = world.reset(0.0, 0.0, 0.0), 0
    while (way := explorer.see(observation)) is not None and seen < 100:
        observation, seen = world.step(way), seen + 1
    assert len(explorer.home) == 7 and explorer.place == 0


def test_a_checkpoint_without_an_explorer_has_none(made, tmp_path):
    weights = {name: state for name, state in made.weights.items() if name != 'explorer'}
    save_checkpoint(replace(made, weights=weights), tmp_path / 'plain')
    assert Wanderer.of_checkpoint(tmp_path / 'plain', FakeEncoder()) is None
    with pytest.raises(CheckpointError):
        Wanderer.of_checkpoint(tmp_path / 'nowhere', FakeEncoder())
