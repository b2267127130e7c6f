"""Measure whether a base stops by itself when its commands end, before a real robot is used.

Drives 0.05 m/s for one second, falls silent, and looks at odometry: the base must have come to
rest one second later. It takes 0.6 m of free space ahead, and no other publisher of cmd_vel: the
nodes of nl_robot must not run. The gate refuses `real_robot:=true` without a passed result.
Exit status: 0 when the base passed, 1 when not.
"""

from __future__ import annotations

import argparse
import math
import signal
import sys
import time
from pathlib import Path
from typing import Any

from nl_robot.motion.commissioning import (
    REASONS,
    Commissioning,
    CommissioningResult,
    result_path,
    write_result,
)

PERIOD = 0.02
CORRIDOR = 0.3     # metres to both sides of the laser in which the way must be free
DISCOVERY = 3.0    # seconds in which other publishers of cmd_vel show up


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot commission`."""
    parser.add_argument('--robot', default='robot',
                        help='name of the robot, as in the parameter of the gate')
    parser.add_argument('--namespace', default='', help='of its topics')
    parser.add_argument('--stamped', action='store_true', help='cmd_vel is a TwistStamped')
    parser.add_argument('--json', type=Path, metavar='FILE',
                        help='where the result goes (default: where the gate looks for it)')


def run(args: argparse.Namespace) -> int:
    """Measure, write the result, and say it."""
    path = args.json or result_path(args.robot)
    import rclpy
    from rclpy.signals import SignalHandlerOptions
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: asked.append(number))
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        result = measure(args, asked)
    finally:
        rclpy.try_shutdown()
    write_result(path, result)
    stopped = '' if math.isnan(result.stopped_after) else f' after {result.stopped_after:.2f} s'
    print(f'{result.robot}: {"passed" if result.passed else "FAILED"}: {REASONS[result.reason]}'
          f'{stopped}; it drove {result.distance:.3f} m; wrote {path}')
    return 0 if result.passed else 1


def measure(args: argparse.Namespace, asked: list[int]) -> CommissioningResult:
    """Drive the base as the rules say; a signal ends it with zeros.

    :raises ValueError: somebody else publishes cmd_vel
    """
    link = Link(args.namespace, args.stamped)
    link.spin(DISCOVERY)
    machine = link.machine = Commissioning(args.robot, time.monotonic())
    said = ''
    while machine.phase != 'done':
        now = time.monotonic()
        if asked:
            machine.abandon(now)
        speed = machine.tick(now)
        if machine.phase != said:
            if said in ('', 'waiting'):     # again before it drives: it has heard the robot
                link.require_alone()
            said = machine.phase
            print(said, file=sys.stderr, flush=True)
        if speed is not None:
            link.publish(speed)
        link.spin(PERIOD)
    link.node.destroy_node()
    assert machine.result is not None
    return machine.result


class Link:
    """A node that hears odometry and scan, and publishes velocities."""

    def __init__(self, namespace: str, stamped: bool) -> None:
        from geometry_msgs.msg import Twist, TwistStamped
        from nav_msgs.msg import Odometry
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.node import Node
        from rclpy.qos import QoSProfile, ReliabilityPolicy
        from sensor_msgs.msg import LaserScan
        sensor = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.node = Node('commission', namespace=namespace)
        self.machine: Commissioning | None = None
        self._kind = TwistStamped if stamped else Twist
        self._velocity = self.node.create_publisher(self._kind, 'cmd_vel', QoSProfile(depth=1))
        self.node.create_subscription(Odometry, 'odom', self._on_odometry, sensor)
        self.node.create_subscription(LaserScan, 'scan', self._on_scan, sensor)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)

    def require_alone(self) -> None:
        """Raise ValueError where somebody else publishes cmd_vel."""
        if others := self.node.count_publishers('cmd_vel') - 1:
            raise ValueError(f'{others} other publisher(s) of cmd_vel: end the nodes of nl_robot '
                             'and whatever else moves the base; one that was killed shows for '
                             '20 s')

    def spin(self, seconds: float) -> None:
        """Hear what comes for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def publish(self, speed: float) -> None:
        """Command a speed ahead, m/s."""
        message: Any = self._kind()
        if hasattr(message, 'header'):
            message.header.stamp = self.node.get_clock().now().to_msg()
            message.twist.linear.x = float(speed)
        else:
            message.linear.x = float(speed)
        self._velocity.publish(message)

    def _on_odometry(self, message: Any) -> None:
        place, twist = message.pose.pose.position, message.twist.twist
        if self.machine and math.isfinite(place.x + place.y + twist.linear.x):
            self.machine.odometry(time.monotonic(), place.x, place.y, twist.linear.x)

    def _on_scan(self, message: Any) -> None:
        from nl_robot.motion.scan_check import BadScan, check_scan
        if self.machine is None:
            return
        try:
            checked = check_scan(message.ranges, message.angle_min, message.angle_max,
                                 message.angle_increment, message.range_min, message.range_max)
        except BadScan:
            return
        seen = checked.coverage(0.0, math.radians(30)) >= 0.5
        ahead = [x for x, y in checked.points if x > 0 and abs(y) < CORRIDOR]
        self.machine.clearance(min(ahead, default=3.0) if seen else 0.0)
