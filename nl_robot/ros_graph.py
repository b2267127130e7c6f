"""Who publishes what: why a topic is silent, and who speaks another type than who listens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible


def why_silent(node: Node, topic: str, kind: Any, quality: QoSProfile) -> str:
    """Why nothing of `topic` is heard, in a few words; '' when the graph knows no reason.

    :param kind: the message class that is expected
    :param quality: of the subscription
    """
    name = resolve(node, topic)
    return silence(name, type_name(kind), quality, node.get_publishers_info_by_topic(name))


def silence(name: str, expected: str, quality: QoSProfile, publishers: Iterable[Any]) -> str:
    """What is wrong with the publishers of a topic, or that there is none."""
    publishers = list(publishers)
    if not publishers:
        return f'nobody publishes {name}'
    for publisher in publishers:
        who = node_name(publisher)
        if publisher.topic_type != expected:
            return f'{who} publishes {name} as {publisher.topic_type}, not as {expected}'
        fits, why = qos_check_compatible(publisher.qos_profile, quality)
        if fits == QoSCompatibility.ERROR:
            return f'qos_incompatible: {who} publishes {name} with another quality: {why.strip()}'
    return f'{node_name(publishers[0])} publishes {name}, but nothing comes'


class Mismatch(NamedTuple):
    """Who publishes a topic as one type while somebody listens for another.

    :param deaf: nobody at all listens for what is published
    """

    text: str = ''
    deaf: bool = False


def mismatch(node: Node, topic: str) -> Mismatch:
    """The first pair of publisher and listener of a topic whose types differ."""
    name = resolve(node, topic)
    return disagreement(name, node.get_publishers_info_by_topic(name),
                        node.get_subscriptions_info_by_topic(name))


def disagreement(name: str, publishers: Iterable[Any], listeners: Iterable[Any]) -> Mismatch:
    """The same of known ends of the topic; who publishes it listens to itself only."""
    publishers = list(publishers)
    own = {node_name(publisher) for publisher in publishers}
    listeners = [listener for listener in listeners if node_name(listener) not in own]
    deaf = not {p.topic_type for p in publishers} & {e.topic_type for e in listeners}
    for listener in listeners:
        for publisher in publishers:
            if publisher.topic_type != listener.topic_type:
                return Mismatch(
                    f'{node_name(publisher)} publishes {name} as {short(publisher.topic_type)}, '
                    f'{node_name(listener)} listens for {short(listener.topic_type)}', deaf)
    return Mismatch()


def resolve(node: Node, topic: str) -> str:
    """The full name of a topic after namespaces and remappings."""
    return str(node.resolve_topic_name(topic))


def type_name(kind: Any) -> str:
    """`sensor_msgs/msg/LaserScan` of a message class."""
    package, _, _ = kind.__module__.partition('.')
    return f'{package}/msg/{kind.__name__}'


def short(name: str) -> str:
    """`TwistStamped` of `geometry_msgs/msg/TwistStamped`."""
    return name.rpartition('/')[2]


def node_name(endpoint: Any) -> str:
    """The full name of the node of an end of a topic."""
    return f'{endpoint.node_namespace.rstrip("/")}/{endpoint.node_name}'
