"""The runs of the homes benchmark: every agent on one episode."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nl_robot.agent import Agent
from nl_robot.checkpoint import sha256
from nl_robot.datatypes import Decision, Observation
from nl_robot.embodied.closed_loop import PhysicsWorld
from nl_robot.embodied.goals import blank, swap_left_right
from nl_robot.embodied.home_episodes import HomeEpisode, HomeJudge
from nl_robot.embodied.home_graph import home_graph
from nl_robot.embodied.runner import RandomAgent, ShortestPathAgent, Task, Trace, run_episode
from nl_robot.perception.detectors import load_detector
from nl_robot.planning.guide import Guide
from nl_robot.planning.guided import GuidedAgent
from nl_robot.worlds.graph import GraphWorld

SWAPPED, MAPPED = 'left-right swapped', 'with a map'
AGENTS = ('agent', SWAPPED, 'blank command', 'other command', 'random', 'shortest path')
LISTENERS = frozenset(AGENTS[:4])


@dataclass(frozen=True)
class Conditions:
    """What is the same for all runs of a benchmark."""

    world: str
    checkpoint: Path
    detector: str
    max_steps: int
    seed: int
    cache: Path
    sure: float
    guide: Path


@dataclass(frozen=True)
class Job:
    """One episode, the words of another one, and the agents that have yet to run on it."""

    episode: HomeEpisode
    other_words: str
    agents: tuple[str, ...]


def make_jobs(episodes: Sequence[HomeEpisode], agents: Sequence[str],
              done: set[tuple[str, int]]) -> list[Job]:
    """The jobs that are left; a swapped command is run only where it says left or right."""
    jobs = []
    for position, episode in enumerate(episodes):
        others = [*episodes[position + 1:], *episodes[:position]]
        middle = len(others) // 2
        other = next((e.words for e in others[middle:] + others[:middle]
                      if e.words != episode.words and e.target != episode.target), None)
        todo = tuple(name for name in agents if (name, episode.index) not in done
                     and (episode.sided or name != SWAPPED)
                     and (other is not None or name != 'other command'))
        if todo:
            jobs.append(Job(episode, other or '', todo))
    return jobs


def run_job(job: Job, conditions: Conditions) -> list[dict[str, Any]]:
    """One row of results per agent."""
    import torch
    torch.set_num_threads(1)
    episode, judge = job.episode, HomeJudge(job.episode.home)
    physics = conditions.world == 'physics'
    place: Any = (
        PhysicsWorld(judge.home, _detector(conditions.detector), seed=episode.index) if physics
        else GraphWorld(home_graph(episode.home, conditions.cache / 'graphs')))
    rows = []
    for name in job.agents:
        words = {SWAPPED: swap_left_right(episode.words), 'blank command': blank(episode.words),
                 'other command': job.other_words}.get(name, episode.words)
        task = judge.task(episode, words)
        timed = _Timed(_actor(name, task, place, episode, conditions))
        trace = run_episode(timed, place, task, conditions.max_steps, conditions.sure)
        rows.append({**_row(name, episode, trace), 'decision_ms': timed.milliseconds})
    if physics:
        place.close()
    return rows


def _actor(name: str, task: Task, place: Any, episode: HomeEpisode, conditions: Conditions) -> Any:
    """Who acts under this name."""
    if name in LISTENERS:
        return _agent(conditions.checkpoint)
    if name == MAPPED:
        return GuidedAgent(_guide(conditions.guide), _agent(conditions.checkpoint), home_graph(
            episode.home, conditions.cache / 'graphs'), partial(_true_pose, place))
    if name == 'random':
        return RandomAgent(np.random.default_rng((conditions.seed, episode.index)))
    return ShortestPathAgent(task.remaining, partial(_true_pose, place))


class _Timed:
    """An agent whose decisions are timed, from sightings ready to choice, on one core."""

    def __init__(self, agent: Any) -> None:
        self._agent = agent
        self.milliseconds: list[float] = []

    def set_goal(self, text: str) -> None:
        self._agent.set_goal(text)

    def decide(self, observation: Observation) -> Decision:
        began = time.perf_counter()
        decision: Decision = self._agent.decide(observation)
        self.milliseconds.append(round(1000 * (time.perf_counter() - began), 2))
        return decision

    def arrived(self) -> float | None:
        arrived: float | None = self._agent.arrived()
        return arrived


_kept: dict[str, Any] = {}      # one process runs many homes: models are loaded once in each


def _agent(checkpoint: Path) -> Agent:
    key = f'agent {fingerprint(checkpoint)}'
    if key not in _kept:
        _kept[key] = Agent.load(checkpoint)
    return _kept[key]


def _guide(checkpoint: Path) -> Guide:
    key = f'guide {fingerprint(checkpoint)}'
    if key not in _kept:
        _kept[key] = Guide.load(checkpoint)
    if _kept[key] is None:
        raise ValueError(f'{checkpoint} has no reward, so it cannot plan: give another --guide')
    return _kept[key]


def fingerprint(checkpoint: Path) -> str:
    """What tells a checkpoint from another one of the same name; empty where there is none."""
    manifest = Path(checkpoint) / 'manifest.json'
    return sha256(manifest.read_bytes()) if manifest.is_file() else ''


def _detector(name: str) -> Any:
    key = f'detector {name}'
    if key not in _kept:
        _kept[key] = None if name == 'truth' else load_detector(name)
    return _kept[key]


def _true_pose(world: Any) -> tuple[float, float, float]:
    """Where the robot truly is: x, y, yaw."""
    return (*world.position, world.heading)


def _row(name: str, episode: HomeEpisode, trace: Trace) -> dict[str, Any]:
    """One result as JSON."""
    return {'agent': name, 'episode': episode.index, 'home': episode.home, 'words': trace.goal,
            'stopped': trace.stopped, 'first_stop': trace.first_stop,
            'result': dataclasses.asdict(trace.result),
            'points': [[round(c, 2) for c in point] for point in trace.points]}
