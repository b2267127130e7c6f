"""Success of an agent on the instructions of Room-to-Room and REVERIE, in their buildings.

An object is seen where the annotation shows it, or where a place marked visible within 10 m lists
it.  A run counts as success when it stops within 3 m of the goal along the graph (REVERIE: where
the target is in view).  Beside the agent: the same agent with every instruction exchanged for
that of another episode.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import torch

from nl_robot.agent import Agent
from nl_robot.cli.arguments import output_file, positive
from nl_robot.evaluation import Result, by_tag, markdown_table
from nl_robot.learning.arena import Arena
from nl_robot.learning.calibration import doubts
from nl_robot.learning.walks import Walks, greedy_walks, results_of
from nl_robot.worlds.instructions import split_tasks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot benchmark r2r`."""
    parser.add_argument('--data', type=Path, required=True,
                        help='the folder with the official files')
    parser.add_argument('--dataset', choices=('r2r', 'reverie'), default='r2r')
    parser.add_argument('--split', required=True, help='any split that the folder has')
    parser.add_argument('--checkpoint', type=Path, required=True)
    parser.add_argument('--max-steps', type=positive, default=15, help='decisions per episode')
    parser.add_argument('--sure', type=float, default=0.5,
                        help='the probability to have arrived from which a stop is called a '
                             'success (default: %(default)s)')
    parser.add_argument('--cache', type=Path, default=Path('.cache/homes'))
    parser.add_argument('--json', type=output_file, help='write the results here')


def run(args: argparse.Namespace) -> int:
    """Run every instruction of the split greedily and print the table."""
    instructions, tasks = split_tasks(args.data, args.dataset, args.split,
                                      args.cache / 'buildings')
    agent = Agent.load(args.checkpoint)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    agent.policy.to(device)
    if agent.reward is not None:
        agent.reward.to(device)
    arena = Arena(tasks, agent.vocabulary, device)
    began = time.monotonic()
    walks = greedy_walks(agent.policy, arena, args.max_steps, acting=agent.acting,
                         reward=agent.reward, calibration=agent.calibration)
    seconds = time.monotonic() - began
    results = results_of(arena, walks)
    order = torch.randperm(len(tasks), generator=torch.Generator().manual_seed(0)).to(device)
    shuffled = results_of(arena, greedy_walks(agent.policy, arena, args.max_steps,
                                              acting=agent.acting, goals=arena.goal[order],
                                              reward=agent.reward, calibration=agent.calibration))
    table = by_tag(results) | {'instructions shuffled': by_tag(shuffled)['all']}
    print(markdown_table(table))
    print(f'\n{len(tasks)} episodes in {seconds:.1f} s, {len(tasks) / seconds:.0f} a second')
    doubt = _doubt(agent, arena, walks, args.sure)
    if args.json:
        _write(args.json, table, [i.id for i in instructions], results, doubt)
    return 0


def _doubt(agent: Agent, arena: Arena, walks: Walks, sure: float) -> dict[str, Any]:
    """How well the agent knows whether it has arrived, printed; empty without a reward."""
    if agent.reward is None:
        return {}
    said = doubts(agent.reward, arena, walks, agent.calibration, sure)
    if not said:
        print('arrived: it never stopped')
        return {}
    less = 1 - said['false_after'] / max(said['false_before'], 1e-9)
    print(f'arrived: AUC {said["auc"]:.3f} over {int(walks.stopped.sum())} stops; called '
          f'successes and wrong: {100 * said["false_before"]:.1f} % of stops, '
          f'{100 * said["false_after"]:.1f} % when those below {sure} are called unsure '
          f'({100 * less:.0f} % fewer; {100 * said["true_kept"]:.0f} % of true successes are '
          'still called so)')
    return said


def _write(path: Path, table: dict[str, dict[str, float]], ids: list[str],
           results: list[Result], doubt: dict[str, Any]) -> None:
    """The table, and the result of every instruction by its official id."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {id_: dataclasses.asdict(result) for id_, result in zip(ids, results)}
    path.write_text(json.dumps({'table': table, 'arrived': doubt, 'results': rows}),
                    encoding='utf-8')
