"""The nodes of nl_robot beside a robot that publishes scan, odom and camera images."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

ARGUMENTS = (
    ('namespace', '', 'of all nodes and topics'),
    ('agent', '', 'checkpoint directory; empty: the one that comes with the package'),
    ('detector', 'embedded', 'embedded, or zero-shot:<path or hub name>'),
    ('stamped', 'false', 'publish TwistStamped instead of Twist on cmd_vel'),
)


def generate_launch_description() -> LaunchDescription:
    """Safety gate, bridge, policy and command."""
    arguments = [DeclareLaunchArgument(name, default_value=default, description=description)
                 for name, default, description in ARGUMENTS]
    words = {name: ParameterValue(LaunchConfiguration(name), value_type=str)
             for name in ('agent', 'detector')}
    stamped = ParameterValue(LaunchConfiguration('stamped'), value_type=bool)
    parameters = {'safety_gate': [{'stamped': stamped}], 'policy': [words]}
    nodes = [Node(package='nl_robot', executable=f'{name}_node', name=name, output='screen',
                  namespace=LaunchConfiguration('namespace'), parameters=parameters.get(name, []))
             for name in ('safety_gate', 'bridge', 'policy', 'command')]
    return LaunchDescription([*arguments, *nodes])
