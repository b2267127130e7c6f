"""The simulated robot in a furnished home: drive it, and ask what its senses say."""

from __future__ import annotations

import math
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Pose, Sighting
from nl_robot.sim.body import Base
from nl_robot.sim.model import CEILING_GROUP, ROBOT_GROUP, build_model
from nl_robot.sim.records import Home
from nl_robot.sim.renderer import Renderer
from nl_robot.sim.rig import CameraMount, Rig, one_camera_rig
from nl_robot.sim.senses import Laser, RayCaster, Scan
from nl_robot.sim.solids import bounds, wall_height
from nl_robot.sim.truth import TrueBox, Truth, merge_boxes

__all__ = ['CameraMount', 'Rig', 'Scan', 'Simulator', 'TrueBox', 'one_camera_rig']

MIN_PIXELS = 12
"""Fewer visible pixels than this, over all cameras, are not a sighting: nobody names a speck."""


class Simulator:
    """One robot in one home; the same seed and the same calls give the same numbers.

    Physics (`step`), the laser and the pictures may each have a thread of their own.
    """

    def __init__(self, home: Home, start: Pose, rig: Rig | None = None, seed: int = 0) -> None:
        """:param start: pose in the map
        :param seed: of the noise of laser and odometry
        """
        self.home, self.rig = home, rig if rig is not None else Rig()
        self._model = build_model(home, self.rig)
        self._base = Base(self._model, self.rig, start, np.random.default_rng([seed, 1]))
        self._caster = RayCaster(self._model)
        self._laser = Laser(self._caster, self.rig, np.random.default_rng([seed, 2]))
        self._renderer: Renderer | None = None
        self._truth: Truth | None = None

    def step(self, linear: float, angular: float, duration: float) -> None:
        """Drive for `duration` seconds towards `linear` m/s and `angular` rad/s."""
        self._base.step(linear, angular, duration)

    @property
    def time(self) -> float:
        """Simulated seconds since the start."""
        return self._base.time

    @property
    def pose(self) -> Pose:
        """Where the robot truly is, in the frame `map`."""
        return self._base.pose

    @property
    def odometry(self) -> Pose:
        """Where the wheels say it is, in the frame `odom`: (0, 0, 0) at the start."""
        return self._base.odometry.pose

    @property
    def velocity(self) -> tuple[float, float]:
        """Speed ahead and turn rate as the wheels measure them, m/s and rad/s."""
        return self._base.odometry.velocity

    @property
    def collisions(self) -> int:
        """How many separate times the robot touched anything but the floor."""
        return len(self._base.touched)

    @property
    def touched(self) -> tuple[str, ...]:
        """What each collision was with: `wall`, `item/<name>` or `door/<name>`."""
        return tuple(self._base.touched)

    def teleport(self, pose: Pose) -> None:
        """Set the robot down at rest at `pose`; its odometry starts anew there."""
        self._base.teleport(pose)

    def scan(self) -> Scan:
        """One turn of the laser from where the robot is."""
        return self._laser.scan(self.pose)

    def scan_at(self, pose: Pose, noisy: bool = True) -> Scan:
        """One turn of the laser from any pose; the robot stays where it is."""
        return self._laser.scan(pose, noisy)

    def images(self, pose: Pose | None = None) -> dict[str, NDArray[np.uint8]]:
        """(H, W, 3) uint8 RGB by camera name, from the robot's pose or any other.

        :raises RendererUnavailable: one sentence with what to install, where nothing can draw
        """
        place, cameras = pose or self.pose, self.rig.cameras
        pictures = self._eyes().draw([(mount, place) for mount in cameras])
        return {mount.name: picture for mount, picture in zip(cameras, pictures)}

    def truth(self, pose: Pose | None = None, min_pixels: int = 4) -> list[TrueBox]:
        """What the cameras truly show, from the robot's pose or any other."""
        if self._truth is None:
            self._truth = Truth(self._model, self.home, self.rig, self._eyes(), self._caster)
        return self._truth.boxes(pose or self.pose, min_pixels)

    def true_sightings(self, max_distance: float = 10.0,
                       min_pixels: int = MIN_PIXELS) -> tuple[Sighting, ...]:
        """What a perfect detector would see: one sighting per item, over all cameras.

        Bearings are relative to the robot's heading, left positive; distances as in `TrueBox`.
        """
        return self.look(self.pose, max_distance, min_pixels)

    def look(self, pose: Pose, max_distance: float = 10.0,
             min_pixels: int = MIN_PIXELS) -> tuple[Sighting, ...]:
        """`true_sightings` from any pose, without moving the robot or running physics."""
        return merge_boxes(self.truth(pose), max_distance, min_pixels)

    def _eyes(self) -> Renderer:
        if self._renderer is None:
            mount = self.rig.cameras[0]
            self._renderer = Renderer(self._model, (mount.width, mount.image_height),
                                      (ROBOT_GROUP,), supersample=2)
        return self._renderer

    def bird_view(self, width: int = 1280, height: int = 960) -> NDArray[np.uint8]:
        """(height, width, 3) uint8 RGB: the whole home from above, without ceilings."""
        mount, place = bird_camera(self.home, width, height)
        robot = (self.pose.x, self.pose.y, self.pose.yaw)
        renderer = Renderer(self._model, (width, height), (CEILING_GROUP,), 2, robot, True)
        try:
            return np.asarray(renderer.draw([(mount, place)])[0], np.uint8)
        finally:
            renderer.close()

    def close(self) -> None:
        """Free the renderer."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer, self._truth = None, None

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


def bird_camera(home: Home, width: int, height: int) -> tuple[CameraMount, Pose]:
    """A camera high above the south of a home, tilted 12 degrees, with the home in view."""
    x0, y0, x1, y1 = bounds(home)
    top, hfov, tilt = wall_height(home), math.radians(24.0), math.radians(12.0)
    tan_x = math.tan(hfov / 2)
    tan_y = tan_x * height / width
    across, along = (x1 - x0 + 0.6) / 2, (y1 - y0 + 0.6) / 2 + top * math.sin(tilt) / 2
    reach = max(across / tan_x, along * math.cos(tilt) / tan_y) + top + along * math.sin(tilt)
    mount = CameraMount('bird', 0.0, reach * math.cos(tilt), math.pi / 2 - tilt, hfov, width,
                        height)
    place = Pose((x0 + x1) / 2, (y0 + y1) / 2 - reach * math.sin(tilt), math.pi / 2, 'map')
    return mount, place
