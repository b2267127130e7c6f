"""The parameter files of real robots: every parameter exists, and the nodes start with them."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from node_rig import ROOT
from sensor_msgs.msg import CameraInfo

from nl_robot.nodes.cameras import calibrated
from nl_robot.perception.panorama import Camera
from nl_robot.settings import load_yaml

CLASSES = {'safety_gate': 'SafetyGate', 'bridge': 'Bridge', 'policy': 'Policy', 'sim': 'Sim'}
CHOSEN = {'headings', 'detector'}
"""Not facts about a robot."""
SOON = set() if (ROOT / 'nl_robot/nodes/gate_parameters.py').is_file() else {
    'laser_x', 'laser_y', 'laser_yaw', 'laser_flipped'}
ROBOTS = ('turtlebot4', 'stretch', 'diff_drive', 'one_camera')


PROGRAM = """
import importlib, json, sys
import rclpy
from nl_robot.nodes.process import leave
names = json.loads(sys.argv[1])
for files, nodes in names:
    words = [word for file in files for word in ('--params-file', file)]
    for node, kind in nodes.items():
        rclpy.init(args=['--ros-args', *words])
        made = getattr(importlib.import_module('nl_robot.nodes.' + node), kind)()
        print(files[-1], node, *made.node._parameters, flush=True)
        made.farewell()
        made.node.destroy_node()
        rclpy.shutdown()
sys.exit(leave(0))      # an agent may still be loaded
"""


def test_nodes_take_every_parameter() -> None:
    wanted = {name: {key.rpartition('/')[2]: set(block['ros__parameters']) for key, block in
                     load_yaml(ROOT / 'config' / f'{name}.yaml').items()} for name in ROBOTS}
    jobs = [([str(ROOT / 'config' / f'{file}.yaml') for file in ('robot', name)],
             {node: CLASSES[node] for node in nodes if node in CLASSES})
            for name, nodes in wanted.items()]
    done = subprocess.run([sys.executable, '-c', PROGRAM, json.dumps(jobs)], cwd=ROOT,
                          env={**os.environ, 'ROS_DOMAIN_ID': '231'}, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == sum(len(nodes) for _, nodes in jobs)
    for file, node, *declared in lines:
        missing = wanted[Path(file).stem][node] - set(declared) - SOON
        assert not missing, f'{file}: {node} has no {missing}'


@pytest.mark.parametrize('name', ROBOTS[:3])
def test_limits_agree_with_each_other(name: str) -> None:
    values = {node.rpartition('/')[2]: block['ros__parameters'] for node, block in
              load_yaml(ROOT / 'config' / f'{name}.yaml').items()}
    gate, bridge, policy = values['safety_gate'], values['bridge'], values['policy']
    assert bridge['max_linear'] <= gate['max_linear'] <= 0.306
    assert bridge['robot_radius'] == gate['robot_radius']
    lasers = [{key: value for key, value in block.items() if key.startswith('laser')}
              for block in (gate, bridge, policy)]
    assert lasers[0] == lasers[1] == lasers[2] != {}
    steps = sorted(policy['headings'])
    gaps = [b - a for a, b in zip(steps, [*steps[1:], steps[0] + 360.0])]
    assert max(gaps) <= policy['camera_hfov']       # it sees all around
    assert len(policy['cameras']) == len(policy['image_topics']) == len(policy['camera_yaws'])


def test_each_value_of_a_named_robot_has_a_source() -> None:
    for name in ('turtlebot4', 'stretch'):
        text = (ROOT / 'config' / f'{name}.yaml').read_text(encoding='utf-8')
        head, _, body = text.partition('\n/**/')
        for key in set(re.findall(r'^    (\w+):', body, re.MULTILINE)) - CHOSEN:
            topic = 'laser' if key.startswith('laser_') else key
            topic = 'camera' if key.startswith(('camera', 'image')) else topic
            assert re.search(rf'^#   {topic}\b', head, re.MULTILINE), f'{name}: {key}'


def test_a_camera_on_its_side_is_calibrated_for_pictures_that_were_turned() -> None:
    info = CameraInfo(width=1280, height=720)
    info.k[0] = info.k[4] = 912.0
    plain = calibrated(Camera('front', 0.0, 1.3, 0.0, 1.0, 160, 120), info)
    assert (plain.width, plain.image_height) == (1280, 720)
    assert math.degrees(plain.hfov) == pytest.approx(70.1, abs=0.1)
    turned = calibrated(Camera('front', 0.0, 1.3, 0.0, 1.0, 720, 1280), info)
    assert (turned.width, turned.image_height) == (720, 1280)
    assert math.degrees(turned.hfov) == pytest.approx(43.1, abs=0.1)
    square = CameraInfo(width=250, height=250)
    square.k[0] = 200.0
    assert calibrated(turned, square).width == 250
    assert calibrated(turned, CameraInfo()) is turned

