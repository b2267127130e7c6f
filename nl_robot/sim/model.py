"""A furnished home and the robot in it as a MuJoCo model (MJCF).

Bodies are named after what they are: `item/<name>`, `door/<name>`, `robot`.  Only contacts
between the robot (conaffinity) and what can stop it (contype) are ever tested.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from nl_robot.sim.records import Door, Home, Item, Part, Room, Wall
from nl_robot.sim.renderer import load_mujoco
from nl_robot.sim.rig import Rig

FRAME_COLOUR = (0.06, 0.30, 0.24)
"""Of all door frames: a dark green that neither walls nor furniture have."""
FRAME_WIDTH = 0.07
"""How wide a frame is on the wall, metres."""
CEILING_GROUP, ROBOT_GROUP = 3, 4
"""Geom groups: the robot's own cameras do not see the robot, the bird does not see ceilings."""
WALL = 0.12
"""Thickness of an ordinary wall, metres: the foundation reaches under it."""
CLEARANCE = 0.035
"""Between floor and base, metres: it passes over the foot of a lamp."""
TIMESTEP = 0.01
"""Seconds per physics step: stable for the base's servos and 40 times faster than real time."""

_HEAD = f"""<mujoco model="home">
<compiler angle="radian" eulerseq="XYZ" autolimits="true"/>
<option timestep="{TIMESTEP}" integrator="implicitfast" gravity="0 0 -9.81" cone="pyramidal"/>
<size memory="8M"/>
<visual>
  <global offwidth="640" offheight="480"/>
  <quality shadowsize="0" offsamples="0" numslices="16" numstacks="10" numquads="1"/>
  <headlight ambient="0.5 0.5 0.5" diffuse="0 0 0" specular="0 0 0"/>
  <map znear="0.003" zfar="3"/>
</visual>
<statistic extent="10" center="0 0 0"/>
<asset>
  <texture type="skybox" builtin="flat" rgb1="0.86 0.87 0.88" rgb2="0.86 0.87 0.88"
   width="8" height="48"/>
  <material name="ceiling" rgba="0.95 0.95 0.94 1" emission="0.35"/>
</asset>
<worldbody>
<light directional="true" castshadow="false" dir="0.15 0.3 -0.94" diffuse="0.5 0.5 0.5"
 specular="0 0 0"/>
<light directional="true" castshadow="false" dir="-0.95 0.25 -0.3" diffuse="0.36 0.36 0.36"
 specular="0 0 0"/>
<light directional="true" castshadow="false" dir="0.3 -0.9 0.3" diffuse="0.3 0.3 0.3"
 specular="0 0 0"/>
"""


def home_to_mjcf(home: Home, rig: Rig) -> str:
    """The MJCF text of a home with the robot of `rig` at the origin of the map."""
    lines = [_HEAD, *_shell(home)]
    lines += [_wall(wall) for wall in home.walls]
    for door in home.doors:
        lines += _door(door, home)
    for item in home.items:
        lines += _item(item)
    lines += [_robot(rig), '</worldbody>', _actuators(rig), '</mujoco>']
    return '\n'.join(lines)


def build_model(home: Home, rig: Rig) -> Any:
    """The compiled `mujoco.MjModel`.

    :raises ValueError: names the home when MuJoCo cannot build it
    """
    try:
        return load_mujoco().MjModel.from_xml_string(home_to_mjcf(home, rig))
    except ValueError as error:
        raise ValueError(f'MuJoCo cannot build {home.name}: {error}') from error


def _numbers(*values: float) -> str:
    return ' '.join(f'{value:.5g}' for value in values)


def _geom(shape: str, size: tuple[float, ...], position: tuple[float, float, float],
          rgb: tuple[float, float, float], *, solid: bool,
          euler: tuple[float, float, float] = (0.0, 0.0, 0.0), group: int = 0) -> str:
    """One geom of the home; `solid` stops the robot."""
    turn = f' euler="{_numbers(*euler)}"' if any(euler) else ''
    return (f'<geom type="{shape}" size="{_numbers(*size)}" pos="{_numbers(*position)}"{turn} '
            f'rgba="{_numbers(*rgb)} 1" contype="{int(solid)}" conaffinity="0" '
            f'group="{group}"/>')


def bounds(home: Home) -> tuple[float, float, float, float]:
    """(x0, y0, x1, y1) around all rooms and walls, metres."""
    boxes: list[Room | Wall] = [*home.rooms, *home.walls]
    return (min(b.x0 for b in boxes), min(b.y0 for b in boxes),
            max(b.x1 for b in boxes), max(b.y1 for b in boxes))


def wall_height(home: Home) -> float:
    """The height of the tallest wall, metres (2.5 in a home without walls)."""
    return max((wall.height for wall in home.walls), default=2.5)


def _shell(home: Home) -> Iterator[str]:
    """Foundation, one floor per room, and the ceiling."""
    x0, y0, x1, y1 = bounds(home)
    middle, half = ((x0 + x1) / 2, (y0 + y1) / 2), ((x1 - x0) / 2, (y1 - y0) / 2)
    for room in home.rooms:
        size = ((room.x1 - room.x0) / 2, (room.y1 - room.y0) / 2)
        yield _geom('box', (size[0] + WALL, size[1] + WALL, 0.05), (*room.centre, -0.054),
                    (0.45, 0.36, 0.28), solid=False)
        yield _geom('box', (*size, 0.02), (*room.centre, -0.02), room.floor_colour, solid=False)
    yield (f'<geom type="box" size="{_numbers(*half, 0.02)}" material="ceiling" '
           f'pos="{_numbers(*middle, wall_height(home) + 0.02)}" contype="0" conaffinity="0" '
           f'group="{CEILING_GROUP}"/>')


def _wall(wall: Wall) -> str:
    """A wall from `base` to `height` above the floor."""
    size = ((wall.x1 - wall.x0) / 2, (wall.y1 - wall.y0) / 2, (wall.height - wall.base) / 2)
    position = ((wall.x0 + wall.x1) / 2, (wall.y0 + wall.y1) / 2, (wall.base + wall.height) / 2)
    return _geom('box', size, position, wall.rgb, solid=True)


@dataclass(frozen=True)
class Opening:
    """The hole of a door in its wall: `back` and `front` are its faces along the way through.

    :param back, front: metres from the door's middle, back <= 0 <= front
    :param height: metres
    """

    back: float
    front: float
    height: float


def doorway(door: Door, home: Home) -> Opening:
    """The opening of a door, read from the walls at its sides and above it.

    A wall may be built of two layers, one per room.  Where there is no wall, it is 0.12 m thick
    and 2.0 m high.
    """
    along = (math.cos(door.yaw), math.sin(door.yaw))
    beside = door.width / 2 + 0.05
    faces, height = [], 2.0
    for wall in home.walls:
        for shift, side in itertools.product((-0.03, 0.0, 0.03), (-beside, 0.0, beside)):
            x = door.x + shift * along[0] - side * along[1]
            y = door.y + shift * along[1] + side * along[0]
            if not (wall.x0 <= x <= wall.x1 and wall.y0 <= y <= wall.y1):
                continue
            if side == 0.0:
                height = wall.base if wall.base > 0 else height
            else:
                corners = ((wall.x0, wall.y0), (wall.x1, wall.y1))
                faces += [(u - door.x) * along[0] + (v - door.y) * along[1] for u, v in corners]
    return Opening(min(faces, default=-0.06), max(faces, default=0.06), height)


def _door(door: Door, home: Home) -> list[str]:
    """Two jambs and a lintel trim, 15 mm proud of the wall; x of the body leads through."""
    hole, half = doorway(door, home), FRAME_WIDTH / 2
    middle, depth = (hole.back + hole.front) / 2, (hole.front - hole.back) / 2 + 0.015
    side = door.width / 2 + half - 0.005
    parts = [_geom('box', (depth, half, hole.height / 2), (middle, sign * side, hole.height / 2),
                   FRAME_COLOUR, solid=True) for sign in (-1, 1)]
    parts.append(_geom('box', (depth, door.width / 2 + FRAME_WIDTH, half),
                       (middle, 0, hole.height + half - 0.01), FRAME_COLOUR, solid=False))
    return [f'<body name={quoteattr("door/" + door.name)} pos="{_numbers(door.x, door.y, 0)}" '
            f'euler="{_numbers(0, 0, door.yaw)}">', *parts, '</body>']


def _item(item: Item) -> list[str]:
    """The body of an item with one geom per part."""
    return [f'<body name={quoteattr("item/" + item.name)} '
            f'pos="{_numbers(item.x, item.y, item.z)}" euler="{_numbers(0, 0, item.yaw)}">',
            *(_part(part, item.collides) for part in item.parts), '</body>']


def _part(part: Part, solid: bool) -> str:
    return _geom(part.shape, part.size, part.position, part.rgb, solid=solid, euler=part.euler)


def _robot(rig: Rig) -> str:
    """A round base with two wheels, a laser on top and a mast; it slides and turns on the floor.

    The base is as low as its laser, so that little it could bump into escapes the laser.
    """
    top, r = rig.scan_height - 0.02, rig.radius
    look = f'group="{ROBOT_GROUP}" mass="0" contype="0" conaffinity="0"'
    touch = (f'group="{ROBOT_GROUP}" contype="0" conaffinity="1" friction="0.15 0 0" priority="1" '
             'condim="3" solref="0.02 1"')
    wheel = rig.wheel_base / 2
    return f"""<body name="robot">
<joint name="x" type="slide" axis="1 0 0"/><joint name="y" type="slide" axis="0 1 0"/>
<joint name="yaw" type="hinge" axis="0 0 1"/>
<site name="base" pos="0 0 0.1" group="5"/>
<geom type="cylinder" size="{r} {(top - CLEARANCE) / 2}" pos="0 0 {(top + CLEARANCE) / 2}"
 mass="14" rgba="0.16 0.17 0.2 1" {touch}/>
<geom type="capsule" size="0.03" fromto="0 0 {top} 0 0 {rig.mast_height}" mass="1"
 rgba="0.75 0.76 0.78 1" {touch}/>
<geom type="cylinder" size="0.06 0.025" pos="0 0 {top + 0.025}" rgba="0.3 0.3 0.33 1" {look}/>
<geom type="cylinder" size="0.06 0.02" pos="0 {wheel} 0.06" euler="1.5708 0 0"
 rgba="0.05 0.05 0.05 1" {look}/>
<geom type="cylinder" size="0.06 0.02" pos="0 -{wheel} 0.06" euler="1.5708 0 0"
 rgba="0.05 0.05 0.05 1" {look}/>
<geom type="cylinder" size="0.07 0.04" pos="0 0 {rig.mast_height}" rgba="0.95 0.55 0.1 1" {look}/>
<geom type="box" size="0.05 0.04 0.012" pos="{r * 0.6} 0 {top}" rgba="0.95 0.55 0.1 1" {look}/>
</body>"""


def _actuators(rig: Rig) -> str:
    """Velocity servos in the base's own frame: forward, sideways (held at zero) and turning.

    The wheels push with at most 60 N, about three times what the fastest braking needs, and
    slip sideways above 200 N.
    """
    return """<actuator>
<velocity name="forward" site="base" gear="1 0 0 0 0 0" kv="600" forcerange="-60 60"/>
<velocity name="sideways" site="base" gear="0 1 0 0 0 0" kv="1200" forcerange="-200 200"/>
<velocity name="turn" site="base" gear="0 0 0 0 0 1" kv="14" forcerange="-8 8"/>
</actuator>"""
