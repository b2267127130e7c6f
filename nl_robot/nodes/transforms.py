"""tf, as little of it as is needed: transforms that never change, and the others once asked for.

A TransformListener would hear every transform of the robot, hundreds a second, in Python.
"""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from rclpy.time import Time

from nl_robot.nodes.qos import EVENTS, LATCHED


class Transforms:
    """Looks up transforms; only where tf2_ros is installed.

    :raises ImportError: it is not
    """

    def __init__(self, node: Node) -> None:
        from tf2_msgs.msg import TFMessage
        from tf2_ros import Buffer
        self._node, self._kind, self._buffer = node, TFMessage, Buffer()
        self._follows = False
        node.create_subscription(TFMessage, '/tf_static', self._on_static, LATCHED)

    def between(self, target: str, source: str, moving: bool = False) -> Any:
        """The newest geometry_msgs/Transform target_from_source.

        :param moving: it may change, so that /tf is listened to from now on
        :raises LookupError: it is not known; the text says what is missing
        """
        if moving and not self._follows:
            self._follows = True
            self._node.create_subscription(self._kind, '/tf', self._on_moving, EVENTS)
        try:
            return self._buffer.lookup_transform(target, source, Time()).transform
        except Exception as error:  # noqa: BLE001 - tf2 has many exceptions of one meaning
            raise LookupError(str(error)) from error

    def _on_static(self, message: Any) -> None:
        for transform in message.transforms:
            self._buffer.set_transform_static(transform, 'nl_robot')

    def _on_moving(self, message: Any) -> None:
        for transform in message.transforms:
            self._buffer.set_transform(transform, 'nl_robot')


def transforms_of(node: Node) -> Transforms | None:
    """Tf for a node, or None where tf2_ros is not installed."""
    try:
        return Transforms(node)
    except ImportError:
        return None
