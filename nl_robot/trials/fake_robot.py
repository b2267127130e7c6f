"""A robot without a body, on its own thread: obeys `cmd_vel`, publishes senses, keeps records.

It also checks at every message what must always hold of `cmd_vel`: finite, within the limits,
unused axes exactly zero, and no jump in speed but to zero.
"""

from __future__ import annotations

import array
import itertools
import math
import threading
import time
from collections.abc import Callable
from typing import Any

import rclpy
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image, LaserScan

from nl_robot.trials.invariants import VelocityWatch

BEAMS, STEP = 360, 2 * math.pi / 360
CAMERAS = ('front', 'left', 'back', 'right')


class FakeRobot:
    """Everything public may be set by a test while it runs."""

    def __init__(self, context: rclpy.Context) -> None:
        self.node = Node('fake_robot', context=context)
        self.x = self.y = self.yaw = self.linear = self.angular = 0.0
        self.ranges = [math.inf] * BEAMS
        self.scan_on = self.odom_on = self.images_on = True
        self.jump = 0.0
        self.scan_shift = 0.0       # seconds by which the stamps of scans are off
        self.scan_source: Callable[[], LaserScan] | None = None
        self.base_timeout = math.inf  # seconds of silence after which the base stops by itself
        self.obeyed_at = -math.inf
        self.record: list[tuple[float, float, float]] = []
        self._watch = VelocityWatch()
        self.complaints = self._watch.complaints
        self.yaws: list[float] = []
        make = self.node.create_publisher
        self._odom, self._scan = make(Odometry, 'odom', 10), make(LaserScan, 'scan', 10)
        self.images = {name: make(Image, f'camera/{name}/image_raw', 5) for name in CAMERAS}
        self.node.create_subscription(Twist, 'cmd_vel', self._on_velocity,  # type: ignore[arg-type]
                                      100)
        self._stepped_at = time.monotonic()
        self.node.create_timer(0.02, self._on_odom)
        self.node.create_timer(0.1, self._on_scan)
        self.node.create_timer(0.1, self._on_images)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)

    def start(self) -> None:
        """Begin to publish and to obey."""
        self._thread.start()

    def end(self) -> None:
        """End its thread and its node."""
        self._ended.set()
        self._thread.join(timeout=2)
        self.node.destroy_node()

    @property
    def moving(self) -> bool:
        """True when the last velocity was a motion."""
        return bool(self.record) and abs(self.record[-1][1]) + abs(self.record[-1][2]) > 0.02

    def since(self, moment: float) -> list[tuple[float, float, float]]:
        """The velocities since a moment: (time, m/s, rad/s)."""
        recent = itertools.takewhile(lambda item: item[0] > moment, reversed(list(self.record)))
        return list(recent)[::-1]

    def obstacle(self, distance: float) -> None:
        """Put a wall of some beams ahead; inf takes it away."""
        ranges = [math.inf] * BEAMS
        ranges[175:186] = [distance] * 11
        self.ranges = ranges

    def _spin(self) -> None:
        while not self._ended.is_set():
            self._executor.spin_once(timeout_sec=0.05)

    def _on_velocity(self, message: Twist, info: dict[str, Any]) -> None:
        now, v, w = time.monotonic(), message.linear.x, message.angular.z
        unused = (message.linear.y, message.linear.z, message.angular.x, message.angular.y)
        # Held against the moment it was sent: a busy machine delivers late, and two at once.
        self._watch.take(info['source_timestamp'] / 1e9, v, w, unused)
        self.linear, self.angular, self.obeyed_at = v, w, now
        self.record.append((now, v, w))

    def _stamp(self, message: Any, shift: float = 0.0) -> None:
        now = self.node.get_clock().now().nanoseconds + round(shift * 1e9)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(max(now, 0), 10**9)

    def _on_odom(self) -> None:
        now = time.monotonic()
        step, self._stepped_at = min(now - self._stepped_at, 0.1), now
        if now - self.obeyed_at > self.base_timeout:
            self.linear = self.angular = 0.0
        self.yaw += self.angular * step
        self.yaws.append(self.yaw)
        self.x += self.linear * math.cos(self.yaw) * step
        self.y += self.linear * math.sin(self.yaw) * step
        if not self.odom_on:
            return
        message = Odometry(child_frame_id='base_link')
        self._stamp(message)
        message.header.frame_id = 'odom'
        message.pose.pose.position.x = self.x + self.jump
        message.pose.pose.position.y = self.y
        message.pose.pose.orientation.z = math.sin(self.yaw / 2)
        message.pose.pose.orientation.w = math.cos(self.yaw / 2)
        message.twist.twist.linear.x = float(self.linear)
        message.twist.twist.angular.z = float(self.angular)
        self._odom.publish(message)

    def _on_scan(self) -> None:
        if self.scan_on:
            source = self.scan_source or self.scan_message
            self._scan.publish(source())

    def scan_message(self) -> LaserScan:
        """A laser scan of `ranges`, stamped now."""
        message = LaserScan(angle_min=-math.pi, angle_max=-math.pi + 359 * STEP,
                            angle_increment=STEP, range_min=0.12, range_max=8.0,
                            ranges=array.array('f', self.ranges))
        self._stamp(message, self.scan_shift)
        return message

    def _on_images(self) -> None:
        if self.images_on:
            for publisher in self.images.values():
                publisher.publish(self.image_message())

    def image_message(self, **change: object) -> Image:
        """A black picture, stamped now, with changes."""
        fields = {'width': 16, 'height': 12, 'step': 48, 'encoding': 'rgb8',
                  'data': array.array('B', bytes(12 * 48))}
        message = Image(**{**fields, **change})
        self._stamp(message)
        return message
