"""What the launch files share: arguments named as in Nav2's, and nodes that obey them.

launch and launch_ros come with ROS 2 and not as wheels; nothing but the files in launch/ imports
this.
"""

from __future__ import annotations

from typing import Any

from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

YES_OR_NO = ('true', 'false', 'True', 'False')
LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')
STANDARD = PathJoinSubstitution([FindPackageShare('nl_robot'), 'config', 'robot.yaml'])


def common_arguments(use_respawn: str = 'false') -> tuple[DeclareLaunchArgument, ...]:
    """The arguments of every launch file that starts nodes.

    :param use_respawn: its default
    """
    return (
        DeclareLaunchArgument('namespace', default_value='',
                              description='Namespace of all nodes and topics'),
        DeclareLaunchArgument('params_file', default_value=STANDARD,
                              description='Full path of the parameter file'),
        DeclareLaunchArgument('more_params_file', default_value=LaunchConfiguration('params_file'),
                              description='Full path of a second parameter file, read after the '
                                          'first: what stands in it counts'),
        sim_time_argument('false'),
        DeclareLaunchArgument('log_level', default_value='info', choices=LEVELS,
                              description='Log level of all nodes'),
        DeclareLaunchArgument('use_respawn', default_value=use_respawn, choices=YES_OR_NO,
                              description='Whether a node that ends unasked starts again 2 s '
                                          'later'))


def sim_time_argument(default: str) -> DeclareLaunchArgument:
    """`use_sim_time`; a file that brings a simulator declares it first, as true."""
    return DeclareLaunchArgument('use_sim_time', default_value=default, choices=YES_OR_NO,
                                 description='Whether nodes take the time from /clock')


def sim_time() -> ParameterValue:
    """The parameter `use_sim_time` as the argument wants it."""
    return ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)


def node(name: str, parameters: dict[str, Any], **more: Any) -> Node:
    """A node of nl_robot by the common arguments.

    :param parameters: what counts above the parameter files
    :param more: of launch_ros' Node
    """
    return Node(package='nl_robot', executable=f'{name}_node', name=name, output='screen',
                namespace=LaunchConfiguration('namespace'),
                parameters=[LaunchConfiguration('params_file'),
                            LaunchConfiguration('more_params_file'), parameters],
                ros_arguments=['--log-level', LaunchConfiguration('log_level')],
                respawn=LaunchConfiguration('use_respawn'), respawn_delay=2.0,
                sigterm_timeout='20', **more)   # an agent takes seconds to be unloaded
