"""The slow part of the policy, in a thread of its own, so that no callback ever waits for it."""

from __future__ import annotations

import importlib
import math
import queue
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nl_robot.datatypes import Decision, Observation, Pose
from nl_robot.geometry import wrap_angle
from nl_robot.perception.detectors import load_detector
from nl_robot.perception.panorama import Camera, observe

PYTHON = 'python:'


@dataclass(frozen=True)
class Look:
    """What was seen at one heading; `pose` is the robot's when the frames were taken."""

    frames: dict[str, NDArray[Any]]
    pose: Pose


@dataclass(frozen=True)
class Thought:
    """An answer of the thread: about goal `id`, a decision or an error."""

    id: str
    observation: Observation | None = None
    decision: Decision | None = None
    arrived: float | None = None
    error: str = ''


def made_by(name: str) -> Any:
    """The result of the function that `python:package.module:function` names."""
    module, _, function = name.removeprefix(PYTHON).partition(':')
    return getattr(importlib.import_module(module), function)()


def load_agent(name: str) -> Any:
    """The agent of a checkpoint directory; '' is the one that comes with the package."""
    if name.startswith(PYTHON):
        return made_by(name)
    from nl_robot.agent import Agent  # takes seconds, so it happens in the thread
    from nl_robot.settings import shared_dir
    return Agent.load(Path(name) if name else shared_dir('models') / 'agent')


def look_around(looks: Sequence[Look], cameras: Sequence[Camera], scan: Any, pose: Pose,
                detector: Any) -> Observation:
    """The observation at `pose` from frames of one or more headings."""
    images, turned = {}, []
    for look in looks:
        for camera in cameras:
            seen = camera.turned(wrap_angle(look.pose.yaw - pose.yaw))
            turned.append(seen)
            images[seen.name] = look.frames[camera.name]
    return observe(images, scan, pose, turned, detector)


def told(thought: Thought, goes_on: bool) -> str:
    """One line for people: what it sees, what it chose, how sure, whether it drives on."""
    observation, decision, arrived = thought.observation, thought.decision, thought.arrived
    assert observation is not None and decision is not None
    near = sorted(observation.sightings, key=lambda s: -(s.score * s.size))
    sees = ', '.join(dict.fromkeys(s.label for s in near)) or 'nothing it knows'
    sees = ', '.join(sees.split(', ')[:6])
    if decision.waypoint_index is None:
        chose = 'stop, but looks on' if goes_on else 'stop'
    else:
        waypoint = observation.waypoints[decision.waypoint_index]
        chose = f'{math.degrees(waypoint.bearing):+.0f} deg, {waypoint.distance:.1f} m'
    there = '' if arrived is None else f'; there: {arrived:.0%}'
    return f'sees {sees}; chose {chose} ({decision.probability:.0%} sure){there}'


class Thinker:
    """Loads agent and detector, then decides, one job after the other, in its thread."""

    def __init__(self, agent: str, detector: str) -> None:
        self._names = agent, detector
        self._jobs: queue.Queue[Callable[[], Thought] | None] = queue.Queue()
        self._thoughts: queue.Queue[Thought] = queue.Queue()
        self.ready = False
        self._error = ''
        self._agent: Any = None
        self._detector: Any = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def decide(self, id_: str, words: str, looks: Sequence[Look], cameras: Sequence[Camera],
               scan: Any, pose: Pose, first: bool) -> None:
        """Ask for a decision; it comes out of `answer` some time later.

        :param first: of a new goal, so that what the agent remembers is forgotten
        """
        def job() -> Thought:
            if first:
                self._agent.set_goal(words)
            observation = look_around(looks, cameras, scan, pose, self._detector)
            decision = self._agent.decide(observation)
            return Thought(id_, observation, decision, self._agent.arrived())
        self._jobs.put(lambda: self._guarded(id_, job))

    def complaint(self) -> str:
        """Why the agent could not be loaded, told once; '' otherwise."""
        error, self._error = self._error, ''
        return error

    def answer(self) -> Thought | None:
        """The next finished thought, or None; never waits."""
        try:
            return self._thoughts.get_nowait()
        except queue.Empty:
            return None

    def end(self) -> None:
        """Let the thread end; a thought under way is given a moment, no more."""
        self._jobs.put(None)
        self._thread.join(timeout=0.5)

    @staticmethod
    def _guarded(id_: str, job: Callable[[], Thought]) -> Thought:
        try:
            return job()
        except Exception as error:  # noqa: BLE001 - a broken thought must end the command
            return Thought(id_, error=f'{type(error).__name__}: {error}\n{traceback.format_exc()}')

    def _work(self) -> None:
        try:
            agent, detector = self._names
            self._agent = load_agent(agent)
            self._detector = (made_by(detector) if detector.startswith(PYTHON)
                              else load_detector(detector))
        except Exception as error:  # noqa: BLE001 - the node tells it and stays not ready
            self._error = f'{type(error).__name__}: {error}'
            return
        self.ready = True
        while (job := self._jobs.get()) is not None:
            self._thoughts.put(job())
