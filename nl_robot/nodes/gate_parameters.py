"""The parameters of the gate: checked at the start, only tightened while the robot may move."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node

from nl_robot.motion.commissioning import check_commissioned, result_path
from nl_robot.motion.gate import Gate
from nl_robot.motion.gate_settings import GateSettings, loosened
from nl_robot.motion.laser_mount import LaserMount
from nl_robot.nodes.parameters import declare, declare_settings


def declare_protections_off(node: Node) -> frozenset[str]:
    """Names of protections that a test switches off."""
    off = declare(node, 'test_without', [''], 'names of protections to switch off; for tests '
                  'alone, which must then fail')
    return frozenset(name for name in off if name)


def declare_gate_settings(node: Node) -> GateSettings:
    """The limits of the gate as parameters that may change while it runs.

    :raises ValueError: names what makes no sense
    """
    return declare_settings(node, GateSettings, fixed=False)


def declare_laser(node: Node) -> LaserMount:
    """Where the laser is on the robot; the gate asks no tf, so its parameters must tell."""
    x, y = (declare(node, f'laser_{axis}', 0.0, f'{axis} of the laser on the robot, m', -2.0, 2.0)
            for axis in 'xy')
    yaw = declare(node, 'laser_yaw', 0.0, 'where the laser looks on the robot, degrees, left is '
                  'positive', -180.0, 180.0)
    flipped = declare(node, 'laser_flipped', False, 'the laser hangs upside down')
    return LaserMount(x, y, math.radians(yaw), flipped)


def declare_commissioning(node: Node) -> None:
    """A real robot has to have shown that its base stops by itself.

    :raises ValueError: it has not
    """
    real = declare(node, 'real_robot', False, 'a real base: it must have been commissioned')
    robot = declare(node, 'robot', 'robot', 'name of the robot, as in `nl_robot commission`')
    file = declare(node, 'commissioning_file', '', 'result of `nl_robot commission`; empty: the '
                   'file that it writes for this robot')
    if real:
        check_commissioned(file or str(result_path(robot)), robot)


def let_tighten(node: Node, gate: Gate) -> None:
    """Take changed limits: any that make sense while latched, only stricter ones otherwise."""
    names = {item.name for item in dataclasses.fields(GateSettings)}

    def take(parameters: list[Any]) -> SetParametersResult:
        changed = {p.name: p.value for p in parameters if p.name in names}
        try:
            new = dataclasses.replace(gate.settings, **changed)
        except (TypeError, ValueError) as error:
            return SetParametersResult(successful=False, reason=str(error))
        looser = [] if gate.latched else loosened(gate.settings, new)
        if looser:
            return SetParametersResult(successful=False, reason='the robot may move: stop it '
                                       f'first; only stricter limits now, not {", ".join(looser)}')
        gate.adopt(new)
        return SetParametersResult(successful=True)

    callback: Callable[[list[Any]], SetParametersResult] = take
    node.add_on_set_parameters_callback(callback)
