"""A furnished home and the robot in it as a MuJoCo model (MJCF).

Bodies are named after what they are: `item/<name>`, `door/<name>`, `robot`.  Only contacts
between the robot (conaffinity) and what can stop it (contype) are ever tested.
"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import quoteattr

from nl_robot.sim.records import Home
from nl_robot.sim.renderer import load_mujoco
from nl_robot.sim.rig import Rig
from nl_robot.sim.solids import Body, Solid, bounds, home_bodies, wall_height

CEILING_GROUP, ROBOT_GROUP = 3, 4
"""Geom groups: the robot's own cameras do not see the robot, the bird does not see ceilings."""
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
    floors, *bodies = home_bodies(home)
    lines = [_HEAD, *_body(floors), _ceiling(home)]
    for body in bodies:
        lines += _body(body)
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


def _geom(solid: Solid) -> str:
    """One geom of the home."""
    turn = f' euler="{_numbers(*solid.euler)}"' if any(solid.euler) else ''
    return (f'<geom type="{solid.shape}" size="{_numbers(*solid.size)}" '
            f'pos="{_numbers(*solid.position)}"{turn} rgba="{_numbers(*solid.rgb)} 1" '
            f'contype="{int(solid.solid)}" conaffinity="0" group="0"/>')


def _body(body: Body) -> list[str]:
    """A body with one geom per solid; what has no name belongs to the world."""
    geoms = [_geom(solid) for solid in body.solids]
    if not body.name:
        return geoms
    return [f'<body name={quoteattr(body.name)} pos="{_numbers(*body.position)}" '
            f'euler="{_numbers(0, 0, body.yaw)}">', *geoms, '</body>']


def _ceiling(home: Home) -> str:
    x0, y0, x1, y1 = bounds(home)
    half = ((x1 - x0) / 2, (y1 - y0) / 2)
    return (f'<geom type="box" size="{_numbers(*half, 0.02)}" material="ceiling" '
            f'pos="{_numbers((x0 + x1) / 2, (y0 + y1) / 2, wall_height(home) + 0.02)}" '
            f'contype="0" conaffinity="0" group="{CEILING_GROUP}"/>')


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
