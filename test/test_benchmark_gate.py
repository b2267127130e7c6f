"""The gate over true and shuffled words, in a home of six things, from end to end."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import small_home
from fake_encoder import FakeEncoder
from tiny_graph import star

from nl_robot.cli import benchmark_gate, main
from nl_robot.cli.adapt_worlds import Place
from nl_robot.learning import home_learning
from nl_robot.learning.home_labels import LabelSettings
from nl_robot.learning.home_road import Road, RoadSettings
from nl_robot.worlds.graph import GraphWorld


def test_true_words_and_shuffled_ones(tmp_path, monkeypatch, capsys):
    base, graph = small_home.saved(tmp_path, small_home.checkpoint()), star(small_home.THINGS)
    commands = small_home.tasks_in(graph, small_home.THINGS)[:12]
    monkeypatch.setattr(benchmark_gate, 'generated_home', lambda args, tell: Place(
        'star', GraphWorld(graph), small_home.original()[:40], small_home.original()[40:80],
        commands=commands))
    monkeypatch.setattr(benchmark_gate, 'home_tasks',
                        lambda *_: small_home.original()[80:90])
    monkeypatch.setattr('nl_robot.cli.adapt_learning.load_text_encoder',
                        lambda name, cache_size: FakeEncoder())
    monkeypatch.setattr('nl_robot.cli.adapt_learning.Road', partial(Road, settings=RoadSettings(
        imagined=60, fewest=4, labels=LabelSettings(sure=0.0, heard=0.0))))
    monkeypatch.setattr('nl_robot.wanderer.load_text_encoder', lambda name: FakeEncoder())
    monkeypatch.setattr(home_learning, 'SETTINGS', home_learning.LearningSettings(
        batch=16, learning_rate=1e-2, warmup=3, max_steps=4, expert_only=0.0, reward_from=0.2,
        seek_from=0.9))
    words = ['benchmark', 'gate', '--homes', '1003', '--shuffled', '1', '--learning', '2s',
             '--checkpoint', str(base), '--json', str(tmp_path / 'rows.json')]
    assert main.main(words) == 0
    out = capsys.readouterr().out
    rows = json.loads((tmp_path / 'rows.json').read_text())
    assert [row['words'] for row in rows] == [benchmark_gate.OWN, benchmark_gate.SHUFFLED]
    own, shuffled = rows
    assert own['commands']['before'] == shuffled['commands']['before']
    # what old demonstrations teach this beginner, shuffled words do not take away
    assert own['commands']['after'] >= shuffled['commands']['after'] and own['passed']
    assert f'| shuffled | 1 | {int(shuffled["passed"])} |' in out and 'its own words | 1 |' in out
    assert main.main(words) == 0            # nothing is left to do
    assert 'home 1003' not in capsys.readouterr().out


def test_no_checkpoint_is_measured_twice_on_the_same_tasks():
    asked = []

    def measure(stored, tasks, encoder):
        asked.append(len(tasks))
        return np.ones((1, len(tasks)))
    measured, base = benchmark_gate.remembering(measure), small_home.checkpoint(2)
    tasks = small_home.original()
    for some in (tasks[:3], tasks[:3], tasks[1:4]):
        assert measured(base, some, FakeEncoder()).shape == (1, 3)
    assert asked == [3, 3]
    base.weights['policy'][next(iter(base.weights['policy']))].add_(1.0)
    measured(base, tasks[:3], FakeEncoder())
    assert asked == [3, 3, 3]
