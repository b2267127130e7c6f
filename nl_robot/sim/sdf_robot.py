"""The robot of a `Rig` as an SDF model for Gazebo, and what `ros_gz_bridge` has to carry.

The same base, mast, laser and cameras as in `sim.model`, but on wheels: two are driven, and two
casters slide.  Its topics are those that a real robot has.
"""

from __future__ import annotations

import math

from nl_robot.datatypes import Pose
from nl_robot.sim.rig import CameraMount, Rig, camera_topic
from nl_robot.sim.sdf import collision, exact, pose, visual
from nl_robot.sim.solids import Solid

CLEARANCE = 0.035
"""Between floor and base, as in `sim.model`; the casters fill it."""
BASE_MASS, MAST_MASS, WHEEL_MASS, CASTER_MASS = 14.0, 1.0, 0.4, 0.1
WHEEL_RADIUS, WHEEL_WIDTH, CASTER_AT = 0.06, 0.04, 0.16
DARK, GREY, PUCK, BLACK, ORANGE = ((0.16, 0.17, 0.2), (0.75, 0.76, 0.78), (0.3, 0.3, 0.33),
                                   (0.05, 0.05, 0.05), (0.95, 0.55, 0.1))
NEAR_CLIP = 0.1
"""Metres: the cameras stand inside the mast and must not see it."""
_SLIDES = ('<surface><friction><ode><mu>0</mu><mu2>0</mu2></ode></friction></surface>')
_GRIPS = ('<surface><friction><ode><mu>1.2</mu><mu2>1.2</mu2></ode></friction></surface>')


def base_solids(rig: Rig) -> tuple[Solid, ...]:
    """Base and mast, which touch, then what is for show: as the MuJoCo model has them."""
    top = rig.scan_height - 0.02
    half = (rig.mast_height - top) / 2
    return (
        Solid('cylinder', (rig.radius, (top - CLEARANCE) / 2), (0, 0, (top + CLEARANCE) / 2),
              DARK, True),
        Solid('capsule', (0.03, half), (0, 0, top + half), GREY, True),
        Solid('cylinder', (0.06, 0.025), (0, 0, top + 0.025), PUCK, False),
        Solid('cylinder', (0.07, 0.04), (0, 0, rig.mast_height), ORANGE, False),
        Solid('box', (0.05, 0.04, 0.012), (rig.radius * 0.6, 0, top), ORANGE, False))


def wheel_solid() -> Solid:
    """A wheel in the frame of its link, whose z axis is the axle."""
    return Solid('cylinder', (WHEEL_RADIUS, WHEEL_WIDTH / 2), (0, 0, 0), BLACK, True)


def robot_model(rig: Rig, start: Pose) -> str:
    """A `model` element named `robot`, at a pose in the frame of the home."""
    wheels = ''.join(_wheel(side, sign * rig.wheel_base / 2)
                     for side, sign in (('left', 1), ('right', -1)))
    return (f'<model name="robot">{pose((start.x, start.y, 0.0), (0.0, 0.0, start.yaw))}\n'
            f'<link name="base_link">\n{_body(rig)}{_laser(rig)}'
            f'{"".join(_camera(mount, len(rig.cameras)) for mount in rig.cameras)}</link>\n'
            f'{wheels}{_drive(rig)}</model>\n')


def bridge_entries(rig: Rig) -> list[dict[str, str]]:
    """One entry of ros_gz_bridge's configuration for each topic."""
    def entry(topic: str, ros: str, gz: str, way: str = 'GZ_TO_ROS') -> dict[str, str]:
        return {'ros_topic_name': topic, 'gz_topic_name': topic, 'ros_type_name': ros,
                'gz_type_name': gz, 'direction': way}
    found = [entry('/clock', 'rosgraph_msgs/msg/Clock', 'gz.msgs.Clock'),
             entry('cmd_vel', 'geometry_msgs/msg/Twist', 'gz.msgs.Twist', 'ROS_TO_GZ'),
             entry('odom', 'nav_msgs/msg/Odometry', 'gz.msgs.Odometry'),
             entry('scan', 'sensor_msgs/msg/LaserScan', 'gz.msgs.LaserScan')]
    for mount in rig.cameras:
        topic = camera_topic(mount, len(rig.cameras))
        found += [entry(f'{topic}/image_raw', 'sensor_msgs/msg/Image', 'gz.msgs.Image'),
                  entry(f'{topic}/camera_info', 'sensor_msgs/msg/CameraInfo',
                        'gz.msgs.CameraInfo')]
    return found


def _body(rig: Rig) -> str:
    """Base, mast and casters."""
    parts = [_inertia(BASE_MASS + MAST_MASS, rig.radius, rig.scan_height - 0.02 - CLEARANCE,
                      (rig.scan_height - 0.02 + CLEARANCE) / 2)]
    for number, solid in enumerate(base_solids(rig)):
        parts.append(visual(f'body_{number}', solid))
        if solid.solid:
            parts.append(collision(f'body_{number}', solid))
    for name, sign in (('front', 1), ('back', -1)):
        caster = Solid('sphere', (CLEARANCE / 2,), (sign * CASTER_AT, 0, CLEARANCE / 2), GREY,
                       True)
        parts.append(visual(f'caster_{name}', caster) + collision(f'caster_{name}', caster,
                                                                  _SLIDES))
    return ''.join(parts)


def _wheel(side: str, y: float) -> str:
    """A driven wheel and its joint."""
    solid = wheel_solid()
    return (f'<link name="{side}_wheel">{pose((0, y, WHEEL_RADIUS), (-math.pi / 2, 0, 0))}'
            f'{_inertia(WHEEL_MASS, WHEEL_RADIUS, WHEEL_WIDTH, 0.0)}'
            f'{visual("wheel", solid)}{collision("wheel", solid, _GRIPS)}</link>\n'
            f'<joint name="{side}_wheel_joint" type="revolute"><parent>base_link</parent>'
            f'<child>{side}_wheel</child><axis><xyz>0 0 1</xyz></axis></joint>\n')


def _inertia(mass: float, radius: float, height: float, z: float) -> str:
    """Of a cylinder around z: m r^2 / 2 about its axis, m (3 r^2 + h^2) / 12 across."""
    across, along = mass * (3 * radius ** 2 + height ** 2) / 12, mass * radius ** 2 / 2
    return (f'<inertial>{pose((0, 0, z))}<mass>{mass:g}</mass><inertia><ixx>{across:.6g}</ixx>'
            f'<iyy>{across:.6g}</iyy><izz>{along:.6g}</izz></inertia></inertial>\n')


def _laser(rig: Rig) -> str:
    step = 2 * math.pi / rig.scan_rays
    return (f'<sensor name="laser" type="gpu_lidar">{pose((0, 0, rig.scan_height))}'
            f'<topic>scan</topic><gz_frame_id>laser</gz_frame_id><always_on>true</always_on>'
            f'<update_rate>{rig.scan_rate:g}</update_rate><lidar><scan><horizontal>'
            f'<samples>{rig.scan_rays}</samples><min_angle>{-math.pi:.9g}</min_angle>'
            f'<max_angle>{math.pi - step:.9g}</max_angle></horizontal></scan><range>'
            f'<min>{rig.range_min:g}</min><max>{rig.range_max:g}</max></range><noise>'
            f'<type>gaussian</type><mean>0</mean><stddev>{rig.scan_noise:g}</stddev></noise>'
            '</lidar></sensor>\n')


def _camera(mount: CameraMount, count: int) -> str:
    topic = camera_topic(mount, count)
    return (f'<sensor name="camera_{mount.name}" type="camera">'
            f'{pose((0, 0, mount.height), (0, mount.pitch, mount.yaw))}'
            f'<topic>{topic}/image_raw</topic><gz_frame_id>camera_{mount.name}</gz_frame_id>'
            '<always_on>true</always_on><update_rate>5</update_rate><camera>'
            f'<camera_info_topic>{topic}/camera_info</camera_info_topic>'
            f'<horizontal_fov>{mount.hfov:.9g}</horizontal_fov><image><width>{mount.width}</width>'
            f'<height>{mount.image_height}</height><format>R8G8B8</format></image>'
            f'<clip><near>{NEAR_CLIP}</near><far>20</far></clip></camera></sensor>\n')


def _drive(rig: Rig) -> str:
    """Gazebo's differential drive; it keeps to the last command until another one comes."""
    return ('<plugin filename="gz-sim-diff-drive-system" name="gz::sim::systems::DiffDrive">'
            '<left_joint>left_wheel_joint</left_joint>'
            '<right_joint>right_wheel_joint</right_joint>'
            f'<wheel_separation>{exact(rig.wheel_base)}</wheel_separation>'
            f'<wheel_radius>{WHEEL_RADIUS}</wheel_radius>'
            f'<max_linear_velocity>{rig.max_speed}</max_linear_velocity>'
            f'<min_linear_velocity>{-rig.max_speed}</min_linear_velocity>'
            f'<max_angular_velocity>{rig.max_turn_rate}</max_angular_velocity>'
            f'<min_angular_velocity>{-rig.max_turn_rate}</min_angular_velocity>'
            f'<max_linear_acceleration>{rig.acceleration}</max_linear_acceleration>'
            f'<min_linear_acceleration>{-rig.deceleration}</min_linear_acceleration>'
            f'<max_angular_acceleration>{rig.turn_acceleration}</max_angular_acceleration>'
            f'<min_angular_acceleration>{-rig.turn_acceleration}</min_angular_acceleration>'
            '<topic>cmd_vel</topic><odom_topic>odom</odom_topic><frame_id>odom</frame_id>'
            '<child_frame_id>base_link</child_frame_id>'
            '<odom_publish_frequency>50</odom_publish_frequency></plugin>\n')
