"""An agent that knows two places for whatever is said, for the test of asking back."""

from __future__ import annotations

import math

from nl_robot.datatypes import Waypoint
from nl_robot.planning.guide import Guide, Plan
from nl_robot.trials.scripted import ScriptedAgent
from nl_robot.worlds.graph import PlaceGraph


class TwoPlaces(Guide):
    """Whatever is said fits two places alike: here, and the nearest one that a way leads to."""

    def __init__(self) -> None:
        self._graph: PlaceGraph | None = None
        self.plan = self._other = None

    def begin(self, words: str, graph: PlaceGraph, place: int, yaw: float) -> Plan:
        """A plan with its rival."""
        away = min((int(graph.leads_to[row]) for row in graph.way_rows[place]),
                   key=lambda end: math.dist(graph.points[place], graph.points[end]))
        self._graph, self._other = graph, Plan((place, away), 0.45)
        self.plan = Plan((place,), 0.5, (away, 0.45))
        return self.plan


class AskingAgent(ScriptedAgent):
    """Has such a guide."""

    def __init__(self) -> None:
        self.guide = TwoPlaces()

    def took(self, way: Waypoint | None) -> None:
        """The guide went another way."""


def agent() -> AskingAgent:
    """A new one."""
    return AskingAgent()
