"""The benchmark of homes in a graph of places: its tables, its results file, and resuming."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from fake_encoder import FakeEncoder

from nl_robot.agent import Agent
from nl_robot.checkpoint import Checkpoint, save_checkpoint
from nl_robot.cli import benchmark_homes as command
from nl_robot.cli import benchmark_runs as runs
from nl_robot.embodied.home_episodes import HomeEpisode, sample_episodes
from nl_robot.embodied.home_graph import home_graph
from nl_robot.embodied.places import Target
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.recurrent import RecurrentNavigator
from nl_robot.sim.homes import generate_home

SEED = 11
TINY = NavigatorSettings(text_dim=16, width=16, state=12, heads=2)


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
    """The cache directory with the graph of one home, grown once."""
    directory = tmp_path_factory.mktemp('cache')
    home_graph(SEED, directory / 'graphs')
    return directory


@pytest.fixture()
def arguments(cache, tmp_path, monkeypatch):
    """Makes the options of a small run; the policy has random weights, the encoder is fake."""
    load = Agent.load
    monkeypatch.setattr(runs.Agent, 'load', lambda where: load(where, FakeEncoder()))
    monkeypatch.setattr(runs, '_kept', {})
    make_checkpoint(tmp_path / 'agent', 0)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)

    def make(*more: str) -> argparse.Namespace:
        return parser.parse_args([
            '--homes', str(SEED), '--world', 'graph', '--workers', '1', '--episodes', '4',
            '--max-steps', '8', '--cache', str(cache), '--checkpoint', str(tmp_path / 'agent'),
            '--json', str(tmp_path / 'out.json'), *more])
    return make


def make_checkpoint(directory, seed: int) -> None:
    torch.manual_seed(seed)
    config = {'navigator': dataclasses.asdict(TINY),
              'text_encoder': {'name': 'fake', 'sha256': FakeEncoder.sha256}}
    weights = {'policy': RecurrentNavigator(TINY).state_dict()}
    save_checkpoint(Checkpoint(config, weights), directory)


def results(tmp_path):
    return json.loads((tmp_path / 'out.json').read_text())


def sorted_rows(data):
    """The rows in one order, without the times, which are never the same."""
    rows = [{**row, 'decision_ms': None} for row in data['rows']]
    return sorted(rows, key=lambda row: (row['agent'], row['episode']))


def test_a_graph_of_a_home_leads_everywhere(cache):
    graph, home = home_graph(SEED, cache / 'graphs'), generate_home(SEED)
    assert graph.name == 'home-0011'
    rooms = {home.room_at(x, y).name for x, y in graph.points if home.room_at(x, y)}
    assert rooms == {room.name for room in home.rooms}
    for target in (0, len(graph.points) - 1):
        to = np.arange(len(graph.points)) == target
        assert np.isfinite(graph.distances_to(to)).mean() > 0.95
    # a way ends near where it points: within the half metre by which places may differ
    start = graph.points[graph.ways[:, 0].astype(int)]
    ends = start + graph.ways[:, 3:] * np.stack([np.cos(graph.ways[:, 1]),
                                                 np.sin(graph.ways[:, 1])], axis=1)
    assert np.hypot(*(ends - graph.points[graph.leads_to]).T).max() <= 0.5


def test_all_agents_stand_in_one_table(arguments, tmp_path, capsys):
    assert command.run(arguments()) == 0
    data, out = results(tmp_path), capsys.readouterr().out
    sided = [row['episode'] for row in data['rows'] if row['agent'] == 'agent'
             and {'left', 'right'} & set(row['words'].lower().replace(',', ' ').split())]
    assert len(sided) == 3
    assert len(data['rows']) == 5 * 4 + 3
    for name in set(command.AGENTS) - {command.SWAPPED}:
        assert f'| {name} | 4 |' in out and data['tables'][name]['all']['episodes'] == 4
    assert f'| {command.SWAPPED} | 3 |' in out and '| agent, left or right said | 3 |' in out
    assert [r['episode'] for r in data['rows'] if r['agent'] == command.SWAPPED] == sided
    assert '| held-out frames | 2 |' in out and '| trained frames | 2 |' in out
    assert 'one decision: median' in out and '\nsaid succeeded: ' in out
    assert data['tables']['shortest path']['all']['success'] >= 75
    words = {(row['agent'], row['episode']): row['words'] for row in data['rows']}
    spoken = [words['agent', k] for k in range(4)]
    assert [words['other command', k] for k in range(4)] == spoken[2:] + spoken[:2]
    assert len({words['blank command', k] for k in range(4)}) == 1
    assert [words['random', k] for k in range(4)] == spoken
    for row in data['rows']:
        points, result = row['points'], row['result']
        assert result['steps'] == len(points) <= 9
        assert len(row['decision_ms']) == len(points) - (not row['stopped'])
        length = sum(math.dist(a, b) for a, b in zip(points, points[1:]))
        assert result['travelled'] == pytest.approx(length, abs=0.1)


def test_a_finished_run_is_only_told_again(arguments, tmp_path, capsys, monkeypatch):
    command.run(arguments())
    before, told = results(tmp_path), capsys.readouterr().out
    monkeypatch.delattr(runs, 'run_episode')
    assert command.run(arguments()) == 0
    assert results(tmp_path) == before and capsys.readouterr().out == told


def test_a_run_that_broke_off_goes_on(arguments, tmp_path, monkeypatch):
    command.run(arguments())
    whole = results(tmp_path)
    kept = [row for row in whole['rows'] if (row['episode'] + len(row['agent'])) % 3]
    assert 0 < len(kept) < 23
    (tmp_path / 'out.json').write_text(json.dumps({**whole, 'rows': kept}))
    ran, run_episode = [], runs.run_episode

    def counted(*given):
        ran.append(given)
        return run_episode(*given)
    monkeypatch.setattr(runs, 'run_episode', counted)
    command.run(arguments())
    assert len(ran) == 23 - len(kept)
    assert sorted_rows(results(tmp_path)) == sorted_rows(whole)


def test_more_agents_may_come_later(arguments, tmp_path):
    command.run(arguments('--agents', 'random'))
    assert {row['agent'] for row in results(tmp_path)['rows']} == {'random'}
    command.run(arguments('--agents', 'random', 'shortest path'))
    assert [row['agent'] for row in results(tmp_path)['rows']] == ['random'] * 4 + [
        'shortest path'] * 4


@pytest.mark.parametrize('more', [('--seed', '1'), ('--max-steps', '9'), ('--episodes', '3'),
                                  ('--frames', 'held-out'), ('--detector', 'truth')])
def test_results_of_another_plan_are_left_alone(arguments, tmp_path, more):
    command.run(arguments('--agents', 'random'))
    before = (tmp_path / 'out.json').read_bytes()
    with pytest.raises(ValueError, match='out.json holds results of other episodes or settings'):
        command.run(arguments('--agents', 'random', *more))
    assert (tmp_path / 'out.json').read_bytes() == before


def test_results_of_a_checkpoint_that_was_trained_anew_are_left_alone(arguments, tmp_path):
    command.run(arguments('--agents', 'agent'))
    make_checkpoint(tmp_path / 'agent', 1)
    with pytest.raises(ValueError, match='other episodes or settings'):
        command.run(arguments('--agents', 'agent'))


@pytest.mark.parametrize('content', ['', '{', '[]', '{}'])
def test_a_file_that_holds_no_results_is_left_alone(arguments, tmp_path, content):
    (tmp_path / 'out.json').write_text(content)
    with pytest.raises(ValueError, match='name another file, or delete it'):
        command.run(arguments('--agents', 'random'))
    assert (tmp_path / 'out.json').read_text() == content


def test_an_interrupt_keeps_what_is_there(arguments, tmp_path, capsys, monkeypatch):
    command.run(arguments('--agents', 'random'))

    def interrupted(*given):
        raise KeyboardInterrupt
    monkeypatch.setattr(runs, 'run_episode', interrupted)
    assert command.run(arguments('--agents', 'random', 'agent')) == 130
    assert 'out.json keeps 4 and the same command goes on' in capsys.readouterr().out
    assert len(results(tmp_path)['rows']) == 4


def test_commands_that_others_wrote(arguments, tmp_path, capsys):
    home = generate_home(SEED)
    room, x, y = home.rooms[0].name, *home_graph(SEED, arguments().cache / 'graphs').points[0]
    (tmp_path / 'commands.yaml').write_text(json.dumps([
        {'home': SEED, 'start': [float(x), float(y)], 'words': 'stay', 'goal': {'room': room},
         'tags': ['mine']}]))
    args = arguments('--agents', 'agent', 'shortest path')
    args.commands = tmp_path / 'commands.yaml'
    assert command.run(args) == 0
    assert '| mine | 1 |' in capsys.readouterr().out
    rows = {row['agent']: row for row in results(tmp_path)['rows']}
    assert rows['shortest path']['result']['success']       # it stands in the room already
    assert rows['shortest path']['result']['travelled'] == 0


@pytest.mark.parametrize('option', ['--episodes', '--max-steps', '--workers'])
def test_no_episodes_steps_or_workers_are_refused(arguments, capsys, option):
    with pytest.raises(SystemExit):
        arguments(option, '0')
    assert f"{option}: must be a whole number, 1 or more, got '0'" in capsys.readouterr().err


def test_homes_without_a_seed_are_not_those_of_the_split(arguments):
    with pytest.raises(ValueError, match="must look like .* got ''"):
        command.run(arguments('--homes', ''))


@pytest.mark.parametrize(('text', 'seeds'), [
    ('7', [7]), ('7,9,12', [7, 9, 12]), ('30-33', [30, 31, 32, 33]), ('3,1-4', [3, 1, 2, 4])])
def test_seeds_of_homes(text, seeds):
    assert command.seeds_of(text) == seeds


@pytest.mark.parametrize('text', ['', 'a', '9-7', '-3', '1-2-3', '1,,2', '1.5'])
def test_what_are_no_seeds(text):
    with pytest.raises(ValueError, match='--homes must look like 3000-3009 or 7,9,12, got'):
        command.seeds_of(text)


def test_another_command_is_one_with_another_target():
    def episode(index, words, room):
        return HomeEpisode(index, SEED, (0.0, 0.0, 0.0), words, Target(rooms=(room,)), ())
    episodes = [episode(0, 'to the kitchen', 'kitchen'), episode(1, 'go left', 'bedroom'),
                episode(2, 'kitchen, please', 'kitchen')]
    others = {job.episode.index: job.other_words
              for job in runs.make_jobs(episodes, ['other command'], set())}
    assert others[0] == 'go left' and others[2] == 'go left'
    assert others[1] in ('to the kitchen', 'kitchen, please')
    # where there is none, nobody is measured on it
    assert runs.make_jobs(episodes[:1], ['other command'], set()) == []
    assert runs.make_jobs(episodes[::2], ['other command'], set()) == []


def test_only_commands_that_say_left_or_right_are_swapped():
    episodes = sample_episodes([SEED], 6, 0, 'both')
    jobs = runs.make_jobs(episodes, [runs.SWAPPED], set())
    assert [job.episode for job in jobs] == [e for e in episodes if e.sided] != []


def test_how_often_success_was_said_and_wrong():
    def row(stopped, first_stop, **result):
        return {'stopped': stopped, 'first_stop': first_stop, 'result': result}
    rows = [row(True, True, success=True, sure=True), row(True, False, success=True, sure=True),
            row(True, False, success=False, sure=True), row(True, False, success=False),
            row(True, True, success=False, sure=False), row(True, True, success=True, sure=False),
            row(False, None, success=False, sure=True)]
    assert command._honesty(rows) == (
        'said succeeded: 4, of these wrong: 50.0 %; unsure: 2, fulfilled all the same: 1; '
        'without doubts, at its first stop, said succeeded: 6, of these wrong: 50.0 %')
    assert command._honesty(rows[-1:]).startswith('said succeeded: 0; unsure: 0, ')
