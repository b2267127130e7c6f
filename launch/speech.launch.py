"""The speech node, beside those of robot.launch.py or sim.launch.py."""

from __future__ import annotations

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from nl_robot.launching import common_arguments, node, sim_time

ARGUMENTS = (
    DeclareLaunchArgument('source', default_value='', choices=('', 'microphone', 'topic'),
                          description='Where sound comes from; as in the parameter files, unless '
                                      'given'),
)


def start(context: LaunchContext) -> list[Node]:
    """The speech node."""
    source = LaunchConfiguration('source').perform(context)
    return [node('speech', {'use_sim_time': sim_time(), **({'source': source} if source else {})})]


def generate_launch_description() -> LaunchDescription:
    """Speech alone; it is started again when it ends unasked, and nothing else notices."""
    return LaunchDescription([*common_arguments(use_respawn='true'), *ARGUMENTS,
                              OpaqueFunction(function=start)])
