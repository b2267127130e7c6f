"""The velocity driver: turns a place to be into speeds, around what the laser sees.

A pure function of time, pose and scan with a little memory (the target, the last heading, the
last scan in the frame of the odometry).  The gate stands behind it and has the last word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Pose
from nl_robot.geometry import polar_in_base, wrap_angle
from nl_robot.motion.limits import clamp, ramp, stopping_speed
from nl_robot.motion.steering import (
    Heading,
    Points,
    choose_heading,
    free_travel,
    points_from_ranges,
)

PLAN_PERIOD = 0.1  # seconds: a laser at 10 Hz tells nothing new in between


class LaserScan(Protocol):
    """What the driver needs of a scan; sensor_msgs/LaserScan fits, and so do plain records."""

    @property
    def ranges(self) -> Any: ...  # noqa: D102

    @property
    def angle_min(self) -> float: ...  # noqa: D102

    @property
    def angle_increment(self) -> float: ...  # noqa: D102

    @property
    def range_min(self) -> float: ...  # noqa: D102

    @property
    def range_max(self) -> float: ...  # noqa: D102


@dataclass(frozen=True)
class DriverSettings:
    """SI units.  The corridor and the stop distance are the gate's, with a hair to spare.

    :param tolerance: arrived when this near
    :param near_enough: arrived when this near and an obstacle forbids to come nearer
    :param patience: seconds without progress until the target counts as blocked
    :param timeout: seconds for one target at most
    """

    max_linear: float = 0.30
    max_angular: float = 1.0
    accel: float = 0.5
    decel: float = 0.9
    angular_accel: float = 2.0
    robot_radius: float = 0.20
    stop_distance: float = 0.37
    half_widths: tuple[float, ...] = (0.33, 0.29, 0.26)
    tolerance: float = 0.15
    near_enough: float = 0.45
    heading_tolerance: float = 0.05
    patience: float = 8.0
    timeout: float = 60.0


class VelocityDriver:
    """Drives to one target at a time; `state` is idle, driving, arrived or blocked."""

    reason = text = ''
    passes = False

    def __init__(self, settings: DriverSettings | None = None) -> None:
        self.settings = settings or DriverSettings()
        self.state = 'idle'
        self._target: Pose | None = None
        self._final_yaw: float | None = None
        self._started = self._progressed = self._updated = 0.0
        self._best = math.inf
        self._heading: Heading | None = None  # its bearing is in the frame of the odometry
        self._planned = -math.inf
        self._scan: LaserScan | None = None
        self._points_in_odom: Points = np.zeros((0, 2))
        self._linear = self._angular = 0.0

    @property
    def tolerance(self) -> float:
        """Arrived when this near, metres."""
        return self.settings.tolerance

    def set_target(self, target: Pose, now: float, final_yaw: float | None = None) -> None:
        """Drive to `target` (its yaw does not matter), then turn to `final_yaw` if given."""
        self.state, self._target, self._final_yaw = 'driving', target, final_yaw
        self._started = self._progressed = self._updated = now
        self._best, self._heading, self._planned = math.inf, None, -math.inf

    def cancel(self) -> None:
        """Forget the target; the next speeds are zero."""
        self.state, self._target = 'idle', None
        self._linear = self._angular = 0.0

    def update(self, now: float, pose: Pose, scan: LaserScan) -> tuple[float, float]:
        """The speeds (m/s, rad/s) of this moment; call it at 10 to 50 Hz.

        :param pose: odometry, in the frame of the target
        :param scan: the newest scan; one seen before is moved along with the odometry
        """
        self._take_scan(pose, scan)
        duration, self._updated = min(max(now - self._updated, 0.0), 0.2), now
        if self.state != 'driving' or self._target is None:
            self._linear = self._angular = 0.0
            return 0.0, 0.0
        linear, angular = self._wanted(now, pose, self._target)
        limits = self.settings
        self._linear = ramp(self._linear, linear, limits.accel, limits.decel, duration)
        self._angular = ramp(self._angular, angular, limits.angular_accel, limits.angular_accel,
                             duration)
        return self._linear, self._angular

    def _take_scan(self, pose: Pose, scan: LaserScan) -> None:
        """Keep a new scan's points in the frame of the odometry."""
        if scan is self._scan:
            return
        self._scan = scan
        points = points_from_ranges(scan.ranges, scan.angle_min, scan.angle_increment,
                                    scan.range_min, scan.range_max)
        self._points_in_odom = points @ _rotation(pose.yaw).T + (pose.x, pose.y)

    def _wanted(self, now: float, pose: Pose, target: Pose) -> tuple[float, float]:
        """The speeds before acceleration limits; sets the state when the drive is over."""
        bearing, distance = polar_in_base(pose, target.x, target.y)
        if distance <= self.settings.tolerance or self._best <= self.settings.tolerance:
            self._best = 0.0
            return 0.0, self._turn_at_target(now, pose)
        points = (self._points_in_odom - (pose.x, pose.y)) @ _rotation(pose.yaw)
        points = points[(points ** 2).sum(axis=1) < (distance + 1.0) ** 2]
        if now - self._planned >= PLAN_PERIOD:
            self._planned, self._heading = now, self._plan(points, bearing, distance, pose)
        self._note_progress(now, distance, self._heading)
        if self._heading is None or self.state != 'driving':
            return 0.0, 0.0
        return self._speeds(points, wrap_angle(self._heading.bearing - pose.yaw), distance)

    def _turn_at_target(self, now: float, pose: Pose) -> float:
        """The turning speed at the place itself; arrived once the heading fits."""
        error = 0.0 if self._final_yaw is None else wrap_angle(self._final_yaw - pose.yaw)
        if abs(error) <= self.settings.heading_tolerance:
            self.state = 'arrived' if self._linear == 0.0 else self.state
            return 0.0
        if now - self._started > self.settings.timeout:
            self.state = 'blocked'
        return self._turning_speed(error)

    def _plan(self, points: Points, bearing: float, distance: float, pose: Pose
              ) -> Heading | None:
        """The heading by the widest corridor that leads to the target, else the best partial.

        Its bearing is given in the frame of the odometry.
        """
        previous = None
        if self._heading is not None:
            previous = wrap_angle(self._heading.bearing - pose.yaw)
        standoff = self.settings.robot_radius + self.settings.stop_distance
        heading = None
        for half_width in self.settings.half_widths:
            heading = choose_heading(points, bearing, distance, previous, half_width, standoff)
            if heading is not None and heading.complete:
                break
        return heading and replace(heading, bearing=wrap_angle(pose.yaw + heading.bearing))

    def _note_progress(self, now: float, distance: float, heading: Heading | None) -> None:
        """Blocked without progress; arrived where an obstacle by the target forbids the rest."""
        settings = self.settings
        if distance < self._best - 0.05:
            self._best, self._progressed = distance, now
        stuck = now - self._progressed
        held = heading is None or heading.free < 0.1 or not heading.complete
        if distance <= settings.near_enough and held and stuck > 0.5 and self._linear < 0.02:
            self._best = 0.0  # the turn to the final heading is next
        elif stuck > settings.patience or now - self._started > settings.timeout:
            self.state = 'blocked'

    def _speeds(self, points: Points, error: float, distance: float) -> tuple[float, float]:
        """Turn on the spot towards a far heading; drive a bend towards a near one."""
        settings = self.settings
        angular = self._turning_speed(error)
        if abs(error) > 0.35:
            return 0.0, angular
        standoff = settings.robot_radius + settings.stop_distance
        ahead = float(free_travel(points, np.zeros(1), settings.half_widths[-1], standoff)[0])
        # The end of the drive is at the edge of the tolerance, halfway inside.
        room = min(ahead, distance - settings.tolerance / 2)
        linear = min(settings.max_linear, stopping_speed(room, 0.7 * settings.decel))
        return linear * max(0.0, 1.0 - abs(error) / 0.35), clamp(angular, -0.8, 0.8)

    def _turning_speed(self, error: float) -> float:
        """Fast far from the heading, slow near it, with room to brake."""
        top = min(self.settings.max_angular, 2.5 * abs(error),
                  stopping_speed(abs(error), 0.7 * self.settings.angular_accel))
        return math.copysign(top, error)


def _rotation(yaw: float) -> NDArray[np.float64]:
    """A (2, 2) rotation, odom_from_base; multiplied from the right it turns points back."""
    return np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
