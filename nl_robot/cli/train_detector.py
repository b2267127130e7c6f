"""Train the embedded detector on renders of generated homes.

Renders the training and validation homes into a cache (only what is missing), trains, and keeps
the best weights so far in the output directory.  Interrupted, it goes on where it stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nl_robot.cli.arguments import natural, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument('--output', type=Path, default=Path('models/detector'),
                        help='directory of the weights (default: %(default)s)')
    parser.add_argument('--cache', type=Path, default=Path('.cache/detector'),
                        help='directory of pictures and of the state (default: %(default)s)')
    parser.add_argument('--steps', type=positive, default=6000, help='default: %(default)s')
    parser.add_argument('--minutes', type=float, default=0.0,
                        help='end after this much training time; 0 is no limit (the default)')
    parser.add_argument('--poses', type=positive, default=40,
                        help='poses per home, four pictures each (default: %(default)s)')
    parser.add_argument('--train-homes', default='0-199', help='seeds (default: %(default)s)')
    parser.add_argument('--val-homes', default='1000-1029', help='seeds (default: %(default)s)')
    parser.add_argument('--threads', type=positive, default=1, help='cores (default: %(default)s)')
    parser.add_argument('--seed', type=natural, default=0, help='of everything random')
    parser.add_argument('--fresh', action='store_true', help='do not go on with an earlier run')


def run(args: argparse.Namespace) -> int:
    """Render what is missing, train, and say where the weights are."""
    import torch

    from nl_robot.embodied.detector_data import render_all
    from nl_robot.perception.detector_training import Pictures, Trainer, TrainingSettings, train
    from nl_robot.perception.embedded import DetectorConfig
    torch.set_num_threads(args.threads)
    seeds, check_seeds = seeds_of(args.train_homes), seeds_of(args.val_homes)

    def tell(line: str) -> None:
        print(line, flush=True)
    render_all([*check_seeds, *seeds], args.poses, args.cache, tell)
    pictures, validation = Pictures(args.cache, seeds), Pictures(args.cache, check_seeds)
    trainer = Trainer(DetectorConfig(pictures.kinds, pictures.colours),
                      TrainingSettings(steps=args.steps, minutes=args.minutes), args.seed)
    state = args.cache / 'state.safetensors'
    if state.exists() and not args.fresh:
        trainer.resume(state)
        tell(f'going on after step {trainer.step}; --fresh starts anew')
    train(trainer, pictures, validation, args.output, state, tell)
    tell(f'weights: {args.output} (measure them: nl_robot benchmark detector --split test)')
    return 0


def seeds_of(text: str) -> list[int]:
    """`3-5` is [3, 4, 5], `7` is [7], parts may be joined by commas; ValueError otherwise."""
    seeds: list[int] = []
    for part in text.split(','):
        first, dash, last = part.strip().partition('-')
        if not first.isdigit() or (dash and not last.isdigit()):
            raise ValueError(f'seeds are written 3-5 or 7 or 3-5,9, got {text!r}')
        seeds += range(int(first), int(last or first) + 1)
    if not seeds:
        raise ValueError(f'{text!r} names no seed')
    return seeds
