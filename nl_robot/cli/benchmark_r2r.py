"""Success of an agent on the instructions of Room-to-Room and REVERIE, in their buildings.

An object is seen where the annotation shows it, or where a place marked visible within 10 m lists
it.  A run counts as success when it stops within 3 m of the goal along the graph (REVERIE: where
the target is in view).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path

import numpy as np

from nl_robot.agent import Agent
from nl_robot.cli.arguments import output_file, positive
from nl_robot.evaluation import Result, by_tag, markdown_table
from nl_robot.learning.rollouts import Rollouts, greedy_results
from nl_robot.nets.inputs import GoalWords, LabelTable, goal_words
from nl_robot.worlds.instructions import split_tasks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot benchmark r2r`."""
    parser.add_argument('--data', type=Path, required=True,
                        help='the folder with the official files')
    parser.add_argument('--dataset', choices=('r2r', 'reverie'), default='r2r')
    parser.add_argument('--split', required=True, help='any split that the folder has')
    parser.add_argument('--checkpoint', type=Path, required=True)
    parser.add_argument('--max-steps', type=positive, default=20, help='decisions per episode')
    parser.add_argument('--cache', type=Path, default=Path('.cache/homes'))
    parser.add_argument('--json', type=output_file, help='write the results here')


def run(args: argparse.Namespace) -> int:
    """Run every instruction of the split greedily and print the table."""
    instructions, tasks = split_tasks(args.data, args.dataset, args.split,
                                      args.cache / 'buildings')
    agent = Agent.load(args.checkpoint)
    book: dict[str, GoalWords] = {}
    texts = sorted({task.goal for task in tasks}, key=len)
    for start in range(0, len(texts), 512):
        chunk = texts[start:start + 512]
        book.update(zip(chunk, goal_words(agent.encoder, chunk)))
    began = time.monotonic()
    rollouts = Rollouts(LabelTable(agent.encoder), book.__getitem__, args.max_steps, None,
                        np.random.default_rng(0))
    results = greedy_results(agent.policy, rollouts, tasks)
    seconds = time.monotonic() - began
    table = by_tag(results)
    print(markdown_table(table))
    print(f'\n{len(tasks)} episodes in {seconds:.1f} s, {len(tasks) / seconds:.0f} a second')
    if args.json:
        _write(args.json, table, [i.id for i in instructions], results)
    return 0


def _write(path: Path, table: dict[str, dict[str, float]], ids: list[str],
           results: list[Result]) -> None:
    """The table, and the result of every instruction by its official id."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {id_: dataclasses.asdict(result) for id_, result in zip(ids, results)}
    path.write_text(json.dumps({'table': table, 'results': rows}), encoding='utf-8')
