"""A home that is known: the policy's thread drives the planned route, and says so."""

from __future__ import annotations

import math
from types import SimpleNamespace

from fake_encoder import FakeEncoder
from tiny_graph import corner

from nl_robot.datatypes import Decision, Pose
from nl_robot.nodes.looking import Scene, Thought, told
from nl_robot.nodes.thinking import Thinker
from nl_robot.planning.guide import Guide, Plan
from nl_robot.worlds.graph import GraphWorld

CORNER = corner()
OWN = Decision(0, 0.6, (0.6, 0.4))
STILL = Scene((), (), None, Pose(0, 0, 0), Pose(0, 0, 0, 'map'))


class Planned(Guide):
    """A guide whose plan is given."""

    def __init__(self) -> None:
        self._graph, self.plan = CORNER, None

    def begin(self, words, graph, place, yaw):
        self.plan = Plan((0, 1, 2), 0.8, (1, 0.7))
        return self.plan


def thinker(known: bool, taken: list) -> tuple[Thinker, SimpleNamespace]:
    made = Thinker.__new__(Thinker)
    place = SimpleNamespace(now=0)
    made.agents = SimpleNamespace(guide=Planned(), agent=SimpleNamespace(
        took=taken.append, encoder=FakeEncoder()))
    made.keeper = SimpleNamespace(explored=lambda: (CORNER, place.now) if known else None)
    return made, place


def test_it_drives_the_plan_and_tells_the_agent():
    taken: list = []
    made, place = thinker(True, taken)
    world = GraphWorld(CORNER)
    observation, words, plans = world.reset(*CORNER.points[0], 0.0), 'the fridge', []
    for _ in range(3):
        decision, plan = made._guided(words, observation, STILL, OWN)
        plans.append(plan)
        words = ''
        if not decision.is_stop:
            assert taken[-1] == observation.waypoints[decision.waypoint_index]
            observation = world.step(decision.waypoint_index)
            place.now = world.place
    assert world.place == 2 and decision.is_stop and taken[-1] is None
    assert plans[0].startswith('planned 2 ways ahead (80% sure), though another place fits')
    assert plans[1:] == ['', '']
    # who doubts that it is there goes on by the agent's own decisions
    assert made._guided('', observation, STILL, OWN) == (OWN, '')


def test_in_a_home_that_is_not_known_the_agent_decides():
    made, _ = thinker(False, [])
    observation = GraphWorld(CORNER).reset(*CORNER.points[0], 0.0)
    assert made._guided('the fridge', observation, STILL, OWN) == (OWN, '')


def test_the_plan_is_told_before_what_it_sees():
    observation = GraphWorld(CORNER).reset(*CORNER.points[1], math.pi)
    text = told(Thought('7', observation, OWN, plan='planned 2 ways ahead'), True)
    assert text.startswith('planned 2 ways ahead; sees red sofa')
