"""The episodes of the homes benchmark: sampled by seed, or read from a file that others wrote."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nl_robot.datatypes import Pose
from nl_robot.embodied.goals import goals_for_target, swap_left_right
from nl_robot.embodied.places import REACH, Target, places_of
from nl_robot.embodied.runner import Task
from nl_robot.geometry import FloorGrid
from nl_robot.settings import load_yaml
from nl_robot.sim.homes import floor_grid, free_poses, generate_home
from nl_robot.sim.records import Home

FRAMES = ('trained', 'held-out')
SIDED = 'left or right said'
NEAR_FREE = 0.15        # metres; a given start this near to the free floor stands on it


@dataclass(frozen=True)
class HomeEpisode:
    """One episode as plain data, so that it can be listed, sent to a process and compared.

    :param home: seed of the home; :param start: x, y, yaw in the map
    :param tags: what its result is grouped by
    """

    index: int
    home: int
    start: tuple[float, float, float]
    words: str
    target: Target
    tags: tuple[str, ...]

    @property
    def sided(self) -> bool:
        """True when the words say left or right."""
        return swap_left_right(self.words) != self.words


def sample_episodes(homes: Sequence[int], count: int, seed: int, frames: str) -> list[HomeEpisode]:
    """`count` episodes spread evenly over the homes.

    :param frames: `trained`, `held-out`, or `both` for every other one of each
    """
    if not homes:
        raise ValueError('there are no homes to sample episodes in')
    episodes: list[HomeEpisode] = []
    per_home = [count // len(homes) + (i < count % len(homes)) for i in range(len(homes))]
    for number, wanted in zip(homes, per_home):
        if not wanted:
            continue
        home = generate_home(number)
        grid, rng = floor_grid(home), np.random.default_rng((seed, number))
        for _ in range(wanted):
            kind = FRAMES[len(episodes) % 2] if frames == 'both' else frames
            episodes.append(_sample(len(episodes), home, grid, rng, kind))
    return episodes


def _sample(index: int, home: Home, grid: FloorGrid, rng: np.random.Generator, frames: str
            ) -> HomeEpisode:
    """One episode: a random free pose, and one goal that is not fulfilled there."""
    split = {'trained': 'train', 'held-out': 'held_out'}[frames]
    for _ in range(200):
        start = free_poses(home, rng, 1)[0]
        goals = goals_for_target(home, grid, start, rng, frames=split)
        if goals:
            goal = goals[int(rng.integers(len(goals)))]
            return HomeEpisode(index, home.seed, (start.x, start.y, start.yaw), goal.text,
                               goal.target, (goal.kind, f'{frames} frames'))
    raise ValueError(f'no {frames} goal could be written for {home.name}')


def read_episodes(path: Path) -> list[HomeEpisode]:
    """The episodes of a commands file: a YAML list, each with home, start, words and goal.

    :raises ValueError: names the entry and what is wrong with it
    """
    entries = load_yaml(path)
    if not isinstance(entries, list) or not entries:
        raise ValueError(f'{path} must be a list of commands with home, start, words and goal')
    judge = lru_cache(maxsize=8)(HomeJudge)
    return [_read(index, entry, f'{path}, command {index + 1}', judge)
            for index, entry in enumerate(entries)]


def _read(index: int, entry: Any, where: str, judge: Callable[[int], HomeJudge]) -> HomeEpisode:
    """One entry of a commands file."""
    if not isinstance(entry, dict) or set(entry) - {'home', 'start', 'words', 'goal', 'tags'}:
        raise ValueError(f'{where}: give home, start, words and goal (and tags), got {entry!r}')
    missing = [key for key in ('home', 'start', 'words', 'goal') if key not in entry]
    if missing:
        raise ValueError(f'{where}: {missing[0]} is missing')
    seed, words, tags = entry['home'], entry['words'], entry.get('tags', [])
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f'{where}: home must be the seed of a home, 0 or more, got {seed!r}')
    if not isinstance(words, str) or not words.strip():
        raise ValueError(f'{where}: words must be what is said to the robot, got {words!r}')
    if not isinstance(tags, list):
        raise ValueError(f'{where}: tags must be a list, got {tags!r}')
    start = _numbers(entry['start'], (2, 3), f'{where}: start must be [x, y] or [x, y, yaw]')
    x, y, yaw = (*start, 0.0)[:3]
    home = judge(seed).home
    _check_start(home, judge(seed).grid, x, y, f'{where}: ')
    target = read_target(home, entry['goal'], where)
    return HomeEpisode(index, seed, (x, y, yaw), words, target, tuple(map(str, tags)))


def start_pose(home: Home, start: Sequence[float]) -> Pose:
    """The pose x, y, yaw in a home; ValueError where a robot cannot stand there."""
    pose = Pose(start[0], start[1], start[2], 'map')
    _check_start(home, floor_grid(home), pose.x, pose.y)
    return pose


def _check_start(home: Home, grid: FloorGrid, x: float, y: float, where: str = '') -> None:
    """ValueError, with the nearest place that would do, where a robot cannot stand."""
    nearest = grid.point(*grid.nearest_free(x, y))
    if math.dist(nearest, (x, y)) > NEAR_FREE:
        raise ValueError(f'{where}start ({x:g}, {y:g}) is not on the free floor of {home.name}; '
                         f'the nearest that is: [{nearest[0]:.2f}, {nearest[1]:.2f}]')


def _numbers(value: Any, counts: tuple[int, ...], complaint: str) -> tuple[float, ...]:
    """A list of finite numbers as floats; ValueError with the complaint and what was got."""
    if not isinstance(value, list) or len(value) not in counts or not all(
            isinstance(number, (int, float)) and not isinstance(number, bool)
            and math.isfinite(number) for number in value):
        raise ValueError(f'{complaint}, got {value!r}')
    return tuple(map(float, value))


def read_target(home: Home, goal: Any, where: str) -> Target:
    """`{room: …}`, `{item: …}` (a name, a kind, or a colour and kind) or `{point: [x, y]}`.

    :raises ValueError: the home has no such thing; the sentence lists what it has
    """
    if not isinstance(goal, dict) or len(goal) != 1 or set(goal) - {'room', 'item', 'point'}:
        raise ValueError(f'{where}: goal must be one of room, item or point, got {goal!r}')
    (what, value), = goal.items()
    if what == 'point':
        return _read_point(home, value, where)
    if what == 'room':
        names = tuple(r.name for r in home.rooms if value in (r.name, r.kind))
        known = sorted(r.name for r in home.rooms)
    else:
        names = tuple(i.name for i in home.items if value in (i.name, i.kind, i.label))
        known = sorted(i.name for i in home.items)
    if not names:
        raise ValueError(f'{where}: {home.name} has no {what} {value!r}; it has: '
                         + ', '.join(known))
    return Target(rooms=names) if what == 'room' else Target(items=names)


def _read_point(home: Home, value: Any, where: str) -> Target:
    """A point of the home; ValueError where it lies outside of all its rooms."""
    x, y = _numbers(value, (2,), f'{where}: point must be [x, y]')
    x0, y0 = (min(getattr(room, name) for room in home.rooms) for name in ('x0', 'y0'))
    x1, y1 = (max(getattr(room, name) for room in home.rooms) for name in ('x1', 'y1'))
    if not (x0 <= x <= x1 and y0 <= y <= y1):
        raise ValueError(f'{where}: point ({x:g}, {y:g}) lies outside {home.name}, which is '
                         f'{x0:.2f} to {x1:.2f} m in x and {y0:.2f} to {y1:.2f} m in y')
    return Target(point=(x, y))


class HomeJudge:
    """Turns the episodes of one home into tasks that know how far one is from fulfilment."""

    def __init__(self, seed: int) -> None:
        self.home = generate_home(seed)
        self.grid = floor_grid(self.home)

    def task(self, episode: HomeEpisode, words: str | None = None) -> Task:
        """The task of an episode, with its own or other words."""
        field = places_of(self.home, self.grid).distance_field(episode.target)
        grid = self.grid
        within = 0.0 if episode.target.rooms else REACH

        def remaining(x: float, y: float) -> float:
            """Metres along the floor from a point to fulfilment."""
            return grid.distance_at(field, x, y)
        return Task(*episode.start, episode.words if words is None else words, remaining, within,
                    episode.tags + ((SIDED,) if episode.sided else ()))
