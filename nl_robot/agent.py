"""The agent: the one way to act.  Give it a goal in words, then observations; it decides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from nl_robot.checkpoint import CheckpointError, load_checkpoint
from nl_robot.datatypes import Decision, Observation, Pose, Sighting, Waypoint
from nl_robot.language.encoder import TextEncoder, load_text_encoder
from nl_robot.nets.inputs import GoalWords, LabelTable, goal_words, step_inputs
from nl_robot.nets.memory import Memory, View, view_of
from nl_robot.nets.policy import Policy, PolicySettings, collate
from nl_robot.settings import from_mapping

CANARY = Observation((Sighting('white fridge', 0.3, distance=2.0),
                      Sighting('door', -1.2, distance=1.5)),
                     (Waypoint(0.4, 1.5), Waypoint(-1.0, 2.0)), Pose(0.0, 0.0, 0.0))


@dataclass(frozen=True)
class Acting:
    """What keeps a greedy policy from going round in circles; chosen on validation homes.

    :param repeat_penalty: off the logit of a way, for each time it was taken from here before
    :param visit_penalty: likewise, for each visit to the place that it leads to
    """

    repeat_penalty: float = 0.0
    visit_penalty: float = 0.0


class Agent:
    """A policy with its memory of the episode that runs.

    Greedy: `decide` takes the most probable choice.  `policy` and `encoder` are there to be
    read.  Not thread-safe: one thread owns it.
    """

    def __init__(self, policy: Policy, encoder: TextEncoder, acting: Acting = Acting()) -> None:
        self.policy = policy.eval()
        self.acting = acting
        self.encoder = encoder
        self._labels = LabelTable(encoder)
        self._goal: GoalWords | None = None
        self._memory = Memory()
        self._arrived: float | None = None

    @classmethod
    def load(cls, checkpoint: Path, encoder: TextEncoder | None = None) -> Agent:
        """The agent of a checkpoint directory.

        :raises CheckpointError: the directory is damaged, foreign, made with another text
            encoder, or its policy does not give a finite decision on a canary observation
        """
        stored = load_checkpoint(checkpoint)
        try:
            text = stored.config['text_encoder']
            encoder = encoder or load_text_encoder(text['name'])
            if encoder.sha256 != text['sha256']:
                raise ValueError(f'it was made with the text encoder {text["name"]!r}, which is '
                                 f'not the {encoder.name!r} at hand')
            policy = Policy(from_mapping(PolicySettings, stored.config['policy'], 'config.policy'))
            policy.load_state_dict(stored.weights['policy'])
            acting = from_mapping(Acting, stored.config.get('acting', {}), 'config.acting')
            canary = cls(policy, encoder, acting)
            canary.set_goal('go to the kitchen')
            canary.decide(CANARY)       # a Decision refuses probabilities that are not finite
        except (ArithmeticError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(f'{checkpoint} cannot act: {error}') from error
        return cls(policy, encoder, acting)

    def set_goal(self, text: str) -> None:
        """Begin a new episode that pursues these words; what was seen before is forgotten."""
        self._goal = goal_words(self.encoder, [text])[0]
        self._memory = Memory()
        self._arrived = None

    def decide(self, observation: Observation) -> Decision:
        """The next choice at a place just reached.

        :raises RuntimeError: when no goal was set
        """
        if self._goal is None:
            raise RuntimeError('the agent has no goal: call set_goal first')
        view = view_of(observation, self._labels.ids([s.label for s in observation.sightings]))
        self._memory.add(view)
        inputs = step_inputs(self._goal, self._memory, view, self._labels.vectors)
        with torch.inference_mode():
            logits, arrived = self.policy(collate([self._goal], [inputs], self._labels.vectors))
            logits[0, 1:] -= torch.from_numpy(self._discouragement(view)[:inputs.choices])
            probabilities = torch.softmax(logits[0], dim=0).numpy().astype(np.float64)
            self._arrived = float(torch.sigmoid(arrived[0]))
        best = int(probabilities.argmax())
        # waypoints beyond those that the policy reads keep probability 0
        unread = [0.0] * (len(observation.waypoints) - inputs.choices)
        ordered = tuple(map(float, probabilities[1:])) + tuple(unread) + (float(probabilities[0]),)
        return Decision(None if best == 0 else best - 1, float(probabilities[best]), ordered)

    def _discouragement(self, view: View) -> NDArray[np.float32]:
        """(k,) how much each way of the view is to be thought less of."""
        return (self.acting.repeat_penalty * self._memory.repeats(view)
                + self.acting.visit_penalty * self._memory.visits(view)).astype(np.float32)

    def arrived(self) -> float | None:
        """The policy's own probability that the goal is fulfilled here; None before a decision."""
        return self._arrived
