"""A home that is known: the policy's thread drives the planned route, and says so."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from tiny_graph import corner, star

from nl_robot.datatypes import Decision, Pose
from nl_robot.nodes.agents import Agents
from nl_robot.nodes.looking import Scene, Thought, told
from nl_robot.nodes.thinking import Thinker
from nl_robot.planning.asking import question
from nl_robot.planning.guide import Guide, Plan
from nl_robot.worlds.graph import GraphWorld

CORNER = corner()
OWN = Decision(0, 0.6, (0.6, 0.4))
STILL = Scene((), (), None, Pose(0, 0, 0), Pose(0, 0, 0, 'map'))


class Planned(Guide):
    """A guide whose plans are given: to place 2, or to place 1."""

    def __init__(self, rival: float = 0.1) -> None:
        self._graph, self.plan, self._other, self.rival = CORNER, None, None, rival

    def begin(self, words, graph, place, yaw):
        self.plan, self._other = Plan((0, 1, 2), 0.8, (1, self.rival)), Plan((0, 1), self.rival)
        return self.plan


class Robot:
    """A thinker whose jobs are done at once, in a graph, with an agent that would go its way."""

    def __init__(self, known: bool, rival: float = 0.1) -> None:
        self.world, self.taken = GraphWorld(CORNER), []
        self.seen = self.world.reset(*CORNER.points[0], 0.0)
        self.made = made = Thinker.__new__(Thinker)
        agent = SimpleNamespace(took=self.taken.append, decide=lambda seen: OWN,
                                arrived=lambda: 0.9, set_goal=lambda words: None)
        made.agents = SimpleNamespace(guide=Planned(rival), agent=agent, next_goal=lambda: agent)
        made.keeper = SimpleNamespace(
            home='flat', note=lambda *_: None,
            explored=lambda: (CORNER, self.world.place) if known else None)
        made._asked = None
        made.later = lambda id_, job: setattr(self, 'thought', job())

    def decide(self, monkeypatch, first: bool) -> Thought:
        monkeypatch.setattr('nl_robot.nodes.thinking.look_around', lambda scene, _: self.seen)
        self.made._detector = None
        self.made.decide('7', 'the fridge', STILL, first, False)
        return self.thought

    def go(self) -> None:
        self.seen = self.world.step(self.thought.decision.waypoint_index)


def test_it_drives_the_plan_and_tells_the_agent(monkeypatch):
    robot, plans = Robot(known=True), []
    for number in range(3):
        seen, thought = robot.seen, robot.decide(monkeypatch, number == 0)
        plans.append(thought.plan)
        assert thought.question == ''
        if not thought.decision.is_stop:
            assert robot.taken[-1] == seen.waypoints[thought.decision.waypoint_index]
            robot.go()
    assert robot.world.place == 2 and thought.decision.is_stop and robot.taken[-1] is None
    assert plans == ['planned 2 ways ahead (80% sure)', '', '']
    # who doubts that it is there goes on by the agent's own decisions
    assert robot.decide(monkeypatch, False).decision == OWN


def test_in_a_home_that_is_not_known_the_agent_decides(monkeypatch):
    robot = Robot(known=False)
    robot.made.agents.guide.begin('of an earlier command', CORNER, 0, 0.0)
    for first in (True, False):
        thought = robot.decide(monkeypatch, first)
        assert (thought.decision, thought.plan, thought.question) == (OWN, '', '')


@pytest.mark.parametrize(('second', 'end'), [(False, 2), (True, 1)])
def test_two_places_that_fit_alike_are_asked_about_before_it_moves(monkeypatch, second, end):
    robot = Robot(known=True, rival=0.75)
    asked = robot.decide(monkeypatch, True)
    assert asked.question.startswith('Two places fit: the first is ')
    assert asked.plan.startswith('planned 2 ways ahead (80% sure), though another place fits')
    assert robot.taken == [] and robot.made.agents.guide.plan.places == (0, 1, 2)
    robot.made.resume('another command', second)
    assert robot.thought is None
    robot.made.resume('7', second)
    while not robot.thought.decision.is_stop:
        robot.go()
        robot.decide(monkeypatch, False)
    assert robot.world.place == end and robot.thought.arrived == 0.9


def test_the_question_says_where_and_by_what(monkeypatch):
    graph = star(['sofa', 'fridge', 'bed'])
    plan = Plan((0, 1), 0.5, (2, 0.45))
    facing = math.atan2(*(graph.points[1] - graph.points[0])[::-1])
    text = question(plan, graph, facing)
    assert 'the first is 2 m ahead, by the sofa, the second 2 m ' in text
    assert 'by the fridge' in text and text.endswith('the first one or the second one.')
    assert question(Plan((0, 1), 0.5, (2, 0.1)), graph, 0.0) == question(
        Plan((0, 1), 1.0), graph, 0.0) == ''


def test_the_plan_is_told_before_what_it_sees():
    observation = GraphWorld(CORNER).reset(*CORNER.points[1], math.pi)
    text = told(Thought('7', observation, OWN, plan='planned 2 ways ahead'), True)
    assert text.startswith('planned 2 ways ahead; sees red sofa')


def test_nobody_who_plans_is_loaded_before_there_is_a_home(monkeypatch):
    asked = []
    monkeypatch.setattr('nl_robot.nodes.agents.load_agent', lambda name: f'agent {name}')
    monkeypatch.setattr('nl_robot.nodes.agents.guide_of',
                        lambda name, agent: asked.append((name, agent)) or 'guide')
    agents = Agents('base')
    agents.begin()
    assert agents.agent == 'agent base' and agents.guide is None and asked == []
    agents.home_known()
    agents.home_known()
    assert agents.guide == 'guide' and asked == [('base', 'agent base')]
