"""Odometry as the frame of a map, and what about it must not be believed.

A jump is no motion: the frame of the map is shifted against it, so that the robot stays where it
was, and whoever records is told.  So is he of a robot that moves though nobody drives it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from nl_robot.datatypes import Pose
from nl_robot.geometry import wrap_angle


@dataclass(frozen=True)
class OdometryWatchSettings:
    """Bounds beyond which odometry is doubted.

    :param max_linear: m/s that the robot can drive; :param jump: metres beyond that in one
        message; :param turn: radians in one message (REP-105: odometry is continuous)
    :param pushed: metres that a robot at rest may move; :param settle: seconds to come to rest
    :param silent: seconds without odometry
    """

    max_linear: float = 0.30
    jump: float = 0.25
    turn: float = 0.5
    pushed: float = 0.10
    settle: float = 1.5
    silent: float = 0.5


class OdometryWatch:
    """Takes every pose of the odometry; gives the pose in the map, and faults as they are found.

    :param map_from_odom: where the odometry's frame lies in the map
    """

    def __init__(self, settings: OdometryWatchSettings | None = None,
                 map_from_odom: Pose | None = None) -> None:
        self.settings = settings or OdometryWatchSettings()
        self.map_from_odom = map_from_odom or Pose(0.0, 0.0, 0.0, 'map')
        self._last: tuple[float, Pose] | None = None
        self._rest: tuple[float, Pose] | None = None

    def take(self, pose: Pose, driving: bool, now: float) -> str:
        """One message; the fault that it shows, '' where there is none.

        :param driving: somebody of ours moves the robot just now
        :param now: seconds by the robot's own stamps: a busy machine is no fault
        """
        fault = ''
        if self._last is not None:
            before, was = self._last
            fault = self._jump(was, pose, now - before)
            if not fault and now - before > self.settings.silent:
                fault = 'odometry_silent'
        self._last = (now, pose)
        return fault or self._push(pose, driving, now)

    def _jump(self, was: Pose, pose: Pose, seconds: float) -> str:
        settings = self.settings
        moved = math.hypot(pose.x - was.x, pose.y - was.y)
        turned = abs(wrap_angle(pose.yaw - was.yaw))
        if (moved <= settings.max_linear * min(seconds, settings.silent) + settings.jump
                and turned <= settings.turn + min(seconds, settings.silent)):
            return ''
        self.map_from_odom = shifted(self.pose(was), pose)
        self._rest = None
        return 'odometry_jump'

    def _push(self, pose: Pose, driving: bool, now: float) -> str:
        """A robot that nobody drives stays where it came to rest."""
        if driving:
            self._rest = None
            return ''
        if self._rest is None:
            self._rest = (now, pose)
        since, place = self._rest
        moved = math.hypot(pose.x - place.x, pose.y - place.y)
        if now - since < self.settings.settle:      # it may still roll out
            self._rest = (since, pose)
            return ''
        if moved <= self.settings.pushed:
            return ''
        self._rest = (now, pose)
        return 'pushed'

    def pose(self, odometry: Pose) -> Pose:
        """A pose of the odometry in the frame of the map."""
        frame = self.map_from_odom
        cos, sin = math.cos(frame.yaw), math.sin(frame.yaw)
        return Pose(frame.x + cos * odometry.x - sin * odometry.y,
                    frame.y + sin * odometry.x + cos * odometry.y,
                    wrap_angle(frame.yaw + odometry.yaw), 'map')


def shifted(in_map: Pose, in_odometry: Pose) -> Pose:
    """map_from_odom, where the robot is at `in_map` and its odometry says `in_odometry`."""
    yaw = wrap_angle(in_map.yaw - in_odometry.yaw)
    cos, sin = math.cos(yaw), math.sin(yaw)
    return Pose(in_map.x - cos * in_odometry.x + sin * in_odometry.y,
                in_map.y - sin * in_odometry.x - cos * in_odometry.y, yaw, 'map')
