"""What an observation is made of in the nodes, and how a decision on it is told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from nl_robot.datatypes import Decision, Observation, Pose
from nl_robot.geometry import wrap_angle
from nl_robot.perception.panorama import Camera, observe


@dataclass(frozen=True)
class Look:
    """What was seen at one heading; `pose` is the robot's when the frames were taken."""

    frames: dict[str, NDArray[Any]]
    pose: Pose


@dataclass(frozen=True)
class Scene:
    """All that an observation is made of; `map_from_odom` as far as that is known."""

    looks: Sequence[Look]
    cameras: Sequence[Camera]
    scan: Any
    pose: Pose
    map_from_odom: Pose


@dataclass(frozen=True)
class Thought:
    """An answer of the thread: about goal `id`, a decision or an error.

    :param plan: where a goal begins in a home that is known, how it is planned to go on
    :param question: to be asked before anything is done; '' for none
    """

    id: str
    observation: Observation | None = None
    decision: Decision | None = None
    arrived: float | None = None
    error: str = ''
    plan: str = ''
    question: str = ''


def look_around(scene: Scene, detector: Any) -> Observation:
    """The observation at the scene's pose from frames of one or more headings."""
    images, turned = {}, []
    for look in scene.looks:
        for camera in scene.cameras:
            seen = camera.turned(wrap_angle(look.pose.yaw - scene.pose.yaw))
            turned.append(seen)
            images[seen.name] = look.frames[camera.name]
    return observe(images, scene.scan, scene.pose, turned, detector)


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
    plan = f'{thought.plan}; ' if thought.plan else ''
    return f'{plan}sees {sees}; chose {chose} ({decision.probability:.0%} sure){there}'
