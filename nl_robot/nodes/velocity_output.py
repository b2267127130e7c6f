"""The last step before the wheels: velocities as Twist or TwistStamped on `cmd_vel`."""

from __future__ import annotations

import threading
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node

from nl_robot.nodes.light_messages import Twist, TwistStamped
from nl_robot.nodes.qos import LATEST

FAREWELL_ZEROS, FAREWELL_PAUSE = 8, 0.02  # zeros, seconds between them


class VelocityOutput:
    """Publishes velocities; whatever is not linear x or angular z is exactly zero."""

    def __init__(self, node: Node, stamped: bool) -> None:
        self._node, self.kind = node, TwistStamped if stamped else Twist
        self.type_name = f'geometry_msgs/msg/{self.kind.__name__}'
        self._publisher = node.create_publisher(self.kind, 'cmd_vel', LATEST)

    def publish(self, linear: float, angular: float) -> None:
        """Send one velocity, m/s and rad/s."""
        message = self.kind()
        if self.kind is TwistStamped:
            message.header.stamp = self._node.get_clock().now().to_msg()
        twist = twist_of(message)
        twist.linear.x, twist.angular.z = float(linear), float(angular)
        self._publisher.publish(message)

    def farewell(self) -> None:
        """The last messages are zeros, and they are given time to leave."""
        for _ in range(FAREWELL_ZEROS):
            self.publish(0.0, 0.0)
            threading.Event().wait(FAREWELL_PAUSE)
        self._publisher.wait_for_all_acked(Duration(seconds=0.2))


def twist_of(message: Any) -> Twist:
    """The velocity inside a Twist or a TwistStamped."""
    return message.twist if hasattr(message, 'twist') else message
