"""Learning in a home: policy and reward go on from where they are, on both worlds at once.

Zhou & Small (AAAI 2021) adapt to new buildings by goals that the generator writes for ways that
were explored there; mixed with the original demonstrations, so that nothing old is forgotten.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import replace

import numpy as np
import torch

from nl_robot.checkpoint import Checkpoint
from nl_robot.learning.arena import Arena
from nl_robot.learning.checkpoints import calibrated
from nl_robot.learning.home_lesson import Lesson, tasks_of
from nl_robot.learning.lang_goal_irl import LangGoalIRL
from nl_robot.learning.method_run import Budget, MethodRun, settings_of
from nl_robot.learning.methods import METHODS, LearningSettings
from nl_robot.learning.sensor_noise import SensorNoise
from nl_robot.nets.looking import Calibration
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.words import Vocabulary
from nl_robot.settings import from_mapping, to_mapping
from nl_robot.worlds.tasks import GraphTask

HOME_SHARE = 0.5        # of what is learned from, the home's own; the rest is original
HUMAN_TIMES = 5         # a person's words count as so many of the machine's
NEVER = 2.0             # of a budget: nobody comes there
# gentle, since what it knows already is worth more than what is new
SETTINGS = LearningSettings(batch=24, learning_rate=3e-4, warmup=30, max_steps=15,
                            expert_only=0.0, reward_from=0.1, seek_from=0.5, seek_weight=0.1)


def imitate_on(lesson: Lesson) -> Checkpoint:
    """As `continue_learning`, but the policy imitates alone, and does not seek the reward.

    A minute is little for critics, which no checkpoint has, to learn what rewards are worth.
    """
    return continue_learning(lesson, replace(SETTINGS, seek_from=NEVER))


def continue_learning(lesson: Lesson, settings: LearningSettings | None = None) -> Checkpoint:
    """Policy and reward after `lesson.minutes` more; everything else is as it was.

    :raises ValueError: there is nothing to learn from, or what was learned is not finite
    """
    arena = Arena(mixed(lesson), Vocabulary(lesson.encoder), noise=noise_of(lesson.checkpoint))
    config = lesson.checkpoint.config
    shape = from_mapping(NavigatorSettings, config['navigator'], 'config.navigator')
    learner = LangGoalIRL(arena, METHODS['no-generator'], shape, settings or SETTINGS,
                          lesson.seed)
    learner.begin_with(lesson.checkpoint.weights)
    run = MethodRun(learner, Budget(minutes=lesson.minutes), lesson.directory,
                    settings_of(learner, tasks=len(arena.tasks), minutes=lesson.minutes),
                    _told(lesson))
    try:
        run.resume()
    except ValueError:      # of other labels, or another budget: what it had learned is void
        shutil.rmtree(lesson.directory)
    try:
        run.train()
    except RuntimeError as error:       # sampling from what is not a number
        raise ValueError(f'learning diverged: {error}') from error
    weights = {**lesson.checkpoint.weights, **learner.weights()}
    for name, state in weights.items():
        if not all(torch.isfinite(value).all() for value in state.values()):
            raise ValueError(f'learning diverged: the {name} is not finite any more')
    found = calibrated_anew(learner, arena, from_mapping(
        Calibration, config.get('calibration', {}), 'config.calibration'))
    return Checkpoint({**config, 'calibration': to_mapping(found)}, weights,
                      {**lesson.checkpoint.origin, 'updates': learner.update})


def mixed(lesson: Lesson) -> list[GraphTask]:
    """The home's own tasks and original ones, as many of each as their shares say."""
    if not lesson.said:
        raise ValueError('there is nothing to learn from: no sentence was kept for any way')
    said = [one for one in lesson.said for _ in range(HUMAN_TIMES if one.human else 1)]
    own = tasks_of(lesson.graph, said, 'home')
    if not lesson.original:
        return own
    wanted = round(len(own) * (1 - HOME_SHARE) / HOME_SHARE)
    rng = np.random.default_rng(lesson.seed)
    rows = rng.choice(len(lesson.original), wanted, replace=wanted > len(lesson.original))
    return own + [lesson.original[int(row)] for row in rows]


def noise_of(checkpoint: Checkpoint) -> SensorNoise | None:
    """What the senses got wrong when it was trained; None where nothing is noted."""
    settings = checkpoint.origin.get('settings')
    if not isinstance(settings, dict) or 'noise' not in settings:
        return None
    return from_mapping(SensorNoise, settings['noise'], 'origin.settings.noise')


def calibrated_anew(learner: LangGoalIRL, arena: Arena, before: Calibration) -> Calibration:
    """The reward's calibration anew on what was learned from; as before where that tells nothing.
    """
    try:
        fresh, _ = calibrated(learner, arena)
    except ValueError:
        return before
    return fresh if fresh.slope > 0 else before


def _told(lesson: Lesson) -> TellLine:
    """Passes on a run's lines as facts, with the time that is left."""
    return TellLine(lesson, time.monotonic())


class TellLine:
    """Takes the lines of a `MethodRun`."""

    def __init__(self, lesson: Lesson, began: float) -> None:
        self._lesson, self._began = lesson, began

    def __call__(self, line: str) -> None:
        """One line of progress."""
        share = float(line.partition('%')[0]) / 100
        left = 60 * self._lesson.minutes * (1 - share)
        self._lesson.tell({'phase': 'learning', 'losses': line.partition('second')[2].strip(),
                           'left': round(left)})


