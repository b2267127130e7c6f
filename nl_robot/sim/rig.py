"""What the simulated robot is made of: its base, its laser and its cameras."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class CameraMount:
    """One colour camera on the robot's mast, above the middle of the base.

    :param yaw: where it looks, radians, left of straight ahead is positive
    :param height: above the floor, metres
    :param pitch: radians, positive looks down (REP-103: a rotation about the y axis)
    :param hfov: horizontal angle of view, radians
    :param width, image_height: image size, pixels
    """

    name: str
    yaw: float
    height: float = 1.0
    pitch: float = math.radians(8.0)
    hfov: float = math.radians(92.0)
    width: int = 160
    image_height: int = 120

    @property
    def focal(self) -> float:
        """Focal length in pixels (square pixels, the principal point is the middle)."""
        return self.width / 2 / math.tan(self.hfov / 2)


def _four_cameras() -> tuple[CameraMount, ...]:
    """Front, left, back and right; 92 degrees each, so that neighbours overlap a little."""
    return tuple(CameraMount(name, math.radians(yaw)) for name, yaw in
                 (('front', 0.0), ('left', 90.0), ('back', 180.0), ('right', -90.0)))


@dataclass(frozen=True)
class Rig:
    """The base, the laser and the cameras; SI units.

    :param radius: of the round base
    :param max_speed, max_turn_rate: what the base can do, m/s and rad/s
    :param acceleration, deceleration, turn_acceleration: how fast it gets there, m/s^2, rad/s^2
    :param scan_rays, scan_height, scan_noise: rays per turn, height of the laser, sigma of noise
    :param scan_rate: turns per second
    :param cameras: one mount each; four see all around
    """

    radius: float = 0.20
    max_speed: float = 0.30
    max_turn_rate: float = 1.0
    acceleration: float = 0.5
    deceleration: float = 0.9
    turn_acceleration: float = 2.0
    wheel_base: float = 0.32
    mast_height: float = 1.05
    scan_rays: int = 360
    scan_height: float = 0.18
    scan_noise: float = 0.01
    scan_rate: float = 10.0
    range_min: float = 0.12
    range_max: float = 8.0
    cameras: tuple[CameraMount, ...] = _four_cameras()

    def __post_init__(self) -> None:
        object.__setattr__(self, 'cameras', tuple(self.cameras))
        names = [camera.name for camera in self.cameras]
        if len(set(names)) != len(names):
            raise ValueError(f'Rig.cameras must have different names, got {names}')
        if len({(camera.width, camera.image_height) for camera in self.cameras}) > 1:
            raise ValueError('Rig.cameras must share one image size, got '
                             f'{[(c.width, c.image_height) for c in self.cameras]}')


def one_camera_rig() -> Rig:
    """The rig with the front camera only; it turns on the spot to see all around."""
    return Rig(cameras=_four_cameras()[:1])


def camera_topic(mount: CameraMount, count: int) -> str:
    """Where one of `count` cameras speaks: `camera/front`, or `camera` where it is alone."""
    return 'camera' if count == 1 else f'camera/{mount.name}'


RIGS = {'four_cameras': Rig, 'one_camera': one_camera_rig}
"""By the name that people give."""
