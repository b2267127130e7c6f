"""`nl_robot commission` beside a base that stops by itself, and beside one that does not."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from geometry_msgs.msg import Twist
from node_rig import ROOT, Rig


def commission(rig: Rig, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(rig.domain), 'ROS_HOME': str(folder),
                   'PYTHONPATH': str(ROOT)}
    return subprocess.run([sys.executable, '-m', 'nl_robot.cli.main', 'commission', '--robot',
                           'mouse', *arguments], capture_output=True, text=True, cwd=ROOT,
                          env=environment, timeout=60)


@pytest.mark.parametrize(('timeout', 'status', 'reason'), [
    (0.5, 0, ''), (math.inf, 1, 'kept_driving')])
def test_a_base_is_measured_and_the_gate_believes_the_file(rig: Rig, tmp_path: Path,
                                                           timeout: float, status: int,
                                                           reason: str) -> None:
    rig.robot.base_timeout = timeout
    done = commission(rig, tmp_path / 'ros')
    assert done.returncode == status, done.stdout + done.stderr
    result = json.loads((tmp_path / 'ros' / 'nl_robot' / 'commissioned-mouse.json').read_text())
    assert (result['passed'], result['reason']) == (status == 0, reason)
    if status == 0:
        assert 0.4 <= result['stopped_after'] <= 1.0
    fastest = max(v for _, v, _ in rig.robot.record)
    assert fastest == 0.05 and [r[1:] for r in rig.robot.record[-10:]] == [(0.0, 0.0)] * 10
    rig.start('safety_gate', 'real_robot:=true', 'robot:=mouse')    # its ROS_HOME is the same
    if status == 0:
        rig.wait_gate()
    else:
        assert rig.processes['safety_gate'].wait(timeout=15) == 2
        assert 'keeps driving' in rig.log('safety_gate')


def test_it_refuses_to_share_cmd_vel(rig: Rig, tmp_path: Path) -> None:
    rig.robot.node.create_publisher(Twist, 'cmd_vel', 1)
    done = commission(rig, tmp_path / 'ros')
    assert done.returncode == 2 and 'other publisher' in done.stderr
    assert not rig.robot.record
