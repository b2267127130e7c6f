"""The goal-agnostic explorer of a checkpoint: what it thinks of the ways at a place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from nl_robot.agent import Agent
from nl_robot.checkpoint import load_checkpoint
from nl_robot.datatypes import Observation
from nl_robot.language.encoder import load_text_encoder
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.navigators import navigator_of
from nl_robot.nets.words import Encoder
from nl_robot.settings import from_mapping

MEMORY = 20     # places after which it begins anew: it learned on episodes of that length


class Wanderer(Agent):
    """An agent without a goal, asked for its opinion; somebody else decides where to go."""

    @classmethod
    def of_checkpoint(cls, path: Path, encoder: Encoder | None = None) -> Wanderer | None:
        """The explorer of a checkpoint; None where it has none.

        :raises CheckpointError: the checkpoint is damaged
        """
        stored = load_checkpoint(path)
        if 'explorer' not in stored.weights:
            return None
        net = navigator_of(from_mapping(NavigatorSettings, stored.config['navigator'],
                                        'config.navigator'))
        net.load_state_dict(stored.weights['explorer'])
        return cls(net, encoder or load_text_encoder(stored.config['text_encoder']['name']))

    def opinion(self, observation: Observation) -> Sequence[float]:
        """How likely each way of an observation is to be taken."""
        if self._track is None or self._track.points.shape[1] > MEMORY:
            self.set_goal('')
        probabilities = self.decide(observation).probabilities
        self._way = torch.zeros(1, 3)       # where it goes is not its decision
        return probabilities[:len(observation.waypoints)]
