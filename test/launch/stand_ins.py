"""Packages of Gazebo and Nav2 as the launch files see them, where those are not installed.

Their launch files start what speaks the same topics: the embedded simulator for Gazebo, the tests'
own action server for Nav2; the bridge's program reads its configuration and waits.
"""

from __future__ import annotations

import sys
from pathlib import Path

NODES = Path(__file__).resolve().parents[1] / 'nodes'
GZ_SIM = '''
import sys
from pathlib import Path
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
def start(context):
    words = LaunchConfiguration('gz_args').perform(context).split()
    world = Path(words[-1]).read_text()
    print('gazebo:', *words[:-1], 'home_0007' in world and 'name="robot"' in world, flush=True)
    return [Node(package='nl_robot', executable='sim_node', name='sim',
                 namespace=LaunchConfiguration('namespace'), parameters=[{'seed': 7}],
                 sigterm_timeout='20')]
def generate_launch_description():
    return LaunchDescription([
        DeclareLaunchArgument('gz_args'), DeclareLaunchArgument('on_exit_shutdown'),
        OpaqueFunction(function=start)])
'''
BRIDGE = f'''#!{sys.executable}
import signal, sys, threading, yaml
parameters, = yaml.safe_load(open(sys.argv[sys.argv.index('--params-file') + 1])).values()
config = parameters['ros__parameters']['config_file']
print('bridge:', len(yaml.safe_load(open(config))), 'topics', flush=True)
ended = threading.Event()
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: ended.set())
ended.wait()
'''
NAVIGATION = f'''
import sys, yaml
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch.substitutions import LaunchConfiguration
def start(context):
    values = yaml.safe_load(open(LaunchConfiguration('params_file').perform(context)))
    out = values['collision_monitor']['ros__parameters']['cmd_vel_out_topic']
    print('nav2:', out, flush=True)
    return [ExecuteProcess(cmd=[sys.executable, {str(NODES / "fake_nav2.py")!r}, 'obey'],
                           output='screen')]
def generate_launch_description():
    return LaunchDescription([
        *(DeclareLaunchArgument(name) for name in
          ('params_file', 'namespace', 'use_sim_time', 'use_respawn', 'log_level')),
        OpaqueFunction(function=start)])
'''


def install(prefix: Path) -> None:
    """Lay the packages out under `prefix`, for AMENT_PREFIX_PATH."""
    files = {'share/ros_gz_sim/launch/gz_sim.launch.py': GZ_SIM,
             'lib/ros_gz_bridge/parameter_bridge': BRIDGE,
             'share/ros_gz_bridge/package.xml': '',
             'share/nav2_bringup/launch/navigation_launch.py': NAVIGATION}
    for name in ('ros_gz_sim', 'ros_gz_bridge', 'nav2_bringup'):
        files[f'share/ament_index/resource_index/packages/{name}'] = ''
    for name, text in files.items():
        path = prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding='utf-8')
    (prefix / 'lib/ros_gz_bridge/parameter_bridge').chmod(0o755)
