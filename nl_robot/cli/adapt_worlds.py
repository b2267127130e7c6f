"""Where `nl_robot adapt` adapts: a generated home, a real building, or what a robot stored."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nl_robot.embodied.demonstrations import home_tasks
from nl_robot.embodied.home_graph import home_graph
from nl_robot.homes.exploring import Explorer
from nl_robot.homes.store import Home
from nl_robot.homes.surveying import Budget, Survey, survey
from nl_robot.settings import shared_dir
from nl_robot.sim.homes import generate_home
from nl_robot.sim.records import SPLITS
from nl_robot.worlds.graph import GraphWorld
from nl_robot.worlds.tasks import GraphTask
from nl_robot.worlds.world import World

MIXED_HOMES, MIXED_TASKS = 8, 60        # of the training split, to be mixed in
MEASURED_TASKS, MEASURED_SEED = 50, 7   # of the same homes, drawn anew: not to be forgotten
COMMANDS = 120                          # of the home itself, which only its plan can judge
Tell = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Place:
    """What is adapted to.

    :param world: to explore; None where a robot has explored already
    :param start: x, y, yaw; :param commands: with targets that only the plan knows: shown before
        and after, never learned from
    :param agent: goes step by step there, where no plan leads; None: the home's checkpoint
    """

    name: str
    world: World | None
    mixed_in: Sequence[GraphTask]
    measured: Sequence[GraphTask]
    start: tuple[float, float, float] = (0.0, 0.0, 0.0)
    commands: Sequence[GraphTask] = field(default=())
    agent: Path | None = None

    def explore(self, home: Home, args: argparse.Namespace, tell: Tell) -> None:
        """Drive through it, unless nothing new was left the last time."""
        notes = home.notes()
        if notes.explored:
            tell({'phase': 'exploring', 'text': 'nothing new was left the last time',
                  'places': len(home.map())})
            return
        assert self.world is not None
        from nl_robot.cli.adapt import base_of
        from nl_robot.wanderer import Wanderer
        wanderer = Wanderer.of_checkpoint(base_of(args))
        explorer = Explorer(home.map(), start=notes.start,
                            opinion=None if wanderer is None else wanderer.opinion)

        def told(found: Survey) -> None:
            tell({'phase': 'exploring', 'places': found.places, 'episodes': found.trajectories})
        tell({'phase': 'explored', 'text': str(survey(
            self.world, home, explorer, self.start, Budget(args.budget, args.episodes), told))})


def generated_home(args: argparse.Namespace, tell: Tell) -> Place:
    """A home of the generator that the agent was not trained in."""
    if args.seed in SPLITS['train']:
        raise ValueError(f'the agent was trained in home {args.seed}: take one to validate '
                         '(1000-1029) or test (2000-2049)')
    graph = home_graph(args.seed, args.cache / 'graphs')
    world: World = GraphWorld(graph)
    x, y = map(float, graph.points[0])
    if args.physics:
        from nl_robot.embodied.closed_loop import PhysicsWorld
        world = PhysicsWorld(generate_home(args.seed), None, args.seed)
    commands = home_tasks(args.seed, COMMANDS, 'held_out', args.cache)
    return Place(f'home-{args.seed}', world, *_old_homes(args.cache, tell), (x, y, 0.0), commands,
                 shared_dir('models') / 'agent')


def _old_homes(cache: Path, tell: Tell) -> tuple[list[GraphTask], list[GraphTask]]:
    """Demonstrations of training homes: to mix in, and others to measure on."""
    mixed: list[GraphTask] = []
    measured: list[GraphTask] = []
    for number, seed in enumerate(list(SPLITS['train'])[:MIXED_HOMES], 1):
        tell({'phase': 'preparing', 'text': f'demonstrations of home {number} of {MIXED_HOMES}'})
        mixed += home_tasks(seed, MIXED_TASKS, 'train', cache)
        measured += home_tasks(seed, MEASURED_TASKS, 'train', cache, MEASURED_SEED)
    return mixed, measured


def real_building(args: argparse.Namespace, tell: Tell) -> Place:
    """A building of Room-to-Room; its instructions are shown, and never learned from."""
    from nl_robot.worlds.instructions import split_tasks
    from nl_robot.worlds.matterport import load_building
    from nl_robot.worlds.official_files import DataFolder
    if args.data is None or not args.scan:
        raise ValueError('--world r2r needs --data DIR, the folder with the official files, and '
                         '--scan NAME, the building')
    buildings = args.cache / 'buildings'
    graph = load_building(DataFolder(args.data), args.scan, buildings).graph
    old = list(split_tasks(args.data, 'r2r', 'train', buildings)[1])
    commands = [task for split in ('dev_unseen', 'val_seen')
                if (args.data / f'R2R_{split}.json').exists()
                for task in split_tasks(args.data, 'r2r', split, buildings)[1]
                if task.graph.name == graph.name]
    x, y = map(float, graph.points[0])
    kept = [task for number, task in enumerate(old) if number % 10]
    return Place(f'r2r-{args.scan}', GraphWorld(graph), kept, old[::10][:200], (x, y, 0.0),
                 commands)


def live_home(args: argparse.Namespace, tell: Tell) -> Place:
    """A home that a robot has explored."""
    if not args.home:
        raise ValueError('a home needs a name: give --home NAME')
    return Place(args.home, None, *_old_homes(args.cache, tell))
