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
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from nl_robot.agent import Agent
from nl_robot.checkpoint import sha256
from nl_robot.cli.arguments import natural, output_file, positive
from nl_robot.cli.workers import worker_pool
from nl_robot.datatypes import Decision, Observation
from nl_robot.embodied.closed_loop import PhysicsWorld
from nl_robot.embodied.goals import blank, swap_left_right
from nl_robot.embodied.home_episodes import (
    FRAMES,
    SIDED,
    HomeEpisode,
    HomeJudge,
    read_episodes,
    sample_episodes,
)
from nl_robot.embodied.home_graph import home_graph
from nl_robot.embodied.runner import RandomAgent, ShortestPathAgent, Trace, run_episode
from nl_robot.evaluation import Result, by_tag, markdown_table
from nl_robot.perception.detectors import load_detector
from nl_robot.settings import shared_dir
from nl_robot.sim.records import SPLITS
from nl_robot.worlds.graph import GraphWorld

SWAPPED = 'left-right swapped'
AGENTS = ('agent', SWAPPED, 'blank command', 'other command', 'random',
          'shortest path')


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
    parser.add_argument('--agents', nargs='+', choices=AGENTS, default=list(AGENTS))
    parser.add_argument('--checkpoint', type=Path, help='default: models/agent')
    parser.add_argument('--detector', default='embedded',
                        help="a detector, or 'truth' to see what perception costs")
    parser.add_argument('--max-steps', type=positive, default=25, help='decisions per episode')
    parser.add_argument('--workers', type=positive, default=min(2, os.cpu_count() or 1))
    parser.add_argument('--cache', type=Path, default=Path('.cache/homes'))
    parser.add_argument('--json', type=output_file, help='results; a second run resumes from it')


def run(args: argparse.Namespace) -> int:
    """Run what is not in the results yet, then print the tables."""
    episodes = _episodes(args)
    checkpoint = args.checkpoint or shared_dir('models') / 'agent'
    plan = {'world': args.world, 'checkpoint': _fingerprint(checkpoint), 'detector': args.detector,
            'max_steps': args.max_steps, 'seed': args.seed,
            'episodes': [dataclasses.asdict(e) for e in episodes]}
    plan = json.loads(json.dumps(plan))
    rows = _earlier(args.json, plan)
    jobs = _jobs(episodes, args.agents, {(r['agent'], r['episode']) for r in rows})
    work = partial(_run_home, world=args.world, checkpoint=checkpoint, detector=args.detector,
                   max_steps=args.max_steps, seed=args.seed, cache=args.cache)
    left = sum(len(names) for _, pairs in jobs for _, _, names in pairs)
    try:
        with tqdm(total=left, unit='episode', disable=not left) as bar:
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
    homes = list(SPLITS[args.split]) if args.homes is None else _seeds(args.homes)
    return sample_episodes(homes, args.episodes, args.seed, args.frames)


def _seeds(text: str) -> list[int]:
    """3000-3009 or 7,9,12 as numbers, each once."""
    try:
        ends = [tuple(map(int, part.split('-'))) for part in text.split(',')]
    except ValueError:
        ends = []
    if not ends or any(len(pair) > 2 or pair[0] > pair[-1] for pair in ends):
        raise ValueError(f'--homes must look like 3000-3009 or 7,9,12, got {text!r}')
    return list(dict.fromkeys(n for pair in ends for n in range(pair[0], pair[-1] + 1)))


def _jobs(episodes: list[HomeEpisode], agents: list[str], done: set[tuple[str, int]]
          ) -> list[tuple[int, list[tuple[HomeEpisode, str, list[str]]]]]:
    """By home: its episodes, another episode's words, and the agents that have yet to run."""
    homes = defaultdict(list)
    for position, episode in enumerate(episodes):
        todo = [name for name in agents if (name, episode.index) not in done
                and (episode.sided or name != SWAPPED)]
        other = episodes[(position + len(episodes) // 2) % len(episodes)].words
        if todo:
            homes[episode.home].append((episode, other, todo))
    return list(homes.items())


def _results(jobs: list[Any], work: Callable[[Any], list[dict[str, Any]]], workers: int
             ) -> Iterator[list[dict[str, Any]]]:
    """The rows of each home as they come in."""
    if workers <= 1 or len(jobs) <= 1:
        yield from map(work, jobs)
        return
    with worker_pool(workers) as pool:
        yield from pool.imap_unordered(work, jobs)


def _run_home(job: tuple[int, list[tuple[HomeEpisode, str, list[str]]]], world: str,
              checkpoint: Path, detector: str, max_steps: int, seed: int, cache: Path
              ) -> list[dict[str, Any]]:
    """All agents on all episodes of one home."""
    import torch
    torch.set_num_threads(1)
    number, episodes = job
    judge = HomeJudge(number)
    place: Any = (GraphWorld(home_graph(number, cache / 'graphs')) if world == 'graph' else
                  PhysicsWorld(judge.home, _detector(detector), seed=number))
    agent = _agent(checkpoint) if any(set(n) & set(AGENTS[:4]) for _, _, n in episodes) else None
    rows = []
    for episode, other, names in episodes:
        for name in names:
            words = {SWAPPED: swap_left_right(episode.words),
                     'blank command': blank(episode.words),
                     'other command': other}.get(name, episode.words)
            task = judge.task(episode, words)
            actor: Any = agent
            if name == 'random':
                actor = RandomAgent(np.random.default_rng((seed, episode.index)))
            elif name == 'shortest path':
                actor = ShortestPathAgent(task.remaining, partial(_true_pose, place))
            timed = _Timed(actor)
            trace = run_episode(timed, place, task, max_steps)
            rows.append({**_row(name, episode, trace), 'decision_ms': timed.milliseconds})
    if world == 'physics':
        place.close()
    return rows


class _Timed:
    """An agent whose decisions are timed, from sightings ready to choice, on one core."""

    def __init__(self, agent: Any) -> None:
        self._agent = agent
        self.milliseconds: list[float] = []

    def set_goal(self, text: str) -> None:
        self._agent.set_goal(text)

    def decide(self, observation: Observation) -> Decision:
        began = time.perf_counter()
        decision: Decision = self._agent.decide(observation)
        self.milliseconds.append(round(1000 * (time.perf_counter() - began), 2))
        return decision


_kept: dict[str, Any] = {}      # one process runs many homes: models are loaded once in each


def _agent(checkpoint: Path) -> Agent:
    key = f'agent {_fingerprint(checkpoint)}'
    if key not in _kept:
        _kept[key] = Agent.load(checkpoint)
    return _kept[key]


def _fingerprint(checkpoint: Path) -> str:
    """What tells a checkpoint from another one of the same name; empty where there is none."""
    manifest = Path(checkpoint) / 'manifest.json'
    return sha256(manifest.read_bytes()) if manifest.is_file() else ''


def _detector(name: str) -> Any:
    key = f'detector {name}'
    if key not in _kept:
        _kept[key] = None if name == 'truth' else load_detector(name)
    return _kept[key]


def _true_pose(world: Any) -> tuple[float, float, float]:
    """Where the robot truly is: x, y, yaw."""
    return (*world.position, world.heading)


def _row(name: str, episode: HomeEpisode, trace: Trace) -> dict[str, Any]:
    """One result as JSON."""
    return {'agent': name, 'episode': episode.index, 'home': episode.home, 'words': trace.goal,
            'stopped': trace.stopped, 'result': dataclasses.asdict(trace.result),
            'points': [[round(c, 2) for c in point] for point in trace.points]}


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
    return {name: by_tag(results[name]) for name in AGENTS if name in results}


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
    if 'agent' in tables:
        print('\nthe agent, by kind of command and sentence frames\n')
        print(markdown_table(tables['agent']))
        times = [ms for row in rows if row['agent'] == 'agent'
                 for ms in row.get('decision_ms', ())]
        if times:
            print(f'\none decision: median {np.median(times):.1f} ms, p95 '
                  f'{np.percentile(times, 95):.1f} ms, on one core')
