"""What the graph tells of a silent topic and of types that do not fit, on ends made by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from geometry_msgs.msg import TwistStamped
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from nl_robot.ros_graph import Mismatch, disagreement, node_name, short, silence, type_name

SENSOR = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)
TWIST, STAMPED = 'geometry_msgs/msg/Twist', 'geometry_msgs/msg/TwistStamped'


@dataclass
class End:
    """A publisher or a listener, as rclpy describes it."""

    node_name: str
    topic_type: str
    qos_profile: QoSProfile = field(default_factory=lambda: SENSOR)
    node_namespace: str = '/'


@pytest.mark.parametrize(('publishers', 'why'), [
    ([], 'nobody publishes /scan'),
    ([End('laser', TWIST)], f'/laser publishes /scan as {TWIST}, not as {STAMPED}'),
    ([End('laser', STAMPED, RELIABLE)], '/laser publishes /scan, but nothing comes')])
def test_why_nothing_comes(publishers: list[End], why: str) -> None:
    assert silence('/scan', type_name(TwistStamped), SENSOR, publishers) == why


def test_a_quality_that_cannot_fit_is_named() -> None:
    wanted = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                        durability=DurabilityPolicy.TRANSIENT_LOCAL)
    why = silence('/scan', STAMPED, wanted, [End('laser', STAMPED)])
    assert why.startswith('qos_incompatible: /laser publishes /scan with another quality: ')


def test_types_that_fit_say_nothing_and_others_name_both_ends() -> None:
    gate = End('safety_gate', TWIST, node_namespace='/one')
    assert disagreement('/cmd_vel', [gate], [End('base', TWIST)]) == Mismatch()
    found = disagreement('/cmd_vel', [gate], [End('base', STAMPED)])
    assert found == Mismatch('/one/safety_gate publishes /cmd_vel as Twist, /base listens for '
                             'TwistStamped', deaf=True)
    recorder = disagreement('/cmd_vel', [gate], [End('base', TWIST), End('recorder', STAMPED)])
    assert 'recorder' in recorder.text and not recorder.deaf


def test_who_listens_to_itself_is_no_base() -> None:
    gate = End('safety_gate', STAMPED)
    assert disagreement('/cmd_vel', [gate], [End('safety_gate', STAMPED),
                                             End('base', TWIST)]).deaf


def test_names() -> None:
    assert (node_name(End('a', TWIST)), node_name(End('a', TWIST, node_namespace='/n'))) == (
        '/a', '/n/a')
    assert short(STAMPED) == 'TwistStamped'
