"""`nl_robot train`: learn an agent from demonstrations in generated homes or real buildings."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nl_robot.agent import Acting
from nl_robot.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from nl_robot.cli.arguments import natural, positive
from nl_robot.cli.train_tasks import WORLDS, HomesData, training_tasks
from nl_robot.evaluation import by_tag, markdown_table
from nl_robot.language.encoder import DEFAULT_NAME, TextEncoder, load_text_encoder
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

SAVE_EVERY = 250


@dataclass(frozen=True)
class TrainSettings:
    """The data, the policy, how cloning goes, what the senses get wrong, and how to act."""

    data: HomesData = field(default_factory=HomesData)
    policy: PolicySettings = field(default_factory=PolicySettings)
    cloning: CloningSettings = field(default_factory=CloningSettings)
    noise: SensorNoise = field(default_factory=SensorNoise)
    acting: Acting = field(default_factory=Acting)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot train`."""
    parser.add_argument('--world', choices=sorted(WORLDS), default='homes',
                        help='where the demonstrations come from; mix: r2r and reverie')
    parser.add_argument('--data', type=Path,
                        help='the folder with the official files of Room-to-Room and REVERIE')
    parser.add_argument('--method', choices=('cloning',), default='cloning',
                        help='behaviour cloning of the geodesic expert, on its ways and then on '
                             "the learner's own")
    parser.add_argument('--settings', type=Path, help='YAML file (default: config/train.yaml)')
    parser.add_argument('--updates', type=positive,
                        help='optimizer steps, instead of the settings\'')
    parser.add_argument('--seed', type=natural, default=0)
    parser.add_argument('--out', type=Path, required=True,
                        help='where the run is kept; the agent is OUT/checkpoint')
    parser.add_argument('--cache', type=Path, default=Path('.cache/homes'),
                        help='where graphs and tasks are kept between runs')
    parser.add_argument('--encoder', default=DEFAULT_NAME,
                        help='text encoder: a name, or the path of a folder with its files '
                             '(default: %(default)s)')
    parser.add_argument('--workers', type=positive, default=2,
                        help='processes that build graphs and tasks')


def run(args: argparse.Namespace) -> int:
    """Prepare the data, train or resume, evaluate on validation homes, write the checkpoint."""
    settings = _settings(args)
    encoder = load_text_encoder(args.encoder, cache_size=100_000, cache_path=args.cache
                                / f'words-{re.sub("[^a-zA-Z0-9]+", "-", args.encoder)}.npz')
    settings = replace(settings, policy=replace(settings.policy, text_dim=encoder.dim))
    updates_done(to_mapping(settings), args.out)     # a wrong --out is told before the long work
    train, val = training_tasks(args, settings.data)
    goals = _goal_book(encoder, [task.goal for task in [*train, *val]])
    labels = LabelTable(encoder)
    labels.ids(sorted({label for graph in {id(t.graph): t.graph for t in train}.values()
                      for label in set(graph.labels)}))
    torch.manual_seed(args.seed)
    noise = settings.noise if args.world == 'homes' else None    # real boxes are noisy enough
    learner = Cloning(Policy(settings.policy), train, labels, goals, settings.cloning, noise)
    if load_state(learner, to_mapping(settings), args.out):
        print(f'resuming {args.out} at update {learner.update}', flush=True)
    progress = _Progress(learner, to_mapping(settings), args.out)
    try:
        learner.train(progress)
    except KeyboardInterrupt:
        progress.save()
        print(f'interrupted at update {learner.update}: the same command resumes', flush=True)
        return 130
    rollouts = Rollouts(labels, goals, settings.cloning.max_steps, noise,
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
              'acting': to_mapping(settings.acting),
              'text_encoder': {'name': encoder.name, 'sha256': encoder.sha256}}
    origin = {'parent': None, 'home': None, 'world': args.world, 'method': args.method,
              'seed': args.seed, 'settings': to_mapping(settings),
              'validation': table}
    save_checkpoint(Checkpoint(config, {'policy': learner.policy.state_dict()}, origin),
                    args.out / 'checkpoint')
    load_checkpoint(args.out / 'checkpoint')
    print(f'wrote {args.out / "checkpoint"}', flush=True)
