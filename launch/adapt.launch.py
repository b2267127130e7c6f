"""The robot teaches itself a home: beside robot.launch.py, sim.launch.py or gazebo.launch.py."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_prefix
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from nl_robot.launching import common_arguments, node, sim_time

ARGUMENTS = (
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
    return [node('adaptation', {'use_sim_time': sim_time(), **({'home': home} if home else {})})]


def generate_launch_description() -> LaunchDescription:
    """The adaptation node with its arguments."""
    return LaunchDescription([*common_arguments(), *ARGUMENTS, OpaqueFunction(function=start)])
