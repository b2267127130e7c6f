"""One episode of any agent in any world, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nl_robot.datatypes import Decision, Observation
from nl_robot.evaluation import Result
from nl_robot.geometry import point_in_map, waypoint_pose
from nl_robot.mission.doubt import SURE, SecondLook
from nl_robot.worlds.world import World


class Decider(Protocol):
    """What acts: `agent.Agent`, and the agents to compare it with."""

    def set_goal(self, text: str) -> None:
        """Begin an episode."""

    def decide(self, observation: Observation) -> Decision:
        """The next choice."""

    def arrived(self) -> float | None:
        """The probability that the goal is fulfilled where it decided last; None: no opinion."""


class RandomAgent:
    """Takes five random waypoints, then stops (the random agent of Anderson et al., CVPR 2018)."""

    HOPS = 5

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng, self._left = rng, self.HOPS

    def set_goal(self, text: str) -> None:
        """The words do not matter to it."""
        self._left = self.HOPS

    def decide(self, observation: Observation) -> Decision:
        """Any waypoint, as likely as any other."""
        count = len(observation.waypoints)
        if self._left == 0 or count == 0:
            return Decision(None)
        self._left -= 1
        return Decision(int(self._rng.integers(count)), 1.0 / count)

    def arrived(self) -> None:
        """It has no opinion."""


class ShortestPathAgent:
    """Knows the home and where it is: the best that waypoints and driver allow.

    :param remaining: metres along the floor from a point to fulfilment
    :param pose: where the robot truly is: x, y, yaw in the map
    """

    def __init__(self, remaining: Callable[[float, float], float],
                 pose: Callable[[], tuple[float, float, float]], enough: float = 0.5) -> None:
        self._remaining, self._pose, self._enough = remaining, pose, enough

    def set_goal(self, text: str) -> None:
        """The words do not matter to it."""

    def decide(self, observation: Observation) -> Decision:
        """The waypoint from which the least is left; stop when near and none leads nearer."""
        x, y, yaw = self._pose()
        here = self._remaining(x, y)
        ends = [point_in_map(type(observation.pose)(x, y, yaw, 'map'), w.bearing, w.distance)
                for w in observation.waypoints]
        left = [self._remaining(*end) for end in ends]
        if here <= 0 or not left or (here <= self._enough and min(left) > here - 0.1):
            return Decision(None)
        return Decision(int(np.argmin(left)))

    def arrived(self) -> None:
        """It is believed."""


@dataclass(frozen=True)
class Task:
    """An episode to run: start, words, what fulfils them, and how results are grouped.

    :param remaining: metres along the floor from a point to fulfilment (0: fulfilled at its core)
    :param within: fulfilled where `remaining` is at most this
    """

    x: float
    y: float
    yaw: float
    goal: str
    remaining: Callable[[float, float], float]
    within: float
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trace:
    """An episode that ran: its result, the words, and where it led.

    :param first_stop: the goal was fulfilled where it first wished to stop; None: it never did
    """

    result: Result
    goal: str
    points: tuple[tuple[float, float], ...]
    stopped: bool
    first_stop: bool | None


def run_episode(agent: Decider, world: World, task: Task, max_steps: int = 25,
                sure: float = SURE) -> Trace:
    """Give the goal, let the agent act until it stops or has used its steps, and judge.

    A stop that the agent doubts is treated as the robot does.

    :param sure: the probability to have arrived from which a stop counts as succeeded
    """
    agent.set_goal(task.goal)
    observation = world.reset(task.x, task.y, task.yaw)
    points = [world.position]
    stopped, is_sure = False, True
    second, wished = SecondLook(sure), []
    for step in range(max_steps):
        decision = agent.decide(observation)
        if decision.is_stop:
            wished.append(len(points) - 1)
        arrived, is_last = agent.arrived(), step + 1 == max_steps
        ends = [waypoint_pose(observation.pose, way) for way in observation.waypoints]
        way = second.choose(decision, observation.pose, () if is_last else ends, arrived)
        if way is None:
            stopped, is_sure = True, second.is_sure(arrived, moved=len(points) > 1)
            break
        observation = world.step(way)
        points.append(world.position)
    left = [task.remaining(*point) for point in points]
    result = Result(stopped and left[-1] <= task.within, left[-1], world.travelled, left[0],
                    min(left) <= task.within, world.collisions, len(points), task.tags, is_sure)
    return Trace(result, task.goal, tuple(points), stopped,
                 left[wished[0]] <= task.within if wished else None)
