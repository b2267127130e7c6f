"""The agent: the one way to act.  Give it a goal in words, then observations; it decides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nl_robot.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from nl_robot.datatypes import Decision, Observation, Pose, Sighting, Waypoint
from nl_robot.language.encoder import load_text_encoder
from nl_robot.nets.looking import (
    MAX_SIGHTINGS,
    Acting,
    Calibration,
    Seen,
    Track,
    climb_of,
    discouragement,
)
from nl_robot.nets.navigator import Episodes, Look, Navigator, NavigatorSettings, Words
from nl_robot.nets.navigators import navigator_of
from nl_robot.nets.words import Encoder, Known, Vocabulary, padded
from nl_robot.settings import from_mapping

CANARY = Observation((Sighting('white fridge', 0.3, distance=2.0),
                      Sighting('door', -1.2, distance=1.5)),
                     (Waypoint(0.4, 1.5), Waypoint(-1.0, 2.0)), Pose(0.0, 0.0, 0.0))


@dataclass
class _Opinion:
    """A network with what it remembers of the episode."""

    net: Navigator
    words: Words
    state: Episodes

    def hear(self, seen: Seen, track: Track, known: Known) -> tuple[Tensor, Look]:
        """(1 + k,) what it says of every choice, and what it looked at."""
        look = self.net.look(self.words.ids, seen, track, self.net.agreement(known))
        outputs, self.state = self.net(self.words, self.state, look)
        return outputs[0, :, 0], look


class Agent:
    """A policy, and a reward that doubts it, with their memory of the episode that runs.

    Greedy: `decide` takes the most probable choice.  Not thread-safe: one thread owns it.

    :param reward: None for an agent that has no opinion of whether it has arrived
    """

    def __init__(self, policy: Navigator, encoder: Encoder, acting: Acting | None = None,
                 reward: Navigator | None = None, calibration: Calibration | None = None
                 ) -> None:
        self.policy = policy.eval()
        self.reward = None if reward is None else reward.eval()
        self.acting, self.encoder = acting or Acting(), encoder
        self.calibration = calibration or Calibration()
        self.vocabulary = Vocabulary(encoder)
        self._opinions: list[_Opinion] = []
        self._track: Track | None = None
        self._way = torch.zeros(1, 3)
        self._arrived: float | None = None

    @classmethod
    def load(cls, checkpoint: Path, encoder: Encoder | None = None) -> Agent:
        """The agent of a checkpoint directory.

        :raises CheckpointError: the directory is damaged, foreign, made with another text
            encoder, or its policy does not give a finite decision on a canary observation
        """
        stored = load_checkpoint(checkpoint)
        try:
            encoder = _encoder_of(stored, encoder)
            canary = cls._of(stored, encoder)
            canary.set_goal('go to the kitchen')
            canary.decide(CANARY)       # a Decision refuses probabilities that are not finite
        except (ArithmeticError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(f'{checkpoint} cannot act: {error}') from error
        return cls._of(stored, encoder)

    @classmethod
    def _of(cls, stored: Checkpoint, encoder: Encoder) -> Agent:
        """The agent of a checkpoint in memory."""
        config = stored.config
        if config.get('format', 2) != 2:
            raise ValueError('it is of an older kind: train one with `nl_robot train`')
        shape = from_mapping(NavigatorSettings, config['navigator'], 'config.navigator')
        nets = {}
        for name in ('policy', 'reward'):
            if name in stored.weights:
                nets[name] = navigator_of(shape)
                nets[name].load_state_dict(stored.weights[name])
        return cls(nets['policy'], encoder,
                   from_mapping(Acting, config.get('acting', {}), 'config.acting'),
                   nets.get('reward'),
                   from_mapping(Calibration, config.get('calibration', {}), 'config.calibration'))

    def set_goal(self, text: str) -> None:
        """Begin a new episode that pursues these words; what was seen before is forgotten."""
        with torch.inference_mode():
            features, ids, mask = padded(self.vocabulary.goals([text]))
            self._opinions = [
                _Opinion(net, words, net.start(words)) for net in (self.policy, self.reward)
                if net is not None for words in [net.read(features, ids, mask)]]
        self._track, self._arrived = None, None

    def decide(self, observation: Observation) -> Decision:
        """The next choice at a place just reached.

        :raises RuntimeError: when no goal was set
        """
        if not self._opinions:
            raise RuntimeError('the agent has no goal: call set_goal first')
        seen = seen_of(observation, self.vocabulary)
        with torch.inference_mode():
            track = self._track = self._moved(observation.pose)
            known = self.vocabulary.known()
            (said, look), *doubts = [o.hear(seen, track, known) for o in self._opinions]
            self._track = track.remember(seen)
            logits = said - discouragement(seen, track, self.acting)[0]
            if doubts:
                logits[0] += self.acting.doubt_weight * self.calibration.log_odds(doubts[0][0][0])
            logits = logits.masked_fill(~look.mask_is_valid[0], -torch.inf)
            probabilities = torch.softmax(logits, dim=0).numpy().astype(np.float64)
        self._arrived = (self.calibration.probability(float(doubts[0][0][0]))
                         if doubts else None)
        best = int(probabilities.argmax())
        count = len(observation.waypoints)
        self._way = seen.ways[:, best - 1] if best > 0 else torch.zeros(1, 3)
        ordered = (*map(float, probabilities[1:1 + count]), float(probabilities[0]))
        return Decision(None if best == 0 else best - 1, float(probabilities[best]), ordered)

    def took(self, waypoint: Waypoint | None) -> None:
        """Somebody else chose at the place of the last decision: this waypoint, or to stop."""
        self._way = torch.zeros(1, 3) if waypoint is None else torch.tensor(
            [[waypoint.bearing, waypoint.elevation, waypoint.distance]])

    def _moved(self, pose: Pose) -> Track:
        """The track, gone on to where the robot is now by the way that was chosen last.

        A pose has no height: it is as far up or down as that way led.
        """
        yaw = torch.tensor([pose.yaw], dtype=torch.float32)
        point = torch.tensor([[pose.x, pose.y, 0.0]])
        if self._track is None:
            return Track.begin(point, yaw, any(o.net.remembers for o in self._opinions))
        way = self._way if self._way.any() else _walked(self._track, point)
        point[0, 2] = self._track.points[0, -1, 2] + climb_of(way)[0]
        return self._track.go(point, yaw, way)

    def arrived(self) -> float | None:
        """The reward's opinion, as a probability, whether the goal is fulfilled at the last place.

        None before the first decision, or where the checkpoint holds no reward.
        """
        return self._arrived


def _walked(track: Track, point: Tensor) -> Tensor:
    """(1, 3) the way to a point that was not chosen: somebody overruled a stop."""
    offset = point[:, :2] - track.points[:, -1, :2]
    distance = offset.norm(dim=1)
    bearing = torch.atan2(offset[:, 1], offset[:, 0]) - track.yaw
    return torch.stack([bearing, torch.zeros_like(bearing), distance], dim=1)


def _encoder_of(stored: Checkpoint, encoder: Encoder | None) -> Encoder:
    """The text encoder that a checkpoint was made with; ValueError where it is another one."""
    text = stored.config['text_encoder']
    encoder = encoder or load_text_encoder(text['name'])
    if encoder.sha256 != text['sha256']:
        raise ValueError(f'it was made with the text encoder {text["name"]!r}, which is not the '
                         f'{encoder.name!r} at hand')
    return encoder


def seen_of(observation: Observation, vocabulary: Vocabulary) -> Seen:
    """One observation as the networks read it; what the pose's frame holds is relative there."""
    sightings = sorted(observation.sightings, key=lambda s: -s.size)[:MAX_SIGHTINGS]
    rows = [(s.bearing, s.elevation, s.size, math.nan if s.distance is None else s.distance,
             s.score) for s in sightings]
    ways = [(w.bearing, w.elevation, w.distance) for w in observation.waypoints]
    labels = vocabulary.label_ids([s.label for s in sightings])
    return Seen(torch.from_numpy(labels)[None] if rows else torch.zeros(1, 1, dtype=torch.long),
                torch.tensor(rows or [(0.0, 0.0, 0.0, math.nan, 0.0)])[None],
                torch.tensor(ways or [(0.0, 0.0, 0.0)])[None],
                torch.tensor([bool(ways)] * max(1, len(ways)))[None])
