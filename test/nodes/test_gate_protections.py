"""What else the gate protects from, over real DDS, and each without the protection."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from geometry_msgs.msg import Twist
from node_rig import ROOT, Rig, wait_for
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import LaserScan


def moving(rig: Rig) -> None:
    """Released and really moving."""
    if rig.gate.get('latched') == 'true':
        rig.release()
    rig.wish(0.2)
    wait_for(lambda: rig.robot.moving, 5.0, 'moves')


def gate(rig: Rig, *parameters: str) -> Rig:
    rig.start('safety_gate', *parameters)
    rig.wait_gate()
    return rig


@pytest.mark.parametrize('name', ['safety_gate', 'standby_gate'])
def test_the_process_is_small_single_threaded_and_without_numerical_libraries(
        name: str, tmp_path: Path) -> None:
    shell = {'safety_gate': 'SafetyGate', 'standby_gate': 'StandbyGate'}[name]
    script = f'''
import sys, threading
from nl_robot.nodes import {name} as module, process
import rclpy
rclpy.init(domain_id=231)
shell = module.{shell}()
process._report_health(shell)
executor = rclpy.executors.SingleThreadedExecutor()
executor.add_node(shell.node)
for _ in range(20):
    executor.spin_once(timeout_sec=0.05)
heavy = sorted({{'numpy', 'torch', 'scipy', 'cv2', 'mujoco'}} & set(sys.modules))
print(heavy, threading.active_count(), [n for n in sys.modules if n.startswith('OpenBLAS')])
'''
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True,
                          cwd=ROOT, timeout=60, env={**os.environ, 'PYTHONPATH': str(ROOT)})
    assert done.returncode == 0, done.stderr
    assert done.stdout.split('\n')[0] == '[] 1 []'


ODOMETRY = {'jump': 5.0, 'not_a_number': math.nan}


@pytest.mark.parametrize('fault', ODOMETRY)
def test_odometry_that_cannot_be_stops_within_150_ms(rig: Rig, fault: str) -> None:
    gate(rig)
    latencies = []
    for _ in range(5):
        moving(rig)
        latencies.append(rig.stop_latency(
            lambda: setattr(rig.robot, 'jump', ODOMETRY[fault]), hold=0.2))
        assert rig.gate['fault'] == f'localization_fault:{fault}'
        rig.robot.jump = 0.0
        wait_for(lambda: not rig.gate['fault'], 3.0, 'odometry again')
    print(f'odometry {fault} to zero: worst {max(latencies) * 1e3:.0f} ms of {len(latencies)}')
    assert max(latencies) <= 0.15


def test_silent_odometry_stops_within_550_ms(rig: Rig) -> None:
    gate(rig)
    moving(rig)
    assert rig.stop_latency(lambda: setattr(rig.robot, 'odom_on', False)) <= 0.55
    assert rig.gate['fault'] == 'localization_fault:silent'


class Foreign:
    """Somebody else who commands the base, ten times a second."""

    def __init__(self, rig: Rig) -> None:
        self._publisher = rig.robot.node.create_publisher(Twist, 'cmd_vel', 1)
        wait_for(lambda: self._publisher.get_subscription_count() >= 2, 10.0, 'is heard')

    def push(self, seconds: float) -> None:
        message = Twist()
        message.linear.x = 0.123
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._publisher.publish(message)
            time.sleep(0.05)


def test_a_foreign_publisher_is_a_conflict_and_our_motion_stops(rig: Rig) -> None:
    gate(rig)
    foreign = Foreign(rig)
    moving(rig)
    time.sleep(1.0)
    assert rig.gate['fault'] == ''    # its own velocities are no conflict
    began = time.monotonic()
    foreign.push(0.5)
    assert rig.gate['fault'] == 'conflict'
    ours = [v for t, v, _ in rig.robot.since(began + 0.3) if v != 0.123]
    assert ours and set(ours) == {0.0}
    rig.wish(0.2)
    time.sleep(0.3)
    assert not rig.robot.moving    # not while it lasts
    wait_for(lambda: rig.robot.moving, 3.0, 'moves again')
    forget_the_jumps(rig)


def forget_the_jumps(rig: Rig) -> None:
    """The foreign velocities jump; nothing else may be wrong."""
    assert all('0.123' in complaint for complaint in rig.robot.complaints)
    rig.robot.complaints.clear()


def test_control_without_the_protection_we_drive_on_beside_it(rig: Rig) -> None:
    gate(rig, 'test_without:=["conflict"]')
    foreign = Foreign(rig)
    moving(rig)
    began = time.monotonic()
    foreign.push(0.5)
    assert any(v not in (0.0, 0.123) for _, v, _ in rig.robot.since(began + 0.3))
    forget_the_jumps(rig)


def test_control_without_the_protection_a_jump_does_not_stop(rig: Rig) -> None:
    gate(rig, 'test_without:=["odometry"]')
    moving(rig)
    with pytest.raises(AssertionError, match='no lasting zero'):
        rig.stop_latency(lambda: setattr(rig.robot, 'jump', 5.0), within=0.8)


def test_a_second_copy_is_refused_and_a_killed_one_starts_again_at_once(rig: Rig) -> None:
    gate(rig)
    first = rig.processes['safety_gate']
    rig.start('safety_gate')
    assert rig.processes['safety_gate'].wait(timeout=20) == 3
    assert f'as process {first.pid}' in rig.log('safety_gate')
    assert first.poll() is None
    first.send_signal(signal.SIGKILL)
    first.wait()
    rig.gate = {}
    rig.start('safety_gate')
    wait_for(lambda: rig.gate.get('latched') == 'true', 15.0, 'a new gate')


def set_parameter(rig: Rig, name: str, value: float) -> tuple[bool, str]:
    client = rig.robot.node.create_client(SetParameters, 'safety_gate/set_parameters')
    wait_for(client.service_is_ready, 10.0, 'parameters')
    kind = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
    future = client.call_async(SetParameters.Request(parameters=[Parameter(name=name,
                                                                           value=kind)]))
    wait_for(future.done, 5.0, 'the answer')
    result = future.result().results[0]
    return result.successful, result.reason


def test_limits_are_only_tightened_while_it_may_move(rig: Rig) -> None:
    gate(rig)
    assert set_parameter(rig, 'max_linear', 0.25) == (True, '')
    assert set_parameter(rig, 'max_linear', 0.30) == (True, '')    # still latched
    moving(rig)
    taken, why = set_parameter(rig, 'max_linear', 0.4)
    assert not taken and 'max_linear' in why and 'stop it first' in why
    taken, why = set_parameter(rig, 'stop_distance', 0.3)
    assert not taken and 'stop_distance' in why
    taken, why = set_parameter(rig, 'command_timeout', -1.0)
    assert not taken and 'command_timeout' in why
    rig.wish(0.3)
    time.sleep(0.8)
    assert rig.robot.record[-1][1] == pytest.approx(0.3)
    assert set_parameter(rig, 'max_linear', 0.1) == (True, '')
    time.sleep(0.6)
    assert rig.robot.record[-1][1] == pytest.approx(0.1)
    taken, why = set_parameter(rig, 'rate', 20.0)
    assert not taken and why


@pytest.mark.parametrize(('parameter', 'word'), [
    ('real_robot:=true', 'nl_robot commission --robot robot'), ('max_liner:=0.2', 'max_liner'),
    ('slow_zone:=0.36', 'slow_zone'), ('test_raise:=nothing', 'cmd_vel_raw')])
def test_a_configuration_that_cannot_be_meant_is_refused(rig: Rig, parameter: str, word: str
                                                         ) -> None:
    rig.start('safety_gate', parameter)
    assert rig.processes['safety_gate'].wait(timeout=15) == 2
    assert word in rig.log('safety_gate') and 'Traceback' not in rig.log('safety_gate')


def test_a_scan_that_cannot_be_heard_is_named(rig: Rig) -> None:
    rig.robot.scan_on = False
    quality = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    publisher = rig.robot.node.create_publisher(LaserScan, 'scan', quality)
    rig.robot.node.create_timer(0.1, lambda: publisher.publish(rig.robot.scan_message()))
    rig.start('safety_gate', 'qos_overrides./scan.subscription.reliability:=reliable')
    rig.wait_gate()
    began = time.monotonic()
    wait_for(lambda: rig.gate.get('fault') == 'qos_incompatible:scan', 4.0, 'named')
    assert time.monotonic() - began <= 2.0 + rig.slack(began)
    assert 'quality of service does not fit' in rig.log('safety_gate')


def test_without_the_override_the_same_scan_is_heard(rig: Rig) -> None:
    rig.robot.scan_on = False
    quality = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    publisher = rig.robot.node.create_publisher(LaserScan, 'scan', quality)
    rig.robot.node.create_timer(0.1, lambda: publisher.publish(rig.robot.scan_message()))
    gate(rig)
    wait_for(lambda: rig.gate.get('fault') == '', 4.0, 'heard')
    moving(rig)
