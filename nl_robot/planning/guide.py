"""Drives the best of the imagined routes, place by place, through a home whose map is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from nl_robot.agent import Agent
from nl_robot.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from nl_robot.datatypes import Decision, Observation
from nl_robot.learning.arena import Arena
from nl_robot.nets.goal_generator import GoalGenerator, GoalGeneratorSettings
from nl_robot.planning.imagination import Tree
from nl_robot.planning.ranking import Ranking, RoutePlanner
from nl_robot.settings import from_mapping
from nl_robot.worlds.graph import PlaceGraph
from nl_robot.worlds.tasks import GraphTask

SAME_METRES = 2.0       # ends of routes nearer than this answer the same words
ON_ROUTE_METRES = 0.9   # from a place of the route: what is this near to it is there
LONGEST = 16            # ways of a route


@dataclass(frozen=True)
class Plan:
    """The route to drive.

    :param places: of the map, the present one first
    :param sure: probability, among the routes, of an end there or near it
    :param rival: where the best route to somewhere else ends, and how probable that is; None
        where there is none
    """

    places: tuple[int, ...]
    sure: float
    rival: tuple[int, float] | None = None

    @property
    def ambiguous(self) -> bool:
        """The words fit another place nearly as well: it is better to ask."""
        return self.rival is not None and self.rival[1] > 0.8 * self.sure


    def told(self) -> str:
        """The plan on one line, for people."""
        ways = len(self.places) - 1
        text = f'planned {ways} way{"" if ways == 1 else "s"} ahead ({self.sure:.0%} sure)'
        if self.ambiguous and self.rival is not None:
            text += f', though another place fits as well ({self.rival[1]:.0%}): say more of it'
        return text


def generator_of(stored: Checkpoint) -> GoalGenerator | None:
    """The goal generator of a checkpoint, where it has one."""
    if 'goal_generator' not in stored.weights:
        return None
    net = GoalGenerator(from_mapping(GoalGeneratorSettings, stored.config['goal_generator'],
                                     'config.goal_generator'))
    net.load_state_dict(stored.weights['goal_generator'])
    return net.eval()


class Guide:
    """Plans a route when a goal begins, and says at every place where to go on.

    :param agent: has a reward; :param generator: None for opinions without words
    """

    def __init__(self, agent: Agent, generator: GoalGenerator | None, ranking: Ranking) -> None:
        if agent.reward is None:
            raise ValueError('an agent without a reward cannot rank routes')
        self._agent, self._generator, self._ranking = agent, generator, ranking
        self._graph: PlaceGraph | None = None
        self._other: Plan | None = None
        self.plan: Plan | None = None

    @classmethod
    def load(cls, checkpoint: Path, agent: Agent | None = None) -> Guide | None:
        """The guide of a checkpoint directory; None where it has no reward to ask.

        :param agent: that of the checkpoint, where it is loaded already
        :raises CheckpointError: as `Agent.load`
        """
        agent = agent or Agent.load(checkpoint)
        if agent.reward is None:
            return None
        stored = load_checkpoint(checkpoint)
        try:
            ranking = from_mapping(Ranking, stored.config.get('ranking', {}), 'config.ranking')
            return cls(agent, generator_of(stored), ranking)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(f'{checkpoint} cannot rank routes: {error}') from error

    def begin(self, words: str, graph: PlaceGraph, place: int, yaw: float) -> Plan:
        """Plan a route for a goal from a place of the map, facing `yaw` in the map."""
        nowhere = np.zeros(len(graph.points), bool)
        arena = Arena([GraphTask(graph, place, yaw, words, nowhere, nowhere,
                                 np.zeros(len(graph.points), np.float32))], self._agent.vocabulary)
        planner = RoutePlanner(arena, self._agent.policy, self._agent.reward,  # type: ignore
                               self._generator, LONGEST)
        with torch.inference_mode():
            ranked = planner.rank(torch.tensor([0]))
            odds = torch.softmax(ranked.scores(self._ranking), dim=1)[0]
        nodes = ranked.nodes[0][ranked.nodes[0] >= 0].tolist()
        ends = [int(ranked.tree.place[node]) for node in nodes]
        best = int(odds.argmax())
        far = [_metres(graph, end, ends[best]) > SAME_METRES for end in ends]
        sure = min(1.0, sum(p for p, away in zip(odds.tolist(), far) if not away))    # of rounding
        others = [(p, end) for p, end, away in zip(odds.tolist(), ends, far) if away]
        rival = max(others, default=None)
        self._graph, self._other = graph, None
        self.plan = Plan(_route(ranked.tree, nodes[best]), sure,
                         None if rival is None else (rival[1], rival[0]))
        if rival is not None:
            self._other = Plan(_route(ranked.tree, nodes[ends.index(rival[1])]), rival[0])
        return self.plan

    def take_the_other(self) -> None:
        """Drive the best route to somewhere else instead: so a person said."""
        if self._other is not None:
            self.plan, self._other = self._other, None

    def forget(self) -> None:
        """There is no plan any more."""
        self.plan = self._other = None

    def decide(self, observation: Observation) -> Decision | None:
        """The next choice on the planned route, or to stop at its end; None where it is left.

        :param observation: in the frame of the map
        """
        if self.plan is None or self._graph is None:
            return None
        pose, route = observation.pose, self._graph.points[list(self.plan.places)]
        near = np.hypot(route[:, 0] - pose.x, route[:, 1] - pose.y) <= ON_ROUTE_METRES
        if not near.any():
            self.forget()
            return None
        here = int(np.flatnonzero(near)[-1])
        if here == len(route) - 1:
            return Decision(None, self.plan.sure)
        ends = [(pose.x + w.distance * math.cos(pose.yaw + w.bearing),
                 pose.y + w.distance * math.sin(pose.yaw + w.bearing))
                for w in observation.waypoints]
        gaps = [math.dist(route[here + 1], end) for end in ends]
        if not gaps or min(gaps) > ON_ROUTE_METRES:
            self.forget()
            return None
        return Decision(int(np.argmin(gaps)), self.plan.sure)


def _route(tree: Tree, node: int) -> tuple[int, ...]:
    """The places on the way to a node, its own the last."""
    route = []
    while node >= 0:
        route.append(int(tree.place[node]))
        node = int(tree.parent[node])
    return tuple(reversed(route))


def _metres(graph: PlaceGraph, one: int, other: int) -> float:
    """Between two places as the crow flies."""
    return math.dist(graph.points[one], graph.points[other])
