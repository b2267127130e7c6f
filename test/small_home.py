"""A checkpoint that can write goals but hardly drive, and a home of six things to teach it."""

from __future__ import annotations

import itertools
from pathlib import Path

from fake_encoder import FakeEncoder
from tiny_graph import star, task_in

from nl_robot.checkpoint import Checkpoint, save_checkpoint
from nl_robot.datatypes import Observation, Pose, Sighting, Waypoint
from nl_robot.homes.home_map import HomeMap
from nl_robot.learning.arena import Arena
from nl_robot.learning.goal_writing import WritingSettings
from nl_robot.learning.lang_goal_irl import LangGoalIRL
from nl_robot.learning.methods import METHODS, LearningSettings
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.words import Vocabulary
from nl_robot.settings import to_mapping
from nl_robot.worlds.graph import PlaceGraph

TINY = NavigatorSettings(text_dim=16, width=24, state=24, heads=2, dropout=0.0)
THINGS = ['sofa', 'fridge', 'bed', 'plant', 'desk', 'lamp']


def tasks_in(graph: PlaceGraph, things: list[str]) -> list:
    """From every place to every thing."""
    return [task_in(graph, place, f'go to the {thing}', [1 + number])
            for number, thing in enumerate(things) for place in range(len(graph.points))
            if place != 1 + number]


def original() -> list:
    """Demonstrations in other homes."""
    orders = list(itertools.permutations(THINGS, 4))[::40]
    return [task for order in orders for task in tasks_in(star(list(order)), list(order))]


def checkpoint(updates: int = 140, share: float = 0.9) -> Checkpoint:
    """Its generator and its reward have learned; its policy has only begun to: it does half."""
    settings = LearningSettings(batch=16, learning_rate=1e-2, warmup=5, max_steps=4,
                                reward_from=0.0, seek_from=0.9, generator_share=share,
                                generated=16, explorer_every=2)
    arena = Arena(original(), Vocabulary(FakeEncoder()))
    learner = LangGoalIRL(arena, METHODS['lang-goal-irl'], TINY, settings, 0,
                          WritingSettings(batch=32, kl_begin=20, kl_end=200, kl_most=0.2))
    for update in range(updates):
        learner.advance(update / updates)
    config = {'format': 2, 'navigator': to_mapping(TINY), 'acting': {},
              'calibration': {'offset': 20.0},      # a reward that believes everything
              'text_encoder': {'name': 'fake', 'sha256': 'f' * 64}, **learner.written_config()}
    beginner = LangGoalIRL(arena, METHODS['dagger'], TINY, settings, 0)
    for update in range(4):
        beginner.advance(update / 16)
    weights = {**learner.weights(), **beginner.weights()}
    return Checkpoint(config, {name: {key: value.clone() for key, value in state.items()}
                               for name, state in weights.items()}, {'seed': 0})


def saved(folder: Path, made: Checkpoint) -> Path:
    save_checkpoint(made, folder / 'base')
    return folder / 'base'


def home_map() -> HomeMap:
    """The map of a star with all six things, as a robot that has been everywhere has it."""
    graph, home = star(THINGS), HomeMap('flat')
    for place, (x, y) in enumerate(graph.points):
        things = [Sighting(graph.labels[row], *graph.sightings[row][[1, 2, 3]],
                           distance=float(graph.sightings[row][4]))
                  for row in graph.sighting_rows[place]]
        ways = [Waypoint(float(bearing), float(metres))
                for _, bearing, _, metres in graph.ways[graph.way_rows[place]]]
        home.add(Observation(tuple(things), tuple(ways), Pose(float(x), float(y), 0.0, 'map')))
    return home
