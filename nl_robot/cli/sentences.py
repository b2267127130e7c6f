"""Show goals in words as the grammar writes them for generated homes, or count them.

    nl_robot sentences --split train --count 20
    nl_robot sentences --stats
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from nl_robot.cli.arguments import natural, positive
from nl_robot.embodied.goals import KINDS, Goal, sample_task
from nl_robot.language.grammar import load_frames, vocabulary
from nl_robot.sim.homes import floor_grid, generate_home
from nl_robot.sim.records import SPLITS

TASKS_PER_HOME = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot sentences`."""
    parser.add_argument('--split', choices=tuple(SPLITS), default='train',
                        help='the homes (default: train)')
    parser.add_argument('--frames', choices=('train', 'held_out', 'all'), default='train',
                        help='the sentence frames (default: train)')
    parser.add_argument('--kind', choices=KINDS, help='only goals of this kind')
    parser.add_argument('--count', type=positive,
                        help='how many goals (default: 20, or 20000 to count)')
    parser.add_argument('--seed', type=natural, default=0, help='of the draw (default: 0)')
    parser.add_argument('--stats', action='store_true',
                        help='count frames, words and distinct sentences instead')


def run(args: argparse.Namespace) -> int:
    """Print samples, or the numbers."""
    count = args.count or (20000 if args.stats else 20)
    kinds = (args.kind,) if args.kind else None
    per_home, wordings = (TASKS_PER_HOME, 3) if args.stats else (4, 1)
    goals = draw_goals(args.split, args.frames, count, args.seed, kinds, per_home, wordings)
    if args.stats:
        print(statistics(goals))
    else:
        for goal in goals:
            print(f'{goal.kind:10} {goal.frame_id:22} {goal.text}')
    return 0


def draw_goals(split: str, frames: str, count: int, seed: int,
               kinds: tuple[str, ...] | None = None, per_home: int = TASKS_PER_HOME,
               wordings: int = 3) -> list[Goal]:
    """`count` goals of random tasks, `per_home` tasks from each home drawn from the split.

    :param wordings: how many goals of each task, up to 3

    :raises ValueError: for a count that is not positive
    """
    if count <= 0:
        raise ValueError(f'--count must be positive, got {count}')
    rng = np.random.default_rng(seed)
    homes = SPLITS[split]
    goals: list[Goal] = []
    while len(goals) < count:
        home = generate_home(homes[int(rng.integers(len(homes)))])
        grid = floor_grid(home)
        for _ in range(per_home):
            goals += sample_task(home, grid, rng, frames, kinds=kinds).goals[:wordings]
    return goals[:count]


def statistics(goals: list[Goal]) -> str:
    """The numbers of the grammar and of a sample, as text."""
    sentences = [frame for frame in load_frames() if frame.sentence]
    phrases = [frame for frame in load_frames() if not frame.sentence]
    texts = {goal.text.lower().rstrip('.') for goal in goals}
    kinds = Counter(goal.kind for goal in goals)
    lengths = sorted(len(goal.text.split()) for goal in goals)
    lines = [
        f'sentence frames    {len(sentences)}, of which '
        f'{sum(f.held_out for f in sentences)} held out',
        f'phrase frames      {len(phrases)}, of which {sum(f.held_out for f in phrases)} held out',
        f'goals drawn        {len(goals)}',
        f'distinct sentences {len(texts)} (case and full stop aside)',
        f'vocabulary         {len(vocabulary(texts))} words',
        f'words per goal     {lengths[0]} to {lengths[-1]}, median {lengths[len(lengths) // 2]}',
        'kinds              ' + ', '.join(f'{kind} {kinds[kind] / len(goals):.0%}'
                                          for kind in KINDS if kinds[kind])]
    return '\n'.join(lines)
