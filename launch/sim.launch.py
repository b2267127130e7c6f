"""The simulated robot in a generated home, and the nodes of nl_robot beside it."""

from __future__ import annotations

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from nl_robot.launching import node, sim_time_argument

ARGUMENTS = (
    ('seed', '2000', int, 'Seed of the home: 2000 to 2049 are homes never trained on'),
    ('real_time_factor', '1.0', float, 'Simulated seconds per second'),
    ('clock', 'true', bool, 'Whether it publishes /clock: of several robots only one may'),
)


def generate_launch_description() -> LaunchDescription:
    """All that robot.launch.py starts, with its arguments, and the simulator."""
    robot = IncludeLaunchDescription(PythonLaunchDescriptionSource(
        PathJoinSubstitution([FindPackageShare('nl_robot'), 'launch', 'robot.launch.py'])))
    arguments = [DeclareLaunchArgument(name, default_value=default, description=description)
                 for name, default, _, description in ARGUMENTS]
    simulator = node('sim', {name: ParameterValue(LaunchConfiguration(name), value_type=kind)
                             for name, _, kind, _ in ARGUMENTS})
    return LaunchDescription([*arguments, sim_time_argument('true'), robot, simulator])
