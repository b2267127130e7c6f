"""The speech node, beside those of robot.launch.py or sim.launch.py."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

STANDARD = PathJoinSubstitution([FindPackageShare('nl_robot'), 'config', 'robot.yaml'])
ARGUMENTS = (
    DeclareLaunchArgument('namespace', default_value='',
                          description='Namespace of the node and its topics'),
    DeclareLaunchArgument('params_file', default_value=STANDARD,
                          description='Full path of the parameter file'),
    DeclareLaunchArgument('source', default_value='microphone', choices=['microphone', 'topic'],
                          description='Where sound comes from'),
    DeclareLaunchArgument('log_level', default_value='info',
                          choices=['debug', 'info', 'warn', 'error', 'fatal'],
                          description='Log level of the node'),
)


def generate_launch_description() -> LaunchDescription:
    """Speech alone; it is started again when it ends unasked, and nothing else notices."""
    speech = Node(package='nl_robot', executable='speech_node', name='speech', output='screen',
                  namespace=LaunchConfiguration('namespace'),
                  parameters=[LaunchConfiguration('params_file'),
                              {'source': LaunchConfiguration('source')}],
                  ros_arguments=['--log-level', LaunchConfiguration('log_level')],
                  respawn=True, respawn_delay=2.0)
    return LaunchDescription([*ARGUMENTS, speech])
