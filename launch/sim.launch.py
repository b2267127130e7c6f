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
    ('namespace', '', str, 'of all nodes and topics'),
    ('seed', '2000', int, 'of the home'),
    ('rig', 'four_cameras', str, 'four_cameras or one_camera'),
    ('real_time_factor', '1.0', float, 'simulated seconds per second'),
)


def generate_launch_description() -> LaunchDescription:
    """The simulator, and all that robot.launch.py starts; its arguments may be given too."""
    arguments = [DeclareLaunchArgument(name, default_value=default, description=description)
                 for name, default, _, description in ARGUMENTS]
    parameters = {name: ParameterValue(LaunchConfiguration(name), value_type=kind)
                  for name, _, kind, _ in ARGUMENTS if name != 'namespace'}
    simulator = Node(package='nl_robot', executable='sim_node', name='sim', output='screen',
                     namespace=LaunchConfiguration('namespace'), parameters=[parameters])
    robot = IncludeLaunchDescription(PythonLaunchDescriptionSource(PathJoinSubstitution(
        [FindPackageShare('nl_robot'), 'launch', 'robot.launch.py'])))
    return LaunchDescription([*arguments, simulator, robot])
