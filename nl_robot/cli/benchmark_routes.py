"""Thinking before driving: success with and without a map, on the instructions of a split.

Without a map the agent goes step by step; with one it imagines the shortest routes to all places
and drives the best.  What counts how much is fitted on ways that `nl_robot train` and `nl_robot
benchmark methods` set aside from training.  Several checkpoints are seeds of the same method.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nl_robot.agent import Agent
from nl_robot.checkpoint import load_checkpoint
from nl_robot.cli.arguments import output_file
from nl_robot.cli.method_table import percent, points
from nl_robot.cli.train_tasks import set_aside
from nl_robot.evaluation import Result, over_seeds, paired
from nl_robot.learning.arena import Arena
from nl_robot.learning.walks import greedy_walks, results_of
from nl_robot.planning.guide import generator_of
from nl_robot.planning.ranking import OPINIONS, RoutePlanner, driven, fitted
from nl_robot.settings import to_mapping
from nl_robot.worlds.instructions import split_tasks
from nl_robot.worlds.tasks import GraphTask

BEFORE = 'step by step'
KINDS = {'policy alone': ('policy',), 'reward alone': ('reward',),
         'policy and words': ('policy', 'words'), 'policy and reward': ('policy', 'reward'),
         'all together': OPINIONS}
STEPS = 15


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot benchmark routes`."""
    parser.add_argument('--data', type=Path, required=True,
                        help='the folder with the official files')
    parser.add_argument('--dataset', choices=('r2r', 'reverie'), default='r2r')
    parser.add_argument('--split', required=True, help='any split that the folder has')
    parser.add_argument('--checkpoint', type=Path, required=True, nargs='+',
                        help='one, or several seeds')
    parser.add_argument('--cache', type=Path, default=Path('.cache/homes'))
    parser.add_argument('--json', type=output_file, help='write the results here')


def run(args: argparse.Namespace) -> int:
    """Measure every checkpoint, print the tables, write what was asked for."""
    tasks = split_tasks(args.data, args.dataset, args.split, args.cache / 'buildings')[1]
    _, aside = set_aside(split_tasks(args.data, args.dataset, 'train',
                                     args.cache / 'buildings')[1])
    if not aside:
        raise ValueError(f'{args.data} has too few ways to keep any aside for fitting')
    found = [_measure(path, tasks, aside) for path in args.checkpoint]
    print(_table([results for results, _, _ in found], [task.graph.name for task in tasks]))
    pace = [milliseconds for _, _, milliseconds in found]
    print(f'\n{len(tasks)} instructions, {len(found)} checkpoints; {np.median(pace):.0f} ms a '
          f'command on one core, fitted on {len(aside)} instructions set aside')
    for _, rankings, _ in found:
        print({name: round(value, 3) for name, value in rankings['all together'].items()})
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps([
            {'checkpoint': str(path), 'rankings': rankings, 'milliseconds': pace,
             'results': {name: [asdict(r) for r in rows] for name, rows in results.items()}}
            for path, (results, rankings, pace) in zip(args.checkpoint, found)]),
            encoding='utf-8')
    return 0


def _measure(path: Path, tasks: Sequence[GraphTask], aside: Sequence[GraphTask]
             ) -> tuple[dict[str, list[Result]], dict[str, dict[str, float]], float]:
    """Results by kind, in the order of the tasks; the fitted weights; milliseconds a command."""
    agent = Agent.load(path)
    if agent.reward is None:
        raise ValueError(f'{path} has no reward to ask: train it by `nl_robot train --method '
                         'lang-goal-irl`')
    generator = generator_of(load_checkpoint(path))
    planners = [RoutePlanner(Arena(part, agent.vocabulary), agent.policy, agent.reward, generator)
                for part in (aside, tasks)]
    held_out, measured = planners
    told = held_out.all_opinions()
    rankings = {name: fitted(*told, names) for name, names in KINDS.items()}
    began = time.process_time()
    ranked = measured.rank_all()
    pace = 1000 * (time.process_time() - began) / len(tasks)
    arena = measured.arena
    results = {BEFORE: results_of(arena, greedy_walks(
        agent.policy, arena, STEPS, acting=agent.acting, reward=agent.reward,
        calibration=agent.calibration))}
    for name, ranking in rankings.items():
        results[name] = [result for chunk, found in ranked
                         for result in driven(arena, chunk, found, ranking)]
    return results, {name: to_mapping(ranking) for name, ranking in rankings.items()}, pace


def _table(seeds: Sequence[Mapping[str, Sequence[Result]]], buildings: Sequence[str]) -> str:
    """Success, SPL and the gain over going step by step; then building by building."""
    def matrix(name: str, measure: str, rows: Any = slice(None)) -> Any:
        return np.array([[float(getattr(r, measure)) for r in results[name]]
                         for results in seeds])[:, rows]
    lines = ['| | success % | SPL % | ahead of step by step | relative gain % |',
             '|---|---|---|---|---|']
    for name in (BEFORE, *KINDS):
        against = paired(matrix(name, 'success'), matrix(BEFORE, 'success'))
        lines.append(' | '.join([f'| {name}', *(percent(asdict(over_seeds(matrix(name, measure))))
                                               for measure in ('success', 'spl')),
                                 '–' if name == BEFORE else points(asdict(against.difference)),
                                 '–' if name == BEFORE else points(asdict(against.gain))]) + ' |')
    rows = defaultdict(list)
    for number, building in enumerate(buildings):
        rows[building].append(number)
    lines += ['', '| building | instructions | step by step % | all together % |',
              '|---|---|---|---|']
    lines += [f'| {building} | {len(numbers)} | '
              f'{100 * matrix(BEFORE, "success", numbers).mean():.1f} | '
              f'{100 * matrix("all together", "success", numbers).mean():.1f} |'
              for building, numbers in rows.items()]
    return '\n'.join(lines)
