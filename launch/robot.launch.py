"""The nodes of nl_robot beside a robot that publishes scan, odom and camera images."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml
from ament_index_python.packages import get_package_prefix, get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from nl_robot.launching import YES_OR_NO, common_arguments, node, sim_time

NODES = ('safety_gate', 'standby_gate', 'bridge', 'policy', 'command')
BY_WISH = {'speech': 'speech', 'adaptation': 'adaptation'}
"""Nodes that an argument of the launch file switches on: argument to node."""
OWN = 'as in the parameter files, unless given'
ARGUMENTS = (
    DeclareLaunchArgument('driver', default_value='', choices=('', 'velocity', 'nav2', 'mock'),
                          description=f'What moves the robot to a waypoint; {OWN}'),
    DeclareLaunchArgument('detector', default_value='',
                          description='embedded, zero-shot:MODEL, or topic for detections of your '
                                      f'own on camera/NAME/detections; {OWN}'),
    DeclareLaunchArgument('image_topics', default_value='',
                          description='One image topic for each camera, with commas between, '
                                      f'camera_info beside each; {OWN}'),
    DeclareLaunchArgument('scan_topic', default_value='scan',
                          description='Topic of the laser'),
    DeclareLaunchArgument('odom_topic', default_value='odom',
                          description='Topic of the odometry'),
    DeclareLaunchArgument('cmd_vel_topic', default_value='cmd_vel',
                          description='Topic of the base; the gate alone publishes it'),
    DeclareLaunchArgument('stamped', default_value='', choices=('', *YES_OR_NO),
                          description=f'Whether the base wants TwistStamped; {OWN}'),
    DeclareLaunchArgument('real_robot', default_value='', choices=('', *YES_OR_NO),
                          description='Whether the base is a real one, which the gate lets move '
                                      f'only when it was commissioned; {OWN}'),
    DeclareLaunchArgument('robot', default_value='',
                          description=f'Name under which it was commissioned; {OWN}'),
    DeclareLaunchArgument('speech', default_value='false', choices=YES_OR_NO,
                          description='Whether to listen, too, to what its parameter source says'),
    DeclareLaunchArgument('adaptation', default_value='false', choices=YES_OR_NO,
                          description='Whether the robot can be asked to teach itself its home'),
    DeclareLaunchArgument('nav2_params_file', default_value='',
                          description='Full path of Nav2 parameters: starts Nav2, too, with its '
                                      'velocities sent to the bridge (for driver:=nav2)'),
)


def robot_node(name: str, wishes: dict[str, object]) -> Node:
    """One node with the parameters and topics that the arguments want."""
    topics = [(topic, LaunchConfiguration(f'{topic}_topic')) for topic in
              ('scan', 'odom', 'cmd_vel')]
    return node(name, {'use_sim_time': sim_time(), **wishes},
                remappings=[*topics, ('/tf', 'tf'), ('/tf_static', 'tf_static')])


def is_installed(name: str) -> bool:
    """Whether the package has the program of that node."""
    return Path(get_package_prefix('nl_robot'), 'lib', 'nl_robot', f'{name}_node').exists()


def wishes_of(context: LaunchContext) -> dict[str, dict[str, object]]:
    """Parameters that arguments set, node by node."""
    given = {name: LaunchConfiguration(name).perform(context)
             for name in ('driver', 'detector', 'image_topics', 'stamped', 'real_robot', 'robot')}
    stamped, real = ({name: given[name].lower() == 'true'} if given[name] else {}
                     for name in ('stamped', 'real_robot'))
    robot = {'robot': given['robot']} if given['robot'] else {}
    return {'bridge': {'driver': given['driver']} if given['driver'] else {},
            'safety_gate': {**stamped, **real, **robot}, 'standby_gate': stamped,
            'policy': {**({'detector': given['detector']} if given['detector'] else {}),
                       **({'image_topics': given['image_topics'].split(',')}
                          if given['image_topics'] else {})}}


def start_nodes(context: LaunchContext) -> list[object]:
    """All nodes that are installed and wanted."""
    wanted = [*NODES, *(name for argument, name in BY_WISH.items()
                        if LaunchConfiguration(argument).perform(context).lower() == 'true')]
    wishes = wishes_of(context)
    return [robot_node(name, wishes.get(name, {})) if is_installed(name) else
            LogInfo(msg=f'{name}_node is not part of this installation and is left out')
            for name in wanted]


def start_nav2(context: LaunchContext) -> list[object]:
    """Nav2, if its parameters are given, with the end of its chain of velocities renamed.

    :raises ValueError: it is wanted and not installed, or has no collision monitor
    """
    path = LaunchConfiguration('nav2_params_file').perform(context)
    if not path:
        return []
    try:
        bringup = Path(get_package_share_directory('nav2_bringup'))
    except LookupError as error:
        raise ValueError('nav2_params_file needs Nav2, which is not installed: type sudo apt '
                         'install ros-$ROS_DISTRO-navigation2 ros-$ROS_DISTRO-nav2-bringup'
                         ) from error
    parameters = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    try:
        parameters['collision_monitor']['ros__parameters']['cmd_vel_out_topic'] = 'cmd_vel_nav2'
    except (KeyError, TypeError) as error:
        raise ValueError(f'{path} has no collision_monitor, which ends the chain of Nav2: its '
                         'velocities could not be sent to the bridge') from error
    with tempfile.NamedTemporaryFile('w', suffix='.yaml', delete=False) as file:
        yaml.safe_dump(parameters, file)
    names = ('namespace', 'use_sim_time', 'use_respawn', 'log_level')
    return [IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(bringup / 'launch' / 'navigation_launch.py')),
        launch_arguments=[('params_file', file.name),
                          *((name, LaunchConfiguration(name)) for name in names)])]


def generate_launch_description() -> LaunchDescription:
    """Gate and standby, bridge, policy and command; Nav2, speech, adaptation on request."""
    return LaunchDescription([*common_arguments(), *ARGUMENTS,
                              OpaqueFunction(function=start_nav2),
                              OpaqueFunction(function=start_nodes)])
