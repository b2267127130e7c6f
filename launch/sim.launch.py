"""The simulated robot in a generated home, and the nodes of nl_robot beside it."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

ARGUMENTS = (
    ('seed', '2000', int, 'of the home'),
    ('real_time_factor', '1.0', float, 'simulated seconds per second'),
)


def generate_launch_description() -> LaunchDescription:
    """All that robot.launch.py starts, with its arguments, and the simulator."""
    share = FindPackageShare('nl_robot')
    arguments = [DeclareLaunchArgument(name, default_value=default, description=description)
                 for name, default, _, description in ARGUMENTS]
    parameters = {name: ParameterValue(LaunchConfiguration(name), value_type=kind)
                  for name, _, kind, _ in ARGUMENTS}
    robot = IncludeLaunchDescription(PythonLaunchDescriptionSource(
        PathJoinSubstitution([share, 'launch', 'robot.launch.py'])))
    simulator = Node(package='nl_robot', executable='sim_node', name='sim', output='screen',
                     namespace=LaunchConfiguration('namespace'),
                     parameters=[LaunchConfiguration('more_params'), parameters])
    return LaunchDescription([*arguments, robot, simulator])
