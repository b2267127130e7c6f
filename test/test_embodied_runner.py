"""Episodes of scripted agents in a graph of three places, judged by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tiny_graph import corner

from nl_robot.datatypes import Decision, Observation, Pose, Waypoint
from nl_robot.embodied.runner import RandomAgent, ShortestPathAgent, Task, run_episode
from nl_robot.worlds.graph import GraphWorld


class Scripted:
    """Makes the decisions it was given, and keeps what it was told.

    :param arrived: what it believes at one decision after the other; none given: no opinion
    """

    def __init__(self, *choices: int | None, arrived: tuple[float, ...] = ()) -> None:
        self.choices, self.goals, self.seen = list(choices), [], []
        self.beliefs = list(arrived)

    def set_goal(self, text):
        self.goals.append(text)

    def decide(self, observation):
        self.seen.append(observation)
        return Decision(self.choices.pop(0))

    def arrived(self):
        return self.beliefs.pop(0) if self.beliefs else None


def to_the_end(x: float, y: float) -> float:
    """Metres along the corner to place 2."""
    return abs(x - 2) + abs(y - 2)


def task(within: float = 0.5, start=(0.0, 0.0, 0.0)) -> Task:
    return Task(*start, 'find the fridge', to_the_end, within, ('item',))


def test_there_and_stopped():
    agent = Scripted(0, 1, None)
    trace = run_episode(agent, GraphWorld(corner()), task())
    result = trace.result
    assert agent.goals == ['find the fridge'] and trace.goal == 'find the fridge'
    assert trace.points == ((0, 0), (2, 0), (2, 2)) and trace.stopped
    assert result.success and result.oracle and result.spl == 1.0
    assert (result.error, result.travelled, result.shortest, result.steps) == (0, 4, 4, 3)
    assert result.tags == ('item',) and result.collisions == 0
    assert [seen.pose.x for seen in agent.seen] == [0, 2, 2]


def test_stopped_too_early():
    trace = run_episode(Scripted(0, None), GraphWorld(corner()), task())
    assert not trace.result.success and not trace.result.oracle
    assert trace.result.error == 2.0


def test_near_enough_is_inclusive():
    assert run_episode(Scripted(0, None), GraphWorld(corner()), task(within=2.0)).result.success
    assert not run_episode(Scripted(0, None), GraphWorld(corner()),
                           task(within=1.99)).result.success


def test_been_there_and_left():
    trace = run_episode(Scripted(0, 1, 0, None), GraphWorld(corner()), task())
    assert not trace.result.success and trace.result.oracle and trace.result.travelled == 6.0


def test_a_detour_halves_spl():
    trace = run_episode(Scripted(0, 0, 0, 1, None), GraphWorld(corner()), task())
    assert trace.result.success and trace.result.spl == 0.5


def test_who_never_stops_has_failed():
    trace = run_episode(Scripted(0, 1), GraphWorld(corner()), task(), max_steps=2)
    assert not trace.stopped and not trace.result.success and trace.result.oracle


def test_a_doubted_stop_leads_on_once_and_not_back():
    # at 1 it stops and doubts; the first way leads back to 0, so it takes the other, and is there
    agent = Scripted(0, None, None, arrived=(0.0, 0.2, 0.9))
    trace = run_episode(agent, GraphWorld(corner()), task())
    assert trace.points == ((0, 0), (2, 0), (2, 2)) and trace.stopped
    assert trace.result.success and trace.result.sure and trace.first_stop is False


def test_the_second_doubted_stop_ends_unsure():
    # from 2 the only way leads back to 1, where it still doubts
    agent = Scripted(0, 1, None, None, 0, arrived=(0.0, 0.0, 0.2, 0.2))
    trace = run_episode(agent, GraphWorld(corner()), task())
    assert trace.points[-2:] == ((2, 2), (2, 0)) and trace.stopped and agent.choices == [0]
    assert not trace.result.success and not trace.result.sure and trace.first_stop is True


@pytest.mark.parametrize(('arrived', 'sure', 'places', 'is_sure'), [
    ((0.0, 0.2), 0.1, 2, True),         # no doubt: it ends where it stops
    ((0.0, 0.2), 0.2, 2, True),
    ((), 0.5, 2, True),                 # no opinion: believed
    ((0.0, 0.2, 0.2), 0.3, 3, False)])
def test_what_counts_as_doubt(arrived, sure, places, is_sure):
    trace = run_episode(Scripted(0, None, None, arrived=arrived), GraphWorld(corner()), task(),
                        sure=sure)
    assert (len(trace.points), trace.result.sure) == (places, is_sure)


def test_no_second_look_after_the_last_step():
    trace = run_episode(Scripted(0, None, arrived=(0.0, 0.2)), GraphWorld(corner()), task(),
                        max_steps=2)
    assert trace.stopped and not trace.result.sure and trace.result.steps == 2


def test_who_never_wishes_to_stop_is_not_unsure():
    trace = run_episode(Scripted(0, 1, arrived=(0.0, 0.0)), GraphWorld(corner()), task(),
                        max_steps=2)
    assert not trace.stopped and trace.result.sure and trace.first_stop is None


def test_the_random_agent_takes_five_waypoints():
    agent = RandomAgent(np.random.default_rng(0))
    for _ in range(2):
        agent.set_goal('anything')
        view = Observation((), (Waypoint(0, 1), Waypoint(1, 1), Waypoint(2, 1)), Pose(0, 0, 0))
        decisions = [agent.decide(view) for _ in range(6)]
        assert all(d.waypoint_index in (0, 1, 2) for d in decisions[:5]) and decisions[5].is_stop
    agent.set_goal('anything')
    assert agent.decide(Observation((), (), Pose(0, 0, 0))).is_stop


def test_the_random_agent_takes_all_waypoints_alike():
    view = Observation((), (Waypoint(0, 1), Waypoint(1, 1), Waypoint(2, 1)), Pose(0, 0, 0))
    agent, counts = RandomAgent(np.random.default_rng(0)), [0, 0, 0]
    for _ in range(600):
        agent.set_goal('')
        counts[agent.decide(view).waypoint_index] += 1
    assert counts == pytest.approx([200] * 3, abs=45)      # four standard deviations


def test_the_shortest_path_agent_walks_the_corner():
    world = GraphWorld(corner())
    agent = ShortestPathAgent(to_the_end, lambda: (*world.position, world.heading))
    for start, steps in (((0.0, 0.0, 2.0), 3), ((2.0, 0.0, -1.0), 2), ((2.0, 2.0, 0.0), 1)):
        result = run_episode(agent, world, task(start=start)).result
        assert result.success and result.spl == 1.0 and result.steps == steps


@pytest.mark.parametrize(('x', 'index'), [
    (0.0, None),            # there
    (0.4, None),            # near, and no waypoint leads nearer
    (0.6, 1),               # not near enough: the best of the waypoints
    (3.0, 0)])
def test_the_shortest_path_agent_stops_where_nothing_is_better(x, index):
    view = Observation((), (Waypoint(math.pi, 2.0), Waypoint(0.0, 0.5)), Pose(99, 99, 9))
    agent = ShortestPathAgent(lambda px, py: abs(px), lambda: (x, 0.0, 0.0))
    assert agent.decide(view).waypoint_index == index
