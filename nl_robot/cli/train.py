"""`nl_robot train`: learn an agent from demonstrations in generated homes or real buildings.

Under `torchrun --nproc-per-node N` the same command trains data-parallel.  A GPU is used where
torch sees one.
"""

from __future__ import annotations

import argparse
import re
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from nl_robot.checkpoint import load_checkpoint, save_checkpoint
from nl_robot.cli.arguments import natural, positive, positive_number
from nl_robot.cli.train_tasks import WORLDS, HomesData, set_aside, training_tasks
from nl_robot.evaluation import by_tag, markdown_table
from nl_robot.language.encoder import DEFAULT_NAME, TextEncoder, load_text_encoder
from nl_robot.learning import parallel
from nl_robot.learning.arena import Arena
from nl_robot.learning.calibration import auc
from nl_robot.learning.checkpoints import acted, calibrated, checkpoint_of
from nl_robot.learning.goal_writing import WritingSettings
from nl_robot.learning.lang_goal_irl import LangGoalIRL
from nl_robot.learning.method_run import Budget, MethodRun
from nl_robot.learning.methods import METHODS, LearningSettings
from nl_robot.learning.resume import notes_of
from nl_robot.learning.sensor_noise import SensorNoise
from nl_robot.learning.walks import greedy_walks, results_of
from nl_robot.nets.looking import Acting, Calibration
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.words import Vocabulary
from nl_robot.planning.guide import LONGEST
from nl_robot.planning.ranking import Ranking, RoutePlanner, fitted
from nl_robot.settings import load_settings, shared_dir, to_mapping

PROFILED = (0.3, 0.55, 0.8, 0.9)     # shares of the budget
FITTED_TO = 600         # tasks, for the weights of opinions


@dataclass(frozen=True)
class TrainSettings:
    """The data, the networks, how learning goes, what the senses get wrong, and how to act."""

    data: HomesData = field(default_factory=HomesData)
    navigator: NavigatorSettings = field(default_factory=NavigatorSettings)
    learning: LearningSettings = field(default_factory=LearningSettings)
    writing: WritingSettings = field(default_factory=WritingSettings)
    noise: SensorNoise = field(default_factory=SensorNoise)
    acting: Acting = field(default_factory=Acting)
    minutes: float = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot train`."""
    parser.add_argument('--world', choices=sorted(WORLDS), default='homes',
                        help='where the demonstrations come from; mix: r2r and reverie')
    parser.add_argument('--data', type=Path,
                        help='the folder with the official files of Room-to-Room and REVERIE')
    parser.add_argument('--method', choices=list(METHODS), default='lang-goal-irl',
                        help='; '.join(f'{name}: {m.title}' for name, m in METHODS.items()))
    parser.add_argument('--start', type=Path, metavar='CHECKPOINT',
                        help='begin with the networks of this checkpoint, as far as it has them')
    parser.add_argument('--settings', type=Path,
                        help='YAML file (default: config/train.yaml, with --world other than '
                             'homes config/train_buildings.yaml)')
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument('--minutes', type=positive_number,
                        help="processor minutes to learn, instead of the settings'")
    budget.add_argument('--updates', type=positive, help='or so many updates')
    parser.add_argument('--seed', type=natural, default=0)
    parser.add_argument('--out', type=Path, required=True,
                        help='where the run is kept; the agent is OUT/checkpoint')
    parser.add_argument('--cache', type=Path, default=Path('.cache/homes'),
                        help='where graphs, tasks and words are kept between runs')
    parser.add_argument('--encoder', default=DEFAULT_NAME,
                        help='text encoder: a name, or the path of a folder with its files '
                             '(default: %(default)s)')
    parser.add_argument('--workers', type=positive, default=2,
                        help='processes that build graphs and tasks')
    parser.add_argument('--profile', action='store_true',
                        help='only show where the time of some updates goes, and the memory')


def run(args: argparse.Namespace) -> int:
    """Prepare the data, train or resume, calibrate, evaluate, write the checkpoint."""
    rank = parallel.join()
    try:
        return _run(args, rank)
    finally:
        parallel.leave()


def _run(args: argparse.Namespace, rank: parallel.Rank) -> int:
    """As `run`, in one of the processes."""
    settings = _settings(args)
    encoder = encoder_with_cache(args.encoder, args.cache)
    settings = replace(settings, navigator=replace(settings.navigator, text_dim=encoder.dim))
    budget = Budget(None if args.updates else args.minutes or settings.minutes, args.updates)
    what = {'settings': to_mapping(settings), 'method': args.method, 'world': args.world,
            'seed': args.seed, 'start': str(args.start), 'budget': to_mapping(budget),
            'processes': rank.world}
    notes_of(args.out, what)           # a wrong --out is told before the long work
    train, val = training_tasks(args, settings.data)
    train, held_out = set_aside(train)
    held_out = held_out or train    # too few ways to keep any aside
    val = val or held_out           # data without a split to validate on
    noise = settings.noise if args.world == 'homes' else None    # real boxes are noisy enough
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    torch.set_float32_matmul_precision('high')      # of a GPU; a processor knows no other
    vocabulary = Vocabulary(encoder)
    print(f'words of {len(train) + len(held_out) + len(val)} goals', flush=True)
    arenas = [Arena(tasks, vocabulary, device, noise) for tasks in (train, held_out, val)]
    if rank.rank == 0:
        encoder.save_cache()
    learner = LangGoalIRL(arenas[0], METHODS[args.method], settings.navigator, settings.learning,
                          args.seed, settings.writing, rank)
    if args.start is not None:
        learner.begin_with(load_checkpoint(args.start).weights)
    if args.profile:
        print(_profile(learner))
        return 0
    job = MethodRun(learner, budget, args.out, what,
                    (lambda line: print(line, flush=True)) if rank.rank == 0 else _silent)
    if job.resume():
        print(f'resuming {args.out} at update {learner.update}', flush=True)
    try:
        job.train()
    except KeyboardInterrupt:
        print(f'interrupted at update {learner.update}: the same command resumes', flush=True)
        return 130
    if rank.rank == 0:
        _finish(learner, settings, encoder, arenas[1:], args)
    return 0


def encoder_with_cache(name: str, cache: Path) -> TextEncoder:
    """The text encoder, with the words that earlier runs left in the cache directory.

    It runs on a GPU where torch sees one.
    """
    encoder = load_text_encoder(name, cache_size=200_000, cache_path=cache
                                / f'words-{re.sub("[^a-zA-Z0-9]+", "-", name)}.npz')
    return encoder.to('cuda') if torch.cuda.is_available() else encoder


def _silent(_: str) -> None:
    """Only the first process tells how it goes."""


def _settings(args: argparse.Namespace) -> TrainSettings:
    """The settings of the file."""
    name = 'train.yaml' if args.world == 'homes' else 'train_buildings.yaml'
    return load_settings(TrainSettings, args.settings or shared_dir('config') / name)


def _finish(learner: LangGoalIRL, settings: TrainSettings, encoder: TextEncoder,
            arenas: Sequence[Arena], args: argparse.Namespace) -> None:
    """Calibrate on what was set aside, evaluate, and write a checkpoint that loads."""
    held_out, val = arenas
    steps = settings.learning.measured_steps
    for arena in arenas:
        arena.refresh()
    if args.start is not None:
        _keep_the_better(learner, load_checkpoint(args.start).weights['policy'], val,
                         settings.acting, steps)
    calibration = Calibration()
    if learner.reward is not None:
        try:
            calibration, found = calibrated(learner, held_out)
            print(f'arrived: AUC {auc(found.numbers, found.fulfilled):.3f} on '
                  f'{len(found.numbers)} stops set aside')
        except ValueError as error:
            print(f'not calibrated: {error}')
    table = by_tag(results_of(val, acted(learner, val, settings.acting, calibration)))
    origin = {'parent': None if args.start is None else str(args.start), 'home': None,
              'world': args.world, 'method': args.method, 'seed': args.seed,
              'updates': learner.update, 'settings': to_mapping(settings), 'validation': table}
    checkpoint = checkpoint_of(learner, settings.acting, calibration, encoder, origin)
    save_checkpoint(checkpoint, args.out / 'checkpoint')
    if learner.reward is not None:
        checkpoint.config['ranking'] = to_mapping(_ranking(learner, held_out))
        save_checkpoint(checkpoint, args.out / 'checkpoint')
    load_checkpoint(args.out / 'checkpoint')
    print(f'wrote {args.out / "checkpoint"}', flush=True)
    print(markdown_table(table))


def _profile(learner: LangGoalIRL) -> str:
    """Where the time of updates early, midway and late in the budget goes; peak memory."""
    for spent in PROFILED:
        learner.advance(spent)      # what is done once is not shown
    began, before = time.process_time(), learner.episodes
    for spent in PROFILED:
        learner.advance(spent)
    pace = (learner.episodes - before) / max(time.process_time() - began, 1e-6)
    with torch.profiler.profile() as profile:
        for spent in PROFILED:
            learner.advance(spent)
    table = profile.key_averages().table(sort_by='self_cpu_time_total', row_limit=15,
                                         max_name_column_width=40)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return f'{table}\n{pace:.0f} episodes a second of processor time, peak {peak} MiB'


def _ranking(learner: LangGoalIRL, held_out: Arena) -> Ranking:
    """How much each opinion of a route counts, fitted on some of what was set aside."""
    assert learner.reward is not None
    planner = RoutePlanner(held_out.without_noise(), learner.policy.net, learner.reward.net,
                           None if learner.writer is None else learner.writer.generator, LONGEST)
    try:
        ranking = fitted(*planner.all_opinions(FITTED_TO))
    except ValueError as error:
        print(f'routes are ranked by default weights: {error}')
        return Ranking()
    print('routes are ranked by', ', '.join(f'{name.replace("_", " ")} {value:.3f}'
                                            for name, value in to_mapping(ranking).items()))
    return ranking


def _keep_the_better(learner: LangGoalIRL, start: Mapping[str, torch.Tensor], val: Arena,
                     acting: Acting, steps: int) -> None:
    """Go back to the policy that it began with where that one does better on validation."""
    policy = learner.policy.net
    learned = {name: value.clone() for name, value in policy.state_dict().items()}
    rates = []
    for weights in (start, learned):
        policy.load_state_dict(weights)
        results = results_of(val, greedy_walks(policy, val, steps, acting=acting))
        rates.append(100 * sum(r.success for r in results) / max(1, len(results)))
    print(f'the policy on validation: {rates[0]:.1f} % as it began, {rates[1]:.1f} % now')
    if rates[0] > rates[1]:
        policy.load_state_dict(start)
        print('the one that it began with is kept')
