"""The robot teaches itself a home: beside robot.launch.py, sim.launch.py or gazebo.launch.py."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_prefix
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

STANDARD = PathJoinSubstitution([FindPackageShare('nl_robot'), 'config', 'robot.yaml'])
YES_OR_NO = ('true', 'false', 'True', 'False')
ARGUMENTS = (
    DeclareLaunchArgument('namespace', default_value='',
                          description='Namespace of the robot'),
    DeclareLaunchArgument('params_file', default_value=STANDARD,
                          description='Full path of the parameter file'),
    DeclareLaunchArgument('more_params_file', default_value=LaunchConfiguration('params_file'),
                          description='Full path of a second parameter file, read after the '
                                      'first: what stands in it counts'),
    DeclareLaunchArgument('use_sim_time', default_value='false', choices=YES_OR_NO,
                          description='Whether the node takes the time from /clock'),
    DeclareLaunchArgument('log_level', default_value='info',
                          choices=('debug', 'info', 'warn', 'error', 'fatal'),
                          description='Log level of the node'),
    DeclareLaunchArgument('use_respawn', default_value='false', choices=YES_OR_NO,
                          description='Whether the node starts again 2 s after it ended unasked'),
    DeclareLaunchArgument('home', default_value='',
                          description='Name of the home the robot is in; as in the parameter '
                                      'files, unless given'),
)


def start(context: LaunchContext) -> list[Node]:
    """The adaptation node.

    :raises ValueError: it is not part of this installation
    """
    program = Path(get_package_prefix('nl_robot'), 'lib', 'nl_robot', 'adaptation_node')
    if not program.exists():
        raise ValueError('this installation of nl_robot has no adaptation_node: build it anew')
    home = LaunchConfiguration('home').perform(context)
    sim_time = ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)
    return [Node(package='nl_robot', executable='adaptation_node', name='adaptation',
                 namespace=LaunchConfiguration('namespace'), output='screen',
                 parameters=[LaunchConfiguration('params_file'),
                             LaunchConfiguration('more_params_file'),
                             {'use_sim_time': sim_time, **({'home': home} if home else {})}],
                 ros_arguments=['--log-level', LaunchConfiguration('log_level')],
                 respawn=LaunchConfiguration('use_respawn'), respawn_delay=2.0,
                 sigterm_timeout='20')]


def generate_launch_description() -> LaunchDescription:
    """The adaptation node with its arguments."""
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=start)])
