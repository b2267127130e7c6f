"""The demo's own ROS 2 node: gives commands, hears statuses, follows the ground truth."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from nav_msgs.msg import Odometry
from numpy.typing import NDArray
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import String, UInt32

from nl_robot.cli.robot_talk import Visitor
from nl_robot.mission.command import Status

SENSOR = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
EVENTS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
LATCHED = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE,
                     durability=DurabilityPolicy.TRANSIENT_LOCAL)
FRESH = 1.5    # seconds for which a sign of life counts
STEP = 0.02    # metres between two points of the path


class Watcher(Visitor):
    """Talks with the nodes of one ROS domain."""

    def __init__(self) -> None:
        super().__init__('demo')
        self.path: list[tuple[float, float]] = []
        self.collisions = 0
        self._statuses: list[Status] = []
        self._signs: dict[str, float] = {}
        self._idle: Status | None = None
        self._command = self.node.create_publisher(String, 'command', EVENTS)
        listen = self.node.create_subscription
        listen(DiagnosticStatus, 'status', self._on_status, LATCHED)
        listen(Odometry, 'sim/ground_truth', self._on_truth, SENSOR)
        listen(UInt32, 'sim/collisions', self._on_collisions, SENSOR)

    def _on_status(self, message: DiagnosticStatus) -> None:
        values = values_of(message)
        status = Status(values.get('id', ''), values['state'], values.get('reason', ''),
                        values.get('text', ''))
        self._signs['command'] = time.monotonic()
        if status.id:
            self._statuses.append(status)
        else:
            self._idle = status

    def _on_collisions(self, message: UInt32) -> None:
        self.collisions = int(message.data)

    def _on_truth(self, message: Odometry) -> None:
        self._signs['sim'] = time.monotonic()
        place = message.pose.pose.position
        if not self.path or max(abs(place.x - self.path[-1][0]),
                                abs(place.y - self.path[-1][1])) >= STEP:
            self.path.append((place.x, place.y))

    def missing(self) -> list[str]:
        """What is not ready for a command yet."""
        now = time.monotonic()
        silent = [name for name in ('sim', 'command')
                  if now - self._signs.get(name, float('-inf')) > FRESH]
        if silent or self._idle is None:
            return silent or ['command']
        if self._command.get_subscription_count() == 0:
            return ['command']
        _, _, lacks = self._idle.reason.partition(':')
        return [name for name in lacks.split(',') if name]

    def say(self, words: str) -> None:
        """Give a command; what was heard before it is forgotten."""
        self._statuses.clear()
        self._command.publish(String(data=words))

    def heard(self) -> list[Status]:
        """The statuses that came since the last call, in order."""
        statuses, self._statuses = self._statuses, []
        return statuses

    def photograph(self, seconds: float = 4.0) -> dict[str, NDArray[np.uint8]]:
        """One frame of every camera that answers in time: its name → (H, W, 3) RGB."""
        names = {topic: match[1] or 'front' for topic, _ in self.node.get_topic_names_and_types()
                 if (match := re.search(r'camera/(?:(\w+)/)?image_raw$', topic))}
        frames: dict[str, NDArray[np.uint8]] = {}

        def keep(name: str) -> Callable[[Image], None]:
            """What a camera's subscription calls."""
            def on_image(message: Image) -> None:
                frames[name] = picture_of(message)
            return on_image

        taken = [self.node.create_subscription(Image, topic, keep(name), SENSOR)
                 for topic, name in names.items()]
        self.spin(seconds, lambda: len(frames) == len(names))
        for subscription in taken:
            self.node.destroy_subscription(subscription)
        return frames


def values_of(message: Any) -> dict[str, str]:
    """The values of a DiagnosticStatus by key."""
    return {item.key: item.value for item in message.values}


def picture_of(message: Any) -> NDArray[np.uint8]:
    """(H, W, 3) RGB of an rgb8 or bgr8 sensor_msgs/Image."""
    rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
    picture = rows[:, :3 * message.width].reshape(message.height, message.width, 3)
    return picture[..., ::-1].copy() if message.encoding == 'bgr8' else picture.copy()
