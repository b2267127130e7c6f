"""A generated home in Gazebo Harmonic with the robot, the bridge, and the nodes of nl_robot."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from nl_robot.launching import YES_OR_NO, sim_time, sim_time_argument

NEEDED = ('ros_gz_sim', 'ros_gz_bridge')
ARGUMENTS = (
    DeclareLaunchArgument('seed', default_value='7', description='Seed of the home'),
    DeclareLaunchArgument('rig', default_value='four_cameras',
                          choices=('four_cameras', 'one_camera'),
                          description='Which robot; with one_camera give the nodes '
                                      'more_params_file:=.../config/one_camera.yaml, too'),
    DeclareLaunchArgument('headless', default_value='false', choices=YES_OR_NO,
                          description='Whether Gazebo runs without a window'),
    DeclareLaunchArgument('world_dir', default_value='',
                          description='Folder for the world; a temporary one, unless given'),
    sim_time_argument('true'),
)


def build(context: LaunchContext) -> list[object]:
    """Write the world; when that is done, start Gazebo and the bridge.

    :raises ValueError: a package of Gazebo's is not installed
    """
    for name in NEEDED:
        try:
            get_package_share_directory(name)
        except LookupError as error:
            raise ValueError(f'gazebo.launch.py needs {name}, which is not installed: type sudo '
                             'apt install ros-$ROS_DISTRO-ros-gz; sim.launch.py does without'
                             ) from error
    folder = Path(LaunchConfiguration('world_dir').perform(context)
                  or tempfile.mkdtemp(prefix='nl_robot_home_'))
    writer = ExecuteProcess(name='sim_home', output='screen', cmd=[
        'nl_robot', 'sim-home', '--seed', LaunchConfiguration('seed'), '--rig',
        LaunchConfiguration('rig'), '--sdf', str(folder)])
    headless = LaunchConfiguration('headless').perform(context).lower() == 'true'
    gazebo = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(PathJoinSubstitution(
            [FindPackageShare('ros_gz_sim'), 'launch', 'gz_sim.launch.py'])),
        launch_arguments=[('gz_args', f'-r {"-s " if headless else ""}{folder / "world.sdf"}'),
                          ('on_exit_shutdown', 'true')])
    bridge = Node(package='ros_gz_bridge', executable='parameter_bridge', name='gz_bridge',
                  namespace=LaunchConfiguration('namespace'), output='screen',
                  parameters=[{'config_file': str(folder / 'bridge.yaml'),
                               'expand_gz_topic_names': False,
                               'use_sim_time': sim_time()}],
                  respawn=LaunchConfiguration('use_respawn'), respawn_delay=2.0)
    return [writer, RegisterEventHandler(OnProcessExit(
        target_action=writer,
        on_exit=lambda event, _: [gazebo, bridge] if event.returncode == 0 else []))]


def generate_launch_description() -> LaunchDescription:
    """All that robot.launch.py starts, with its arguments, and Gazebo in the place of a robot."""
    robot = IncludeLaunchDescription(PythonLaunchDescriptionSource(
        PathJoinSubstitution([FindPackageShare('nl_robot'), 'launch', 'robot.launch.py'])))
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=build), robot])
