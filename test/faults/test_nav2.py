"""Nav2 as the driver: a server of the tests' own, with the real types, that fails in every way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from action_msgs.srv import CancelGoal
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped, Twist
from nav2_types import nav2_environment
from node_rig import ROOT, Rig, wait_for

NODES = ROOT / 'test' / 'nodes'


class Nav2Rig(Rig):
    """The rig with a fake Nav2 beside it, whose velocities are counted."""

    def __init__(self, folder: Path) -> None:
        self._nav2, self._place = nav2_environment(), folder
        super().__init__(folder)
        self.asked: list[float] = []
        node = self.robot.node
        node.create_subscription(Twist, 'cmd_vel_nav2', self._on_asked, 10)
        self.cancel_all = node.create_client(CancelGoal, 'navigate_to_pose/_action/cancel_goal')

    def _on_asked(self, message: Twist) -> None:
        self.asked.append(time.monotonic())

    def start(self, name: str, *parameters: str) -> None:
        if name != 'bridge':
            super().start(name, *parameters)
            return
        words = [word for parameter in ('driver:=nav2', *parameters) for word in ('-p', parameter)]
        self._run('bridge', '-m', 'nl_robot.nodes.bridge', '--ros-args', *words)

    def serve(self, mode: str) -> None:
        """Start a server of that mode in the place of the one that runs."""
        self.end_server()
        self._run('nav2', str(NODES / 'fake_nav2.py'), mode)
        wait_for(lambda: 'ready' in self.log('nav2'), 20.0, 'the server')
        if 'bridge' in self.processes:
            wait_for(lambda: 'seen' in self.log('nav2'), 20.0, 'the server sees the bridge')

    def end_server(self, number: int = signal.SIGINT) -> None:
        if process := self.processes.pop('nav2', None):
            process.send_signal(signal.SIGCONT)
            process.send_signal(number)
            process.wait(timeout=10)
            (self._place / 'nav2.log').unlink()

    def _run(self, name: str, *words: str) -> None:
        path = os.pathsep.join([str(ROOT), str(NODES), self._nav2.get('PYTHONPATH', '')])
        environment = {**os.environ, **self._nav2, 'PYTHONPATH': path.rstrip(os.pathsep),
                       'ROS_DOMAIN_ID': str(self.domain), 'ROS_PYTHON_CHECK_FIELDS': '1'}
        with open(self._place / f'{name}.log', 'ab') as log:
            self.processes[name] = subprocess.Popen([sys.executable, *words], env=environment,
                                                    stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)

    def held(self) -> int:
        """How many goals the bridge keeps futures or handles of, by its next report."""
        heard: list[str] = []
        self.robot.node.create_subscription(
            DiagnosticStatus, 'bridge/report', lambda m: heard.extend(
                v.value for v in m.values if v.key == 'goals'), 10)
        wait_for(lambda: len(heard) >= 3, 20.0, 'a report')
        return int(heard[-1])

    def told(self, what: str) -> float:
        """When the server last said that."""
        lines = [line.split() for line in self.log('nav2').splitlines()]
        return max((float(line[0]) for line in lines if line[1:] == [what]), default=0.0)

    def begin(self, words: str = 'drive on') -> float:
        """Say a command until it is accepted; gives the moment it was said the last time.

        A machine that is busy withholds a sense for a moment now and then.
        """
        deadline = time.monotonic() + 15.0
        while True:
            said = self.say(words)
            wait_for(lambda said=said: self._answers(said), 10.0, 'an answer')
            if (answer := self._answers(said)[0])['state'] == 'accepted':
                return said
            assert answer['reason'].startswith('not_ready'), answer
            assert time.monotonic() < deadline, answer
            time.sleep(0.2)

    def _answers(self, said: float) -> list[dict[str, str]]:
        return [e for e in self.events(said) if e['state'] in ('accepted', 'rejected')]

    def drive(self, words: str = 'drive on') -> float:
        """Say a command until Nav2 drives; gives the moment it was said the last time.

        For up to 20 s the graph goes on telling of a server that was killed, and a new one may be
        found seconds later: until then the bridge says truly that Nav2 does not answer.
        """
        deadline = time.monotonic() + 15.0
        while True:
            said = self.begin(words)
            wait_for(lambda said=said: self.robot.moving or self._refused(said), 10.0, 'moves')
            if not (reasons := self._refused(said)):
                return said
            assert reasons == ['nav2_unavailable'] and time.monotonic() < deadline, reasons

    def _refused(self, said: float) -> list[str]:
        return [e['reason'] for e in self.events(said) if e['state'] in ('failed', 'blocked')]

    def status_gap(self, since: float) -> float:
        """The longest time without a status since a moment."""
        times = [since, *(at for at, _ in self.heard(since)), time.monotonic()]
        return max(b - a for a, b in zip(times, times[1:]))


@pytest.fixture(scope='module')
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nav2Rig]:
    folder = tmp_path_factory.mktemp('nav2')
    made = Nav2Rig(folder)
    try:
        made.serve('obey')
        made.start_all()
        yield made
    finally:
        made.close()
    assert not made.robot.complaints
    for log in folder.glob('*.log'):
        assert 'Traceback' not in log.read_text(errors='replace'), log.read_text(errors='replace')


@pytest.fixture
def obeyed(rig: Nav2Rig) -> Nav2Rig:
    """The rig at rest beside a server that obeys."""
    return at_rest(rig, 'obey')


def at_rest(rig: Nav2Rig, mode: str) -> Nav2Rig:
    rig.serve(mode)
    time.sleep(1.0)     # the server has seen the client, too: an answer sent before that is lost
    rig.wait_ready()
    wait_for(lambda: not rig.robot.moving, 5.0, 'rest')
    return rig


def test_a_command_is_driven_by_nav2_through_the_gate(obeyed: Nav2Rig) -> None:
    x, y = obeyed.robot.x, obeyed.robot.y
    said = obeyed.drive('drive 1')
    assert obeyed.wait_state('succeeded', said, 40.0)
    assert obeyed.told('succeeded') > said
    assert ((obeyed.robot.x - x) ** 2 + (obeyed.robot.y - y) ** 2) ** 0.5 > 0.5


def test_without_a_server_commands_are_rejected_and_stop_works(rig: Nav2Rig) -> None:
    rig.end_server()
    began = time.monotonic()
    wait_for(lambda: any(v['reason'] == 'not_ready:nav2' for _, v in rig.heard(began)), 5.0,
             'not ready')
    said = rig.say('drive on')
    assert rig.wait_state('rejected', said, 1.0)['reason'] == 'not_ready:nav2'
    assert rig.stop_latency(lambda: rig.call('gate/stop'), exact=True) <= 0.1 + rig.slack(said)


def test_a_frozen_server_fails_the_command_and_is_cancelled_when_it_wakes(obeyed: Nav2Rig) -> None:
    obeyed.signal('nav2', signal.SIGSTOP)       # the graph goes on telling of it
    said = obeyed.begin()
    failed = obeyed.wait_state('failed', said, 6.0)
    took = next(t for t, v in obeyed.heard(said) if v['state'] == 'failed') - said
    assert failed['reason'] == 'nav2_unavailable' and failed['text'] == 'Nav2 does not answer.'
    assert took <= 3.0 + obeyed.slack(said)     # 2 s after the waypoint, which takes a thought
    assert obeyed.status_gap(said) <= 0.6 + obeyed.slack(said)
    obeyed.signal('nav2', signal.SIGCONT)
    wait_for(lambda: obeyed.told('canceled'), 5.0, 'the late goal is cancelled')
    assert not any(v or w for _, v, w in obeyed.robot.since(said))


@pytest.mark.parametrize(('mode', 'state', 'reason', 'text'), [
    ('reject', 'failed', 'nav2_failed:rejected', 'rejected the goal'),
    ('abort:101', 'failed', 'nav2_failed:101', 'code 101'),
    ('abort:60000', 'blocked', 'no_way', '')])
def test_rejected_and_aborted_goals(rig: Nav2Rig, mode: str, state: str, reason: str, text: str
                                    ) -> None:
    at_rest(rig, mode)
    said = rig.begin()
    ended = rig.wait_state(state, said, 30.0)
    assert ended['reason'] == reason and text in ended['text']
    if state == 'failed':
        at = next(t for t, v in rig.heard(said) if v['state'] == 'failed')
        wait_for(lambda: rig.told('rejected') or rig.told('aborted'), 5.0, 'the server says so')
        assert at - max(rig.told('rejected'), rig.told('aborted')) <= 0.5 + rig.slack(said)
    assert not any(v or w for _, v, w in rig.robot.since(said))
    if text.startswith('code'):
        assert text in rig.log('bridge')


def test_a_cancel_from_elsewhere_fails_the_command(obeyed: Nav2Rig) -> None:
    said = obeyed.drive()
    wait_for(obeyed.cancel_all.service_is_ready, 10.0, 'the service')
    obeyed.cancel_all.call_async(CancelGoal.Request())      # as RViz does
    failed = obeyed.wait_state('failed', said)
    assert failed['reason'] == 'nav2_failed:canceled'
    wait_for(lambda: not obeyed.robot.moving, 1.0, 'rest')


@pytest.mark.faults
def test_nav2_killed_while_it_drives(obeyed: Nav2Rig) -> None:
    said = obeyed.drive()
    time.sleep(0.5)
    killed = time.monotonic()
    latency = obeyed.stop_latency(lambda: obeyed.signal('nav2', signal.SIGKILL))
    assert latency <= 0.25 + obeyed.slack(killed)
    assert obeyed.wait_state('failed', said, 5.0)['reason'] == 'nav2_lost'
    at = next(t for t, v in obeyed.heard(said) if v['state'] == 'failed')
    assert at - killed <= 2.5 + obeyed.slack(killed)
    assert obeyed.status_gap(killed) <= 0.6 + obeyed.slack(killed)
    stopped = time.monotonic()
    obeyed.serve('obey')
    obeyed.wait_ready()
    time.sleep(1.0)
    assert not any(v or w for _, v, w in obeyed.robot.since(stopped))   # the old goal is over
    again = obeyed.drive('drive 1')
    assert obeyed.wait_state('succeeded', again, 40.0)


@pytest.mark.faults
def test_a_stop_before_the_answer_to_the_goal(rig: Nav2Rig) -> None:
    at_rest(rig, 'slow')
    rig.drive()     # they have found each other
    rig.say('stop')
    wait_for(lambda: rig.told('canceled'), 5.0, 'canceled')
    rig.wait_ready()
    for _ in range(3):
        before = rig.told('accepted')
        said = rig.begin()
        rig.wait_state('running', said)
        time.sleep(0.1)     # the waypoint is out, the answer is not
        rig.say('stop')
        rig.wait_state('stopped', said)
        wait_for(lambda t=before: rig.told('canceled') > rig.told('accepted') > t, 5.0, 'canceled')
        waited = rig.told('cancel') - rig.told('accepted')
        assert waited <= 0.05 + rig.slack(said), 'cancelled late'
        assert not any(v or w for _, v, w in rig.robot.since(said))


def drive_and_cancel(rig: Nav2Rig) -> float:
    """A server that does not obey drives; the command is cancelled.  Gives that moment."""
    at_rest(rig, 'stubborn')
    said = rig.drive()
    time.sleep(0.5)
    cancelled = time.monotonic()
    rig.call('cancel')
    rig.wait_state('cancelled', said)
    wait_for(lambda: rig.told('cancel'), 2.0, 'the cancel')
    time.sleep(1.5)
    assert sum(at > cancelled + 1.0 for at in rig.asked) >= 5       # it goes on asking
    return cancelled


@pytest.mark.faults
def test_who_ignores_a_cancel_moves_nothing_any_more(rig: Nav2Rig) -> None:
    cancelled = drive_and_cancel(rig)
    braking = 0.30 / 0.9        # the gate's highest speed and its deceleration
    late = 0.2 + braking + rig.slack(cancelled)     # nothing is asked for after 0.1 s
    assert not any(v or w for _, v, w in rig.robot.since(cancelled + late))
    wait_for(lambda: 'held back' in rig.health.get('/bridge', ''), 3.0, 'its name')


@pytest.mark.faults
def test_control_without_the_bridge_in_between_it_drives_on(rig: Nav2Rig) -> None:
    restart_bridge(rig, 'test_without:=[relay]')
    cancelled = drive_and_cancel(rig)
    assert any(v for _, v, _ in rig.robot.since(cancelled + 1.0))
    restart_bridge(rig)


CONTROLS = {
    'killed': ('deadlines', test_nav2_killed_while_it_drives, 'status failed: not within'),
    'frozen': ('deadlines', test_a_frozen_server_fails_the_command_and_is_cancelled_when_it_wakes,
               'status failed: not within'),
    'rejected': ('answers', lambda rig: test_rejected_and_aborted_goals(
        rig, 'reject', 'failed', 'nav2_failed:rejected', ''), 'nav2_unavailable'),
    'aborted': ('answers', lambda rig: test_rejected_and_aborted_goals(
        rig, 'abort:101', 'failed', 'nav2_failed:101', ''), 'nav2_lost'),
    'cancelled elsewhere': ('answers', test_a_cancel_from_elsewhere_fails_the_command,
                            'nav2_lost'),
    'stopped before the answer': ('cancels', test_a_stop_before_the_answer_to_the_goal,
                                  'canceled: not within|cancelled late')}


@pytest.mark.faults
@pytest.mark.parametrize('name', CONTROLS)
def test_control_without_its_protection_the_same_test_fails(rig: Nav2Rig, name: str) -> None:
    protection, test, says = CONTROLS[name]
    restart_bridge(rig, f'test_without:=[{protection}]')
    try:
        at_rest(rig, 'obey')
        with pytest.raises(AssertionError, match=says):
            test(rig)
    finally:
        rig.end_server()
        restart_bridge(rig)


def restart_bridge(rig: Nav2Rig, *parameters: str) -> None:
    rig.end_server()
    rig.signal('bridge', signal.SIGINT)
    assert rig.processes['bridge'].wait(timeout=10) == 0
    rig.health.pop('/bridge', None)
    rig.start('bridge', *parameters)
    wait_for(lambda: '/bridge' in rig.health, 30.0, 'the bridge')


@pytest.mark.faults
@pytest.mark.parametrize('off', ['', 'forgetting'])
def test_goals_and_their_cancels_leave_nothing_behind_and_control(tmp_path: Path, off: str
                                                                  ) -> None:
    rig = Nav2Rig(tmp_path)
    try:
        rig.serve('instant')
        rig.start('bridge', *([f'test_without:=[{off}]'] if off else []))
        memory = [walk(rig, count) for count in (15, 30)]
        held = rig.held()
    finally:
        rig.close()
    grown, threads = memory[1][0] - memory[0][0], {count for _, count in memory}
    print(f'30 goals: {grown / 1024:.1f} MB more, threads {threads}, {held} held')
    if off:
        assert held >= 30
    else:
        assert grown < 10 * 1024 and len(threads) == 1 and held <= 1


def walk(rig: Nav2Rig, count: int) -> tuple[int, int]:
    """Be the policy of that many waypoints; gives the bridge's memory (kB) and its threads."""
    node = rig.robot.node
    waypoint = node.create_publisher(PoseStamped, 'waypoint', 1)
    heartbeat = node.create_publisher(DiagnosticStatus, 'policy/heartbeat', 1)
    wait_for(lambda: waypoint.get_subscription_count() and heartbeat.get_subscription_count(),
             20.0, 'the bridge')
    for number in range(1, count + 1):
        before = rig.told('accepted')
        published = [0.0]

        def asked(number: int = number, before: float = before,
                  published: list[float] = published) -> bool:
            if time.monotonic() - published[-1] > 3.0:  # the server may not be found within 2 s
                published.append(time.monotonic())
                waypoint.publish(message_to(number))
            return rig.told('accepted') > before
        wait_for(asked, 15.0, f'goal {number}')
        beat = DiagnosticStatus(values=[KeyValue(key='lacks', value='')])
        heartbeat.publish(beat)     # pursues nothing: the waypoint is given up
    status = Path(f'/proc/{rig.processes["bridge"].pid}/status').read_text()
    values = dict(line.split(':\t') for line in status.splitlines() if ':\t' in line)
    return int(values['VmRSS'].split()[0]), int(values['Threads'])


def message_to(number: int) -> PoseStamped:
    """A waypoint of that number, 2 m ahead."""
    message = PoseStamped()
    message.header.frame_id, message.header.stamp.sec = 'odom', number
    message.pose.orientation.w, message.pose.position.x = 1.0, 2.0
    return message


def test_without_nav2_msgs_the_bridge_says_what_to_install(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    try:
        (tmp_path / 'nav2_msgs').mkdir()
        (tmp_path / 'nav2_msgs' / '__init__.py').write_text('raise ImportError("not here")')
        done = subprocess.run(
            [sys.executable, '-m', 'nl_robot.nodes.bridge', '--ros-args', '-p', 'driver:=nav2'],
            env={**os.environ, 'PYTHONPATH': f'{tmp_path}{os.pathsep}{ROOT}',
                 'ROS_DOMAIN_ID': str(rig.domain)}, capture_output=True, text=True, timeout=60)
    finally:
        rig.close()
    assert done.returncode == 2 and 'driver:=velocity' in done.stderr
    assert 'Traceback' not in done.stderr
