"""`nl_robot train`: learn the agent from demonstrations in generated homes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nl_robot.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from nl_robot.cli.workers import worker_pool
from nl_robot.embodied.demonstrations import home_tasks
from nl_robot.evaluation import by_tag, markdown_table
from nl_robot.language.encoder import TextEncoder, load_text_encoder
from nl_robot.learning.cloning import Cloning, CloningSettings
from nl_robot.learning.noise import SensorNoise
from nl_robot.learning.resume import (
    append_curves,
    draw_curves,
    load_state,
    save_state,
    updates_done,
)
from nl_robot.learning.rollouts import Rollouts, greedy_results
from nl_robot.nets.inputs import GoalWords, LabelTable, goal_words
from nl_robot.nets.policy import Policy, PolicySettings
from nl_robot.settings import load_settings, shared_dir, to_mapping
from nl_robot.sim.records import SPLITS
from nl_robot.worlds.tasks import GraphTask

SAVE_EVERY = 250


@dataclass(frozen=True)
class HomesData:
    """Which demonstrations are drawn: how many homes, and tasks in each."""

    train_homes: int = 200
    tasks_per_home: int = 120
    val_homes: int = 10
    val_tasks_per_home: int = 40


@dataclass(frozen=True)
class TrainSettings:
    """The data, the policy, how cloning goes, and what the senses get wrong."""

    data: HomesData = field(default_factory=HomesData)
    policy: PolicySettings = field(default_factory=PolicySettings)
    cloning: CloningSettings = field(default_factory=CloningSettings)
    noise: SensorNoise = field(default_factory=SensorNoise)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot train`."""
    parser.add_argument('--world', choices=('homes',), default='homes',
                        help='where the demonstrations come from')
    parser.add_argument('--method', choices=('cloning',), default='cloning',
                        help='behaviour cloning of the geodesic expert, on its ways and then on '
                             "the learner's own")
    parser.add_argument('--settings', type=Path, help='YAML file (default: config/train.yaml)')
    parser.add_argument('--updates', type=int, help='optimizer steps, instead of the settings\'')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--out', type=Path, required=True,
                        help='where the run is kept; the agent is OUT/checkpoint')
    parser.add_argument('--cache', type=Path, default=Path('.cache/homes'),
                        help='where graphs and tasks are kept between runs')
    parser.add_argument('--workers', type=int, default=2,
                        help='processes that build graphs and tasks')


def run(args: argparse.Namespace) -> int:
    """Prepare the data, train or resume, evaluate on validation homes, write the checkpoint."""
    settings = _settings(args)
    updates_done(to_mapping(settings), args.out)     # a wrong --out is told before the long work
    train = _tasks('train', settings.data.train_homes, settings.data.tasks_per_home, args)
    val = _tasks('val', settings.data.val_homes, settings.data.val_tasks_per_home, args)
    encoder = load_text_encoder(cache_path=args.cache / 'words.npz', cache_size=100_000)
    goals = _goal_book(encoder, [task.goal for task in [*train, *val]])
    labels = LabelTable(encoder)
    labels.ids(sorted({label for graph in {id(t.graph): t.graph for t in train}.values()
                      for label in set(graph.labels)}))
    torch.manual_seed(args.seed)
    learner = Cloning(Policy(settings.policy), train, labels, goals, settings.cloning,
                      settings.noise)
    if load_state(learner, to_mapping(settings), args.out):
        print(f'resuming {args.out} at update {learner.update}', flush=True)
    progress = _Progress(learner, to_mapping(settings), args.out)
    try:
        learner.train(progress)
    except KeyboardInterrupt:
        progress.save()
        print(f'interrupted at update {learner.update}: the same command resumes', flush=True)
        return 130
    rollouts = Rollouts(labels, goals, settings.cloning.max_steps, settings.noise,
                        np.random.default_rng(0))
    table = by_tag(greedy_results(learner.policy, rollouts, val))
    _write(learner, settings, encoder, table, args)
    print(markdown_table(table))
    return 0


def _settings(args: argparse.Namespace) -> TrainSettings:
    """The settings of the file, with what the command line says instead."""
    settings = load_settings(TrainSettings, args.settings or shared_dir('config') / 'train.yaml')
    cloning = replace(settings.cloning, seed=args.seed)
    if args.updates is not None:
        cloning = replace(cloning, updates=args.updates)
    return replace(settings, cloning=cloning)


def _tasks(split: str, homes: int, count: int, args: argparse.Namespace) -> list[GraphTask]:
    """The tasks of the first homes of a split, built by several processes where not cached."""
    seeds = list(SPLITS[split])[:homes]
    make = partial(home_tasks, count=count, frames='train' if split == 'train' else 'all',
                   cache=args.cache)
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


def _goal_book(encoder: TextEncoder, texts: Sequence[str]) -> Callable[[str], GoalWords]:
    """Every goal's words, encoded once and kept in half precision."""
    distinct = sorted(set(texts), key=len)
    book: dict[str, GoalWords] = {}
    began = time.monotonic()
    for start in range(0, len(distinct), 512):
        chunk = distinct[start:start + 512]
        for text, goal in zip(chunk, goal_words(encoder, chunk)):
            book[text] = GoalWords(goal.words.astype(np.float16), goal.sentence)
        if start % 8192 == 0 or start + 512 >= len(distinct):
            print(f'words: {min(start + 512, len(distinct))} of {len(distinct)} goals, '
                  f'{time.monotonic() - began:.0f} s', flush=True)
    encoder.save_cache()
    return lambda text: GoalWords(book[text].words.astype(np.float32), book[text].sentence)


class _Progress:
    """Prints, logs and saves as the updates go by."""

    def __init__(self, learner: Cloning, settings: dict[str, Any], out: Path) -> None:
        self._learner, self._settings, self._out = learner, settings, out
        self._rows: list[dict[str, float]] = []
        self._sums: list[dict[str, float]] = []
        self._began, self._first = time.monotonic(), learner.update

    def __call__(self, update: int, row: dict[str, float]) -> None:
        """Called after every update."""
        self._sums.append(row)
        total = self._settings['cloning']['updates']
        if update % 50 == 0 or update == total:
            mean = {key: float(np.mean([r[key] for r in self._sums])) for key in row}
            self._sums.clear()
            self._rows.append({'update': update, **mean})
            pace = (time.monotonic() - self._began) / (update - self._first)
            print(f'update {update}/{total}  loss {mean["loss"]:.3f}  '
                  f'agreement {mean["agreement"]:.3f}  arrived {mean["arrived_loss"]:.3f}  '
                  f'{pace * 1000:.0f} ms each, {pace * (total - update) / 60:.1f} min left',
                  flush=True)
        if update % SAVE_EVERY == 0 or update == total:
            self.save()
            draw_curves(self._out)

    def save(self) -> None:
        """Write the curves and the state as they are now."""
        append_curves(self._out, self._rows)
        self._rows.clear()
        save_state(self._learner, self._settings, self._out)


def _write(learner: Cloning, settings: TrainSettings, encoder: TextEncoder,
           table: dict[str, dict[str, float]], args: argparse.Namespace) -> None:
    """The checkpoint of the finished run, loaded once more to be sure that it holds."""
    config = {'format': 1, 'policy': to_mapping(settings.policy),
              'text_encoder': {'name': encoder.name, 'sha256': encoder.sha256}}
    origin = {'parent': None, 'home': None, 'world': args.world, 'method': args.method,
              'seed': args.seed, 'settings': to_mapping(settings),
              'validation': table}
    save_checkpoint(Checkpoint(config, {'policy': learner.policy.state_dict()}, origin),
                    args.out / 'checkpoint')
    load_checkpoint(args.out / 'checkpoint')
    print(f'wrote {args.out / "checkpoint"}', flush=True)
