"""The nodes of nl_robot beside a robot that publishes scan, odom and camera images."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

NODES = ('safety_gate', 'bridge', 'policy', 'command', 'adaptation')
STANDARD = PathJoinSubstitution([FindPackageShare('nl_robot'), 'config', 'robot.yaml'])
LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')
YES_OR_NO = ('true', 'false', 'True', 'False')
ARGUMENTS = (
    DeclareLaunchArgument('namespace', default_value='',
                          description='Namespace of all nodes and topics'),
    DeclareLaunchArgument('params_file', default_value=STANDARD,
                          description='Full path of the parameter file'),
    DeclareLaunchArgument('more_params_file', default_value=LaunchConfiguration('params_file'),
                          description='Full path of a second parameter file, read after the '
                                      'first: what stands in it counts'),
    DeclareLaunchArgument('use_sim_time', default_value='false', choices=YES_OR_NO,
                          description='Whether nodes take the time from /clock'),
    DeclareLaunchArgument('log_level', default_value='info', choices=LEVELS,
                          description='Log level of all nodes'),
    DeclareLaunchArgument('use_respawn', default_value='false', choices=YES_OR_NO,
                          description='Whether a node that ends unasked starts again 2 s later'),
)


def node(name: str) -> Node:
    """One node with the parameters, and as the arguments want it."""
    sim_time = ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)
    return Node(package='nl_robot', executable=f'{name}_node', name=name, output='screen',
                namespace=LaunchConfiguration('namespace'),
                parameters=[LaunchConfiguration('params_file'),
                            LaunchConfiguration('more_params_file'), {'use_sim_time': sim_time}],
                ros_arguments=['--log-level', LaunchConfiguration('log_level')],
                respawn=LaunchConfiguration('use_respawn'), respawn_delay=2.0,
                sigterm_timeout='20')  # an agent takes seconds to be unloaded


def generate_launch_description() -> LaunchDescription:
    """Safety gate, bridge, policy, command and adaptation."""
    return LaunchDescription([*ARGUMENTS, *map(node, NODES)])
