"""The home as a world for Gazebo: the solids of MuJoCo, in a file that real parsers take."""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib.util
import math
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from nl_robot.cli.main import main
from nl_robot.datatypes import Pose
from nl_robot.sim.homes import generate_home
from nl_robot.sim.model import CEILING_GROUP, ROBOT_GROUP, build_model
from nl_robot.sim.renderer import load_mujoco
from nl_robot.sim.rig import Rig, one_camera_rig
from nl_robot.sim.sdf import geometry, sdf_name, world_sdf
from nl_robot.sim.sdf_robot import base_solids, bridge_entries, robot_model

mujoco = load_mujoco()
SEEDS = (7, 150, 2003)
START = Pose(1.0, 2.0, 0.5, 'map')
SHAPES = {mujoco.mjtGeom.mjGEOM_BOX: 'box', mujoco.mjtGeom.mjGEOM_CYLINDER: 'cylinder',
          mujoco.mjtGeom.mjGEOM_SPHERE: 'sphere', mujoco.mjtGeom.mjGEOM_ELLIPSOID: 'ellipsoid',
          mujoco.mjtGeom.mjGEOM_CAPSULE: 'capsule'}
WHEELS_APART = 0.32


def world(seed: int, rig: Rig | None = None) -> str:
    return world_sdf(generate_home(seed), robot_model(rig or Rig(), START))


def placed(element: ElementTree.Element) -> np.ndarray:
    """The (4, 4) transform of an element's pose: rotations about fixed axes x, y, z."""
    x, y, z, roll, pitch, yaw = map(float, element.findtext('pose', '0 0 0 0 0 0').split())
    (cr, sr), (cp, sp), (cy, sy) = ((math.cos(a), math.sin(a)) for a in (roll, pitch, yaw))
    turn = (np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
            @ np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
            @ np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]]))
    made = np.eye(4)
    made[:3, :3], made[:3, 3] = turn, (x, y, z)
    return made


def half_sizes(shape: ElementTree.Element) -> tuple[float, ...]:
    """MuJoCo's half-sizes of an SDF shape."""
    def all_of(tag: str) -> list[float]:
        return [float(word) for word in shape.findtext(tag, '').split()]
    if shape.tag == 'box':
        return tuple(size / 2 for size in all_of('size'))
    if shape.tag == 'ellipsoid':
        return tuple(all_of('radii'))
    return (all_of('radius')[0], *(length / 2 for length in all_of('length')))


def sdf_solids(model: ElementTree.Element, kind: str) -> Iterator[tuple]:
    """(shape, half-sizes, transform in the world) of each visual or collision of a model."""
    at = placed(model)
    for link in model.iter('link'):
        for part in link.iter(kind):
            shape = part.find('geometry')[0]
            if shape.tag != 'plane':
                yield shape.tag, half_sizes(shape), at @ placed(link) @ placed(part)


def mujoco_solids(model, data, wanted) -> Iterator[tuple]:
    """The same of the geoms of a compiled model that `wanted(geom)` picks."""
    count = {'box': 3, 'ellipsoid': 3, 'cylinder': 2, 'capsule': 2, 'sphere': 1}
    for geom in filter(wanted, range(model.ngeom)):
        shape = SHAPES[mujoco.mjtGeom(model.geom_type[geom])]
        made = np.eye(4)
        made[:3, :3], made[:3, 3] = data.geom_xmat[geom].reshape(3, 3), data.geom_xpos[geom]
        yield shape, tuple(model.geom_size[geom][:count[shape]]), made


def compiled(seed: int):
    model = build_model(generate_home(seed), Rig())
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def assert_same(left: list[tuple], right: list[tuple]) -> None:
    """The same solids in the same order, to a hundredth of a millimetre."""
    assert len(left) == len(right) > 0
    for (shape, size, at), (other, other_size, other_at) in zip(left, right):
        assert shape == other
        assert size == pytest.approx(other_size, abs=1e-5)
        assert at == pytest.approx(other_at, abs=1e-5)


@pytest.mark.parametrize('seed', SEEDS)
def test_every_solid_is_the_one_of_mujoco(seed: int) -> None:
    models = [m for m in ElementTree.fromstring(world(seed)).iter('model')
              if m.get('name') != 'robot']
    model, data = compiled(seed)
    robot = model.body('robot').id

    def home(geom: int) -> bool:
        return model.geom_bodyid[geom] != robot and model.geom_group[geom] != CEILING_GROUP
    assert_same([s for m in models for s in sdf_solids(m, 'visual')],
                list(mujoco_solids(model, data, home)))
    assert_same([s for m in models for s in sdf_solids(m, 'collision')],
                list(mujoco_solids(model, data, lambda g: home(g) and model.geom_contype[g])))


def test_the_robot_is_the_one_of_mujoco_and_stands_on_its_wheels() -> None:
    root = ElementTree.fromstring(f'<sdf>{robot_model(Rig(), Pose(0.0, 0.0, 0.0))}</sdf>')
    model, data = compiled(7)
    robot = model.body('robot').id
    theirs = list(mujoco_solids(model, data, lambda g: model.geom_bodyid[g] == robot))
    ours = [s for s in sdf_solids(root.find('model'), 'visual') if s[0] != 'sphere']
    body, wheels = ours[:len(base_solids(Rig()))], ours[-2:]
    assert {ROBOT_GROUP} == {int(model.geom_group[g]) for g in range(model.ngeom)
                             if model.geom_bodyid[g] == robot}
    upright = [t for t in theirs if abs(t[2][2, 2]) > 0.999]
    assert [(s, z) for s, z, _ in body] == [(s, pytest.approx(z)) for s, z, _ in upright]
    for ours_at, theirs_at in zip(body, upright):
        assert ours_at[2][:3, 3] == pytest.approx(theirs_at[2][:3, 3], abs=1e-5)
    for (shape, size, at), y in zip(wheels, (WHEELS_APART / 2, -WHEELS_APART / 2)):
        assert (shape, at[1, 3]) == ('cylinder', pytest.approx(y))
        assert at[2, 3] == pytest.approx(size[0])               # it touches the floor
        assert abs(at[1, 2]) == pytest.approx(1.0, abs=1e-5)    # its axle lies across
    casters = [s for s in sdf_solids(root.find('model'), 'collision') if s[0] == 'sphere']
    assert [at[2, 3] - size[0] for _, size, at in casters] == pytest.approx([0.0, 0.0])


def test_the_ceiling_covers_the_home_and_shows_from_below() -> None:
    root = ElementTree.fromstring(world(7))
    ceiling = next(m for m in root.iter('model') if m.get('name') == 'ceiling')
    plane = ceiling.find('.//plane')
    model, data = compiled(7)
    geom = next(g for g in range(model.ngeom) if model.geom_group[g] == CEILING_GROUP)
    assert plane.findtext('normal') == '0 0 -1'
    size = [float(word) / 2 for word in plane.findtext('size').split()]
    assert size == pytest.approx(model.geom_size[geom][:2], abs=1e-3)
    lower = data.geom_xpos[geom] - (0, 0, model.geom_size[geom][2])
    assert placed(ceiling)[:3, 3] == pytest.approx(lower, abs=1e-3)


def test_names_are_unique_where_sdf_wants_it() -> None:
    for element in ElementTree.fromstring(world(7)).iter():
        names = [child.get('name') for child in element if child.get('name')
                 and child.tag not in ('plugin',)]
        assert len(names) == len(set(names)), element.get('name')


def test_sensors_are_those_of_the_rig() -> None:
    rig = Rig()
    sensors = {s.get('name'): s for s in ElementTree.fromstring(world(7)).iter('sensor')}
    assert set(sensors) == {'laser', 'camera_front', 'camera_left', 'camera_back', 'camera_right'}
    laser, horizontal = sensors['laser'], sensors['laser'].find('.//horizontal')
    assert placed(laser)[2, 3] == pytest.approx(rig.scan_height)
    first, last = (float(horizontal.findtext(tag)) for tag in ('min_angle', 'max_angle'))
    assert (last - first) / (rig.scan_rays - 1) == pytest.approx(2 * math.pi / rig.scan_rays)
    for mount in rig.cameras:
        camera = sensors[f'camera_{mount.name}']
        at = placed(camera)
        assert at[:3, 3] == pytest.approx((0, 0, mount.height))
        assert at[2, 0] == pytest.approx(-math.sin(mount.pitch), abs=1e-5)      # looks down
        off = math.remainder(math.atan2(at[1, 0], at[0, 0]) - mount.yaw, 2 * math.pi)
        assert off == pytest.approx(0.0, abs=1e-4)
        assert float(camera.findtext('.//horizontal_fov')) == pytest.approx(mount.hfov)


@pytest.mark.parametrize('rig', [Rig(), one_camera_rig()], ids=['four', 'one'])
def test_the_bridge_carries_what_the_robot_says_and_hears(rig: Rig) -> None:
    root = ElementTree.fromstring(world(7, rig))
    entries = {entry['gz_topic_name']: entry for entry in bridge_entries(rig)}
    topics = {e.text for tag in ('topic', 'odom_topic', 'camera_info_topic')
              for e in root.iter(tag)}
    assert topics == set(entries) - {'/clock'}
    assert [n for n, e in entries.items() if e['direction'] == 'ROS_TO_GZ'] == ['cmd_vel']
    assert entries['cmd_vel']['ros_type_name'] == 'geometry_msgs/msg/Twist'
    images = {name for name in entries if name.endswith('image_raw')}
    assert images == ({'camera/image_raw'} if len(rig.cameras) == 1 else
                      {f'camera/{camera.name}/image_raw' for camera in rig.cameras})


def test_a_shape_that_sdf_lacks_is_refused_and_names_are_plain() -> None:
    with pytest.raises(ValueError, match="no shape 'mesh'"):
        geometry('mesh', (1.0,))
    assert sdf_name('item/armchair 2') == 'item_armchair_2'


def test_the_command_writes_world_and_bridge(tmp_path: Path, capsys) -> None:
    assert main(['sim-home', '--seed', '7', '--sdf', str(tmp_path / 'gz'), '--start', '2', '2',
                 '0']) == 0
    assert f'wrote {tmp_path}/gz/world.sdf' in capsys.readouterr().out
    root = ElementTree.parse(tmp_path / 'gz' / 'world.sdf').getroot()
    assert root.find('world').get('name') == 'home_0007'
    robot = next(m for m in root.iter('model') if m.get('name') == 'robot')
    assert placed(robot)[:3, 3] == pytest.approx((2.0, 2.0, 0.0))
    assert yaml.safe_load((tmp_path / 'gz' / 'bridge.yaml').read_text()) == bridge_entries(Rig())


CHECK = '''
import ctypes, sys
check = ctypes.CDLL(sys.argv[1]).cmdCheck
check.argtypes, check.restype = [ctypes.c_char_p], ctypes.c_int
sys.exit(check(sys.argv[2].encode()) != 0)
'''


def sdformat() -> str | None:
    """The library of Debian's libsdformat12-12, or of a Gazebo installation."""
    names = (ctypes.util.find_library(f'sdformat{version}') for version in (14, 13, 12))
    return next(filter(None, names), None)


@pytest.mark.skipif(sdformat() is None, reason='no libsdformat is installed '
                    '(Debian: apt-get install libsdformat12-12)')
@pytest.mark.parametrize('seed', SEEDS[:1])
def test_gazebos_own_parser_finds_the_world_valid(seed: int, tmp_path: Path) -> None:
    def valid(text: str) -> bool:
        path = tmp_path / 'world.sdf'
        path.write_text(text, encoding='utf-8')
        return subprocess.run([sys.executable, '-c', CHECK, sdformat(), str(path)],
                              capture_output=True, timeout=60).returncode == 0
    assert valid(world(seed))
    assert not valid(world(seed).replace('left_wheel"', 'lost_wheel"', 1))     # it does look


LOAD = '''
import sys
from pydrake.multibody.parsing import Parser
from pydrake.multibody.plant import AddMultibodyPlantSceneGraph
from pydrake.systems.framework import DiagramBuilder
plant, graph = AddMultibodyPlantSceneGraph(DiagramBuilder(), 0.01)
Parser(plant).AddModels(sys.argv[1])
plant.Finalize()
robot = plant.GetModelInstanceByName('robot')
print(plant.num_model_instances(), plant.num_collision_geometries(),
      plant.CalcTotalMass(plant.CreateDefaultContext(), [robot]))
'''
# Gazebo's own word for the frame, which drake refuses, and the ground: drake 1.51 crashes on a
# plane beside other things that stand still.
NOT_FOR_DRAKE = re.compile(r'<gz_frame_id>.*?</gz_frame_id>|<model name="ground">.*?</model>',
                           re.DOTALL)


@pytest.mark.skipif(importlib.util.find_spec('pydrake') is None, reason='drake is not installed')
def test_drake_loads_the_world(tmp_path: Path) -> None:
    path, text = tmp_path / 'world.sdf', NOT_FOR_DRAKE.sub('', world(7))
    path.write_text(text, encoding='utf-8')
    done = subprocess.run([sys.executable, '-c', LOAD, str(path)], capture_output=True, text=True,
                          env=dict(os.environ), timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    models, collisions, mass = map(float, done.stdout.split())
    root = ElementTree.fromstring(text)
    assert models >= len(list(root.iter('model')))
    assert collisions == len(list(root.iter('collision')))
    assert mass == pytest.approx(15.0 + 2 * 0.4)
