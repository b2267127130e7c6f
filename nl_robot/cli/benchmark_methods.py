"""Every method and every ablation side by side, with the same budget for each run.

All learn from the training split and are measured on one split of the same buildings and one of
buildings never seen; `random` and `shortest-path` show what the numbers are worth.  First comes
every method with seed 0, so that a comparison that is cut short is a smaller one.  The same
command goes on where it was interrupted, and --seeds and --methods may grow.  The table is
OUT/methods.md (.json), written anew after every run; the figure OUT/methods.png.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from nl_robot.cli.arguments import positive, positive_number
from nl_robot.cli.method_runs import (
    NAMES,
    RESULT,
    UNTRAINED,
    Conditions,
    Ended,
    Job,
    finish,
    prepare,
    run_job,
    stored,
    write_json,
)
from nl_robot.cli.method_table import compare, draw, text
from nl_robot.cli.train import TrainSettings
from nl_robot.cli.train_tasks import HELD_OUT
from nl_robot.cli.workers import worker_pool
from nl_robot.language.encoder import DEFAULT_NAME
from nl_robot.learning.methods import METHODS
from nl_robot.settings import load_settings, shared_dir

PLAN = 'plan.json'
T = TypeVar('T')
R = TypeVar('R')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot benchmark methods`."""
    parser.add_argument('--data', type=Path, help='the folder with the official files')
    parser.add_argument('--dataset', choices=('r2r', 'reverie'), default='r2r')
    parser.add_argument('--splits', nargs=2, metavar=('SEEN', 'UNSEEN'), default=list(HELD_OUT),
                        help='what to measure on (default: %(default)s)')
    parser.add_argument('--methods', nargs='+', choices=NAMES, default=list(NAMES),
                        metavar='METHOD', help=f'some of: {", ".join(NAMES)} (default: all)')
    parser.add_argument('--seeds', type=positive, default=3, help='runs of each method')
    parser.add_argument('--budget', type=positive_number, metavar='MINUTES',
                        help='of one processor, for each run')
    parser.add_argument('--settings', type=Path, help='default: config/train_buildings.yaml')
    parser.add_argument('--workers', type=positive, default=2, help='runs at the same time')
    parser.add_argument('--out', type=Path, default=Path('.cache/methods'),
                        help='where runs, table and figure are kept (default: %(default)s)')
    parser.add_argument('--cache', type=Path, default=Path('.cache/homes'),
                        help='where buildings and words are kept between runs')
    parser.add_argument('--encoder', default=DEFAULT_NAME, help='text encoder, as in train')
    parser.add_argument('--report', action='store_true',
                        help='only write table and figure anew, from the runs in OUT')


def run(args: argparse.Namespace) -> int:
    """Do the runs that are left; 1 where one failed."""
    if args.report:
        return _report(args.out)
    conditions = _conditions(args)
    _same_plan(args.out, conditions.plan())
    jobs = [Job(method, seed, conditions, args.out)
            for seed in range(args.seeds) for method in dict.fromkeys(args.methods)]
    todo = [job for job in jobs if not (job.directory / RESULT).exists()]
    print(f'{len(jobs)} runs of {args.budget:g} minutes, {len(todo)} of them to do, '
          f'{min(args.workers, len(todo))} at a time', flush=True)
    try:
        failed = do_jobs(todo, run_job, args.workers, before=prepare)
    except KeyboardInterrupt:
        left = sum(not (job.directory / RESULT).exists() for job in jobs)
        print(f'interrupted with {left} of {len(jobs)} runs to do: the same command goes on',
              flush=True)
        return 130
    except ChildProcessError as error:
        print(error, flush=True)
        return 1
    return 1 if failed and not stored(args.out) else max(_report(args.out), int(failed > 0))


def _conditions(args: argparse.Namespace) -> Conditions:
    """What the arguments say; ValueError where something is missing."""
    if args.data is None or args.budget is None:
        raise ValueError('a comparison needs --data DIR, the folder with the official files, and '
                         '--budget MINUTES; only --report does without')
    if len(set(args.splits)) < 2:
        raise ValueError(f'--splits needs two different ones, got {args.splits[0]!r} twice')
    settings = load_settings(TrainSettings, args.settings
                             or shared_dir('config') / 'train_buildings.yaml')
    return Conditions(args.data, args.dataset, tuple(args.splits), args.budget, settings,
                      args.encoder, args.cache)


def _same_plan(out: Path, plan: dict[str, Any]) -> None:
    """Remember what is compared; ValueError where `out` holds another comparison."""
    path, plan = out / PLAN, json.loads(json.dumps(plan))
    if not path.exists():
        write_json(path, plan)
    known = json.loads(path.read_text(encoding='utf-8'))
    if known != plan:
        other = ', '.join(differing(plan, known))
        raise ValueError(f'{out} holds a comparison with other {other}: choose another --out, or '
                         'delete it to begin anew')


def differing(one: dict[str, Any], other: dict[str, Any], inside: str = '') -> list[str]:
    """Dotted names of what two mappings do not have in common."""
    found = []
    for key in dict.fromkeys((*one, *other)):
        a, b = one.get(key), other.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += differing(a, b, f'{inside}{key}.')
        elif key not in one or key not in other or a != b:
            found.append(f'{inside}{key}')
    return found


def do_jobs(jobs: Sequence[Job], run_one: Callable[[Job], dict[str, Any]], workers: int,
            before: Callable[[Conditions], str] | None = None) -> int:
    """Do jobs in their order, several at a time, a line for each; how many failed.

    :param run_one: job → its result as JSON; has to be a function that processes can import
    :param before: is done once, before the first, by one of the processes
    """
    failed = 0
    if not jobs:
        return failed
    with ExitStack() as stack:
        pool = None
        if workers > 1 and len(jobs) > 1:
            pool = stack.enter_context(worker_pool(min(workers, len(jobs))))
        if before is not None:
            print('learning from and measured on:',
                  *_done(pool, before, [jobs[0].conditions]), flush=True)
        for number, ended in enumerate(_done(pool, partial(finish, run_one), jobs), 1):
            failed += bool(ended.failure)
            print(f'[{number}/{len(jobs)}] {_told(ended)}', flush=True)
            if not ended.failure:
                _write_table(ended.job.out)
    return failed


def _done(pool: Any, function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """Results as they come, of a pool or, without one, of this process.

    :raises ChildProcessError: a process was killed; the pool would wait for it for ever
    """
    if pool is None:
        yield from map(function, items)
        return
    first = {child.pid for child in multiprocessing.active_children()}
    found = pool.imap_unordered(function, items)
    while True:
        try:
            yield found.next(timeout=1.0)
        except StopIteration:
            return
        except multiprocessing.TimeoutError:
            if first - {child.pid for child in multiprocessing.active_children()}:
                raise ChildProcessError('a run was killed, perhaps for want of memory (fewer '
                                        '--workers need less): the same command goes on') from None


def _told(ended: Ended) -> str:
    """What became of a job, on one line."""
    if ended.failure:
        return f'{ended.job.name} failed: {ended.failure}'
    result = json.loads((ended.job.directory / RESULT).read_text(encoding='utf-8'))
    rates = [f'{split} {100 * sum(found["success"]) / max(1, len(found["success"])):.1f} %'
             for split, found in result['splits'].items()]
    return f'{ended.job.name}: success {", ".join(rates)}, {ended.seconds / 60:.1f} min'


def _write_table(out: Path) -> dict[str, Any]:
    """Write methods.md and methods.json from the runs that there are; what stands there."""
    plan = json.loads((out / PLAN).read_text(encoding='utf-8'))
    found = compare(stored(out), plan, NAMES)
    titles = {name: method.title for name, method in METHODS.items()} | UNTRAINED
    write_json(out / 'methods.json', found)
    (out / 'methods.md').write_text(text(found, titles), encoding='utf-8')
    return found


def _report(out: Path) -> int:
    """Table and figure from what is stored; ValueError where nothing is."""
    if not stored(out):
        raise ValueError(f'{out} holds no finished run')
    draw(_write_table(out), out / 'methods.png')
    print((out / 'methods.md').read_text(encoding='utf-8'))
    print(f'wrote {out / "methods.md"}, methods.json and methods.png')
    return 0
