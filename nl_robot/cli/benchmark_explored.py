"""How much of a building has to be explored: success against episodes of exploration.

In each building somebody explores, nearest new place first, for so many episodes; the agent then
plans on the map of what was seen, and goes step by step where it stands off that map.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nl_robot.checkpoint import load_checkpoint
from nl_robot.cli.adaptation_arms import Subject
from nl_robot.cli.arguments import natural, output_file
from nl_robot.cli.method_table import percent, points
from nl_robot.cli.train import encoder_with_cache
from nl_robot.evaluation import Estimate, over_seeds, paired
from nl_robot.homes.trajectories import LONGEST
from nl_robot.learning.arena import Arena
from nl_robot.learning.home_gate import successes
from nl_robot.learning.home_lesson import Nets, nets_of
from nl_robot.nets.words import Vocabulary
from nl_robot.planning.partial_maps import explored, part_of, task_within
from nl_robot.planning.ranking import Ranking, RoutePlanner, all_driven
from nl_robot.worlds.instructions import split_tasks
from nl_robot.worlds.tasks import GraphTask

MOVES = LONGEST - 1     # of an episode
Tasks = Mapping[str, Sequence[GraphTask]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot benchmark explored`."""
    parser.add_argument('--data', type=Path, required=True,
                        help='the folder with the official files')
    parser.add_argument('--split', default='dev_unseen',
                        help='whose buildings are explored (default: %(default)s)')
    parser.add_argument('--checkpoint', type=Path, required=True, nargs='+',
                        help='one, or several seeds')
    parser.add_argument('--episodes', type=natural, nargs='+', default=[0, 5, 10, 20, 40, 80],
                        help=f'of exploration, {MOVES} moves each (default: 0 5 10 20 40 80)')
    parser.add_argument('--png', type=output_file, help='draw the curve here')
    parser.add_argument('--json', type=output_file, help='write the results here')
    parser.add_argument('--cache', type=Path, default=Path('.cache/homes'))


def run(args: argparse.Namespace) -> int:
    """Measure every checkpoint after every number of episodes; a table, a curve."""
    tasks: dict[str, list[GraphTask]] = defaultdict(list)
    for task in split_tasks(args.data, 'r2r', args.split, args.cache / 'buildings')[1]:
        tasks[task.graph.name].append(task)
    episodes = sorted({0, *args.episodes})
    seeds = []
    for path in args.checkpoint:
        name = load_checkpoint(path).config['text_encoder']['name']
        subject = Subject.load(path, str(path), encoder_with_cache(name, args.cache), [], [])
        seeds.append(_curve(subject, tasks, episodes))
    rates = {count: np.array([seed[count][0] for seed in seeds]) for count in episodes}
    shares = {count: seeds[0][count][1] for count in episodes}
    rows = {count: over_seeds(values) for count, values in rates.items()}
    print(_table(rates, shares, rows))
    if args.json:
        args.json.write_text(json.dumps({
            str(count): {'success': rates[count].tolist(), 'places': shares[count]}
            for count in episodes}), encoding='utf-8')
    if args.png:
        _draw(rows, shares, args.png)
    return 0


def _curve(subject: Subject, tasks: Tasks, episodes: Sequence[int]
           ) -> dict[int, tuple[list[float], float]]:
    """By episodes of exploration: success of every task, and the share of places seen."""
    nets, vocabulary = nets_of(subject.stored), Vocabulary(subject.encoder)
    step = {name: successes(subject.stored, these, subject.encoder)[0].tolist()
            for name, these in tasks.items()}
    found = {}
    for count in episodes:
        success: list[float] = []
        seen, places = 0, 0
        for name, these in tasks.items():
            graph = these[0].graph
            known = explored(graph, _start(these), MOVES * count) if count else []
            seen, places = seen + len(known), places + len(graph.points)
            success += _planned(subject.ranking, nets, vocabulary, these, known, step[name])
        found[count] = success, seen / places
        print(f'{subject.name}: {count} episodes, {100 * np.mean(success):.1f} %', flush=True)
    return found


def _start(tasks: Sequence[GraphTask]) -> int:
    """Where somebody would switch the robot on: where most commands are given."""
    return int(np.bincount([task.place for task in tasks]).argmax())


def _planned(ranking: Ranking, nets: Nets, vocabulary: Vocabulary, tasks: Sequence[GraphTask],
             known: list[int], step: Sequence[float]) -> list[float]:
    """Success of every task: planned where it starts on the map, else step by step."""
    if not known:
        return list(step)
    part = part_of(tasks[0].graph, known)
    within = [task_within(task, part, known) for task in tasks]
    inside = [task for task in within if task is not None]
    if not inside:
        return list(step)
    planner = RoutePlanner(Arena(inside, vocabulary), nets.policy, nets.reward, nets.generator)
    results = iter(all_driven(planner, ranking))
    return [before if task is None else float(next(results).success)
            for task, before in zip(within, step)]


def _table(rates: Mapping[int, Any], shares: Mapping[int, float], rows: Mapping[int, Estimate]
           ) -> str:
    """A row for each number of episodes."""
    lines = ['| episodes of exploration | places seen % | success % | ahead of none '
             '| relative gain % |', '|---|---|---|---|---|']
    for count, row in rows.items():
        ahead = paired(rates[count], rates[0])
        more = ('– | –' if not count else f'{points(asdict(ahead.difference))} | '
                f'{points(asdict(ahead.gain))}')
        lines.append(f'| {count} | {100 * shares[count]:.0f} | {percent(asdict(row))} | {more} |')
    return '\n'.join(lines)


def _draw(rows: Mapping[int, Estimate], shares: Mapping[int, float], path: Path) -> None:
    """Success with its interval, and how much of the buildings was seen."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    figure, axis = pyplot.subplots(figsize=(6.5, 4), layout='constrained')
    counts = list(rows)
    axis.plot(counts, [row.value for row in rows.values()], 'o-', label='success')
    axis.fill_between(counts, [row.low for row in rows.values()],
                      [row.high for row in rows.values()], alpha=0.2)
    axis.plot(counts, [100 * shares[count] for count in counts], 's:', color='0.5',
              label='places seen')
    axis.set_xlabel(f'episodes of exploration, {MOVES} moves each')
    axis.set_ylabel('%')
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
