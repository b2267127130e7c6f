"""The doctor before a robot that has all, lacks something, or speaks another type."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import rclpy
from geometry_msgs.msg import TwistStamped
from node_rig import ROOT, Rig, wait_for
from rclpy.node import Node
from sensor_msgs.msg import LaserScan

from nl_robot.cli.doctor import read_parameters
from nl_robot.cli.doctor_machine import (
    checkpoint_finding,
    disk_finding,
    domain_finding,
    driver_findings,
    transport_finding,
)
from nl_robot.cli.findings import Finding
from nl_robot.cli.main import main


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.close()


def doctor(rig: Rig, *arguments: str) -> tuple[int, dict[str, Finding]]:
    """Exit status and findings by name."""
    done = subprocess.run(
        [sys.executable, '-m', 'nl_robot.cli.main', 'doctor', '--json', '--seconds', '1.5',
         *arguments], env={**os.environ, 'ROS_DOMAIN_ID': str(rig.domain),
                           'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'PYTHONPATH': str(ROOT)},
        capture_output=True, text=True, timeout=90, cwd=ROOT)
    assert 'Traceback' not in done.stderr, done.stderr
    found = [Finding(**item) for item in json.loads(done.stdout)]
    assert all(finding.todo for finding in found if finding.state == 'missing')
    return done.returncode, {finding.name: finding for finding in found}


def test_a_whole_robot_is_well_and_diagnostics_hear_it(rig: Rig) -> None:
    rig.start('safety_gate')
    rig.wait_gate()
    for _ in range(4):
        status, found = doctor(rig, '--seconds', '3')
        missed = [f for f in found.values() if f.state == 'missing']
        slow = any('slows it down' in f.todo for f in missed)
        if not slow and 'policy' in found['nodes'].says:
            break   # else this machine is too busy to keep the rates, or to tell of all nodes yet
    assert (status, missed) == (0, [])
    assert found['scan'].says.startswith('LaserScan at ') and 'Hz' in found['scan'].says
    rate = float(found['odom'].says.split(' at ')[1].split()[0])
    assert 20.0 < rate < 120.0 and 'frame odom' in found['odom'].says
    assert '/fake_robot' in found['cmd_vel'].says and found['clocks'].state == 'ok'
    assert found['nodes'].state == 'note' and 'policy' in found['nodes'].says
    wait_for(lambda: rig.health.get('nl_robot doctor: scan') == found['scan'].says, 2.0,
             'its diagnostics')


def test_what_is_silent_of_another_type_or_past_the_gate_is_named(rig: Rig) -> None:
    rig.robot.scan_on = rig.robot.images_on = False
    context = rclpy.Context()   # of its own: a participant knows one type for a name
    rclpy.init(context=context, domain_id=rig.domain)
    intruder = Node('intruder', context=context)
    intruder.create_publisher(TwistStamped, 'cmd_vel', 1)
    intruder.create_publisher(LaserScan, 'odom', 1)
    try:
        status, found = doctor(rig)
    finally:
        intruder.destroy_node()
        rclpy.shutdown(context=context)
    assert status == 1
    assert found['scan'].says == '/fake_robot publishes /scan, but nothing comes'
    assert found['cmd_vel'].says == ('/intruder publishes /cmd_vel as TwistStamped, /fake_robot '
                                     'listens for Twist')
    assert found['odom'].state == 'ok'      # the right one was heard beside the wrong one


def test_without_a_robot_it_says_what_to_start(tmp_path: Path, rig: Rig) -> None:
    status, found = doctor(rig, '--namespace', 'elsewhere', '--seconds', '0.5')
    assert status == 1 and found['scan'].says == 'nobody publishes /elsewhere/scan'
    assert found['cmd_vel'].says == 'no base listens to /elsewhere/cmd_vel'
    assert 'robot.launch.py' in found['nodes'].todo


def test_the_machine_alone_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['doctor', '--machine']) == 0
    text = capsys.readouterr().out
    for name in ('python', 'ros', 'domain', 'agent', 'detector', 'disk', 'renderer', 'driver'):
        assert f'{name}: ' in text, text
    assert 'weights ' in text and 'MISSING' not in text


def test_a_changed_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / 'policy.safetensors').write_bytes(b'weights')
    digest = '9af2b8e8f6e4f2b3a3d0d0ed6e9b0a1f'
    (tmp_path / 'manifest.json').write_text(json.dumps({'policy.safetensors': digest}))
    found = checkpoint_finding(tmp_path)
    assert found.state == 'missing' and 'policy.safetensors in' in found.says
    assert checkpoint_finding(tmp_path / 'nowhere').state == 'missing'
    (tmp_path / 'manifest.json').write_text('[]')
    assert checkpoint_finding(tmp_path).state == 'missing'


@pytest.mark.parametrize(('variables', 'state'), [
    ({}, 'ok'), ({'ROS_DOMAIN_ID': '42'}, 'ok'), ({'ROS_DOMAIN_ID': '233'}, 'missing'),
    ({'ROS_DOMAIN_ID': 'home'}, 'missing'), ({'ROS_LOCALHOST_ONLY': '1'}, 'note'),
    ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}, 'note')])
def test_domains(variables: dict[str, str], state: str) -> None:
    assert domain_finding(variables).state == state


def test_transports() -> None:
    assert transport_finding({}).state == 'ok'
    assert transport_finding({'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'}).state == 'ok'
    assert '/my.xml' in transport_finding({'FASTRTPS_DEFAULT_PROFILES_FILE': '/my.xml'}).says
    found = transport_finding({'FASTDDS_BUILTIN_TRANSPORTS': 'SHM'})
    assert found.state == 'note' and 'unset it' in found.todo


def test_drivers_and_disk() -> None:
    assert driver_findings({'bridge': {'driver': 'legs'}})[0].state == 'missing'
    assert [f.state for f in driver_findings({})][0] == 'ok'
    assert disk_finding(Path('/')).says.endswith('GB free at /')
    assert math.isfinite(float(disk_finding(Path('/')).says.split()[0]))


def test_a_file_that_holds_no_parameters_is_refused(tmp_path: Path, capsys) -> None:
    (tmp_path / 'x.yaml').write_text('- 1\n')
    assert main(['doctor', '--machine', '--params-file', str(tmp_path / 'x.yaml')]) == 2
    assert 'is no parameter file' in capsys.readouterr().err
    assert read_parameters(None)['bridge']['rate'] == 20.0
