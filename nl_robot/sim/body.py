"""The base of the robot in physics: limits of acceleration, wheel odometry, and collisions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nl_robot.datatypes import Pose
from nl_robot.geometry import wrap_angle
from nl_robot.sim.renderer import load_mujoco
from nl_robot.sim.rig import Rig

COLLISION_PAUSE = 0.5
"""Seconds without touching anything after which the next touch is a new collision."""
DISTANCE_ERROR, TURN_ERROR = 0.01, 0.01
"""Sigma of the wheels' constant error of scale: typical of worn, carefully calibrated wheels."""
HEADING_WALK = 0.005
"""Sigma of the heading's random walk, radians per square root of a metre or radian driven."""


def approach(value: float, target: float, acceleration: float, deceleration: float,
             dt: float) -> float:
    """The speed after `dt` on the way from `value` to `target`.

    `deceleration` holds while the speed shrinks (also through zero), else `acceleration`.
    """
    slowing = abs(target) < abs(value) or target * value < 0
    change = (deceleration if slowing else acceleration) * dt
    if slowing and target * value < 0 and abs(value) < change:
        return 0.0
    return value + min(max(target - value, -change), change)


class Odometry:
    """What the wheels say: a pose in the frame `odom` that starts at zero and drifts a little."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._distance_scale = 1.0 + rng.normal(0.0, DISTANCE_ERROR)
        self._turn_scale = 1.0 + rng.normal(0.0, TURN_ERROR)
        self.velocity = (0.0, 0.0)
        self.reset()

    def reset(self) -> None:
        """Start again at (0, 0, 0)."""
        self._x = self._y = self._yaw = 0.0
        self.velocity = (0.0, 0.0)

    def update(self, linear: float, angular: float, dt: float) -> None:
        """Add a motion of `dt` seconds at true speeds `linear` (m/s) and `angular` (rad/s)."""
        v, w = linear * self._distance_scale, angular * self._turn_scale
        walk = math.sqrt((abs(v) + abs(w)) * dt) * HEADING_WALK
        turn = w * dt + (self._rng.normal(0.0, walk) if walk > 1e-6 else 0.0)
        middle = self._yaw + turn / 2
        self._x += v * dt * math.cos(middle)
        self._y += v * dt * math.sin(middle)
        self._yaw = wrap_angle(self._yaw + turn)
        self.velocity = (v, w)

    @property
    def pose(self) -> Pose:
        """Where the wheels believe to be."""
        return Pose(self._x, self._y, self._yaw, 'odom')


class Base:
    """The robot's base in the physics of a model made by `sim.model`."""

    def __init__(self, model: Any, rig: Rig, start: Pose, rng: np.random.Generator) -> None:
        self._mujoco, self._model, self._rig = load_mujoco(), model, rig
        self._data = self._mujoco.MjData(model)
        self._robot = model.body('robot').id
        self._dt = float(model.opt.timestep)
        self.odometry = Odometry(rng)
        self.touched: list[str] = []
        self._last_touch = -math.inf
        self._steps, self._owed = 0, 0.0
        self.teleport(start)

    @property
    def time(self) -> float:
        """Simulated seconds since the start."""
        return self._steps * self._dt

    def teleport(self, pose: Pose) -> None:
        """Set the robot down at rest somewhere else; its odometry starts anew there."""
        self._data.qpos[:3] = (pose.x, pose.y, pose.yaw)
        self._data.qvel[:] = 0.0
        self._data.ctrl[:] = 0.0
        self._data.qacc_warmstart[:] = 0.0
        self._speed = self._turn = 0.0
        self._last_touch = -math.inf
        self.odometry.reset()
        self._mujoco.mj_forward(self._model, self._data)
        self.pose = Pose(pose.x, pose.y, wrap_angle(pose.yaw), 'map')

    def step(self, linear: float, angular: float, duration: float) -> None:
        """Drive for `duration` seconds towards the wanted speeds, within the rig's limits.

        :raises ValueError: on a number that is not finite, or a negative duration
        """
        if not all(map(math.isfinite, (linear, angular, duration))) or duration < 0:
            raise ValueError('step needs finite speeds and a duration >= 0, got '
                             f'linear={linear}, angular={angular}, duration={duration}')
        rig = self._rig
        linear = min(max(linear, -rig.max_speed), rig.max_speed)
        angular = min(max(angular, -rig.max_turn_rate), rig.max_turn_rate)
        self._owed += duration
        count = int(self._owed / self._dt + 1e-6)
        self._owed -= count * self._dt
        for _ in range(count):
            self._physics_step(linear, angular)

    def _physics_step(self, linear: float, angular: float) -> None:
        rig, data = self._rig, self._data
        self._speed = approach(self._speed, linear, rig.acceleration, rig.deceleration, self._dt)
        self._turn = approach(self._turn, angular, rig.turn_acceleration, rig.turn_acceleration,
                              self._dt)
        data.ctrl[:] = (self._speed, 0.0, self._turn)
        self._mujoco.mj_step(self._model, data)
        self._steps += 1
        x, y, yaw = data.qpos[:3].tolist()
        vx, vy, turn = data.qvel[:3].tolist()
        self.odometry.update(vx * math.cos(yaw) + vy * math.sin(yaw), turn, self._dt)
        self.pose = Pose(x, y, wrap_angle(yaw), 'map')
        if data.ncon:
            self._touch()

    def _touch(self) -> None:
        """Count a touch that comes `COLLISION_PAUSE` after the last; floors never touch."""
        if self.time - self._last_touch > COLLISION_PAUSE:
            bodies = self._model.geom_bodyid[self._data.contact.geom[0]]
            other = next((int(b) for b in bodies if b != self._robot), 0)
            self.touched.append(self._model.body(other).name if other else 'wall')
        self._last_touch = self.time
