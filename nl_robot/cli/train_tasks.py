"""The demonstrations that `nl_robot train` learns from and is validated on, by world."""

from __future__ import annotations

import argparse
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from nl_robot.cli.workers import worker_pool
from nl_robot.embodied.demonstrations import home_tasks
from nl_robot.sim.records import SPLITS
from nl_robot.worlds.instructions import split_tasks
from nl_robot.worlds.tasks import GraphTask

WORLDS = {'homes': (), 'r2r': ('r2r',), 'reverie': ('reverie',), 'mix': ('r2r', 'reverie')}
HELD_OUT = ('val_seen', 'dev_unseen')


@dataclass(frozen=True)
class HomesData:
    """Which demonstrations are drawn in generated homes: how many homes, and tasks in each.

    Held-out sentence frames are for tests only, so validation is without them.
    """

    train_homes: int = 200
    tasks_per_home: int = 120
    val_homes: int = 10
    val_tasks_per_home: int = 40

    def __post_init__(self) -> None:
        for name, most in (('train_homes', len(SPLITS['train'])), ('tasks_per_home', None),
                           ('val_homes', len(SPLITS['val'])), ('val_tasks_per_home', None)):
            value = getattr(self, name)
            if value < 1 or most is not None and value > most:
                raise ValueError(f'data.{name} must be at least 1'
                                 + (f' and at most {most}' if most else '') + f', got {value!r}')


Tasks = tuple[list[GraphTask], list[GraphTask]]


def training_tasks(args: argparse.Namespace, data: HomesData) -> Tasks:
    """The tasks to train on and those to validate on.

    :raises ValueError: a world of real buildings without `--data`
    """
    if args.world == 'homes':
        return (_homes('train', data.train_homes, data.tasks_per_home, args),
                _homes('val', data.val_homes, data.val_tasks_per_home, args))
    if args.data is None:
        raise ValueError(f'--world {args.world} needs --data DIR, the folder with the official '
                         'files of Room-to-Room and REVERIE')
    return _instructions(args, ('train',)), _instructions(args, HELD_OUT)


def _homes(split: str, homes: int, count: int, args: argparse.Namespace) -> list[GraphTask]:
    """The tasks of the first homes of a split, built by several processes where not cached."""
    seeds = list(SPLITS[split])[:homes]
    make = partial(home_tasks, count=count, frames='train', cache=args.cache)
    began, tasks = time.monotonic(), []
    with worker_pool(args.workers) as pool:
        for done, _ in enumerate(pool.imap_unordered(partial(_warm, make), seeds), 1):
            if done % 10 == 0 or done == len(seeds):
                print(f'{split}: {done} of {len(seeds)} homes, '
                      f'{time.monotonic() - began:.0f} s', flush=True)
    for seed in seeds:
        tasks += make(seed)
    return tasks


def _warm(make: Callable[[int], Sequence[GraphTask]], seed: int) -> int:
    """Fill the cache in another process; how many tasks it holds."""
    return len(make(seed))


def _instructions(args: argparse.Namespace, splits: Sequence[str]) -> list[GraphTask]:
    """The instructions of the world's datasets; splits that a dataset lacks are said and left."""
    found: list[GraphTask] = []
    for dataset in WORLDS[args.world]:
        for split in splits:
            try:
                _, tasks = split_tasks(args.data, dataset, split, args.cache / 'buildings')
            except FileNotFoundError:
                if split == 'train':
                    raise
                print(f'{dataset} has no split {split}', flush=True)
                continue
            found += [replace(task, tags=(*task.tags, f'{dataset} {split}')) for task in tasks]
            print(f'{dataset} {split}: {len(tasks)} instructions', flush=True)
    return found


def set_aside(tasks: Sequence[GraphTask], every: int = 20) -> tuple[list[GraphTask],
                                                                     list[GraphTask]]:
    """What is learned from, and one in `every` that is kept for calibration.

    Goals of one way stay together, so that no way is on both sides.
    """
    ways = dict.fromkeys((task.graph.name, task.place, id(task.cost)) for task in tasks)
    order = {way: number for number, way in enumerate(sorted(
        ways, key=lambda way: zlib.crc32(f'{way[0]} {way[1]}'.encode())))}
    most = max(1, len(ways) // every)
    kept: list[GraphTask] = []
    aside: list[GraphTask] = []
    for task in tasks:
        number = order[task.graph.name, task.place, id(task.cost)]
        (aside if number < most and len(ways) > 1 else kept).append(task)
    return kept, aside
