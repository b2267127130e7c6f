"""How a doorway looks from a camera: its box in the image, its angles, how much is in sight."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Pose
from nl_robot.geometry import polar_in_base, wrap_angle
from nl_robot.sim.records import Door, Home
from nl_robot.sim.renderer import camera_axes
from nl_robot.sim.rig import CameraMount
from nl_robot.sim.senses import RayCaster
from nl_robot.sim.solids import FRAME_WIDTH, doorway


@dataclass(frozen=True)
class Doorway:
    """A door with the height of its opening, metres."""

    door: Door
    height: float

    @classmethod
    def of(cls, door: Door, home: Home) -> Doorway:
        """The doorway of a door in its home."""
        return cls(door, doorway(door, home).height)

    def points(self, across: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 3) map points from offsets to the left of the middle and heights, metres."""
        return np.stack([self.door.x - across * math.sin(self.door.yaw),
                         self.door.y + across * math.cos(self.door.yaw), up], 1)

    def box(self, mount: CameraMount, pose: Pose) -> tuple[int, int, int, int] | None:
        """(x0, y0, x1, y1) pixels around opening and frame, clipped; None outside the image."""
        half, top = self.door.width / 2 + FRAME_WIDTH, self.height + FRAME_WIDTH
        corners = self.points(np.array([-half, half, half, -half]),
                              np.array([0.0, 0.0, top, top]))
        polygon = in_camera(corners, mount, pose)
        tan_x = math.tan(mount.hfov / 2)
        tan_y = tan_x * mount.image_height / mount.width
        for plane in ((1, 0, 0, -0.05), (tan_x, 1, 0, 0), (tan_x, -1, 0, 0),
                      (tan_y, 0, 1, 0), (tan_y, 0, -1, 0)):
            polygon = clip(polygon, np.array(plane, float))
            if len(polygon) < 3:
                return None
        x = mount.width / 2 + mount.focal * polygon[:, 1] / polygon[:, 0]
        y = mount.image_height / 2 - mount.focal * polygon[:, 2] / polygon[:, 0]
        box = (max(math.floor(x.min() + 1e-6), 0), max(math.floor(y.min() + 1e-6), 0),
               min(math.ceil(x.max() - 1e-6), mount.width),
               min(math.ceil(y.max() - 1e-6), mount.image_height))
        return box if box[2] > box[0] and box[3] > box[1] else None

    def clear_share(self, mount: CameraMount, pose: Pose, caster: RayCaster) -> float:
        """How much of the opening the camera sees, 0 to 1: lines of sight to 5 x 6 points."""
        across, up = np.meshgrid(np.linspace(-0.4, 0.4, 5) * self.door.width,
                                 np.linspace(0.1, 0.9, 6) * self.height)
        points = self.points(across.ravel(), up.ravel())
        seen = in_camera(points, mount, pose)
        tan_x = math.tan(mount.hfov / 2)
        inside = ((seen[:, 0] > 0) & (np.abs(seen[:, 1]) < seen[:, 0] * tan_x)
                  & (np.abs(seen[:, 2]) < seen[:, 0] * tan_x * mount.image_height / mount.width))
        if not inside.any():
            return 0.0
        rays = points[inside] - (pose.x, pose.y, mount.height)
        lengths = np.linalg.norm(rays, axis=1)
        hits = caster.cast((pose.x, pose.y, mount.height), rays / lengths[:, None],
                           float(lengths.max()) + 0.1)
        return float(np.count_nonzero(hits > lengths - 0.02)) / len(points)

    def span(self, pose: Pose) -> tuple[float, float]:
        """Bearings of the right and the left jamb as seen by the robot, unwrapped, radians."""
        bearing, _ = polar_in_base(pose, self.door.x, self.door.y)
        half = np.array([-0.5, 0.5]) * self.door.width
        edges = [bearing + wrap_angle(polar_in_base(pose, x, y)[0] - bearing)
                 for x, y, _ in self.points(half, np.zeros(2)).tolist()]
        return min(edges), max(edges)

    def rise(self, camera_height: float, distance: float) -> tuple[float, float]:
        """Elevations of the sill and of the top of the opening, radians."""
        distance = max(distance, 0.1)
        return (math.atan2(-camera_height, distance),
                math.atan2(self.height - camera_height, distance))


def in_camera(points: NDArray[np.float64], mount: CameraMount,
              pose: Pose) -> NDArray[np.float64]:
    """(n, 3) map points as (forward, right, up) of a camera of a robot at `pose`, metres."""
    return (points - (pose.x, pose.y, mount.height)) @ camera_axes(mount, pose.yaw).T


def clip(polygon: NDArray[np.float64], plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """The part of a polygon where plane . (point, 1) >= 0 (Sutherland and Hodgman 1974)."""
    kept: list[NDArray[np.float64]] = []
    heights = polygon @ plane[:3] + plane[3]
    for k in range(len(polygon)):
        a, b = heights[k - 1], heights[k]
        if (a < 0) != (b < 0):
            kept.append(polygon[k - 1] + (polygon[k] - polygon[k - 1]) * (a / (a - b)))
        if b >= 0:
            kept.append(polygon[k])
    return np.array(kept).reshape(-1, 3)
