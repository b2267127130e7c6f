"""What the gate perceives: laser, odometry, and what the base hears on `cmd_vel`."""

from __future__ import annotations

import time
from typing import Any

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import qos_policy_name_from_kind
from rclpy.qos_overriding_options import QoSOverridingOptions

from nl_robot.motion.gate import Gate
from nl_robot.nodes.light_messages import SECOND, LaserScan, RawOdometry, reading_of_bytes
from nl_robot.nodes.qos import EVENTS, SENSOR
from nl_robot.nodes.velocity_output import twist_of


class GateSenses:
    """Subscribes and feeds the rules; refusals are logged, at most one a second.

    :param velocity: the type of the messages on `cmd_vel`
    """

    def __init__(self, node: Node, gate: Gate, velocity: Any) -> None:
        self._node, self._gate, self._scan_stamp = node, gate, (-1, 0)
        # Simulated time runs as fast as its machine can, and says nothing of delays.
        self._simulated = bool(node.get_parameter('use_sim_time').value)
        for topic, kind, callback, raw in (('scan', LaserScan, self._on_scan, False),
                                           ('odom', RawOdometry, self._on_odometry, True)):
            node.create_subscription(kind, topic, callback, SENSOR, raw=raw,
                                     qos_overriding_options=QoSOverridingOptions
                                     .with_default_policies(),
                                     event_callbacks=self._events(topic))
        node.create_subscription(velocity, 'cmd_vel', self._on_velocity_out, EVENTS)

    def _events(self, topic: str) -> SubscriptionEventCallbacks:
        """Name a publisher whose quality of service does not fit: it is never heard."""
        def incompatible(info: Any) -> None:
            policy = qos_policy_name_from_kind(info.last_policy_kind)
            self._gate.incompatible(topic)
            self._node.get_logger().error(
                f'a publisher of {topic} is not heard: its quality of service does not fit '
                f'({policy})')
        return SubscriptionEventCallbacks(incompatible_qos=incompatible)

    def _refuse(self, what: str, fault: str) -> None:
        self._node.get_logger().error(f'refused {what}: {fault}', throttle_duration_sec=1.0)

    def _on_scan(self, message: LaserScan) -> None:
        stamp = (message.header.stamp.sec, message.header.stamp.nanosec)
        if stamp == self._scan_stamp != (0, 0):
            return  # the same scan again says nothing about now
        self._scan_stamp = stamp
        fault = self._gate.scan(time.monotonic(), message.ranges, message.angle_min,
                                message.angle_max, message.angle_increment, message.range_min,
                                message.range_max, self._moment(stamp[0] + stamp[1] / SECOND))
        if fault:
            self._refuse('a scan', fault)

    def _on_odometry(self, data: bytes) -> None:
        try:
            reading = reading_of_bytes(data)
            fault = self._gate.odometry(time.monotonic(), reading,
                                        self._moment(reading.stamp / SECOND))
        except ValueError as error:
            fault = str(error)
        if fault:
            self._refuse('odometry', fault)

    def _moment(self, stamp: float) -> float | None:
        return None if self._simulated else stamp

    def _on_velocity_out(self, message: Any) -> None:
        twist = twist_of(message)
        if self._gate.heard(time.monotonic(), twist.linear.x, twist.angular.z):
            self._node.get_logger().error(
                f'somebody else publishes cmd_vel ({twist.linear.x:.2f} m/s, '
                f'{twist.angular.z:.2f} rad/s): the gate must be the only one',
                throttle_duration_sec=1.0)
