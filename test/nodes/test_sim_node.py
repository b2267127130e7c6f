"""The simulated robot over real DDS, and the whole road through it with a scripted agent."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rclpy
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
from node_rig import ROOT, wait_for
from rclpy.executors import SingleThreadedExecutor
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, LaserScan
from std_msgs.msg import UInt32

from nl_robot.sim.renderer import RendererUnavailable, choose_renderer
from nl_robot.trials.fake_robot import CAMERAS

try:
    choose_renderer()
except RendererUnavailable as error:
    pytest.skip(str(error), allow_module_level=True)


class Listener:
    """Hears everything that a simulated robot says; `heard[topic]` holds (time, message)."""

    def __init__(self, folder: Path, *parameters: str, domain: int, cameras: tuple[str, ...]
                 ) -> None:
        os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node('listener', context=self.context)
        self.heard: dict[str, list] = {}
        topics = {'odom': Odometry, 'scan': LaserScan, '/clock': Clock,
                  'sim/ground_truth': Odometry, 'sim/collisions': UInt32}
        topics |= {f'{camera}/image_raw': Image for camera in cameras}
        topics |= {f'{camera}/camera_info': CameraInfo for camera in cameras}
        for topic, kind in topics.items():
            self.heard[topic] = []
            self.node.create_subscription(
                kind, topic, lambda m, t=topic: self.heard[t].append((time.monotonic(), m)), 50)
        self.velocity = self.node.create_publisher(Twist, 'cmd_vel', 1)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.log = folder / 'sim.log'
        words = [w for p in parameters for w in ('-p', p)]
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(
                [sys.executable, '-m', 'nl_robot.nodes.sim', '--ros-args', *words], stdout=log,
                stderr=subprocess.STDOUT, cwd=ROOT,
                env={**os.environ, 'ROS_DOMAIN_ID': str(domain), 'OMP_NUM_THREADS': '1',
                     'ROS_PYTHON_CHECK_FIELDS': '1'})

    def spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.02)

    def spin_until(self, condition, seconds: float, what: str) -> None:
        wait_for(lambda: self.executor.spin_once(timeout_sec=0.02) or condition(), seconds, what)

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(timeout=10)
        self.executor.shutdown(timeout_sec=0)
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)
        return status


def machine_is_free() -> bool:
    """True when this process gets nearly all of a core when it wants it."""
    wall, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - wall < 0.3:
        pass
    return time.process_time() - cpu > 0.25


def domain(offset: int) -> int:
    return 1 + (os.getpid() * 7 + offset) % 230


def test_it_speaks_as_a_real_robot(tmp_path: Path) -> None:
    cameras = tuple(f'camera/{name}' for name in CAMERAS)
    robot = Listener(tmp_path, 'seed:=3', domain=domain(101), cameras=cameras)
    heard = robot.heard
    try:
        robot.spin_until(lambda: all(heard.values()), 40.0, f'all topics: {robot.log.read_text()}')
        robot.spin(1.0)  # what waited in the queues
        for messages in heard.values():
            messages.clear()
        robot.spin(4.0)
        rates = {topic: len(messages) / 4.0 for topic, messages in heard.items()}
        print({topic: round(rate, 1) for topic, rate in rates.items()})
        scan, odom, pictures = (8.0, 35.0, 3.0) if machine_is_free() else (4.0, 15.0, 0.4)
        assert rates['scan'] >= scan and rates['odom'] >= odom
        assert all(rates[f'{camera}/image_raw'] >= pictures for camera in cameras)
        image = heard['camera/left/image_raw'][-1][1]
        info = heard['camera/left/camera_info'][-1][1]
        assert (image.encoding, image.width, image.height, image.step) == ('rgb8', 160, 120, 480)
        assert len(set(bytes(image.data))) > 10 and info.width == image.width
        # 92 degrees over 160 pixels: 80 / tan(46 deg)
        assert math.isclose(info.k[0], 80 / math.tan(math.radians(46)), rel_tol=1e-6)
        scan = heard['scan'][-1][1]
        assert len(scan.ranges) == 360 and scan.angle_min == pytest.approx(-math.pi)
        times = [m.clock.sec + m.clock.nanosec * 1e-9 for _, m in heard['/clock']]
        assert times == sorted(times) and 2.5 < times[-1] - times[0] < 4.8  # real time
        drive_and_fall_silent(robot)
        assert heard['sim/collisions'][-1][1].data == 0
    finally:
        status = robot.end()
    assert status == 0 and 'Traceback' not in robot.log.read_text()


def drive_and_fall_silent(robot: Listener) -> None:
    """It turns when told to, and stops by itself when nobody speaks any more."""
    for _ in range(10):
        robot.velocity.publish(Twist(angular=type(Twist().angular)(z=0.8)))
        robot.spin(0.1)
    assert robot.heard['odom'][-1][1].twist.twist.angular.z > 0.5
    robot.spin(1.3)
    assert abs(robot.heard['odom'][-1][1].twist.twist.angular.z) < 0.02


def test_one_camera_and_faster_than_real_time(tmp_path: Path) -> None:
    robot = Listener(tmp_path, 'seed:=3', 'rig:=one_camera', 'real_time_factor:=2.0',
                     domain=domain(102), cameras=('camera',))
    try:
        robot.spin_until(lambda: all(robot.heard.values()), 40.0, 'all topics')
        robot.spin(1.0)  # what waited in the queues
        robot.heard['/clock'].clear()
        robot.spin(2.0)
        clock = [m.clock.sec + m.clock.nanosec * 1e-9 for _, m in robot.heard['/clock']]
        assert 2.8 < clock[-1] - clock[0] < 4.4
    finally:
        assert robot.end() == 0


def test_a_start_in_a_wall_is_refused(tmp_path: Path) -> None:
    robot = Listener(tmp_path, 'seed:=3', 'start_x:=99.0', 'start_y:=0.0', 'start_yaw:=0.0',
                     domain=domain(104), cameras=())
    assert robot.process.wait(timeout=20) == 2
    assert 'start (99, 0) is not on the free floor of home-0003' in robot.log.read_text()
    robot.end()


def test_a_rig_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    robot = Listener(tmp_path, 'rig:=five_legs', domain=domain(103), cameras=())
    assert robot.process.wait(timeout=20) == 2
    assert "rig must be one of four_cameras, one_camera, got 'five_legs'" in robot.log.read_text()
    robot.end()
