"""The bridge over real DDS: its drivers, types that do not fit, frames, and how lasers hang."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import rclpy
from geometry_msgs.msg import PoseStamped, Transform, TransformStamped, TwistStamped
from node_rig import ROOT, SCRIPTED, Rig, wait_for
from rclpy.node import Node
from sensor_msgs.msg import LaserScan

from nl_robot.datatypes import Pose
from nl_robot.nodes.frames import Frames


@pytest.fixture
def elsewhere(rig: Rig) -> Iterator[Node]:
    """A node of another process, as far as DDS knows: a participant knows one type for a name."""
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=rig.domain)
    node = Node('elsewhere', context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


def test_the_mock_driver_arrives_without_moving(rig: Rig) -> None:
    rig.start('safety_gate')
    rig.start('bridge', 'driver:=mock')
    rig.start('command')
    rig.start('policy', *SCRIPTED)
    asked = time.monotonic()
    wait_for(lambda: any(v['state'] == 'idle' and not v['reason'] for _, v in rig.heard(asked)),
             30.0, 'ready')
    said = rig.say('drive 3')
    assert rig.wait_state('succeeded', said, 20.0)
    assert not any(v or w for _, v, w in rig.robot.since(said))


def test_a_base_that_wants_the_other_type_is_named_in_status(rig: Rig, elsewhere: Node) -> None:
    rig.start('safety_gate', 'stamped:=true')
    rig.start('bridge')
    rig.start('command')
    wait_for(lambda: 'publishes /cmd_vel as TwistStamped, /fake_robot listens for Twist'
             in rig.log('bridge'), 20.0, 'a warning')
    wait_for(lambda: any('cmd_vel' in v['reason'] and 'listens for Twist' in v['text']
                         for _, v in rig.heard(0.0)), 10.0, 'its name in status')


def test_a_silent_or_wrong_sensor_is_named_in_status(rig: Rig, elsewhere: Node) -> None:
    rig.robot.scan_on = False
    rig.robot.node.destroy_publisher(rig.robot.images['left'])
    elsewhere.create_publisher(TwistStamped, 'camera/left/image_raw', 1)
    for name in ('safety_gate', 'bridge', 'command'):
        rig.start(name)
    rig.start('policy', *SCRIPTED)

    def told() -> bool:
        text = ' '.join(v['text'] for _, v in rig.heard(time.monotonic() - 2.0))
        return ('/fake_robot publishes /scan, but nothing comes' in text
                and '/elsewhere publishes /camera/left/image_raw as geometry_msgs/msg/TwistStamped'
                    ', not as sensor_msgs/msg/Image' in text)
    rig.robot.images.pop('left')
    wait_for(told, 30.0, 'both names')


def test_a_waypoint_in_an_unknown_frame_is_refused(rig: Rig) -> None:
    rig.start('bridge')
    publisher = rig.robot.node.create_publisher(PoseStamped, 'waypoint', 1)
    wait_for(publisher.get_subscription_count, 20.0, 'the bridge')
    message = PoseStamped()
    message.header.frame_id, message.pose.orientation.w = 'moon', 1.0

    def refused() -> bool:
        publisher.publish(message)
        time.sleep(0.2)
        return "it is in the frame 'moon', the odometry in 'odom'" in rig.log('bridge')
    wait_for(refused, 10.0, 'a refusal')


def test_a_driver_that_there_is_not_is_refused(rig: Rig) -> None:
    done = subprocess.run([sys.executable, '-m', 'nl_robot.nodes.bridge', '--ros-args', '-p',
                           'driver:=legs'], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 2
    assert "driver must be velocity, nav2 or mock, got 'legs'" in done.stderr


class FakeTransforms:
    """base_link has a laser on it, turned to the left; the map is known, too."""

    def between(self, target: str, source: str, moving: bool = False) -> Transform:
        found = TransformStamped()
        assert moving == (target == 'odom')     # what never changes needs no /tf
        if (target, source) == ('base_link', 'rplidar_link'):
            found.transform.translation.x, found.transform.rotation.z = -0.04, math.sqrt(0.5)
            found.transform.rotation.w = math.sqrt(0.5)
        elif (target, source) == ('odom', 'map'):
            found.transform.translation.x, found.transform.rotation.z = 1.0, 1.0
            found.transform.rotation.w = 0.0
        else:
            raise LookupError(f'{source} is not known')
        return found.transform


@pytest.fixture
def frames(monkeypatch: pytest.MonkeyPatch):
    """A maker of `Frames`, with tf2_ros or without."""
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=232)
    nodes = []

    def make(tf: bool, **parameters: object):
        monkeypatch.setattr('nl_robot.nodes.frames.transforms_of',
                            lambda node: FakeTransforms() if tf else None)
        nodes.append(Node(f'frames_{len(nodes)}', context=context, parameter_overrides=[
            rclpy.parameter.Parameter(name, value=value) for name, value in parameters.items()]))
        return Frames(nodes[-1])
    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


def laser_scan(frame: str) -> LaserScan:
    message = LaserScan(angle_min=-math.pi, angle_max=math.pi - math.pi / 180,
                        angle_increment=math.pi / 180, range_min=0.1, range_max=9.0,
                        ranges=[math.inf] * 360)
    message.ranges[90] = 2.0    # at -90 degrees of the laser
    message.header.frame_id = frame
    return message


@pytest.mark.parametrize('by_tf', [True, False])
def test_a_turned_laser_is_seen_from_the_base(frames, capfd, by_tf: bool) -> None:
    made = frames(True) if by_tf else frames(False, laser_yaw=90.0, laser_x=-0.04)
    capfd.readouterr()
    seen = made.scan(laser_scan('rplidar_link'))
    told = 'set laser_x: -0.040, laser_y: 0.000, laser_yaw: 90.0, laser_flipped: false'
    assert (told in capfd.readouterr().err) == by_tf    # the gate does not know it by tf
    assert seen.header.frame_id == 'base_link'
    nearest = min(range(360), key=lambda index: seen.ranges[index])
    angle = seen.angle_min + nearest * seen.angle_increment
    assert math.remainder(angle, 2 * math.pi) == pytest.approx(0.0, abs=0.02)
    assert seen.ranges[nearest] == pytest.approx(1.96, abs=0.01)


def test_a_laser_upside_down_turns_the_other_way(frames) -> None:
    seen = frames(False, laser_flipped=True).scan(laser_scan('laser'))
    nearest = min(range(360), key=lambda index: seen.ranges[index])
    angle = seen.angle_min + nearest * seen.angle_increment
    assert math.remainder(angle, 2 * math.pi) == pytest.approx(math.pi / 2, abs=0.01)
    assert seen.angle_increment > 0


def test_an_unknown_frame_takes_the_parameters_and_the_middle_needs_no_change(frames) -> None:
    message = laser_scan('somewhere')
    assert frames(True).scan(message) is message
    assert frames(True).scan(laser_scan('base_link')).ranges[90] == 2.0


def test_poses_come_into_the_frame_of_the_odometry(frames) -> None:
    here = Pose(2.0, 1.0, 0.0, 'map')
    found = frames(True).pose_in('odom', here)     # turned by half a turn, then moved by 1 m
    assert (found.x, found.y) == pytest.approx((-1.0, -1.0))
    assert abs(found.yaw) == pytest.approx(math.pi) and found.frame == 'odom'
    assert frames(False).pose_in('/map', here) is here
    with pytest.raises(ValueError, match='without tf2_ros'):
        frames(False).pose_in('odom', here)
    with pytest.raises(ValueError, match="no transform from 'moon'"):
        frames(True).pose_in('odom', Pose(0.0, 0.0, 0.0, 'moon'))

