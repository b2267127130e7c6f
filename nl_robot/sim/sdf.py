"""A furnished home as an SDF world for Gazebo: the very solids of the MuJoCo model.

Poses in SDF are metres and rotations about fixed axes x, y, z, as in the MJCF of `sim.model`.
What stops the robot has a collision; what does not can be seen, no more.  The ceiling is a plane
that shows from below alone, so that a person may look into the home from above.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import quoteattr

from nl_robot.sim.records import Home
from nl_robot.sim.solids import Body, Solid, Vector, bounds, home_bodies, wall_height

VERSION = '1.9'
"""Of the format: Gazebo Harmonic reads it, and so does libsdformat12; ellipsoids came with 1.8."""

_SYSTEMS = ''.join(
    f'<plugin filename="gz-sim-{file}-system" name="gz::sim::systems::{name}">{inside}</plugin>\n'
    for file, name, inside in (
        ('physics', 'Physics', ''), ('user-commands', 'UserCommands', ''),
        ('scene-broadcaster', 'SceneBroadcaster', ''),
        ('sensors', 'Sensors', '<render_engine>ogre2</render_engine>')))

_LIGHTS = ''.join(
    f'<light name="{name}" type="directional"><cast_shadows>false</cast_shadows>'
    f'<direction>{direction}</direction><diffuse>{bright} {bright} {bright} 1</diffuse>'
    '<specular>0 0 0 1</specular></light>\n'
    for name, direction, bright in (('above', '0.15 0.3 -0.94', 0.5),
                                    ('west', '-0.95 0.25 -0.3', 0.36),
                                    ('south', '0.3 -0.9 0.3', 0.3)))

_GROUND = ('<model name="ground"><static>true</static><link name="link"><collision name="plane">'
           '<geometry><plane><normal>0 0 1</normal><size>100 100</size></plane></geometry>'
           '</collision></link></model>\n')
"""What wheels roll on; in MuJoCo the base slides at the height of the floor instead."""


def world_sdf(home: Home, robot: str) -> str:
    """The text of a world, named after the home (`home_0007`), with a robot in it.

    :param robot: a `model` element, of `sim.sdf_robot`
    """
    models = [_model(body, f'shell_{number}' if not body.name else sdf_name(body.name))
              for number, body in enumerate(home_bodies(home))]
    return (f'<?xml version="1.0"?>\n<sdf version="{VERSION}">\n'
            f'<world name="{sdf_name(home.name)}">\n{_SYSTEMS}'
            '<scene><ambient>0.5 0.5 0.5 1</ambient><background>0.86 0.87 0.88 1</background>'
            f'<shadows>false</shadows><grid>false</grid></scene>\n{_LIGHTS}{_GROUND}'
            f'{"".join(models)}{_ceiling(home)}{robot}</world>\n</sdf>\n')


def sdf_name(name: str) -> str:
    """A name of letters, digits and underscores: `item/armchair 2` becomes `item_armchair_2`."""
    return re.sub(r'\W+', '_', name)


def exact(*values: float) -> str:
    """Numbers with blanks between, rounded as those of the MJCF are."""
    return ' '.join(f'{value:.5g}' for value in values)


def pose(position: Vector, euler: Vector = (0.0, 0.0, 0.0)) -> str:
    """A pose element: metres, and radians about fixed axes x, y, z."""
    return f'<pose>{exact(*position)} {exact(*euler)}</pose>'


def geometry(shape: str, size: tuple[float, ...]) -> str:
    """The element of a shape by MuJoCo's half-sizes; doubled after they were rounded.

    :raises ValueError: for a shape that SDF does not have
    """
    twice = ' '.join(f'{2 * float(f"{half:.5g}"):.9g}' for half in size)
    if shape == 'box':
        inside = f'<size>{twice}</size>'
    elif shape == 'sphere':
        inside = f'<radius>{exact(size[0])}</radius>'
    elif shape == 'ellipsoid':
        inside = f'<radii>{exact(*size)}</radii>'
    elif shape in ('cylinder', 'capsule'):
        inside = f'<radius>{exact(size[0])}</radius><length>{twice.split()[1]}</length>'
    else:
        raise ValueError(f'SDF has no shape {shape!r}')
    return f'<geometry><{shape}>{inside}</{shape}></geometry>'


def visual(name: str, solid: Solid) -> str:
    """What is to be seen of a solid, in a matt colour."""
    colour = f'{exact(*solid.rgb)} 1'
    return (f'<visual name={quoteattr(name)}>{pose(solid.position, solid.euler)}'
            f'{geometry(solid.shape, solid.size)}<material><ambient>{colour}</ambient>'
            f'<diffuse>{colour}</diffuse><specular>0 0 0 1</specular></material></visual>\n')


def collision(name: str, solid: Solid, surface: str = '') -> str:
    """What is to be touched of a solid; siblings of every kind need names of their own."""
    return (f'<collision name={quoteattr(name + "_touch")}>{pose(solid.position, solid.euler)}'
            f'{geometry(solid.shape, solid.size)}{surface}</collision>\n')


def _model(body: Body, name: str) -> str:
    """A model that stands still, of one link."""
    parts = []
    for number, solid in enumerate(body.solids):
        parts.append(visual(f'{solid.shape}_{number}', solid))
        if solid.solid:
            parts.append(collision(f'{solid.shape}_{number}', solid))
    return (f'<model name="{name}"><static>true</static>'
            f'{pose(body.position, (0.0, 0.0, body.yaw))}<link name="link">\n{"".join(parts)}'
            '</link></model>\n')


def _ceiling(home: Home) -> str:
    x0, y0, x1, y1 = bounds(home)
    middle = ((x0 + x1) / 2, (y0 + y1) / 2, wall_height(home))
    return (f'<model name="ceiling"><static>true</static>{pose(middle)}<link name="link">'
            '<visual name="plane"><geometry><plane><normal>0 0 -1</normal>'
            f'<size>{exact(x1 - x0, y1 - y0)}</size></plane></geometry><material>'
            '<ambient>0.95 0.95 0.94 1</ambient><diffuse>0.95 0.95 0.94 1</diffuse></material>'
            '</visual></link></model>\n')
