"""Somebody who says commands, hears everything, and does mischief on topics."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import Twist, TwistStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Empty, String
from std_srvs.srv import Trigger

from nl_robot.trials.invariants import EndWatch, VelocityWatch

LATCHED = QoSProfile(depth=1000, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Observer:
    """A node on its own thread; what it heard may be read at any time."""

    def __init__(self, domain: int) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = Node('soak_observer', context=self.context)
        self.velocities, self.ends = VelocityWatch(), EndWatch()
        self.motions: deque[float] = deque(maxlen=5000)
        self.velocity_count, self.status, self.ours = 0, {'state': '', 'reason': ''}, True
        self.statuses: list[tuple[float, dict[str, str]]] = []
        make = self.node.create_publisher
        self._command, self._stop = make(String, 'command', 1000), make(Empty, 'stop', 10)
        self._raw = make(TwistStamped, 'cmd_vel_raw', 10)
        self._foreign = make(Twist, 'cmd_vel', 10)
        self._cancel: Any = self.node.create_client(Trigger, 'cancel')
        self.node.create_subscription(Twist, 'cmd_vel', self._on_velocity,  # type: ignore[arg-type]
                                      100)
        self.node.create_subscription(DiagnosticStatus, 'status', self._on_status, LATCHED)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """End the thread and the node."""
        self._ended.set()
        self._thread.join(timeout=2.0)
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)

    def ready(self) -> bool:
        """Whether a command could begin now."""
        return (self.status['state'], self.status['reason']) == ('idle', '')

    def say(self, words: str) -> float:
        """Say a command; gives the moment."""
        now = time.monotonic()
        self._command.publish(String(data=words))
        return now

    def stop(self) -> None:
        """Stop by topic."""
        self._stop.publish(Empty())

    def cancel(self) -> None:
        """Cancel by service, without waiting."""
        self._cancel.call_async(Trigger.Request())

    def lie(self) -> None:
        """Wanted velocities that are none, on the input of the gate."""
        for values in ((math.nan, 0.0), (math.inf, -math.inf), (1e9, -1e9)):
            message, now = TwistStamped(), time.monotonic_ns()
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(now, 10**9)
            message.twist.linear.x, message.twist.angular.z = values
            self._raw.publish(message)

    def push(self, seconds: float) -> None:
        """Move the base past the gate; the watch looks away meanwhile, for these are not ours."""
        self.ours = False
        message, end = Twist(), time.monotonic() + seconds
        message.linear.x = 0.05
        while time.monotonic() < end:
            self._foreign.publish(message)
            time.sleep(0.05)
        self._foreign.publish(Twist())
        time.sleep(0.1)
        self.ours = True

    def answers(self, since: float) -> list[str]:
        """The states heard since a moment, but for idle."""
        return [v['state'] for t, v in self.statuses if t >= since and v['state'] != 'idle']

    def moved_between(self, start: float, end: float) -> int:
        """How many velocities but zero were heard between two moments."""
        return sum(1 for moment in list(self.motions) if start <= moment <= end)

    def _on_velocity(self, message: Twist, info: dict[str, Any]) -> None:
        now, linear, angular = time.monotonic(), message.linear.x, message.angular.z
        self.velocity_count += 1
        if self.ours:
            self.velocities.take(info['source_timestamp'] / 1e9, linear, angular, (
                message.linear.y, message.linear.z, message.angular.x, message.angular.y))
        if linear or angular:
            self.motions.append(now)

    def _on_status(self, message: DiagnosticStatus) -> None:
        values, now = {item.key: item.value for item in message.values}, time.monotonic()
        self.status = values
        self.statuses.append((now, values))
        del self.statuses[:-2000]
        if values['id']:
            self.ends.take(now, values['id'], values['state'], values['reason'])

    def _spin(self) -> None:
        while not self._ended.is_set():
            self._executor.spin_once(timeout_sec=0.05)
