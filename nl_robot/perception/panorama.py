"""What all cameras of a robot see at one place, put together into one observation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Observation, Pose, Sighting
from nl_robot.geometry import wrap_angle
from nl_robot.perception.detectors import Detection, Detector, Image
from nl_robot.perception.waypoints import DEFAULTS, WaypointSettings, waypoints_from_scan

SEAM = math.radians(3)  # two halves of one object at the seam of two frames may lie this far apart


class LaserScan(Protocol):
    """What is needed of a scan; sensor_msgs/LaserScan and the simulator's own both fit."""

    @property
    def ranges(self) -> Sequence[float] | NDArray[np.floating]:
        """Metres, one per ray."""

    @property
    def angle_min(self) -> float:
        """Bearing of the first ray, radians."""

    @property
    def angle_increment(self) -> float:
        """Between two rays, radians."""


@dataclass(frozen=True)
class Camera:
    """Where a camera looks, as a pinhole.

    :param yaw: of its optical axis in the robot's frame, radians, left is positive
    :param height: above the floor, metres
    :param pitch: radians, positive looks down (REP-103)
    :param hfov: horizontal field of view, radians
    :param width, image_height: of a frame, pixels
    """

    name: str
    yaw: float
    height: float
    pitch: float
    hfov: float
    width: int
    image_height: int

    @property
    def focal(self) -> float:
        """Focal length, pixels."""
        return self.width / 2 / math.tan(self.hfov / 2)

    def turned(self, heading: float) -> Camera:
        """The same camera after the robot has turned by `heading` radians on the spot."""
        return replace(self, name=f'{self.name}@{heading:.3f}', yaw=wrap_angle(self.yaw + heading))

    def direction(self, u: float, v: float) -> tuple[float, float]:
        """Bearing and elevation, in the robot's frame, of the pixel (u, v)."""
        left, up = (self.width / 2 - u) / self.focal, (self.image_height / 2 - v) / self.focal
        ahead = math.cos(self.pitch) + up * math.sin(self.pitch)
        above = up * math.cos(self.pitch) - math.sin(self.pitch)
        return (wrap_angle(self.yaw + math.atan2(left, ahead)),
                math.atan2(above, math.hypot(ahead, left)))


@dataclass(frozen=True)
class _Glimpse:
    """A detection as seen from the robot, before the cameras are put together."""

    camera: str
    kind: str
    sighting: Sighting
    half_width: float
    is_cut: bool


def observe(images: Mapping[str, Image], scan: LaserScan, pose: Pose, cameras: Sequence[Camera],
            detector: Detector, waypoint_settings: WaypointSettings = DEFAULTS,
            ) -> Observation:
    """The observation at one place, from one frame of each camera and one scan.

    :param images: camera name to (height, width, 3) RGB; cameras without a frame saw nothing
    :param pose: of the robot when the frames were taken
    """
    present = [camera for camera in cameras if camera.name in images]
    detections = detector.detect([images[camera.name] for camera in present])
    return Observation(sightings_from_cameras(present, detections, scan),
                       waypoints_from_scan(np.asarray(scan.ranges), scan.angle_min,
                                           scan.angle_increment, waypoint_settings), pose)


def observe_turn(frames: Sequence[tuple[float, Image]], scan: LaserScan, pose: Pose,
                 camera: Camera, detector: Detector,
                 waypoint_settings: WaypointSettings = DEFAULTS) -> Observation:
    """The observation of a robot with one camera, from the frames of a turn on the spot.

    :param frames: (heading, frame); heading is the robot's when the frame was taken, relative
        to its heading in `pose` and `scan`, radians
    """
    cameras = [camera.turned(heading) for heading, _ in frames]
    images = {turned.name: image for turned, (_, image) in zip(cameras, frames)}
    return observe(images, scan, pose, cameras, detector, waypoint_settings)


def sightings_from_cameras(cameras: Sequence[Camera], detections: Sequence[Sequence[Detection]],
                           scan: LaserScan | None = None) -> tuple[Sighting, ...]:
    """All detections as sightings in the robot's frame, sorted by bearing.

    An object that several cameras see becomes one sighting.

    :param detections: one list per camera, in the order of `cameras`
    :param scan: refines distances where it agrees with the camera
    :raises ValueError: when there are not as many lists as cameras
    """
    if len(cameras) != len(detections):
        raise ValueError(f'got detections of {len(detections)} frames for {len(cameras)} cameras')
    glimpses = [_glimpse(camera, detection, scan)
                for camera, found in zip(cameras, detections) for detection in found]
    glimpses.sort(key=lambda glimpse: -glimpse.half_width)
    merged: list[_Glimpse] = []
    for glimpse in glimpses:
        for index, other in enumerate(merged):
            if _is_same(other, glimpse):
                merged[index] = _join(other, glimpse)
                break
        else:
            merged.append(glimpse)
    return tuple(sorted((g.sighting for g in merged), key=lambda sighting: sighting.bearing))


def _glimpse(camera: Camera, detection: Detection, scan: LaserScan | None) -> _Glimpse:
    """One detection in the robot's frame."""
    x0, y0, x1, y1 = detection.box
    u, v = (x0 + x1) / 2, (y0 + y1) / 2
    width = abs(wrap_angle(camera.direction(x0, v)[0] - camera.direction(x1, v)[0]))
    height = abs(camera.direction(u, y0)[1] - camera.direction(u, y1)[1])
    bearing = wrap_angle(camera.direction(x1, v)[0] + width / 2)
    sighting = Sighting(detection.label, bearing, camera.direction(u, v)[1], max(width, height),
                        sighting_distance(camera, detection, bearing, scan), detection.score)
    return _Glimpse(camera.name, detection.kind, sighting, width / 2,
                    x0 <= 2 or x1 >= camera.width - 2)


def sighting_distance(camera: Camera, detection: Detection, bearing: float,
                      scan: LaserScan | None) -> float | None:
    """Metres along the floor to a detection, or None when nothing tells.

    The detector's own estimate comes first; without one, the lower edge of the box is taken to
    stand on the floor, when it lies well below the horizon and inside the frame.  The laser sees
    one height only: it refines an estimate that it nearly confirms (within a fifth), and is not
    asked otherwise, because it may have hit what stands in front or passed below.
    """
    estimate = detection.distance
    if estimate is None:
        estimate = _floor_distance(camera, detection)
    if estimate is None or scan is None:
        return estimate
    measured = range_at(scan, bearing)
    return measured if abs(measured - estimate) <= 0.2 * estimate else estimate


def _floor_distance(camera: Camera, detection: Detection) -> float | None:
    """Where the lower edge of the box touches the floor, metres; None when that is not seen."""
    x0, _, x1, y1 = detection.box
    elevation = camera.direction((x0 + x1) / 2, y1)[1]
    if y1 >= camera.image_height - 2 or elevation > -math.radians(6):
        return None
    return camera.height / math.tan(-elevation)


def range_at(scan: LaserScan, bearing: float) -> float:
    """The median range of the rays within about two degrees of a bearing; inf without any."""
    ranges = np.asarray(scan.ranges, float)
    half = max(1, round(math.radians(2) / abs(scan.angle_increment)))
    turn = (bearing - scan.angle_min) / scan.angle_increment
    period = 2 * math.pi / abs(scan.angle_increment)
    middle = round(turn % period)
    rays = ranges[[i % ranges.size for i in range(middle - half, middle + half + 1)
                   if 0 <= i % round(period) < ranges.size]]
    rays = rays[np.isfinite(rays) & (rays > 0)]
    return float(np.median(rays)) if rays.size else math.inf


def _is_same(one: _Glimpse, other: _Glimpse) -> bool:
    """True when two cameras see the same object: same kind, bearings that meet, like distance."""
    if one.camera == other.camera or one.kind != other.kind:
        return False
    apart = abs(wrap_angle(one.sighting.bearing - other.sighting.bearing))
    near, far = sorted((one.half_width, other.half_width))
    if not (one.is_cut or other.is_cut):
        return apart <= max(near, SEAM)
    return apart <= near + far + SEAM and _like_distance(one.sighting, other.sighting)


def _like_distance(one: Sighting, other: Sighting) -> bool:
    """True unless the two distances are known and differ by more than half of the larger."""
    if one.distance is None or other.distance is None:
        return True
    return abs(one.distance - other.distance) <= max(0.5, 0.5 * max(one.distance, other.distance))


def _join(one: _Glimpse, other: _Glimpse) -> _Glimpse:
    """One glimpse of both; halves are put together, whole views keep the surer one."""
    sure = max(one, other, key=lambda glimpse: glimpse.sighting.score)
    if not (one.is_cut or other.is_cut):
        return sure
    offset = wrap_angle(other.sighting.bearing - one.sighting.bearing)
    right = min(-one.half_width, offset - other.half_width)
    left = max(one.half_width, offset + other.half_width)
    known = [g.sighting.distance for g in (one, other) if g.sighting.distance is not None]
    wide = max(one, other, key=lambda glimpse: glimpse.half_width)
    sighting = replace(
        wide.sighting, label=sure.sighting.label, score=sure.sighting.score,
        bearing=wrap_angle(one.sighting.bearing + (left + right) / 2),
        size=max(left - right, one.sighting.size, other.sighting.size),
        distance=sum(known) / len(known) if known else None)
    return _Glimpse(wide.camera, wide.kind, sighting, (left - right) / 2, True)
