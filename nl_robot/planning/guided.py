"""An agent in a home whose map it has: it drives by a guide's plan, and by itself off it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nl_robot.agent import Agent
from nl_robot.datatypes import Decision, Observation, Pose
from nl_robot.planning.guide import Guide
from nl_robot.worlds.graph import PlaceGraph


class GuidedAgent:
    """Knows the home's map and where it is; at the end of the route it asks the agent's doubts.

    :param pose: where the robot is: x, y, yaw in the map
    """

    def __init__(self, guide: Guide, agent: Agent, graph: PlaceGraph,
                 pose: Callable[[], tuple[float, float, float]]) -> None:
        self._guide, self._agent, self._graph, self._pose = guide, agent, graph, pose
        self._words = ''

    def set_goal(self, text: str) -> None:
        """Begin an episode."""
        self._agent.set_goal(text)
        self._words = text
        self._guide.forget()

    def decide(self, observation: Observation) -> Decision:
        """What the plan says, or else the agent."""
        own, (x, y, yaw) = self._agent.decide(observation), self._pose()
        if self._words:
            self._guide.begin(self._words, self._graph, self._graph.nearest(x, y), yaw)
            self._words = ''
        better = self._guide.decide(replace(observation, pose=Pose(x, y, yaw, 'map')))
        if better is None:
            return own
        if better.is_stop:
            self._guide.forget()
        self._agent.took(None if better.waypoint_index is None
                         else observation.waypoints[better.waypoint_index])
        return better

    def arrived(self) -> float | None:
        """The agent's opinion."""
        return self._agent.arrived()
