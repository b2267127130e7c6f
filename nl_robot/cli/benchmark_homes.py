"""Success of the agent in generated homes, beside agents that show what the number is worth.

Closed loop in physics (`--world physics`: camera pictures, detector, agent, driver, gate) or in
graphs of places (`--world graph`: true sightings, no motion).  In the same table: the agent
with left and right swapped where its command says them, with a blank command, and with the
command of another episode; a random agent; and the shortest path that its waypoints allow.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from nl_robot.cli.arguments import natural, output_file, positive, probability
from nl_robot.cli.benchmark_runs import (
    AGENTS,
    MAPPED,
    SWAPPED,
    Conditions,
    fingerprint,
    make_jobs,
    run_job,
)
from nl_robot.cli.workers import worker_pool
from nl_robot.embodied.home_episodes import (
    FRAMES,
    SIDED,
    HomeEpisode,
    read_episodes,
    sample_episodes,
)
from nl_robot.evaluation import Result, by_tag, markdown_table
from nl_robot.mission.doubt import SURE
from nl_robot.settings import shared_dir
from nl_robot.sim.records import SPLITS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot benchmark homes`."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument('--split', choices=sorted(SPLITS), default='test')
    where.add_argument('--homes', help='seeds of homes, as 3000-3009 or 7,9,12')
    where.add_argument('--commands', type=Path, help='YAML file of commands; see the README')
    parser.add_argument('--episodes', type=positive, default=100)
    parser.add_argument('--seed', type=natural, default=0)
    parser.add_argument('--frames', choices=(*FRAMES, 'both'), default='both',
                        help='sentence frames of the commands')
    parser.add_argument('--world', choices=('physics', 'graph'), default='physics')
    parser.add_argument('--agents', nargs='+', choices=(*AGENTS, MAPPED), default=list(AGENTS),
                        help=f'{MAPPED!r}: the agent in a home whose map it has, by --guide')
    parser.add_argument('--checkpoint', type=Path, help='default: models/agent')
    parser.add_argument('--guide', type=Path, help='who plans with a map (default: '
                        'the checkpoint)')
    parser.add_argument('--detector', default='embedded',
                        help="a detector, or 'truth' to see what perception costs")
    parser.add_argument('--max-steps', type=positive, default=25, help='decisions per episode')
    parser.add_argument('--sure', type=probability, default=SURE,
                        help='the probability to have arrived below which the agent doubts a '
                             'stop; 0: it never does (default: %(default)s)')
    parser.add_argument('--workers', type=positive, default=min(2, os.cpu_count() or 1))
    parser.add_argument('--cache', type=Path, default=Path('.cache/homes'))
    parser.add_argument('--json', type=output_file, help='results; a second run resumes from it')


def run(args: argparse.Namespace) -> int:
    """Run what is not in the results yet, then print the tables."""
    episodes = _episodes(args)
    checkpoint = args.checkpoint or shared_dir('models') / 'agent'
    guide = args.guide or checkpoint
    plan = {'world': args.world, 'checkpoint': fingerprint(checkpoint), 'detector': args.detector,
            'max_steps': args.max_steps, 'seed': args.seed, 'sure': args.sure,
            'guide': fingerprint(guide) if MAPPED in args.agents else '',
            'episodes': [dataclasses.asdict(e) for e in episodes]}
    plan = json.loads(json.dumps(plan))
    rows = _earlier(args.json, plan)
    jobs = make_jobs(episodes, args.agents, {(r['agent'], r['episode']) for r in rows})
    work = partial(run_job, conditions=Conditions(args.world, checkpoint, args.detector,
                                                  args.max_steps, args.seed, args.cache,
                                                  args.sure, guide))
    try:
        with tqdm(total=sum(len(job.agents) for job in jobs), unit='run', disable=not jobs) as bar:
            for new in _results(jobs, work, args.workers):
                rows += new
                bar.update(len(new))
                _save(args.json, plan, rows)
    except KeyboardInterrupt:
        _save(args.json, plan, rows)
        kept = f'; {args.json} keeps {len(rows)} and the same command goes on' if args.json else ''
        print(f'interrupted{kept}')
        return 130
    _report(rows, args)
    return 0


def _episodes(args: argparse.Namespace) -> list[HomeEpisode]:
    """The episodes that the options ask for."""
    if args.commands:
        return read_episodes(args.commands)
    homes = list(SPLITS[args.split]) if args.homes is None else seeds_of(args.homes)
    return sample_episodes(homes, args.episodes, args.seed, args.frames)


def seeds_of(text: str) -> list[int]:
    """3000-3009 or 7,9,12 as numbers, each once."""
    try:
        ends = [tuple(map(int, part.split('-'))) for part in text.split(',')]
    except ValueError:
        ends = []
    if not ends or any(len(pair) > 2 or pair[0] > pair[-1] for pair in ends):
        raise ValueError(f'--homes must look like 3000-3009 or 7,9,12, got {text!r}')
    return list(dict.fromkeys(n for pair in ends for n in range(pair[0], pair[-1] + 1)))


def _results(jobs: list[Any], work: Callable[[Any], list[dict[str, Any]]], workers: int
             ) -> Iterator[list[dict[str, Any]]]:
    """The rows of each episode as they come in."""
    if workers <= 1 or len(jobs) <= 1:
        yield from map(work, jobs)
        return
    with worker_pool(workers) as pool:
        yield from pool.imap_unordered(work, jobs)


def _earlier(path: Path | None, plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of an earlier run of the same plan."""
    if path is None or not path.exists():
        return []
    try:
        data = json.loads(path.read_text(encoding='utf-8'))
    except ValueError:
        data = None
    if not isinstance(data, dict) or data.get('plan') != plan:
        raise ValueError(f'{path} holds results of other episodes or settings: '
                         'name another file, or delete it')
    return list(data['rows'])


def _save(path: Path | None, plan: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """Write plan, summary and rows whole or not at all."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix('.tmp')
    temporary.write_text(json.dumps({'plan': plan, 'tables': _tables(rows), 'rows': rows}),
                         encoding='utf-8')
    os.replace(temporary, path)


def _tables(rows: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """Per agent, the summary of all its results and of each tag."""
    results = defaultdict(list)
    for row in rows:
        results[row['agent']].append(Result(**{**row['result'],
                                               'tags': tuple(row['result']['tags'])}))
    return {name: by_tag(results[name]) for name in (*AGENTS, MAPPED) if name in results}


def _side_by_side(tables: dict[str, dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """One row per agent; before the swapped commands, the agent on the same ones."""
    rows = {}
    for name, table in tables.items():
        if name == SWAPPED and SIDED in tables.get('agent', {}):
            rows[f'agent, {SIDED}'] = tables['agent'][SIDED]
        rows[name] = table['all']
    return rows


def _report(rows: list[dict[str, Any]], args: argparse.Namespace) -> None:
    """Print the agents side by side, then the agent by kind of command and frames."""
    tables = _tables(rows)
    print(f'\n{args.world} homes, success within 1.5 m along the floor (rooms: inside)\n')
    print(markdown_table(_side_by_side(tables)))
    if MAPPED in tables:
        print(f'\n{MAPPED}, by kind of command and sentence frames\n')
        print(markdown_table(tables[MAPPED]))
    if 'agent' in tables:
        print('\nthe agent, by kind of command and sentence frames\n')
        print(markdown_table(tables['agent']))
        print(f'\n{_honesty([row for row in rows if row["agent"] == "agent"])}')
        times = [ms for row in rows if row['agent'] == 'agent'
                 for ms in row.get('decision_ms', ())]
        if times:
            print(f'\none decision: median {np.median(times):.1f} ms, p95 '
                  f'{np.percentile(times, 95):.1f} ms, on one core')


def _honesty(rows: list[dict[str, Any]]) -> str:
    """How often it said that it succeeded and had not, with its doubts and without them.

    The ways with and without are the same up to the first wish to stop, so one run tells both.
    """
    stops = [row['result'] for row in rows if row['stopped']]
    said = [result['success'] for result in stops if result.get('sure', True)]
    unsure = [result['success'] for result in stops if not result.get('sure', True)]
    first = [row['first_stop'] for row in rows if row.get('first_stop') is not None]
    return (f'said succeeded: {_wrong(said)}; '
            f'unsure: {len(unsure)}, fulfilled all the same: {sum(unsure)}; '
            f'without doubts, at its first stop, said succeeded: {_wrong(first)}')


def _wrong(fulfilled: list[bool]) -> str:
    """How many there are, and how many of them are wrong."""
    if not fulfilled:
        return '0'
    share = 100 * fulfilled.count(False) / len(fulfilled)
    return f'{len(fulfilled)}, of these wrong: {share:.1f} %'
