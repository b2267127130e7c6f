"""Methods side by side: in a building of six places, and tables from results made up by hand."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import signal
import time
from pathlib import Path

import pytest
import tiny_building
import torch
import yaml
from fake_encoder import FakeEncoder

from nl_robot.cli import benchmark_methods as command
from nl_robot.cli import method_runs, method_table, train
from nl_robot.cli.method_runs import Conditions, Job
from nl_robot.cli.train import TrainSettings
from nl_robot.learning.walks import NO_CHOICE, Choosing

SETTINGS = {'navigator': {'width': 8, 'state': 8, 'heads': 1},
            'learning': {'batch': 4, 'max_steps': 4, 'generated': 4, 'expert_only': 0.1}}
SPLITS = ('val_seen', 'dev_unseen')


class CachingEncoder(FakeEncoder):
    """A fake encoder that can be asked to keep its cache."""

    def save_cache(self) -> None:
        """There is nothing to keep."""


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    folder = tiny_building.write(tmp_path_factory.mktemp('data'))
    for split, records in zip(SPLITS, (tiny_building.R2R[:2], tiny_building.R2R[1:])):
        (folder / f'R2R_{split}.json').write_text(json.dumps(records))
    return folder


@pytest.fixture()
def options(data, tmp_path, monkeypatch):
    """Makes the options of a small comparison in this process, 0.6 s for each run."""
    monkeypatch.setattr(train, 'load_text_encoder', lambda *given, **more: CachingEncoder())
    method_runs._encoder.cache_clear()
    method_runs._tasks.cache_clear()
    (tmp_path / 'train.yaml').write_text(yaml.safe_dump(SETTINGS))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)

    def make(*more: str) -> argparse.Namespace:
        return parser.parse_args([
            '--data', str(data), '--settings', str(tmp_path / 'train.yaml'), '--cache',
            str(tmp_path), '--out', str(tmp_path / 'out'), '--budget', '0.01', '--workers', '1',
            '--seeds', '1', *more])
    yield make
    method_runs._encoder.cache_clear()


def result(out: Path, name: str) -> dict:
    return json.loads((out / 'runs' / name / 'result.json').read_text())


# ---- the command in a building

def test_a_comparison_leaves_results_a_table_and_a_figure(options, tmp_path, capsys):
    names = ['lang-goal-irl', 'cloning', 'random', 'shortest-path']
    assert command.run(options('--methods', *names)) == 0
    out = tmp_path / 'out'
    learned = result(out, 'lang-goal-irl-0')
    assert (learned['method'], learned['seed'], learned['minutes']) == ('lang-goal-irl', 0, 0.01)
    assert learned['episodes_trained'] > 0 and learned['episodes_per_second'] > 0
    assert learned['curve'][-1][0] == 1.0
    assert {split: len(rows['success']) for split, rows in learned['splits'].items()} == {
        'val_seen': 3, 'dev_unseen': 2}
    assert set(learned['splits']['val_seen']) == {'success', 'spl', 'oracle', 'error'}
    best = result(out, 'shortest-path-0')
    assert best['splits']['val_seen']['success'] == [1, 1, 1]
    assert best['splits']['dev_unseen']['spl'] == [1.0, 1.0] and best['episodes_trained'] == 0
    page = (out / 'methods.md').read_text()
    assert '| shortest-path | 1 | 100.0 (100.0–100.0) |' in page
    assert '0.01 minutes' in page and '1 thread a run' in page and '3 of val_seen' in page
    assert list(json.loads((out / 'methods.json').read_text())['methods']) == names
    assert (out / 'methods.png').stat().st_size > 5000
    assert 'train 3, kept aside 1, val_seen 3, dev_unseen 2' in capsys.readouterr().out


def test_what_is_done_is_not_done_again_and_a_comparison_may_grow(options, tmp_path, capsys):
    command.run(options('--methods', 'random'))
    before = (tmp_path / 'out/runs/random-0/result.json').stat().st_mtime_ns
    assert command.run(options('--methods', 'random', '--seeds', '2')) == 0
    assert '2 runs of 0.01 minutes, 1 of them to do' in capsys.readouterr().out
    assert (tmp_path / 'out/runs/random-0/result.json').stat().st_mtime_ns == before
    assert '| random | 2 |' in (tmp_path / 'out/methods.md').read_text()


def test_another_comparison_is_left_alone(options):
    command.run(options('--methods', 'random'))
    with pytest.raises(ValueError, match='other minutes: choose another --out'):
        command.run(options('--methods', 'random', '--budget', '2'))
    with pytest.raises(ValueError, match='other splits: choose'):
        command.run(options('--methods', 'random', '--splits', 'val_seen', 'train'))


def test_what_differs_is_named_to_the_last_key():
    one = {'minutes': 1, 'settings': {'learning': {'batch': 32, 'new': 0}, 'same': {}}}
    other = {'minutes': 1, 'settings': {'learning': {'batch': 16}, 'same': {}}, 'old': None}
    assert command.differing(one, other) == ['settings.learning.batch', 'settings.learning.new',
                                             'old']
    assert command.differing(one, one) == []


def test_an_interrupted_run_goes_on_and_no_minute_is_learned_twice(options, tmp_path, capsys,
                                                                   monkeypatch):
    advance = method_runs.LangGoalIRL.advance
    updates = []

    def interrupted(learner, spent):
        updates.append(learner.update)
        if len(updates) == 6:
            raise KeyboardInterrupt
        return advance(learner, spent)
    monkeypatch.setattr(method_runs.LangGoalIRL, 'advance', interrupted)
    assert command.run(options('--methods', 'random', 'cloning')) == 130
    out = capsys.readouterr().out
    assert 'interrupted with 1 of 2 runs to do: the same command goes on' in out
    assert '| random | 1 |' in (tmp_path / 'out/methods.md').read_text()
    assert command.run(options('--methods', 'random', 'cloning')) == 0
    assert 'cloning-0: resuming at update 5' in capsys.readouterr().out
    assert updates[:9] == [0, 1, 2, 3, 4, 5, 5, 6, 7]


def test_a_report_draws_what_is_there(options, tmp_path):
    with pytest.raises(ValueError, match='no finished run'):
        command.run(options('--report'))
    command.run(options('--methods', 'random'))
    for name in ('methods.md', 'methods.json', 'methods.png'):
        (tmp_path / 'out' / name).unlink()
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert command.run(parser.parse_args(['--report', '--out', str(tmp_path / 'out')])) == 0
    assert (tmp_path / 'out/methods.md').exists() and (tmp_path / 'out/methods.png').exists()


@pytest.mark.parametrize(('more', 'complaint'), [
    (['--budget', '1'], 'needs --data DIR'), (['--data', 'x'], '--budget MINUTES'),
    (['--data', 'x', '--budget', '1', '--splits', 'a', 'a'], "two different ones, got 'a' twice")])
def test_what_is_missing_is_told(more, complaint):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    with pytest.raises(ValueError, match=complaint):
        command.run(parser.parse_args(more))


def test_measuring_takes_nothing_from_the_budget(options, tmp_path, monkeypatch):
    seconds = iter(range(0, 1000, 7))       # every look at the clock, seven seconds later
    monkeypatch.setattr(method_runs.Watch, 'look', lambda watch: watch.points.append((0.5, 0)))

    class Run:
        seconds = 42.0
        clock = staticmethod(lambda: next(seconds))

        class budget:
            @staticmethod
            def spent(seconds, update):
                return 0.5

        class learner:
            update = 3
    watch = method_runs.Watch.__new__(method_runs.Watch)
    watch._job, watch._run, watch._told, watch.points = None, Run(), 0.0, []
    watch.tell('half way')
    assert watch._run.seconds == 35.0 and watch.points == [(0.5, 0)]
    watch.tell('still half way: no tenth of the budget has gone since')
    assert watch._run.seconds == 35.0


# ---- who knows nothing

def test_random_hops_are_even_and_end():
    torch.manual_seed(0)
    logits = torch.full((3000, 4), NO_CHOICE)
    logits[:, :3] = 5.0                     # stop and two ways; the fourth column is padding
    found = method_runs.random_hops(Choosing(0, torch.arange(3000), logits, None))
    assert set(found.tolist()) == {1, 2}
    assert float((found == 1).float().mean()) == pytest.approx(0.5, abs=0.03)
    assert method_runs.random_hops(Choosing(5, torch.arange(3000), logits, None)).sum() == 0
    logits[:, 1:] = NO_CHOICE               # nowhere to go
    assert method_runs.random_hops(Choosing(0, torch.arange(3000), logits, None)).sum() == 0


# ---- jobs in processes

def jobs(out: Path, *names: tuple[str, int]) -> list[Job]:
    conditions = Conditions(out, 'r2r', SPLITS, 1.0, TrainSettings(), 'fake', out)
    return [Job(method, seed, conditions, out) for method, seed in names]


def made_up(job: Job) -> dict:
    """A run that succeeds everywhere, unless its method says otherwise."""
    if job.method == 'gail':
        raise ValueError('no such luck')
    if job.method == 'killed':
        while not method_runs.stored(job.out):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
    return run_of(job.method, job.seed, [1, 1], [1, 0])


def run_of(method: str, seed: int, seen: list[int], unseen: list[int]) -> dict:
    """A stored run with these successes; every success is on the shortest way."""
    splits = {split: {'success': rows, 'spl': [0.5 * row for row in rows], 'oracle': rows,
                      'error': [0.0] * len(rows)} for split, rows in zip(SPLITS, (seen, unseen))}
    return {'method': method, 'seed': seed, 'minutes': 1.0, 'episodes_trained': 100 + seed,
            'episodes_per_second': 10.0, 'curve': [[0.5, 0.1], [1.0, 0.2 + 0.2 * seed]],
            'machine': 'a machine', 'splits': splits}


PLAN = {'dataset': 'r2r', 'splits': list(SPLITS), 'minutes': 1.0}


def test_a_failure_is_told_and_stops_nothing_else(tmp_path, capsys):
    method_runs.write_json(tmp_path / 'plan.json', PLAN)
    todo = jobs(tmp_path, ('cloning', 0), ('gail', 0), ('airl', 0))
    assert command.do_jobs(todo, made_up, workers=1) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and [line[:5] for line in lines] == ['[1/3]', '[2/3]', '[3/3]']
    assert any('gail-0 failed: ValueError: no such luck' in line for line in lines)
    assert any('airl-0: success val_seen 100.0 %, dev_unseen 50.0 %' in line for line in lines)
    assert [row['method'] for row in method_runs.stored(tmp_path)] == ['airl', 'cloning']


def test_processes_share_the_jobs_and_a_killed_one_ends_the_wait(tmp_path, capsys):
    method_runs.write_json(tmp_path / 'plan.json', PLAN)
    with pytest.raises(ChildProcessError, match='perhaps for want of memory'):
        command.do_jobs(jobs(tmp_path, ('cloning', 0), ('killed', 0)), made_up, workers=2)
    assert '[1/2] cloning-0: success val_seen 100.0 %' in capsys.readouterr().out
    assert '| cloning | 1 |' in (tmp_path / 'methods.md').read_text()


# ---- the table

def test_the_table_says_how_far_the_whole_is_ahead():
    runs = [run_of('lang-goal-irl', 0, [1, 1, 1, 1], [1, 1, 1, 0]),
            run_of('no-rephrasing', 0, [1, 1, 1, 0], [1, 1, 0, 0])]
    found = method_table.compare(runs, PLAN, ['lang-goal-irl', 'no-rephrasing'])
    rows = found['methods']
    assert rows['lang-goal-irl']['success_unseen']['value'] == 75.0
    assert rows['lang-goal-irl']['spl_unseen']['value'] == 37.5
    assert rows['lang-goal-irl']['gap']['value'] == 25.0
    assert 'whole_ahead' not in rows['lang-goal-irl']
    ahead = rows['no-rephrasing']['whole_ahead']
    assert ahead['difference']['value'] == 25.0 and ahead['gain']['value'] == 50.0
    assert [part['part'] for part in found['parts']] == ['rephrasing']
    assert found['parts'][0]['success_seen']['difference']['value'] == 25.0
    page = method_table.text(found, {'lang-goal-irl': 'all', 'no-rephrasing': 'less'})
    assert '| rephrasing | lang-goal-irl | no-rephrasing | +25.0 (' in page
    assert '| 100 (10 a second) |' in page and '4 of val_seen and 4 of dev_unseen' in page
    assert 'one seed, they tell of episodes alone' in page
    table = [line for line in page.splitlines() if line.startswith('| ')][:3]
    assert len({line.count('|') for line in table}) == 1


def test_seeds_are_rows_and_a_method_without_runs_is_left_out():
    runs = [run_of('airl', 1, [1, 1], [0, 0]), run_of('airl', 0, [1, 0], [0, 1])]
    found = method_table.compare(runs, PLAN, ['lang-goal-irl', 'airl'])
    assert list(found['methods']) == ['airl'] and found['parts'] == []
    page = method_table.text(found, {'airl': 'AIRL'})
    assert 'Of few seeds they are too narrow' in page and 'one seed' not in page
    row = found['methods']['airl']
    assert row['seeds'] == [0, 1] and row['episodes_trained'] == 100.5
    assert (row['success_seen']['value'], row['success_unseen']['value']) == (75.0, 25.0)
    assert method_table.matrix(runs, 'val_seen', 'success').tolist() == [[1, 1], [1, 0]]


def test_other_episodes_under_the_same_name_are_found():
    runs = [run_of('airl', 0, [1], [0, 0]), run_of('airl', 1, [1], [0, 0, 1])]
    with pytest.raises(ValueError, match=r'airl have \[2, 3\] episodes in dev_unseen'):
        method_table.compare(runs, PLAN, ['airl'])


def test_numbers_in_words():
    assert method_table.percent({'value': 61.24, 'low': 57.0, 'high': 65.1}) == '61.2 (57.0–65.1)'
    assert method_table.points({'value': 6.1, 'low': -2.0, 'high': math.inf}) == (
        '+6.1 (−2.0 to +∞)')
    assert method_table.points({'value': math.nan, 'low': 0.0, 'high': 0.0}) == '–'


def test_curves_of_all_seeds_are_averaged(tmp_path):
    class Axis:
        drawn: list = []

        def plot(self, across, up, *given, **more):
            self.drawn.append((list(across), list(up)))

        def __getattr__(self, name):
            return lambda *given, **more: None
    curves = {'airl': [run['curve'] for run in (run_of('airl', 0, [1], [1]),
                                                run_of('airl', 1, [1], [1]))]}
    method_table._draw_curves(Axis(), curves, 20.0)
    (across, up), = Axis.drawn
    # seeds end at 0.2 and 0.4, and both were at 0.1 after half of the budget
    assert across[-1] == 20.0 and up[-1] == pytest.approx(30.0) and up[4] == pytest.approx(10.0)


def test_a_plan_holds_what_makes_results_comparable(tmp_path):
    plan = jobs(tmp_path, ('airl', 0))[0].conditions.plan()
    assert str(tmp_path) not in json.dumps(plan)
    other = dataclasses.replace(jobs(tmp_path, ('airl', 0))[0].conditions, minutes=2.0)
    assert other.plan() != plan


def test_json_has_no_infinite_numbers(tmp_path):
    method_runs.write_json(tmp_path / 'a.json', {'gain': [math.inf, 1.5, (math.nan,)]})
    assert json.loads((tmp_path / 'a.json').read_text()) == {'gain': [None, 1.5, [None]]}
