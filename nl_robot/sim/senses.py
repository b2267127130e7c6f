"""The robot's laser: 360 noisy rays around, and clear lines of sight for the ground truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Pose
from nl_robot.sim.renderer import RendererUnavailable, choose_renderer, load_mujoco
from nl_robot.sim.rig import Rig

__all__ = ['Laser', 'RayCaster', 'RendererUnavailable', 'Scan', 'choose_renderer']


@dataclass(frozen=True, eq=False)
class Scan:
    """One turn of the laser.

    :param ranges: (rays,) float32 metres from the middle of the robot, +inf where nothing is hit
    :param angle_min: of the first ray, radians; 0 is ahead, counter-clockwise
    :param angle_increment: radians between rays
    """

    ranges: NDArray[np.float32]
    angle_min: float
    angle_increment: float
    range_min: float
    range_max: float

    @property
    def angles(self) -> NDArray[np.float64]:
        """(rays,) radians, in the robot's frame."""
        steps = np.arange(len(self.ranges), dtype=np.float64)
        return self.angle_min + self.angle_increment * steps


class RayCaster:
    """Distances to whatever stands in a home; it never meets the robot itself."""

    def __init__(self, model: Any) -> None:
        self._mujoco, self._model = load_mujoco(), model
        self._data = self._mujoco.MjData(model)
        self._mujoco.mj_forward(model, self._data)
        self._robot = model.body('robot').id

    def cast(self, origin: tuple[float, float, float], directions: NDArray[np.float64],
             cutoff: float) -> NDArray[np.float64]:
        """(n,) metres along each direction to the first surface; +inf beyond `cutoff`.

        :param directions: (n, 3) unit vectors in the map
        """
        count = len(directions)
        distances, geoms = np.empty(count), np.empty(count, np.int32)
        self._mujoco.mj_multiRay(
            self._model, self._data, np.array(origin), directions.reshape(-1), None, True,
            self._robot, geoms, distances, None, count, cutoff)
        return np.where((distances < 0) | (distances > cutoff), np.inf, distances)


class Laser:
    """The laser of a rig: the first ray looks back, ray `rays / 2` ahead."""

    def __init__(self, caster: RayCaster, rig: Rig, rng: np.random.Generator) -> None:
        self._caster, self._rig, self._rng = caster, rig, rng
        self._increment = 2 * math.pi / rig.scan_rays
        self._angles = -math.pi + self._increment * np.arange(rig.scan_rays)

    def scan(self, pose: Pose, noisy: bool = True) -> Scan:
        """One turn at `pose`; without noise it is exact."""
        rig, headings = self._rig, self._angles + pose.yaw
        directions = np.stack([np.cos(headings), np.sin(headings), np.zeros_like(headings)], 1)
        ranges = self._caster.cast((pose.x, pose.y, rig.scan_height), directions, rig.range_max)
        if noisy:
            ranges = ranges + self._rng.normal(0.0, rig.scan_noise, ranges.shape)
            ranges = np.where(ranges > rig.range_max, np.inf, np.maximum(ranges, 0.0))
        return Scan(ranges.astype(np.float32), -math.pi, self._increment, rig.range_min,
                    rig.range_max)
