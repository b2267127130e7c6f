"""The cameras of a simulated rig as perception knows them."""

from __future__ import annotations

from dataclasses import asdict

from nl_robot.perception.panorama import Camera
from nl_robot.sim.rig import Rig


def cameras_of(rig: Rig) -> list[Camera]:
    """One `Camera` per mount, in the rig's order."""
    return [Camera(**asdict(mount)) for mount in rig.cameras]
