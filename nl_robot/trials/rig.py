"""The real entry points as processes beside a fake robot, and clocks on what they do."""

from __future__ import annotations

import collections
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import TwistStamped
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Empty, String, UInt64
from std_srvs.srv import Trigger

from nl_robot.trials.fake_robot import FakeRobot

ROOT = Path(__file__).resolve().parents[2]
_DOMAINS = itertools.count()
LATCHED = QoSProfile(depth=2000, durability=DurabilityPolicy.TRANSIENT_LOCAL)
SCRIPTED = ('agent:=python:nl_robot.trials.scripted:agent',
            'detector:=python:nl_robot.trials.scripted:detector')
ROAD = ('safety_gate', 'standby_gate', 'bridge', 'command', 'policy')


class NoZeroError(AssertionError):
    """The robot did not come to a lasting zero."""


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> float:
    """Wait until the condition holds; gives the seconds it took, fails after `seconds`."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise AssertionError(f'{what}: not within {seconds} s')
        time.sleep(0.005)
    return time.monotonic() - began


class Rig:
    """One DDS domain with a fake robot, a test client, and node processes."""

    def __init__(self, folder: Path) -> None:
        os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
        self.domain = 1 + (os.getpid() * 7 + next(_DOMAINS) * 13) % 230
        self.folder = folder
        self.paths = [ROOT]     # where nodes find modules, agents of a test among them
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._parameters: dict[str, tuple[str, ...]] = {}
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=self.domain)
        self.robot = robot = FakeRobot(self.context)
        node = robot.node
        self.statuses: list[tuple[float, dict[str, str]]] = []
        self.gate: dict[str, str] = {}
        self.command = node.create_publisher(String, 'command', 2000)
        self.stop = node.create_publisher(Empty, 'stop', 10)
        self.raw = node.create_publisher(TwistStamped, 'cmd_vel_raw', 1)
        self.release_topic = node.create_publisher(UInt64, 'gate/release', 10)
        self.services: dict[str, Any] = {
            name: node.create_client(Trigger, name) for name in ('stop', 'cancel', 'gate/stop')}
        node.create_subscription(DiagnosticStatus, 'status', self._on_status, LATCHED)
        node.create_subscription(DiagnosticStatus, 'gate/state', self._on_gate, 10)
        self.lacks: str | None = None
        self.health: dict[str, str] = {}
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_health, 10)
        node.create_subscription(DiagnosticStatus, 'policy/heartbeat', self._on_heartbeat, 10)
        self._wish: tuple[float, float] | None = None
        self._lateness: collections.deque[tuple[float, float]] = collections.deque(maxlen=2000)
        self._wisher = threading.Thread(target=self._keep_wishing, daemon=True)
        self._ended = threading.Event()
        robot.start()
        self._wisher.start()

    def start(self, name: str, *parameters: str) -> None:
        """Start a node; its output goes to a file in the folder of the test.

        A gate that is not told to wait for a standby does not.
        """
        if name == 'safety_gate' and not any('standby_wait' in word for word in parameters):
            parameters += ('standby_wait:=0.0',)
        self._parameters[name] = parameters
        environment = {**os.environ, 'ROS_DOMAIN_ID': str(self.domain), 'OMP_NUM_THREADS': '1',
                       'ROS_PYTHON_CHECK_FIELDS': '1',
                       'PYTHONPATH': os.pathsep.join(map(str, self.paths)),
                       'ROS_HOME': str(self.folder / 'ros')}
        arguments = [word for parameter in parameters for word in ('-p', parameter)]
        if arguments:
            arguments = ['--ros-args', *arguments]
        with open(self.folder / f'{name}.log', 'ab') as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, '-m', f'nl_robot.nodes.{name}', *arguments], env=environment,
                stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)

    def start_all(self, *policy: str, scripted: bool = True,
                  others: Mapping[str, str] | None = None) -> None:
        """The whole road but the simulator, until it is ready.

        :param policy: parameters of the policy
        :param scripted: with the agent that does what the words say, else with the package's
        :param others: one parameter of another node, by the node's name
        """
        for name in ROAD:
            agent = SCRIPTED if scripted and name == 'policy' else ()
            waits = ('standby_wait:=3.0',) if name == 'safety_gate' else ()
            self.start(name, *agent, *waits, *(policy if name == 'policy' else ()),
                       *((others[name],) if others and name in others else ()))
        self.wait_ready()

    def restart(self, name: str) -> None:
        """Start a node again, as it was started before, once it has ended."""
        self.processes[name].wait(timeout=20)
        self.start(name, *self._parameters[name])

    def wait_ready(self, seconds: float = 30.0) -> None:
        """Wait until a command can begin."""
        node = self.robot.node
        asked = time.monotonic()
        wait_for(lambda: self.gate and self.command.get_subscription_count()
                 and self.stop.get_subscription_count() >= 2 and node.count_publishers('cmd_vel')
                 and any((v['state'], v['reason']) == ('idle', '')
                         for _, v in self.heard(asked)), seconds, 'nodes ready')

    def wait_gate(self) -> None:
        """Wait until the gate alone hears and is heard."""
        wait_for(lambda: self.gate and self.raw.get_subscription_count()
                 and self.stop.get_subscription_count()
                 and self.release_topic.get_subscription_count(), 20.0, 'the gate')

    def log(self, name: str) -> str:
        """What a node said so far."""
        return (self.folder / f'{name}.log').read_text(errors='replace')

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a node."""
        self.processes[name].send_signal(number)

    def release(self) -> None:
        """Release the gate as the command node would."""
        wait_for(lambda: self.gate.get('latched') == 'true', 2.0, 'latched')
        stamp = int(self.gate['stop_stamp'])
        self.release_topic.publish(UInt64(data=stamp))
        wait_for(lambda: self.gate.get('latched') == 'false', 2.0, 'release')

    def wish(self, linear: float | None, angular: float = 0.0) -> None:
        """Publish this velocity at 50 Hz on cmd_vel_raw from now on; None: fall silent."""
        self._wish = None if linear is None else (linear, angular)

    def say(self, words: str) -> float:
        """Publish a command; gives the moment."""
        now = time.monotonic()
        self.command.publish(String(data=words))
        return now

    def events(self, since: float = 0.0, id_: str | None = None) -> list[dict[str, str]]:
        """The statuses since a moment, without repetitions and idle ones."""
        found: list[dict[str, str]] = []
        for _, values in self.heard(since):
            if (values['state'] != 'idle' and values not in found[-1:]
                    and id_ in (None, values['id'])):
                found.append(values)
        return found

    def heard(self, since: float) -> list[tuple[float, dict[str, str]]]:
        """All statuses since a moment, with theirs."""
        recent = itertools.takewhile(lambda item: item[0] >= since, reversed(list(self.statuses)))
        return list(recent)[::-1]

    def wait_state(self, state: str, since: float, seconds: float = 10.0) -> dict[str, str]:
        """The first status of that state since a moment."""
        def match() -> list[dict[str, str]]:
            return [e for e in self.events(since) if e['state'] == state]
        wait_for(match, seconds, f'status {state}')
        return match()[0]

    def wait_moving(self, seconds: float = 10.0) -> None:
        """Wait until the robot moves."""
        wait_for(lambda: self.robot.moving, seconds, 'the robot moves')

    def stop_latency(self, act: Callable[[], object], within: float = 3.0, hold: float = 0.3,
                     exact: bool = False) -> float:
        """Seconds from just before `act` to the first zero that no motion follows for `hold`.

        Less the slack of the machine (see there), unless `exact`.
        """
        began = time.monotonic()
        act()
        deadline = began + within + hold
        while time.monotonic() < deadline:
            time.sleep(0.005)
            later = self.robot.since(began)
            motion = [i for i, r in enumerate(later) if r[1] or r[2]]
            zeros = later[motion[-1] + 1 if motion else 0:]
            if zeros and time.monotonic() - zeros[0][0] >= hold:
                slack = 0.0 if exact else self.slack(began)
                return max(0.0, zeros[0][0] - began - slack)
        raise NoZeroError(f'no lasting zero within {within} s')

    def call(self, name: str) -> Trigger.Response:
        """Call a Trigger service and wait for its answer."""
        client = self.services[name]
        wait_for(client.service_is_ready, 5.0, f'service {name}')
        future = client.call_async(Trigger.Request())
        wait_for(future.done, 5.0, f'answer of {name}')
        return future.result()

    def call_async(self, name: str) -> None:
        """Call a Trigger service and do not wait."""
        self.services[name].call_async(Trigger.Request())

    def close(self) -> None:
        """End all processes, thawing those that are frozen, and the robot."""
        self._ended.set()
        self.end_nodes()
        self.robot.end()
        rclpy.shutdown(context=self.context)

    def end_nodes(self) -> None:
        """End all processes, thawing those that are frozen."""
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGINT)
        for process in self.processes.values():
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.gate, self.lacks, self.health = {}, None, {}

    def _on_status(self, message: DiagnosticStatus) -> None:
        self.statuses.append((time.monotonic(), {v.key: v.value for v in message.values}))

    def _on_gate(self, message: DiagnosticStatus) -> None:
        self.gate = {v.key: v.value for v in message.values}

    def _on_health(self, message: DiagnosticArray) -> None:
        self.health |= {status.name: status.message for status in message.status}

    def _on_heartbeat(self, message: DiagnosticStatus) -> None:
        self.lacks = {v.key: v.value for v in message.values}['lacks']

    def slack(self, since: float) -> float:
        """Seconds that the machine itself withheld since a moment: bounds hold beyond them.

        About zero on a machine that is free; on one that others keep busy, as much as this very
        process had to wait, for each of the three processes on the way of a message.
        """
        late = max((late for at, late in list(self._lateness) if at >= since), default=0.0)
        crowd = max(0.0, os.getloadavg()[0] / (os.cpu_count() or 1) - 1.5)
        return 3.0 * max(0.0, late - 0.005) + min(0.15 * crowd, 1.0)

    def _keep_wishing(self) -> None:
        before = time.monotonic()
        while not self._ended.wait(0.02):
            now = time.monotonic()
            self._lateness.append((now, now - before - 0.02))
            before = now
            if self._wish is not None:
                self.publish_raw(*self._wish)

    def publish_raw(self, linear: float, angular: float, age: float = 0.0) -> None:
        """Publish a wanted velocity once, stamped `age` seconds ago."""
        message, now = TwistStamped(), time.monotonic_ns() - int(age * 1e9)
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(now, 10**9)
        message.twist.linear.x, message.twist.angular.z = linear, angular
        self.raw.publish(message)
