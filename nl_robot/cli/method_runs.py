"""One run of `nl_robot benchmark methods`: a method learns from a seed and is measured."""

from __future__ import annotations

import functools
import json
import math
import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nl_robot.checkpoint import save_checkpoint
from nl_robot.cli.train import TrainSettings, encoder_with_cache
from nl_robot.cli.train_tasks import set_aside
from nl_robot.embodied.runner import RandomAgent
from nl_robot.evaluation import Result
from nl_robot.language.encoder import TextEncoder
from nl_robot.learning.arena import Arena
from nl_robot.learning.calibration import doubts
from nl_robot.learning.checkpoints import acted, calibrated, checkpoint_of
from nl_robot.learning.lang_goal_irl import LangGoalIRL
from nl_robot.learning.method_run import Budget, MethodRun, outcomes
from nl_robot.learning.methods import METHODS
from nl_robot.learning.walks import (
    NO_CHOICE,
    Choosing,
    expert_walks,
    greedy_walks,
    results_of,
    together,
    walk,
)
from nl_robot.nets.looking import Calibration
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.recurrent import RecurrentNavigator
from nl_robot.nets.words import Vocabulary
from nl_robot.settings import to_mapping
from nl_robot.worlds.instructions import split_tasks
from nl_robot.worlds.tasks import GraphTask

RANDOM, SHORTEST = 'random', 'shortest-path'
UNTRAINED = {RANDOM: f'{RandomAgent.HOPS} random waypoints, then stop',
             SHORTEST: 'the shortest way, which needs the map and the goal'}
NAMES = (*METHODS, *UNTRAINED)
RESULT, CURVE = 'result.json', 'success.json'
CURVE_POINTS, CURVE_EPISODES = 10, 200
REPORT_SECONDS = 60.0       # of learning between two lines that people read


@dataclass(frozen=True)
class Conditions:
    """What is the same for all runs of a comparison.

    :param splits: buildings of the training data, and others; :param minutes: of one processor
    """

    data: Path
    dataset: str
    splits: tuple[str, str]
    minutes: float
    settings: TrainSettings
    encoder: str
    cache: Path

    def plan(self) -> dict[str, Any]:
        """What makes results comparable, as JSON: all but where files lie."""
        settings = to_mapping(self.settings)
        settings.pop('minutes')
        return {'dataset': self.dataset, 'splits': list(self.splits), 'minutes': self.minutes,
                'encoder': self.encoder, 'settings': settings}


@dataclass(frozen=True)
class Job:
    """One run, and the directory of its own."""

    method: str
    seed: int
    conditions: Conditions
    out: Path

    @property
    def name(self) -> str:
        """The name of its directory."""
        return f'{self.method}-{self.seed}'

    @property
    def directory(self) -> Path:
        """Where its state and its result are."""
        return self.out / 'runs' / self.name


@dataclass(frozen=True)
class Ended:
    """What became of a job: its result is on disk, or it failed."""

    job: Job
    seconds: float = 0.0
    failure: str = ''


def run_job(job: Job) -> dict[str, Any]:
    """Train, or go on training, and measure: the result of the job as JSON."""
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    arenas = _arenas(job.conditions, device, train=job.method in METHODS)
    found = {'method': job.method, 'seed': job.seed, 'minutes': job.conditions.minutes,
             'machine': _machine(device)}
    for arena in arenas[-2:]:
        arena.refresh()
    if job.method in METHODS:
        return {**found, **_trained(job, arenas)}
    splits = {split: outcomes(_unlearned(job, arena))
              for split, arena in zip(job.conditions.splits, arenas)}
    return {**found, 'episodes_trained': 0, 'episodes_per_second': 0.0, 'curve': [],
            'splits': splits}


def prepare(conditions: Conditions) -> str:
    """Fill the caches of buildings and words, so that the runs need not; how much there is."""
    arenas = _arenas(conditions, torch.device('cpu'), train=True)
    _encoder(conditions.encoder, conditions.cache).save_cache()
    names = ('train', 'kept aside', *conditions.splits)
    return ', '.join(f'{name} {len(arena.tasks)}' for name, arena in zip(names, arenas))


@functools.lru_cache(maxsize=1)
def _encoder(name: str, cache: Path) -> TextEncoder:
    """The text encoder, once in each process, with the word cache of `nl_robot train`."""
    return encoder_with_cache(name, cache)


@functools.lru_cache(maxsize=3)
def _tasks(data: Path, dataset: str, split: str, cache: Path) -> Sequence[GraphTask]:
    """The tasks of a split, once in each process."""
    return split_tasks(data, dataset, split, cache / 'buildings')[1]


def _arenas(conditions: Conditions, device: torch.device, train: bool) -> list[Arena]:
    """Arenas of both splits, and before them those of training and of what is kept from it.

    New ones for every run: goals that a run generates are none of the next one's business.
    """
    vocabulary = Vocabulary(_encoder(conditions.encoder, conditions.cache))

    def tasks(split: str) -> Sequence[GraphTask]:
        return _tasks(conditions.data, conditions.dataset, split, conditions.cache)
    parts = [*(set_aside(tasks('train')) if train else ()), *map(tasks, conditions.splits)]
    parts = [part or parts[0] for part in parts]    # too few ways to keep any aside
    return [Arena(part, vocabulary, device) for part in parts]


def _trained(job: Job, arenas: Sequence[Arena]) -> dict[str, Any]:
    """Learn until the budget is gone, from where an earlier try left off; save, and measure."""
    conditions, method = job.conditions, METHODS[job.method]
    settings = conditions.settings
    train, held_out, *measured = arenas
    shape = replace(settings.navigator, text_dim=train.known.words.shape[1])
    learner = LangGoalIRL(train, method, shape, settings.learning, job.seed, settings.writing)
    what = {**conditions.plan(), 'method': to_mapping(method), 'seed': job.seed}
    run = MethodRun(learner, Budget(conditions.minutes), job.directory, what,
                    tell=lambda line: watch.tell(line))
    resumed = run.resume()
    watch = Watch(job, run, measured[-1])
    if resumed:
        print(f'{job.name}: resuming at update {learner.update}', flush=True)
    run.train()
    watch.look()
    for arena in (held_out, *measured):
        arena.refresh()
    calibration = Calibration()
    if learner.reward is not None:
        with suppress(ValueError):      # nothing to tell apart: then its doubts are as they are
            calibration, _ = calibrated(learner, held_out)
    save_checkpoint(checkpoint_of(learner, settings.acting, calibration,
                                  _encoder(conditions.encoder, conditions.cache), what),
                    job.directory / 'checkpoint')
    walks = [acted(learner, arena, settings.acting, calibration) for arena in measured]
    reward = None if learner.reward is None else learner.reward.net
    return {'updates': learner.update, 'episodes_trained': learner.episodes,
            'episodes_per_second': learner.episodes / max(run.seconds, 1e-6),
            'curve': watch.points,
            'written': 0 if learner.writer is None else len(learner.writer.texts),
            'arrived': {split: doubts(reward, arena, walked, calibration) for split, arena, walked
                        in zip(conditions.splits, measured, walks)},
            'splits': {split: outcomes(results_of(arena, walked)) for split, arena, walked
                       in zip(conditions.splits, measured, walks)}}


class Watch:
    """Tells how a run goes, and measures it now and then on some tasks of other buildings.

    :param points: (share of the budget, success) so far
    """

    def __init__(self, job: Job, run: MethodRun, arena: Arena) -> None:
        self._job, self._run, self._told = job, run, run.seconds
        self._file = job.directory / CURVE
        every = -(-len(arena.tasks) // CURVE_EPISODES)
        self._arena = Arena(arena.tasks[::every], arena.vocabulary, arena.device)
        kept = json.loads(self._file.read_text(encoding='utf-8')) if self._file.exists() else []
        # what came after the last saved state is learned again
        self.points = [(share, success) for share, success in kept if share <= self._spent()]

    def _spent(self) -> float:
        return min(1.0, self._run.budget.spent(self._run.seconds, self._run.learner.update))

    def tell(self, line: str) -> None:
        """One line of progress; what measuring takes is not taken from the budget."""
        parent = multiprocessing.parent_process()
        if parent is not None and not parent.is_alive():
            raise SystemExit(f'{self._job.name}: nobody waits for it any more')
        if self._run.seconds - self._told > REPORT_SECONDS or self._spent() == 1.0:
            self._told = self._run.seconds
            print(f'{self._job.name}: {line}', flush=True)
        last = self.points[-1][0] if self.points else 0.0
        if last + 1 / CURVE_POINTS <= self._spent() < 1.0:
            began = self._run.clock()
            self.look()
            self._run.seconds -= self._run.clock() - began

    def look(self) -> None:
        """One point of the curve."""
        settings = self._job.conditions.settings
        self._arena.refresh()
        walks = greedy_walks(self._run.learner.policy.net, self._arena,
                             settings.learning.measured_steps, acting=settings.acting)
        self.points.append((self._spent(), float(walks.success.float().mean())))
        write_json(self._file, self.points)


def _unlearned(job: Job, arena: Arena) -> list[Result]:
    """The outcome of every task of an arena by one who learned nothing, in their order."""
    steps = job.conditions.settings.learning.measured_steps
    torch.manual_seed(job.seed)
    everyone = torch.arange(len(arena.tasks), device=arena.device).split(256)
    if job.method == SHORTEST:
        return results_of(arena, together([expert_walks(arena, t, steps) for t in everyone]))
    silent = RecurrentNavigator(NavigatorSettings(arena.known.words.shape[1], 4, 4, 1,
                                                  sightings=False))
    with torch.inference_mode():
        return results_of(arena, together([walk(
            silent.to(arena.device), arena, t, random_hops, max_steps=steps,
            goals=torch.zeros_like(t)).walks for t in everyone]))


def random_hops(now: Choosing) -> Tensor:
    """As `RandomAgent`: any way, as likely as any other, and after some of them stop."""
    odds = (now.logits > NO_CHOICE / 2).float()
    odds[:, 0] = (odds[:, 1:].sum(dim=1) == 0).float()
    way = torch.multinomial(odds, 1)[:, 0]
    return way if now.step < RandomAgent.HOPS else torch.zeros_like(way)


def _machine(device: torch.device) -> str:
    """What a run had: its threads, and the cores that there are."""
    where = torch.cuda.get_device_name(device) if device.type == 'cuda' else 'no GPU'
    return (f'{torch.get_num_threads()} thread a run, {os.cpu_count()} {platform.machine()} '
            f'cores, {where}')


def write_json(path: Path, data: Any) -> None:
    """Whole or not at all; null for numbers that JSON has not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'{path.name}.tmp')
    temporary.write_text(json.dumps(_finite(data), allow_nan=False), encoding='utf-8')
    os.replace(temporary, path)


def _finite(data: Any) -> Any:
    """The same with None for nan and infinities."""
    if isinstance(data, Mapping):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def finish(run_one: Callable[[Job], dict[str, Any]], job: Job) -> Ended:
    """Run a job on one thread and keep its result; what fails is told and stops no other job."""
    torch.set_num_threads(1)
    began = time.monotonic()
    try:
        write_json(job.directory / RESULT, run_one(job))
    except Exception as error:
        if os.environ.get('NL_ROBOT_TRACEBACK'):
            raise
        return Ended(job, failure=f'{type(error).__name__}: {error}')
    return Ended(job, time.monotonic() - began)


def stored(out: Path) -> list[dict[str, Any]]:
    """The results that there are."""
    return [json.loads(path.read_text(encoding='utf-8'))
            for path in sorted((out / 'runs').glob(f'*/{RESULT}'))]
