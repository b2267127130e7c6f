"""Adaptation in real buildings, on one of six places: what is kept, told and gone on with."""

from __future__ import annotations

import argparse
import json

import numpy as np
import pytest
import small_home
import tiny_building
import torch
from fake_encoder import FakeEncoder

from nl_robot.checkpoint import Checkpoint
from nl_robot.cli import adaptation_arms, benchmark_adaptation
from nl_robot.cli.adaptation_arms import ARMS, Subject, borrowed, made_of
from nl_robot.cli.adaptation_table import matrix, text
from nl_robot.homes.labels import Label, Proposal
from nl_robot.learning.home_lesson import imagined, nets_of
from nl_robot.nets.words import Vocabulary
from nl_robot.planning.listening import agreed, planned_ends
from nl_robot.planning.ranking import Ranking


@pytest.fixture(scope='module')
def base():
    return small_home.checkpoint()


def labels(graph) -> list[Label]:
    """Ways from arm to arm, each with a sentence for its end, and one for where it began."""
    ways = list(imagined(graph, 1000, np.random.default_rng(0)))
    thing = dict(enumerate(small_home.THINGS, 1))
    return [Label(number, way, tuple(
        Proposal(f'go to the {thing[place]}', 0.5, 1.0, True)
        for place in (way.places[-1], way.places[0]))) for number, way in enumerate(ways, 1)]


def test_a_sentence_is_believed_where_the_agent_would_drive_to_the_same_place(base):
    graph, nets = small_home.home_map().graph(), nets_of(base)
    ranking, vocabulary = Ranking(policy=0.0, words=1.0), Vocabulary(FakeEncoder())
    found = agreed(labels(graph), graph, nets, vocabulary, ranking)
    right = np.array([[p.kept for p in label.proposals] for label in found])
    assert right[:, 0].mean() > 0.7 and right[:, 1].mean() < 0.25
    # what somebody else dropped is not asked about, and stays dropped
    dropped = [Label(1, found[0].trajectory, (Proposal('go there', 0.1, 0.1, False),))]
    assert agreed(dropped, graph, nets, vocabulary, ranking) == dropped


def test_planned_ends_are_the_places_that_the_words_name(base):
    graph, nets = small_home.home_map().graph(), nets_of(base)
    tasks = small_home.original()[:12]
    ends = planned_ends(tasks, nets, Vocabulary(FakeEncoder()), Ranking(policy=0.0, reward=1.0))
    assert len(graph.points) == 7 and all(0 <= end < 7 and 0 < sure <= 1.001
                                          for end, sure in ends)
    assert np.mean([task.fulfilled[end] for task, (end, _) in zip(tasks, ends)]) > 0.7


def test_parts_of_what_was_learned(base):
    ones = {part: {name: torch.ones_like(value) for name, value in state.items()}
            for part, state in base.weights.items()}
    learned = Checkpoint({**base.config, 'calibration': {'slope': 9.0}}, ones)

    def stop(made: Checkpoint, part: str) -> float:
        name = next(iter(ones[part]))
        return float((made.weights[part][name] - base.weights[part][name]).flatten()[0]
                     / (1 - base.weights[part][name].flatten()[0]))
    policy, half = (made_of(learned, base, ARMS[name]) for name in ('policy only', 'half way'))
    assert (stop(policy, 'policy'), stop(policy, 'reward')) == pytest.approx((1.0, 0.0))
    assert (stop(half, 'policy'), stop(half, 'reward')) == pytest.approx((0.5, 0.5), abs=1e-4)
    assert half.config['calibration'] == {'slope': 9.0}     # goes with the reward
    assert policy.config.get('calibration', {}) == base.config.get('calibration', {})


def piece(arm: str, seed: int, building: str, step: list[int], planned: list[int]) -> dict:
    results = {kind: {'success': list(map(float, values)), 'spl': list(map(float, values))}
               for kind, values in (('step', step), ('map', planned))}
    notes = {} if arm == 'before' else {
        'kept': 3, 'proposed': 9, 'seconds': 60.0, 'memory': 900, 'passed': seed == 0,
        'old_before': 50.0, 'old_after': 49.0}
    return {'dataset': 'r2r', 'seed': seed, 'building': building, 'arm': arm,
            'results': results, **notes}


def test_the_tables_by_hand():
    rows = [piece('before', seed, name, [1, 0, 0, 0], [1, 1, 0, 0])
            for seed in (0, 1) for name in ('a', 'b')]
    rows += [piece('adapted', seed, name, [1, 1, 0, 0], [1, 1, 1, 1])
             for seed in (0, 1) for name in ('a', 'b')]
    rows += [piece('random labels', 0, 'b', [0, 0, 0, 0], [1, 1, 0, 0])]
    assert matrix(rows, 'before', 'step', 'success').shape == (2, 8)
    page = text(rows)
    assert '8 instructions in 2 buildings, 2 seeds' in page
    weights, both = (next(line for line in page.splitlines() if line.startswith(f'| {name} |'))
                     for name in ('weights adapted', 'both'))
    assert '50.0 (' in weights and '+25.0 (' in weights and '+100.0 (' in weights
    assert '100.0 (' in both and '+75.0 (' in both and '+300.0 (' in both
    control = next(line for line in page.splitlines() if line.startswith('| random labels'))
    # against the same building and seed alone
    assert '1 × 1 | 0.0 | −25.0 (' in control and '| 50.0 | +0.0 (' in control
    assert '+1.0 | 1 of 1 |' in control
    assert '| a | 4 | 25.0 | 50.0 | 50.0 | 100.0 | 3 of 9 | 60 | 900 |' in page


def test_words_of_people_are_borrowed_where_the_agent_is_surest_of_their_end(base, monkeypatch):
    monkeypatch.setattr(adaptation_arms, 'LEAST', 1.0)
    monkeypatch.setattr(adaptation_arms, 'WAYS', 10)
    monkeypatch.setattr(adaptation_arms, 'BORROWED', 60)
    original = small_home.original()
    subject = Subject('tiny', base, FakeEncoder(), Ranking(policy=0.0, reward=1.0), original, ())
    found = borrowed(small_home.home_map().graph(), subject, 0)
    assert len(found) == 10 and {one.words for one in found} <= {t.goal for t in original}
    right = [one.words.endswith(small_home.THINGS[one.trajectory.places[-1] - 1])
             for one in found]
    assert np.mean(right) > 0.7
    assert all(one.trajectory.places[0] != one.trajectory.places[-1] for one in found)


def test_who_lacks_a_building_is_left_out_of_what_is_compared():
    rows = [piece('before', 0, 'a', [1], [1]), piece('before', 0, 'b', [1], [1]),
            piece('before', 1, 'a', [0], [0])]
    assert matrix(rows, 'before', 'step', 'success').tolist() == [[1.0, 1.0]]
    with pytest.raises(ValueError, match='no seed has every building'):
        matrix(rows, 'adapted', 'step', 'success')


@pytest.fixture()
def ready(tmp_path, monkeypatch, base):
    """The command's arguments for a tiny building and a tiny agent."""
    folder = tiny_building.write(tmp_path / 'data')
    for split in ('val_seen', 'dev_unseen'):
        (folder / f'R2R_{split}.json').write_text((folder / 'R2R_train.json').read_text())
    encoder = FakeEncoder()
    encoder.save_cache = lambda: None
    monkeypatch.setattr(benchmark_adaptation, 'encoder_with_cache', lambda *_: encoder)
    monkeypatch.setattr(adaptation_arms, 'LEAST', 1.0)
    monkeypatch.setattr(adaptation_arms, 'AGREED_METRES', 100.0)    # it knows nothing of it
    parser = argparse.ArgumentParser()
    benchmark_adaptation.add_arguments(parser)
    return parser, ['--data', str(folder), '--checkpoint',
                    str(small_home.saved(tmp_path, base)), '--minutes', '1s',
                    '--out', str(tmp_path / 'out'), '--cache', str(tmp_path / 'cache')]


def test_it_goes_on_where_it_was_interrupted(ready, tmp_path, capsys, monkeypatch):
    parser, options = ready
    assert benchmark_adaptation.run(parser.parse_args(options)) == 0
    told = capsys.readouterr().out
    assert 'seed-0' in told and '## Room-to-Room' in told and '| both |' in told
    kept = sorted(path.stem for path in (tmp_path / 'out').glob('*/*/*/*.json'))
    assert kept == ['adapted', 'before']
    assert (tmp_path / 'out' / 'adaptation.png').stat().st_size > 10_000
    notes = json.loads(next((tmp_path / 'out').glob('*/*/*/adapted.json')).read_text())
    assert 0 < notes['kept'] <= notes['proposed'] and notes['seconds'] > 0
    monkeypatch.setattr(benchmark_adaptation, 'adapt', None)       # nothing is learned again
    assert benchmark_adaptation.run(parser.parse_args(options)) == 0
    assert 'seed-0' not in capsys.readouterr().out


def test_a_building_that_is_not_there_is_named(ready):
    parser, options = ready
    with pytest.raises(ValueError, match='dev_unseen has no building nowhere'):
        benchmark_adaptation.run(parser.parse_args([*options, '--buildings', 'nowhere']))


def test_every_arm_is_told_in_a_line():
    kinds = ('agreed', 'all', 'shuffled', 'borrowed')
    assert all(arm.title and arm.labels in kinds for arm in ARMS.values())
