"""The launch files under launch_pytest: nodes get ready, a command runs, all end with status 0.

adapt.launch.py starts one node beside these, and is tested in test_launch.py.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

launch_pytest = pytest.importorskip('launch_pytest', reason='it comes with ROS 2, not as a wheel')
from launch import LaunchDescription  # noqa: E402
from launch.actions import (  # noqa: E402
    ExecuteProcess,
    IncludeLaunchDescription,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit  # noqa: E402
from launch.launch_description_sources import AnyLaunchDescriptionSource  # noqa: E402
from launch_pytest.tools import process as tools  # noqa: E402

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[1]
sys.path.insert(0, str(HERE))

import stand_ins  # noqa: E402

DOMAINS = itertools.count()
ASK = '''
import sys, time
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String
rclpy.init()
node, heard = rclpy.create_node('people'), []
quality = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)
node.create_subscription(DiagnosticStatus, 'status', lambda m: heard.append(
    {v.key: v.value for v in m.values}), quality)
say = node.create_publisher(String, 'command', 10)
def wait(found):
    until = time.monotonic() + 90.0
    while not (hits := [v for v in heard if found(v)]):
        rclpy.spin_once(node, timeout_sec=0.1)
        if time.monotonic() > until:
            sys.exit(f'waited in vain, heard {heard[-1:]}')
    return hits[0]
wait(lambda v: v['text'] == 'Ready.')
heard.clear()
say.publish(String(data='drive 1'))
end = wait(lambda v: v['state'] in ('succeeded', 'failed', 'blocked', 'rejected'))
print('the command ended:', end['state'], end['reason'])
'''


@launch_pytest.fixture(params=['sim.launch.py', 'robot.launch.py', 'gazebo.launch.py'])
def description(request: pytest.FixtureRequest, tmp_path: Path):
    """The launch file with the scripted agent, a simulated robot, and somebody who commands it."""
    stand_ins.install(tmp_path / 'stand_ins')
    scripted = tmp_path / 'scripted.yaml'
    scripted.write_text('/**/policy:\n  ros__parameters:\n'
                        '    agent: python:scripted_agents:agent\n'
                        '    detector: python:scripted_agents:detector\n', encoding='utf-8')
    path = os.pathsep.join(filter(None, (str(TREE / 'test' / 'nodes'),
                                         os.environ.get('PYTHONPATH'))))
    prefixes = os.pathsep.join([str(tmp_path / 'stand_ins'),
                                os.environ.get('AMENT_PREFIX_PATH') or sys.prefix])
    variables = {'PYTHONPATH': path, 'AMENT_PREFIX_PATH': prefixes, 'OMP_NUM_THREADS': '1',
                 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
                 'ROS_DOMAIN_ID': str(1 + (os.getpid() * 11 + 17 * next(DOMAINS)) % 230)}
    robot = [ExecuteProcess(cmd=[sys.executable, '-m', 'nl_robot.nodes.sim'])]
    person = ExecuteProcess(cmd=[sys.executable, '-c', ASK], cached_output=True)
    ended: dict[str, int] = {}
    note = OnProcessExit(on_exit=lambda event, _: ended.update({event.process_name:
                                                                event.returncode}))
    return LaunchDescription([
        *(SetEnvironmentVariable(*pair) for pair in variables.items()),
        RegisterEventHandler(note), *(robot if request.param == 'robot.launch.py' else []),
        IncludeLaunchDescription(AnyLaunchDescriptionSource(str(TREE / 'launch' / request.param)),
                                 launch_arguments=[('more_params_file', str(scripted)),
                                                   ('use_sim_time', 'true')]),
        person, launch_pytest.actions.ReadyToTest()]), person, ended


@pytest.mark.launch(fixture=description)
def test_a_command_runs_to_its_end_and_every_process_ends_with_status_0(
        description, launch_context) -> Iterator[None]:
    _, person, ended = description
    tools.wait_for_exit_sync(launch_context, person, timeout=180)
    tools.assert_output_sync(launch_context, person, says_success, timeout=5)
    yield
    nodes = {name.partition('_node-')[0] for name in ended if '_node-' in name}
    assert nodes >= {'safety_gate', 'bridge', 'policy', 'command'}
    assert {name: status for name, status in ended.items() if status} == {}


def says_success(output: str) -> None:
    assert 'the command ended: succeeded' in output, output
