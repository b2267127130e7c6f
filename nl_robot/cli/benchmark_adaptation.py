"""Adaptation to buildings never seen: success before and after, arm by arm, building by building.

In every building the agent writes labels for ways that it imagines there, learns from those that
it believes, and is then measured on the building's instructions, step by step and with the map.
Several checkpoints are seeds of the same method.  Every finished piece is a file in OUT; the same
command goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nl_robot.checkpoint import load_checkpoint
from nl_robot.cli.adaptation_arms import ARMS, PARTIAL, Subject, adapt, made_of, measured
from nl_robot.cli.adaptation_table import BEFORE, draw, text
from nl_robot.cli.arguments import minutes
from nl_robot.cli.train import encoder_with_cache
from nl_robot.cli.train_tasks import set_aside
from nl_robot.homes.files import write_json
from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.instructions import split_tasks
from nl_robot.worlds.tasks import GraphTask

OLD_TASKS = 240         # instructions of training buildings, that are not to be forgotten


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot benchmark adaptation`."""
    parser.add_argument('--data', type=Path, required=True,
                        help='the folder with the official files')
    parser.add_argument('--dataset', choices=('r2r', 'reverie'), default='r2r',
                        help='whose instructions are measured on (default: %(default)s)')
    parser.add_argument('--split', default='dev_unseen',
                        help='whose buildings are adapted to (default: %(default)s)')
    parser.add_argument('--checkpoint', type=Path, required=True, nargs='+',
                        help='one, or several seeds')
    parser.add_argument('--arms', nargs='+', choices=list(ARMS), default=['adapted'],
                        metavar='ARM', help='; '.join(f'{name}: {arm.title}'
                                                      for name, arm in ARMS.items()))
    parser.add_argument('--buildings', nargs='+', metavar='SCAN', help='only these')
    parser.add_argument('--minutes', type=minutes, default=1.0, metavar='TIME',
                        help='processor time of learning in each building (default: 1m)')
    parser.add_argument('--out', type=Path, required=True, help='where results are kept')
    parser.add_argument('--cache', type=Path, default=Path('.cache/homes'))


@dataclass(frozen=True)
class Data:
    """The instructions of every building, those to mix in, and those not to be forgotten."""

    buildings: dict[str, list[GraphTask]]
    original: list[GraphTask]
    old: Sequence[GraphTask]

    def other(self, name: str) -> PlaceGraph:
        """A training building in the place of another, about as large."""
        graphs = {task.graph.name: task.graph for task in self.original}
        size = len(self.buildings[name][0].graph.points)
        return min(graphs.values(), key=lambda graph: abs(len(graph.points) - size))


def run(args: argparse.Namespace) -> int:
    """Adapt and measure what is missing, then print the tables and draw the figure."""
    data = _data(args)
    for number, path in enumerate(args.checkpoint):
        stored = load_checkpoint(path)
        encoder = encoder_with_cache(stored.config['text_encoder']['name'], args.cache)
        subject = Subject.load(path, f'seed {number}', encoder, data.original, data.old)
        for name in data.buildings:
            _building(subject, name, number, data, args)
        encoder.save_cache()
    rows = list(_results(args.out))
    page = text(rows)
    (args.out / 'adaptation.md').write_text(page, encoding='utf-8')
    draw(rows, args.out / 'adaptation.png')
    print(page)
    return 0


def _data(args: argparse.Namespace) -> Data:
    """All that is read from the folder."""
    cache = args.cache / 'buildings'
    tasks = split_tasks(args.data, args.dataset, args.split, cache)[1]
    original, _ = set_aside(split_tasks(args.data, 'r2r', 'train', cache)[1])
    old = split_tasks(args.data, 'r2r', 'val_seen', cache)[1]
    names = sorted({task.graph.name for task in tasks})
    wrong = sorted(set(args.buildings or ()) - set(names))
    if wrong:
        raise ValueError(f'{args.split} has no building {", ".join(wrong)}; it has '
                         f'{", ".join(names)}')
    return Data({name: [task for task in tasks if task.graph.name == name]
                 for name in args.buildings or names}, original, old[::-(-len(old) // OLD_TASKS)])


def _building(subject: Subject, name: str, seed: int, data: Data, args: argparse.Namespace
              ) -> None:
    """Everything that is asked for and not there yet, in one building with one seed."""
    tasks = data.buildings[name]
    folder = args.out / args.dataset / f'seed-{seed}' / name
    if not (folder / f'{BEFORE}.json').exists():
        _keep(folder, BEFORE, {'results': measured(subject.stored, subject, tasks)})
    for kind in (arm for arm in ARMS if arm in args.arms and arm not in PARTIAL):
        partial = [part for part in PARTIAL if part in args.arms and kind == 'adapted']
        if all((folder / f'{one}.json').exists() for one in (kind, *partial)):
            continue
        work = folder / 'learning'
        learned, notes = adapt(ARMS[kind], subject, tasks[0].graph, data.other(name), seed,
                               args.minutes, work)
        for one in (kind, *partial):
            mixed = made_of(learned, subject.stored, ARMS[one])
            _keep(folder, one, {**notes, 'results': measured(mixed, subject, tasks)})
        shutil.rmtree(work, ignore_errors=True)


def _keep(folder: Path, name: str, found: dict[str, Any]) -> None:
    """One piece, whole or not at all, and one line for people."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f'{name}.json', found)
    rates = {kind: 100 * float(np.mean(row['success'])) for kind, row in found['results'].items()}
    told = f'kept {found["kept"]} of {found["proposed"]} sentences' if 'kept' in found else ''
    print(f'{folder.parent.name} {folder.name} {name}: step by step {rates["step"]:.1f} %, with '
          f'the map {rates["map"]:.1f} %  {told}', flush=True)


def _results(out: Path) -> Iterator[dict[str, Any]]:
    """Every piece that there is, with dataset, seed, building and arm."""
    for path in sorted(out.glob('*/seed-*/*/*.json')):
        dataset, seed, building = path.parts[-4:-1]
        yield {'dataset': dataset, 'seed': seed, 'building': building, 'arm': path.stem,
               **json.loads(path.read_text(encoding='utf-8'))}

