"""The speech node over real DDS: sound in, commands, questions, stops and troubles out."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from array import array
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from nav_msgs.msg import Odometry
from node_rig import ROOT, SCRIPTED, wait_for
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Empty, Int16MultiArray, String

from nl_robot.cli.node_processes import NodeProcesses
from nl_robot.nodes.audio_messages import sound_of
from nl_robot.speech.sound import RATE, Samples, read_wav, to_pcm

HERE = Path(__file__).resolve().parent
SOUNDS = ROOT / 'test' / 'sounds'
BLOCK = 800
LATE = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Person:
    """Somebody who speaks into `audio` and hears every topic; `heard[topic]` holds messages."""

    def __init__(self, domain: int) -> None:
        os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node('person', context=self.context)
        self.audio = self.node.create_publisher(Int16MultiArray, 'audio', 100)
        self.heard: dict[str, list] = {}
        for topic, kind, qos in (
                ('command', String, 100), ('stop', Empty, 100), ('speech/say', String, 100),
                ('speech/partial', String, 100), ('speech/heard', DiagnosticStatus, 100),
                ('speech/status', DiagnosticStatus, LATE), ('status', DiagnosticStatus, LATE),
                ('sim/ground_truth', Odometry, 10)):
            self.heard[topic] = []
            self.node.create_subscription(kind, topic, self.heard[topic].append, qos)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)

    def spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.01)

    def spin_until(self, condition, seconds: float, what: str) -> None:
        wait_for(lambda: self.executor.spin_once(timeout_sec=0.01) or condition(), seconds, what)

    def say(self, sound: Samples, fast: bool = False) -> None:
        """Play a sound and a second of silence, as fast as a person speaks unless `fast`."""
        pcm = to_pcm(np.concatenate([sound, np.zeros(RATE, np.float32)]))
        for begin in range(0, len(pcm), BLOCK):
            block = array('h', pcm[begin:begin + BLOCK].tobytes())
            self.audio.publish(Int16MultiArray(data=block))
            self.spin(0.002 if fast else BLOCK / RATE)

    def words(self, topic: str) -> list[str]:
        return [message.data for message in self.heard[topic]]

    def states(self) -> list[str]:
        return [message.message for message in self.heard['speech/status']]

    def wait_listening(self) -> None:
        self.spin_until(lambda: any(s.startswith('listening') for s in self.states())
                        and self.audio.get_subscription_count(), 60.0, 'the engine')

    def end(self) -> None:
        self.executor.shutdown(timeout_sec=0)
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


def domain(offset: int) -> int:
    return 1 + (os.getpid() * 7 + offset) % 230


def values(message: DiagnosticStatus) -> dict[str, str]:
    return {item.key: item.value for item in message.values}


def test_messages_of_sound_of_both_kinds() -> None:
    numbers = Int16MultiArray(data=array('h', [16384, -32768]))
    assert sound_of(numbers).tolist() == [0.5, -1.0]
    stamped = SimpleNamespace(audio=SimpleNamespace(data=array('B', b'\x00\x40\x00\x80\x01')))
    assert sound_of(stamped).tolist() == [0.5, -1.0]       # an odd last byte is dropped
    assert sound_of(Int16MultiArray()).tolist() == []


def voiced(seconds: float) -> Samples:
    """Something that Silero takes for speech, about as long: a spoken sentence, repeated."""
    return np.resize(read_wav(SOUNDS / 'talk.wav')[1600:28000], round(seconds * RATE))


@pytest.fixture
def stage(tmp_path: Path, request: pytest.FixtureRequest):
    """A person beside a speech node with the parameters of the test."""
    number = domain(500 + abs(hash(request.node.name)) % 200)
    person = Person(number)
    log = tmp_path / 'speech.log'
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(number), 'OMP_NUM_THREADS': '1',
                   'ROS_PYTHON_CHECK_FIELDS': '1',
                   'PYTHONPATH': os.pathsep.join([str(ROOT), str(HERE)])}
    words = [w for p in request.param for w in ('-p', p.format(tmp=tmp_path))]
    with open(log, 'wb') as file:
        process = subprocess.Popen([sys.executable, '-m', 'nl_robot.nodes.speech', '--ros-args',
                                    *words], env=environment, stdout=file,
                                   stderr=subprocess.STDOUT, cwd=ROOT)
    try:
        yield person, process, tmp_path
    finally:
        process.terminate()
        status = process.wait(timeout=15)
        person.end()
    assert 'Traceback' not in log.read_text(errors='replace')
    assert status == 0 or request.node.name.startswith('test_refuse')


@pytest.mark.parametrize('stage', [('engine:=pocketsphinx',)], indirect=True)
def test_a_spoken_command_a_stop_and_talk(stage) -> None:
    person, process, folder = stage
    person.wait_listening()
    person.say(read_wav(SOUNDS / 'go_to_the_kitchen.wav'))
    person.spin_until(lambda: person.words('command'), 10.0, 'the command')
    assert person.words('command') == ['Go to the kitchen.']
    person.spin_until(lambda: person.heard['speech/heard'], 5.0, 'what was heard')
    told = values(person.heard['speech/heard'][0])
    assert told['verdict'] == 'act' and float(told['confidence']) > 0.5
    assert person.words('speech/partial')
    person.say(read_wav(SOUNDS / 'stop.wav'))
    person.spin_until(lambda: person.heard['stop'], 10.0, 'the stop')
    person.say(read_wav(SOUNDS / 'talk.wav'))
    person.spin_until(lambda: len(person.heard['speech/heard']) > 2, 10.0, 'the talk')
    person.spin(0.3)
    assert len(person.heard['stop']) == 1 and len(person.words('command')) == 1
    assert not list(folder.rglob('*.wav'))      # no sound is ever written unless asked for
    kibibytes = int(Path(f'/proc/{process.pid}/status').read_text().partition('VmRSS:')[2]
                    .split()[0])
    print(f'memory of the node with pocketsphinx: {kibibytes / 1024:.0f} MB')
    assert kibibytes / 1024 < 350
    assert b'libtorch' not in Path(f'/proc/{process.pid}/maps').read_bytes()


@pytest.mark.parametrize('stage', [('engine:=python:scripted_readers:reader',
                                    'recordings:={tmp}/kept')], indirect=True)
def test_a_question_is_asked_and_yes_settles_it_and_a_crash_is_survived(stage) -> None:
    person, _, folder = stage
    person.wait_listening()
    person.say(voiced(1.6), fast=True)
    person.spin_until(lambda: person.words('speech/say'), 10.0, 'the question')
    assert person.words('speech/say') == ['Did you mean: go to the kitchen?']
    assert person.words('command') == []
    person.say(read_wav(SOUNDS / 'stop.wav'), fast=True)      # short: the scripted yes
    person.spin_until(lambda: person.words('command'), 10.0, 'the command')
    assert person.words('command') == ['Go to the kitchen.']
    assert len(list((folder / 'kept').glob('*.wav'))) == 2
    person.say(voiced(4.0), fast=True)
    person.spin_until(lambda: any('the engine broke' in s for s in person.states()), 10.0, 'woe')
    person.spin_until(lambda: person.states()[-1].startswith('listening'), 10.0, 'recovery')
    person.say(voiced(4.0), fast=True)
    person.spin_until(lambda: len(person.words('command')) > 1, 10.0, 'the next command')
    assert person.words('command')[1] == 'Go to the garage.'


@pytest.mark.parametrize('stage', [('engine:=python:scripted_readers:reader',
                                    'reply:=sh -c "sleep 5" {{text}}')], indirect=True)
def test_it_does_not_hear_itself(stage) -> None:
    person, _, _ = stage
    person.wait_listening()
    person.say(voiced(1.6), fast=True)
    person.spin_until(lambda: person.words('speech/say'), 10.0, 'the question')
    spoken = time.monotonic()
    person.say(read_wav(SOUNDS / 'stop.wav'), fast=True)      # short: the scripted yes
    person.spin(1.0)
    assert person.words('command') == [] and time.monotonic() - spoken < 5.0
    person.spin(max(0.0, spoken + 6.0 - time.monotonic()))
    person.say(read_wav(SOUNDS / 'stop.wav'), fast=True)
    person.spin_until(lambda: person.words('command'), 10.0, 'the command')


@pytest.mark.parametrize('stage', [('engine:=moonshine', 'model:=/nowhere',
                                    'source:=microphone', 'device:=no such device')],
                         indirect=True)
def test_what_is_missing_is_told_and_tried_again(stage) -> None:
    person, process, _ = stage
    person.spin_until(lambda: any('encoder_model.onnx in /nowhere' in s and 'make speech' in s
                                  for s in person.states()), 30.0, 'the engine is missed')
    person.spin_until(lambda: any('microphone: ' in s and 'tried again in 2 s' in s
                                  for s in person.states()), 30.0, 'the microphone is missed')
    assert process.poll() is None


@pytest.mark.parametrize('stage', [('engine:=parrot',)], indirect=True)
def test_refuses_an_engine_that_there_is_not(stage) -> None:
    _, process, folder = stage
    assert process.wait(timeout=30) == 2
    assert 'engine must be one of auto, both' in (folder / 'speech.log').read_text()


def test_a_spoken_command_moves_the_robot_in_the_simulated_home(tmp_path: Path) -> None:
    """Sound → words → command → policy → bridge → gate → wheels, and a spoken stop ends it."""
    from nl_robot.sim.renderer import RendererUnavailable, choose_renderer
    try:
        choose_renderer()
    except RendererUnavailable as error:
        pytest.skip(str(error))
    number = domain(701)
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(number), 'OMP_NUM_THREADS': '1',
                   'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
                   'PYTHONPATH': os.pathsep.join([str(ROOT), str(HERE)])}
    parameters = {'sim': ['seed:=2003'], 'safety_gate': ['use_sim_time:=true'],
                  'policy': list(SCRIPTED),
                  'speech': ['engine:=pocketsphinx']}
    person = Person(number)
    try:
        with NodeProcesses(tmp_path, environment) as nodes:
            for name in ('sim', 'safety_gate', 'bridge', 'command', 'policy', 'speech'):
                words = [w for p in parameters.get(name, []) for w in ('-p', p)]
                nodes.start(name, f'nl_robot.nodes.{name}',
                            ['--ros-args', *words] if words else [])
            person.wait_listening()
            person.spin_until(lambda: any(values(m).get('text', '').startswith('Ready')
                                          for m in person.heard['status'][-3:])
                              and person.heard['sim/ground_truth'], 60.0, 'ready')
            begin = place(person)
            person.say(read_wav(SOUNDS / 'go_to_the_kitchen.wav'))
            person.spin_until(lambda: far(begin, place(person)) > 0.4, 40.0, 'the robot moves')
            assert any(values(m)['words'] == 'Go to the kitchen.' for m in person.heard['status'])
            person.say(read_wav(SOUNDS / 'stop.wav'))
            person.spin_until(lambda: any(values(m)['state'] == 'stopped' for m in
                                          person.heard['status']), 10.0, 'the stop')
            person.spin_until(lambda: abs(person.heard['sim/ground_truth'][-1]
                                          .twist.twist.linear.x) < 0.01, 5.0, 'standstill')
            assert any(text.startswith('On my way') for text in person.words('speech/say'))
            nodes.check()
    finally:
        person.end()


def place(person: Person) -> tuple[float, float]:
    where = person.heard['sim/ground_truth'][-1].pose.pose.position
    return where.x, where.y


def far(a: tuple[float, float], b: tuple[float, float]) -> float:
    return ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5
