"""Exploring, demonstrating and swapping agents on a robot that moves, over real DDS."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from node_rig import SCRIPTED, Rig, ended_well, wait_for
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Empty, String
from std_srvs.srv import Trigger

from nl_robot.homes.store import Home, Homes

STATE = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
BUDGET = 'minutes:=30.0'


class LivingRig(Rig):
    """The whole road with the adaptation node; `homes` is its folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.paths.append(Path(__file__).parent)
        self.folder, self.homes = folder, folder / 'homes'
        node = self.robot.node
        self.progress: dict[str, str] = {}
        self.model: list[tuple[float, dict[str, str]]] = []
        self.beats: list[tuple[float, str, str]] = []
        self.reports: list[dict[str, str]] = []
        self.adapt = {name: node.create_client(Trigger, f'adapt/{name}')
                      for name in ('start', 'stop', 'rollback')}
        self.demonstrate = node.create_publisher(String, 'demonstrate', 10)
        self.checkpoint = node.create_publisher(String, 'checkpoint', STATE)
        hear = node.create_subscription
        hear(DiagnosticStatus, 'adapt/progress', self._on_progress, STATE)
        hear(DiagnosticStatus, 'policy/checkpoint', self._on_model, STATE)
        hear(DiagnosticStatus, 'policy/heartbeat', self._on_beat, 10)
        hear(DiagnosticStatus, 'policy/report', self._on_report, 100)

    @staticmethod
    def _values(message: DiagnosticStatus) -> dict[str, str]:
        return {v.key: v.value for v in message.values}

    def _on_progress(self, message: DiagnosticStatus) -> None:
        self.progress = self._values(message)

    def _on_model(self, message: DiagnosticStatus) -> None:
        self.model.append((time.monotonic(), self._values(message)))

    def _on_beat(self, message: DiagnosticStatus) -> None:
        self.beats.append((time.monotonic(), message.hardware_id,
                           self._values(message).get('pace', '')))

    def _on_report(self, message: DiagnosticStatus) -> None:
        self.reports.append(self._values(message))

    def begin(self) -> None:
        self.robot.ranges = [2.4] * len(self.robot.ranges)      # so that waypoints are near
        self.start_all()
        self.start_adaptation()

    def start_adaptation(self) -> None:
        self.progress = {}
        self.start('adaptation', f'homes:={self.homes}', 'home:=flat', BUDGET,
                   'trainer:=no_trainer')
        wait_for(lambda: self.progress and self.adapt['start'].service_is_ready(), 20.0,
                 'the adaptation node')

    def ask(self, name: str) -> Trigger.Response:
        future = self.adapt[name].call_async(Trigger.Request())
        wait_for(future.done, 10.0, f'answer of adapt/{name}')
        return future.result()

    @property
    def home(self) -> Home:
        return Homes(self.homes).open('flat')

    def exploring(self) -> None:
        """Have it explore, where it does not yet, until it moves straight on."""
        self.ask('start')
        wait_for(lambda: self.beats and '-explore-' in self.beats[-1][1]
                 and self.robot.record and self.robot.record[-1][1] > 0.1, 60.0, 'it explores')

    def accepted(self, words: str) -> float:
        """Say it until it is accepted: on a busy machine a sense may be late for a moment."""
        for _ in range(5):
            said = self.say(words)
            wait_for(lambda s=said: any(e['state'] in ('accepted', 'rejected')
                                        for e in self.events(s)), 10.0, 'an answer')
            if any(e['state'] == 'accepted' for e in self.events(said)):
                return said
            time.sleep(0.5)
        raise AssertionError(f'never accepted: {self.events(said)}')

    def serving(self) -> list[str]:
        return [values['serving'] for _, values in self.model]


@pytest.fixture(scope='module')
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingRig]:
    made = LivingRig(tmp_path_factory.mktemp('living'))
    with ended_well(made):
        made.begin()
        yield made


def test_it_explores_slowly_and_keeps_what_it_sees(living: LivingRig) -> None:
    began = time.monotonic()
    assert living.ask('start').success
    living.exploring()
    wait_for(lambda: int(living.progress.get('places', '0')) >= 2, 30.0, 'places on the map')
    moved = [(v, w) for _, v, w in living.robot.since(began)]
    assert max(v for v, _ in moved) <= 0.151 and max(abs(w) for _, w in moved) <= 0.501
    assert living.progress['phase'] == 'exploring' and len(living.home.map()) >= 2
    again = living.ask('start')
    assert not again.success and again.message == 'already exploring'


def test_a_command_takes_its_place_at_once_and_it_goes_on_afterwards(living: LivingRig) -> None:
    latencies = []
    for _ in range(2):
        living.exploring()
        said = living.say('drive 0 times')
        id_ = living.wait_state('accepted', said)['id']
        wait_for(lambda i=id_: any(beat == i for _, beat, _ in living.beats), 3.0,
                 'the policy pursues the command')
        latencies.append(next(at for at, beat, _ in living.beats if at > said and beat == id_)
                         - said - living.slack(said))
        living.wait_state('succeeded', said, 20.0)
        ends = [e for e in living.events(said) if '-explore-' in e['id']
                and e['state'] == 'superseded']
        assert len(ends) == 1
    print(f'preempted after {1e3 * max(*latencies, 0.0):.0f} ms at most, less the slack')
    assert max(latencies) <= 0.3
    living.exploring()


@pytest.mark.faults
def test_a_full_speed_command_after_a_slow_exploration(living: LivingRig) -> None:
    living.exploring()
    said = living.say('drive 1 time')
    living.wait_state('succeeded', said, 40.0)
    assert max(v for _, v, _ in living.robot.since(said)) > 0.2
    living.exploring()


@pytest.mark.faults
def test_what_a_fault_spoiled_is_not_learned_from(living: LivingRig) -> None:
    living.exploring()
    before = len(living.home.trajectories())
    living.robot.jump = 5.0
    try:
        wait_for(lambda: any(t.fault == 'odometry_jump'
                             for t in living.home.trajectories()[before:]), 20.0,
                 'a trajectory with a fault')
        places = len(living.home.map())
        living.exploring()
        wait_for(lambda: len(living.home.map()) > places, 40.0, 'it explores on')
        xs = [x for x, _, _ in living.home.map().points]
        ordered = sorted(xs)
        assert max(b - a for a, b in zip(ordered, ordered[1:])) < 4.5   # the jump is no distance
    finally:
        living.robot.jump = 0.0


@pytest.mark.faults
def test_it_goes_on_after_any_process_was_killed(living: LivingRig) -> None:
    for name, arguments in (('adaptation', None), ('policy', SCRIPTED)):
        living.exploring()
        run = living.home.progress().run
        known = len(living.home.map())
        living.signal(name, signal.SIGKILL)
        living.processes[name].wait()
        living.beats.clear()
        if arguments is None:
            living.start_adaptation()
        else:
            wait_for(lambda: not living.robot.moving, 3.0, 'it stops without a policy')
            living.start(name, *arguments)
        living.exploring()
        assert living.home.progress().run == run and len(living.home.map()) >= known


def test_a_stop_ends_it_until_it_is_started_again(living: LivingRig) -> None:
    living.exploring()
    latency = living.stop_latency(lambda: living.stop.publish(Empty()), hold=0.5)
    print(f'stopped after {1e3 * latency:.0f} ms')
    assert latency <= 0.1
    wait_for(lambda: living.progress['phase'] == 'stopped', 5.0, 'the adaptation stops')
    began = time.monotonic()
    time.sleep(4.0)
    assert not any(v or w for _, v, w in living.robot.since(began))
    assert living.ask('start').success
    living.exploring()
    assert living.ask('stop').success
    wait_for(lambda: not living.robot.moving, 5.0, 'it comes to rest')


def test_a_demonstration_is_recorded(living: LivingRig) -> None:
    wait_for(lambda: living.demonstrate.get_subscription_count() > 0, 5.0, 'a listener')
    before = len(living.home.trajectories())
    living.demonstrate.publish(String(data='to the big window'))
    x, y = living.robot.x, living.robot.y
    time.sleep(1.0)
    for _ in range(30):     # somebody drives by joystick
        living.robot.x += 0.08
        time.sleep(0.08)
    living.demonstrate.publish(String(data=''))
    wait_for(lambda: any(r.get('id') == 'demonstration' and r['state'] == 'succeeded'
                         for r in living.reports), 20.0, 'its end')
    shown = [t for t in living.home.trajectories()[before:] if t.kind == 'demonstration']
    assert [(t.kind, t.goal, t.usable) for t in shown] == [
        ('demonstration', 'to the big window', True)]
    assert len(shown[0].places) >= 3
    living.robot.x, living.robot.y = x, y


# ---- asking which of two places is meant

def test_where_two_places_fit_it_asks_and_drives_to_the_one_that_is_meant(living: LivingRig
                                                                          ) -> None:
    living.ask('start')     # or it explores already
    wait_for(lambda: len(living.home.map()) >= 3, 40.0, 'some places are known')
    assert living.ask('stop').success
    living.home.note(explored=True)
    try:
        living.checkpoint.publish(String(data='python:asking_agent:agent'))
        wait_for(lambda: living.model and 'asking_agent' in living.model[-1][1]['asked'], 10.0,
                 'news of the agent')
        for answer, moves in (('the first one', False), ('the second one', True)):
            said = living.accepted('go to the window')
            wait_for(lambda s=said: any(e['reason'] == 'asking' for e in living.events(s)), 20.0,
                     'a question')
            asked = next(e for e in living.events(said) if e['reason'] == 'asking')
            assert asked['state'] == 'running' and 'the first is here' in asked['text']
            waits = time.monotonic()
            time.sleep(1.0)
            assert not any(v or w for _, v, w in living.robot.since(waits))
            end = living.wait_state('succeeded', living.say(answer), 40.0)
            assert end['id'] == asked['id']
            assert any(v for _, v, _ in living.robot.since(waits)) is moves
    finally:
        living.home.note(explored=False)
        living.checkpoint.publish(String(data=''))


# ---- swapping agents

def checkpoint(folder: Path, seed: int) -> str:
    """A small checkpoint for the real text encoder."""
    import torch

    from nl_robot.checkpoint import Checkpoint, save_checkpoint
    from nl_robot.language.encoder import load_text_encoder
    from nl_robot.nets.navigator import NavigatorSettings
    from nl_robot.nets.recurrent import RecurrentNavigator
    from nl_robot.settings import to_mapping
    encoder = load_text_encoder()
    shape = NavigatorSettings(text_dim=encoder.dim, width=16, state=12, heads=2)
    torch.manual_seed(seed)
    config = {'format': 2, 'navigator': to_mapping(shape), 'acting': {},
              'text_encoder': {'name': encoder.name, 'sha256': encoder.sha256}}
    path = folder / f'v{seed:04d}'
    save_checkpoint(Checkpoint(config, {'policy': RecurrentNavigator(shape).state_dict()}), path)
    return str(path)


@pytest.mark.faults
def test_bad_and_good_checkpoints_while_it_moves(living: LivingRig, tmp_path: Path) -> None:
    """The old agent goes on at full rate; a good one acts from the next command on."""
    good = checkpoint(tmp_path, 1)
    bad = checkpoint(tmp_path, 2)
    weights = Path(bad) / 'policy.safetensors'
    weights.write_bytes(weights.read_bytes()[:-7])
    said = living.accepted('drive on')
    wait_for(lambda: living.robot.record[-1][1] > 0.1, 20.0, 'it drives')
    asked = time.monotonic()
    living.checkpoint.publish(String(data=bad))
    wait_for(lambda: any(at > asked and v['asked'] == bad for at, v in living.model), 30.0,
             'the bad one is judged')
    told = next(v for at, v in living.model if at > asked and v['asked'] == bad)
    assert told['refused'].startswith('model_rejected:') and 'SHA-256' in told['refused']
    assert told['serving'] == SCRIPTED[0].removeprefix('agent:=')
    living.checkpoint.publish(String(data=good))
    wait_for(lambda: any(v['asked'] == good and not v['refused'] for _, v in living.model), 30.0,
             'the good one is loaded')
    assert living.robot.moving or living.events(said)[-1]['state'] == 'running'
    beats = [at for at, *_ in living.beats if at > asked]
    gap = max(b - a for a, b in zip(beats, beats[1:]))
    print(f'the policy fell silent for {1e3 * gap:.0f} ms at most while it loaded two')
    assert gap - living.slack(asked) < 0.5
    living.call('cancel')
    again = living.accepted('go to the kitchen')
    wait_for(lambda: any(e['state'] not in ('accepted', 'cancelled')
                         for e in living.events(again)), 20.0, 'a decision of the new agent')
    living.checkpoint.publish(String(data='/nowhere'))
    wait_for(lambda: living.model[-1][1]['asked'] == '/nowhere', 20.0, 'news')
    assert living.serving()[-1] == good
    living.call('stop')


@pytest.mark.faults
def test_twenty_swaps_while_it_moves(living: LivingRig, tmp_path: Path) -> None:
    paths = [checkpoint(tmp_path, seed) for seed in (11, 12)]
    process = living.processes['policy'].pid

    def memory() -> int:
        rows = Path(f'/proc/{process}/status').read_text().split('\n')
        return int(next(r for r in rows if r.startswith('VmRSS')).split()[1]) // 1024
    living.checkpoint.publish(String(data='python:nl_robot.trials.scripted:agent'))
    wait_for(lambda: living.model[-1][1]['asked'].startswith('python:'), 10.0, 'news')
    began, before = time.monotonic(), memory()
    swaps, moved = 0, 0
    ender = threading.Event()
    while swaps < 20 and time.monotonic() - began < 60.0:
        asked, count = paths[swaps % 2], len(living.model)
        living.checkpoint.publish(String(data=asked))
        living.accepted('drive on' if swaps % 2 else 'go to the sofa')
        wait_for(lambda n=count: len(living.model) > n, 20.0, 'news')
        assert living.model[-1][1]['refused'] == ''
        ender.wait(0.3)
        moved += living.robot.moving
        swaps += 1
    print(f'{swaps} swaps in {time.monotonic() - began:.0f} s, moving at {moved} of them, '
          f'{memory() - before:+d} MiB')
    assert swaps == 20 and moved > 0
    assert memory() - before < 100
    ticks = [at for at, *_ in living.robot.since(began)]
    moving = [(b - a) for a, b, r in zip(ticks, ticks[1:], living.robot.since(began)) if r[1]]
    assert not moving or max(moving) - living.slack(began) < 0.15
    assert living.stop_latency(lambda: living.call('stop')) <= 0.15
