"""A ROS 2 client for commands that ask something of a running robot and follow what it does."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import String
from std_srvs.srv import Trigger

EVENTS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
STATE = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                   durability=DurabilityPolicy.TRANSIENT_LOCAL)
T = TypeVar('T', bound='Visitor')


class Visitor:
    """A node for as long as the `with` block runs; nothing waits longer than it was told."""

    def __init__(self, name: str) -> None:
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        self.node = Node(name)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)

    def spin(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let messages in for some seconds, or until the condition holds; whether it did."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._executor.spin_once(timeout_sec=0.05)
            if until():
                return True
        return until()

    def __enter__(self: T) -> T:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._executor.shutdown(timeout_sec=1.0)
        self.node.destroy_node()
        rclpy.try_shutdown()


class RobotTalk(Visitor):
    """One conversation; leaving the `with` block leaves the robot at what it does."""

    def hear(self, topic: str, take: Callable[[dict[str, str]], None], latched: bool) -> None:
        """Let the values of a DiagnosticStatus topic in."""
        def on_message(message: Any) -> None:
            take({item.key: item.value for item in message.values})
        self.node.create_subscription(DiagnosticStatus, topic, on_message,
                                      STATE if latched else EVENTS)

    def say(self, topic: str, text: str, seconds: float = 10.0) -> None:
        """Publish a text; ValueError where nobody listens within some seconds."""
        publisher = self.node.create_publisher(String, topic, EVENTS)
        if not self.spin(seconds, lambda: publisher.get_subscription_count() > 0):
            raise ValueError(f'nobody listens on {topic}: is the robot running, and this '
                             'terminal in its ROS domain?')
        publisher.publish(String(data=text))
        self.spin(0.3)

    def ask(self, service: str, seconds: float = 10.0) -> Any:
        """Call a Trigger service; ValueError where nobody answers within some seconds."""
        client: Any = self.node.create_client(Trigger, service)
        if not self.spin(seconds, client.service_is_ready):
            raise ValueError(f'there is no service {service}: does the adaptation node run?')
        future = client.call_async(Trigger.Request())
        if not self.spin(seconds, future.done):
            raise ValueError(f'the service {service} does not answer')
        return future.result()
