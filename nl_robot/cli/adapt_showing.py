"""The same commands in a home before and after, driven as the robot would; only a plan of the home
can judge them, so they are never learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nl_robot.agent import Agent
from nl_robot.cli.adapt_worlds import Place
from nl_robot.embodied.runner import Task, run_episode
from nl_robot.homes.store import Home
from nl_robot.learning.home_gate import Comparison, compared
from nl_robot.mission.doubt import SURE
from nl_robot.nets.words import Encoder
from nl_robot.planning.guide import Guide
from nl_robot.planning.guided import GuidedAgent
from nl_robot.worlds.graph import GraphWorld, PlaceGraph
from nl_robot.worlds.tasks import GraphTask

STEPS = 25              # decisions of a command
LINES = 20              # commands that are printed
NO_MAP, WITH_MAP, LEARNED = 'step by step', 'with its map', 'and what it learned'


@dataclass(frozen=True)
class Shown:
    """What became of a place's own commands, by the name of who drove; the order tells a story.

    :param first: the name of who would have driven before this adaptation
    """

    successes: dict[str, NDArray[np.float64]]
    first: str

    @property
    def comparison(self) -> Comparison:
        """Who would have driven before, and who drives now."""
        return compared(self.successes[self.first], list(self.successes.values())[-1])

    @property
    def better(self) -> bool:
        """More commands are fulfilled than before."""
        return self.comparison.paired.difference.value > 0


def show_commands(place: Place, home: Home, before: Path, after: Path, encoder: Encoder,
                  was_explored: bool, quiet: bool) -> Shown | None:
    """Drive a place's commands before and after and print what came of them; None without any.

    :param before, after: checkpoints that were active, and are
    :param was_explored: the map was in use before this adaptation already
    """
    if not place.commands:
        return None
    agent = Agent.load(place.agent or before, encoder)
    found = {NO_MAP: _driven(agent, place.commands)}
    if home.notes().explored:
        known = home.map().graph()
        for name, path in ((WITH_MAP, before), (LEARNED, after)):
            if name == LEARNED and after == before:
                continue
            guide = Guide.load(path, Agent.load(path, encoder))
            if guide is not None:
                found[name] = _driven(agent, place.commands, guide, known)
    shown = Shown(found, WITH_MAP if was_explored and WITH_MAP in found else NO_MAP)
    if not quiet:
        _print(place.commands, shown)
    return shown


def _driven(agent: Agent, commands: Sequence[GraphTask], guide: Guide | None = None,
            known: PlaceGraph | None = None) -> NDArray[np.float64]:
    """(1, commands) 1 where it ended where the command is fulfilled; by a guide's plan over a
    map of the robot's own, where there is one."""
    rows = []
    for command in commands:
        world = GraphWorld(command.graph)
        driver: Any = agent if guide is None or known is None else GuidedAgent(
            guide, agent, known, partial(_pose_in, world))
        x, y = map(float, command.graph.points[command.place])

        def remaining(x: float, y: float, command: GraphTask = command) -> float:
            place = command.graph.nearest(x, y)
            return 0.0 if command.fulfilled[place] else max(0.1, float(command.cost[place]))
        trace = run_episode(driver, world, Task(x, y, command.yaw, command.goal, remaining, 0.0),
                            STEPS, SURE)
        rows.append(float(trace.result.success))
    return np.array([rows])


def _pose_in(world: GraphWorld) -> tuple[float, float, float]:
    """x, y, yaw in the map."""
    return (*world.position, world.heading)


def _print(commands: Sequence[GraphTask], shown: Shown) -> None:
    """A line for each of the first commands, then all of them together."""
    rows = list(shown.successes.values())
    print(f'\nthe same {len(commands)} commands, {", ".join(shown.successes)}:')
    for number, command in enumerate(commands[:LINES]):
        print('  ' + ' '.join(_mark(row[0, number] > 0) for row in rows) + f'  {command.goal}')
    for name, row in shown.successes.items():
        print(f'{name}: {100 * row.mean():.1f} %')
    print(f'commands of this home, judged by its plan: {shown.comparison}')


def _mark(success: bool) -> str:
    return '\N{CHECK MARK}' if success else '\N{BALLOT X}'
