"""The nodes of nl_robot beside a robot that publishes scan, odom and camera images."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

NODES = ('safety_gate', 'bridge', 'policy', 'command')


def generate_launch_description() -> LaunchDescription:
    """Safety gate, bridge, policy and command."""
    standard = PathJoinSubstitution([FindPackageShare('nl_robot'), 'config', 'robot.yaml'])
    arguments = [
        DeclareLaunchArgument('namespace', default_value='', description='of nodes and topics'),
        DeclareLaunchArgument('params', default_value=standard, description='parameter file'),
        DeclareLaunchArgument('more_params', default_value=standard,
                              description='a second file; what stands in it counts'),
    ]
    parameters = [LaunchConfiguration('params'), LaunchConfiguration('more_params')]
    nodes = [Node(package='nl_robot', executable=f'{name}_node', name=name, output='screen',
                  namespace=LaunchConfiguration('namespace'), parameters=parameters)
             for name in NODES]
    return LaunchDescription([*arguments, *nodes])
