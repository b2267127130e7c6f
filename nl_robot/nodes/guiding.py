"""What a plan makes of a goal in a home that is known; in the thread of the thinker."""

from __future__ import annotations

from typing import Any

from nl_robot.datatypes import Decision, Observation, Pose
from nl_robot.homes.exploring import in_map
from nl_robot.nodes.agents import Agents
from nl_robot.planning.asking import question
from nl_robot.worlds.graph import PlaceGraph


def begun(guide: Any, known: tuple[PlaceGraph, int] | None, words: str, here: Pose
          ) -> tuple[str, str]:
    """Plan for a goal that begins: the plan in words, and what is to be asked about it, or ''.

    :param guide: None where nobody can plan
    :param known: the map and the place; None in a home that is not known
    :param here: in the map
    """
    if guide is None:
        return '', ''
    guide.forget()
    if known is None:
        return '', ''
    plan = guide.begin(words, *known, here.yaw)
    return plan.told(), question(plan, known[0], here.yaw)


def guided(agents: Agents, observation: Observation, map_from_odom: Pose, decision: Decision
           ) -> Decision:
    """What the plan says here, told to the agent; the agent's own decision where there is none."""
    guide = agents.guide
    better: Decision | None = None if guide is None else guide.decide(
        in_map(observation, map_from_odom))
    if better is None:
        return decision
    if better.is_stop:
        guide.forget()      # whoever doubts it goes on by the agent
    agents.agent.took(None if better.waypoint_index is None
                      else observation.waypoints[better.waypoint_index])
    return better
