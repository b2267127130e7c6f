"""What the doctor hears of a robot: for some seconds, every topic that nl_robot needs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import rclpy
import rclpy.executors
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from nav_msgs.msg import Odometry
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, LaserScan

from nl_robot.cli.findings import Finding, missing, note, ok
from nl_robot.ros_graph import disagreement, node_name, resolve, short, why_silent

HEARING = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
NODES = ('safety_gate', 'standby_gate', 'bridge', 'policy', 'command')
GATES = ('safety_gate', 'standby_gate')
UNKNOWN = '_NODE_NAME_UNKNOWN_'
"""What the graph calls a node of which it knows an end of a topic, and not yet the name."""
RATES = {'scan': 5.0, 'odom': 10.0}
"""Messages a second below which the robot creeps or stops: the gate wants a scan each 0.3 s."""
PATIENCE = 4.0
"""Seconds more for what is still silent: nodes may take 2.5 s to find each other."""
SKEW = 0.5
"""Seconds between a stamp and this machine's clock above which clocks disagree."""
LEVELS = {'ok': DiagnosticStatus.OK, 'note': DiagnosticStatus.WARN,
          'missing': DiagnosticStatus.ERROR}
FOUR = [f'camera/{name}/image_raw' for name in ('front', 'left', 'back', 'right')]


@dataclass
class Ear:
    """What was heard of one topic.

    :param needed: without it no command can run
    """

    topic: str
    kind: Any
    needed: bool = True
    times: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    frame: str = ''

    def hear(self, message: Any, now: float, age: float) -> None:
        """Note a message, when it came and how old its stamp was."""
        self.times.append(now)
        self.ages.append(age)
        self.frame = message.header.frame_id

    @property
    def rate(self) -> float:
        """Messages a second, by the median of the times between them."""
        gaps = [b - a for a, b in zip(self.times, self.times[1:])]
        return 1.0 / max(statistics.median(gaps), 1e-6) if gaps else 0.0


def listen(parameters: dict[str, dict[str, object]], namespace: str, seconds: float
           ) -> list[Finding]:
    """Hear the robot for some seconds, and tell /diagnostics what was found."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = Node('doctor', context=context, namespace=namespace)
    try:
        telling = node.create_publisher(DiagnosticArray, '/diagnostics', QoSProfile(depth=10))
        ears = ears_for(parameters)
        for ear in ears:
            attach(node, ear)
        executor = rclpy.executors.SingleThreadedExecutor(context=context)
        executor.add_node(node)
        began = time.monotonic()
        while (waited := time.monotonic() - began) < seconds + PATIENCE and (
                waited < seconds or any(ear.needed and not ear.times for ear in ears)):
            executor.spin_once(timeout_sec=0.1)
        findings = [*(ear_finding(node, ear) for ear in ears), clock_finding(ears),
                    velocity_finding(node), *node_findings(node)]
        telling.publish(diagnostics(findings, node))
        telling.wait_for_all_acked(Duration(seconds=0.5))
        executor.shutdown(timeout_sec=0.0)
        return findings
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)


def ears_for(parameters: dict[str, dict[str, object]]) -> list[Ear]:
    """The topics of the sensors, as the parameters name the cameras."""
    topics = parameters.get('policy', {}).get('image_topics', FOUR)
    ears = [Ear('scan', LaserScan), Ear('odom', Odometry)]
    with_pictures = parameters.get('policy', {}).get('detector', 'embedded') != 'topic'
    for topic in topics if isinstance(topics, list) else FOUR:
        beside = str(topic).rpartition('/')[0]
        if with_pictures:
            ears.append(Ear(str(topic), Image))
        ears.append(Ear(f'{beside}/camera_info', CameraInfo, needed=False))
    return ears


def attach(node: Node, ear: Ear) -> None:
    """Subscribe."""
    def hear(message: Any) -> None:
        stamp = message.header.stamp
        ear.hear(message, time.monotonic(), time.time() - stamp.sec - stamp.nanosec * 1e-9)
    node.create_subscription(ear.kind, ear.topic, hear, HEARING)


def ear_finding(node: Node, ear: Ear) -> Finding:
    """A topic: its type, rate, quality and frame; or why nothing came."""
    name = resolve(node, ear.topic)
    if not ear.times:
        why = why_silent(node, ear.topic, ear.kind, HEARING)
        todo = (f'start the driver of that sensor, or rename its topic to {name}: see the README'
                if why.startswith('nobody') else 'look at the node that is named')
        return missing(ear.topic, why, todo) if ear.needed else note(ear.topic, why, todo)
    publisher = node.get_publishers_info_by_topic(name)[:1]
    quality = publisher[0].qos_profile.reliability.name.lower() if publisher else 'unknown'
    says = (f'{ear.kind.__name__} at {ear.rate:.1f} Hz, {quality}, frame '
            f'{ear.frame or "(none)"}' + (f', by {node_name(publisher[0])}' if publisher else ''))
    if ear.rate < RATES.get(ear.topic, 0.0):
        return missing(ear.topic, says, f'{RATES[ear.topic]:g} Hz are needed: raise its rate, or '
                       'look for what slows it down')
    return ok(ear.topic, says)


def clock_finding(ears: Iterable[Ear]) -> Finding:
    """Whether the stamps of the sensors fit this machine's clock, or at least each other."""
    ages = {ear.topic: sum(ear.ages) / len(ear.ages) for ear in ears if ear.ages}
    if not ages:
        return note('clocks', 'nothing with a stamp was heard')
    worst = max(ages, key=lambda topic: abs(ages[topic]))
    if abs(ages[worst]) <= SKEW:
        return ok('clocks', f'stamps are at most {abs(ages[worst]):.2f} s off ({worst})')
    if max(ages.values()) - min(ages.values()) <= SKEW:
        return note('clocks', f'all stamps are {ages[worst]:.1f} s old: a simulator, or another '
                    "machine's clock", 'on a real robot let both take the time from one server '
                    '(chrony); in simulation use_sim_time:=true')
    return missing('clocks', f'stamps of {worst} are {ages[worst]:.1f} s off, others are not',
                   'let all machines of the robot take the time from one server (chrony)')


def velocity_finding(node: Node) -> Finding:
    """Who publishes cmd_vel, who listens, and whether they speak one type."""
    name = resolve(node, 'cmd_vel')
    publishers = node.get_publishers_info_by_topic(name)
    listeners = node.get_subscriptions_info_by_topic(name)
    if found := disagreement(name, publishers, listeners).text:
        return missing('cmd_vel', found, 'choose the type with stamped:=true or false')
    others = [node_name(p) for p in publishers if p.node_name not in (*GATES, UNKNOWN)]
    if others:
        return missing('cmd_vel', f'{", ".join(others)} publishes {name} past the gate',
                       'end it, or send what it wants to the gate instead')
    if not [e for e in listeners if e.node_name not in NODES]:
        return missing('cmd_vel', f'no base listens to {name}', 'start the base, or give its '
                       'topic with cmd_vel_topic:=')
    kinds = {short(end.topic_type) for end in listeners}
    return ok('cmd_vel', f'{"/".join(sorted(kinds))}, heard by '
              + ', '.join(node_name(e) for e in listeners if e.node_name not in NODES))


def node_findings(node: Node) -> list[Finding]:
    """Which nodes of nl_robot run; none is needed to look at a robot."""
    space = node.get_namespace()
    here = {name for name, other in node.get_node_names_and_namespaces() if other == space}
    absent = [name for name in NODES if name not in here]
    if not absent:
        return [ok('nodes', 'all run')]
    if len(absent) == len(NODES):
        return [note('nodes', 'none runs', 'start them: ros2 launch nl_robot robot.launch.py')]
    return [note('nodes', f'without {", ".join(absent)}', 'its log says why it ended')]


def diagnostics(findings: Iterable[Finding], node: Node) -> DiagnosticArray:
    """The findings for /diagnostics."""
    message = DiagnosticArray(status=[
        DiagnosticStatus(name=f'nl_robot doctor: {finding.name}', message=finding.says,
                         level=LEVELS[finding.state],
                         values=[KeyValue(key='to do', value=finding.todo)])
        for finding in findings])
    message.header.stamp = node.get_clock().now().to_msg()
    return message

