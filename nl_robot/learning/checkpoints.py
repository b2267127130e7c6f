"""From a learner to a checkpoint that can act: its doubts calibrated, its networks and origin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nl_robot.checkpoint import Checkpoint
from nl_robot.learning.arena import Arena
from nl_robot.learning.calibration import Stops, logistic, stops
from nl_robot.learning.lang_goal_irl import LangGoalIRL
from nl_robot.learning.walks import Walks, greedy_walks
from nl_robot.nets.looking import Acting, Calibration
from nl_robot.nets.words import Encoder
from nl_robot.settings import to_mapping


def calibrated(learner: LangGoalIRL, held_out: Arena) -> tuple[Calibration, Stops]:
    """How to read the learner's reward as a probability, and the stops that it was fitted to.

    :param held_out: tasks that nothing was learned from
    :raises ValueError: the learner has no reward, or the stops are all right or all wrong
    """
    if learner.reward is None:
        raise ValueError('there is no reward')
    steps = learner.settings.measured_steps
    found = stops(learner.reward.net, held_out,
                  greedy_walks(learner.policy.net, held_out, steps))
    return Calibration(*logistic(found.numbers, found.fulfilled)), found


def acted(learner: LangGoalIRL, arena: Arena, acting: Acting, calibration: Calibration) -> Walks:
    """Every task of an arena, as the agent of a checkpoint would act."""
    return greedy_walks(learner.policy.net, arena, learner.settings.measured_steps, acting=acting,
                        reward=None if learner.reward is None else learner.reward.net,
                        calibration=calibration)


def checkpoint_of(learner: LangGoalIRL, acting: Acting, calibration: Calibration,
                  encoder: Encoder, origin: Mapping[str, Any]) -> Checkpoint:
    """Everything that acts later, as it is saved."""
    config = {'format': 2, 'navigator': to_mapping(learner.policy.net.settings),
              'acting': to_mapping(acting), 'calibration': to_mapping(calibration),
              'text_encoder': {'name': encoder.name, 'sha256': encoder.sha256},
              **learner.written_config()}
    return Checkpoint(config, learner.weights(), dict(origin))
