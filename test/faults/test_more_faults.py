"""Exceptions in callbacks, clocks that jump, phrases for stop, the latch, and restarts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from node_rig import ROOT, SCRIPTED, Rig, wait_for
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Empty

from nl_robot.trials import hostile, trials

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from test_language_commands import STOP_PHRASINGS  # noqa: E402

CALLBACKS = {
    'safety_gate': ('scan', 'odom', 'cmd_vel', 'cmd_vel_raw', 'timer:0', 'timer:1', 'gate/alive'),
    'bridge': ('scan', 'odom', 'policy/heartbeat', 'timer:0'),
    'policy': ('scan', 'odom', 'waypoint_status', 'timer:0', 'timer:1'),
    'command': ('gate/state', 'policy/heartbeat', 'timer:0', 'timer:1'),
}
QUICK = [('safety_gate', 'cmd_vel_raw')]
ALL = [(node, name) for node, names in CALLBACKS.items() for name in names]
BOUNDS = {'safety_gate': 0.6, 'bridge': 0.6, 'policy': 0.8, 'command': 1.2}


def raises(rig: Rig, node: str, name: str) -> None:
    """The callback raises while the robot moves: zero, one traceback, an exit status."""
    for other in trials_road():
        agent = SCRIPTED if other == 'policy' else ()
        rig.start(other, *agent, *((f'test_raise:={name}',) if other == node else ()))
    rig.wait_ready()
    trials.drive(rig)
    began = time.monotonic()
    latency = rig.stop_latency(lambda: rig.signal(node, signal.SIGUSR1), hold=0.6)
    assert latency <= BOUNDS[node] + rig.slack(began)
    assert rig.processes[node].wait(timeout=15) == 1
    assert rig.log(node).count('Traceback') == 1
    assert f'a test asked {name} to raise' in rig.log(node)


def trials_road() -> tuple[str, ...]:
    from nl_robot.trials.rig import ROAD
    return ROAD


@pytest.mark.parametrize(('node', 'name'), QUICK)
def test_an_exception_in_a_callback_ends_in_zero(empty_rig: Rig, node: str, name: str) -> None:
    raises(empty_rig, node, name)


@pytest.mark.faults
@pytest.mark.parametrize(('node', 'name'), [pair for pair in ALL if pair not in QUICK])
def test_an_exception_in_any_callback_ends_in_zero(empty_rig: Rig, node: str, name: str) -> None:
    raises(empty_rig, node, name)


class WildClock:
    """A /clock that is frozen, or jumps by hours, ten times a second."""

    def __init__(self, rig: Rig, kind: str) -> None:
        self._publisher = rig.robot.node.create_publisher(Clock, '/clock', 10)
        self._kind, self._ended, self._count = kind, threading.Event(), 0
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _tick(self) -> None:
        while not self._ended.wait(0.1):
            self._count += 1
            jump = {'frozen': 0, 'jumping': 3600 * (-1) ** self._count}[self._kind]
            message = Clock()
            message.clock.sec = 100_000 + jump
            self._publisher.publish(message)


@pytest.mark.faults
@pytest.mark.parametrize('kind', ['none', 'frozen', 'jumping'])
def test_no_clock_of_ros_touches_the_latencies(empty_rig: Rig, kind: str) -> None:
    rig = empty_rig
    clock = None if kind == 'none' else WildClock(rig, kind)
    try:
        rig.start_all('use_sim_time:=true', others=dict.fromkeys(
            ('safety_gate', 'standby_gate', 'bridge', 'command'), 'use_sim_time:=true'))
        assert max(trials.stop(rig, 7)) <= 0.1 + rig.slack(time.monotonic() - 20)
        assert max(trials.bridge_frozen(rig, 3)) <= 0.2 + rig.slack(time.monotonic() - 20)
        assert max(trials.scan_lost(rig, 3)) <= 0.35 + rig.slack(time.monotonic() - 20)
        assert max(trials.gate_killed(rig, 1)) <= 0.5 + rig.slack(time.monotonic() - 20)
        assert max(trials.policy_killed(rig, 1)) <= 0.6 + rig.slack(time.monotonic() - 20)
    finally:
        if clock:
            clock.end()


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_every_phrase_for_stop_stops_a_moving_robot(rig: Rig) -> None:
    latencies = []
    assert len(STOP_PHRASINGS) >= 200
    for phrase in STOP_PHRASINGS:
        if '\x00' in phrase:
            continue    # C strings end there; the publisher itself cuts it
        trials.drive(rig)
        latencies.append(rig.stop_latency(lambda p=phrase: rig.say(p), hold=0.2, exact=True))
        rig.wait_ready()
    print(f'{len(latencies)} phrases: worst {max(latencies) * 1e3:.0f} ms')
    assert max(latencies) <= 0.1 + rig.slack(time.monotonic() - 600)


@pytest.mark.faults
def test_the_latch_holds_for_half_a_minute_whoever_commands(rig: Rig) -> None:
    trials.drive(rig)
    rig.stop.publish(Empty())
    wait_for(lambda: rig.gate.get('latched') == 'true', 3.0, 'latched')
    time.sleep(0.2)
    rig.wish(0.2)    # somebody goes on wanting
    began = time.monotonic()
    while time.monotonic() - began < 30.0:
        rig.stop.publish(Empty())    # a hundred stops and more
        time.sleep(0.25)
    rig.wish(None)
    zeros = rig.robot.since(began)
    assert not any(v or w for _, v, w in zeros) and len(zeros) >= 5 * 30
    rig.release()    # a release alone moves nothing
    time.sleep(1.0)
    assert not any(v or w for _, v, w in rig.robot.since(began))


@pytest.fixture
def tended(empty_rig: Rig, tmp_path: Path):
    """`nl_robot run` beside the fake robot, with the scripted agent."""
    parameters = tmp_path / 'scripted.yaml'
    agent, detector = (word.partition(':=')[2] for word in SCRIPTED)
    parameters.write_text(f'/**/policy:\n  ros__parameters:\n    agent: {agent}\n'
                          f'    detector: {detector}\n')
    environment = {**os.environ, 'ROS_HOME': str(tmp_path / 'ros'), 'PYTHONPATH': str(ROOT)}
    environment['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'

    def start() -> subprocess.Popen:
        log = open(tmp_path / 'run.log', 'ab')
        return subprocess.Popen(
            [sys.executable, '-m', 'nl_robot.cli.main', 'run', '--params-file', str(parameters),
             '--domain', str(empty_rig.domain), '--logs', str(tmp_path / 'nodes')], cwd=ROOT,
            env=environment, stdout=log, stderr=log)
    started = [start()]

    def again() -> None:
        started.append(start())
    try:
        yield empty_rig, started[0], again
    finally:
        for process in started:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(timeout=20)


def pids_of(process: subprocess.Popen) -> dict[str, int]:
    """The nodes that a supervisor has started, by name."""
    text = Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text()
    found = {}
    for pid in map(int, text.split()):
        words = Path(f'/proc/{pid}/cmdline').read_text().split('\0')
        for name in trials_road():
            if any(f"'nl_robot.nodes.{name}'" in word for word in words):
                found[name] = pid
    return found


def test_the_supervisor_brings_a_killed_gate_back_stopped(tended) -> None:
    rig, process, _ = tended
    rig.wait_ready(60.0)
    trials.drive(rig)
    killed, rig.gate = time.monotonic(), {}
    latency = rig.stop_latency(lambda: os.kill(pids_of(process)['safety_gate'], signal.SIGKILL),
                               hold=1.0)
    assert latency <= 0.5
    back = wait_for(lambda: rig.gate.get('latched') == 'true', 15.0, 'a new gate')
    print(f'gate killed to zero {latency * 1e3:.0f} ms, a new one after {back:.1f} s')
    assert time.monotonic() - killed <= 5.0 + 1.0 + rig.slack(killed)
    time.sleep(2.0)
    assert not rig.robot.moving


@pytest.mark.faults
def test_all_killed_at_once_the_command_is_told_as_interrupted(tended) -> None:
    rig, process, again = tended
    rig.wait_ready(60.0)
    said = trials.drive(rig)
    id_ = rig.events(said)[0]['id']
    for pid in [process.pid, *pids_of(process).values()]:
        os.kill(pid, signal.SIGKILL)
    process.wait()
    rig.gate, rig.lacks = {}, None
    began = time.monotonic()
    again()
    rig.wait_ready(60.0)
    print(f'ready again after {time.monotonic() - began:.1f} s')
    assert time.monotonic() - began <= 10.0 + rig.slack(began) * 10
    ends = [(e['state'], e['reason']) for e in rig.events(said, id_) if e['state'] == 'failed']
    assert ends == [('failed', 'interrupted')]
    time.sleep(3.0)
    assert not any(v or w for _, v, w in rig.robot.since(began + 1.0))


@pytest.mark.faults
def test_hostile_velocities_stay_inside_while_the_bridge_drives_too(rig: Rig) -> None:
    assert hostile.hostile_velocities(rig, 1) == [0.0]
