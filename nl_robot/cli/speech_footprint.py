"""What the speech node costs: memory, and processor time while nobody speaks.

The node itself is started as a process and hears real time through DDS: first a quiet room, then
some commands.
"""

from __future__ import annotations

import os
import tempfile
import time
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nl_robot.cli.node_processes import NodeProcesses
from nl_robot.speech.sound import RATE, Samples, to_pcm

BLOCK = 1600        # samples in a message: a tenth of a second
LOADING = 120.0     # seconds that an engine may take


@dataclass(frozen=True)
class Footprint:
    """Of one node: megabytes resident, and the most ever; share of a core in a quiet room."""

    engine: str
    megabytes: float
    most_megabytes: float
    idle: float


def measure(engine: str, sounds: list[Samples], quiet_seconds: float, domain: int) -> Footprint:
    """Start the node with that engine, listen to it, speak to it, end it.

    :raises ValueError: the engine was not loaded in time
    """
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(domain),
                   'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'OMP_NUM_THREADS': '1'}
    os.environ.update(environment)
    with NodeProcesses(Path(tempfile.mkdtemp(prefix='nl_robot-speech-')), environment) as nodes:
        nodes.start('speech', 'nl_robot.nodes.speech',
                    ['--ros-args', '-p', f'engine:={engine}'])
        speaker = Speaker()
        try:
            speaker.wait_listening(nodes.check)
            rng = np.random.default_rng(0)
            process = nodes.pids()['speech']
            speaker.play(_room(2.0, rng))
            before = processor_seconds(process)
            speaker.play(_room(quiet_seconds, rng))
            idle = (processor_seconds(process) - before) / quiet_seconds
            for sound in sounds:
                speaker.play(np.concatenate([sound, _room(1.5, rng)]))
            speaker.play(_room(1.0, rng))
            return Footprint(engine, resident(process, 'VmRSS'), resident(process, 'VmHWM'), idle)
        finally:
            speaker.end()


def _room(seconds: float, rng: np.random.Generator) -> Samples:
    """A quiet room: noise 55 decibels below full scale."""
    return (0.0018 * rng.standard_normal(round(seconds * RATE))).astype(np.float32)


def processor_seconds(process: int) -> float:
    """Seconds of processor time that a process has taken, of all its threads (proc(5))."""
    fields = Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def resident(process: int, key: str) -> float:
    """Megabytes of a process by a line of its status: VmRSS now, VmHWM at most."""
    status = Path(f'/proc/{process}/status').read_text()
    return int(status.partition(f'{key}:')[2].split()[0]) / 1024


class Speaker:
    """Publishes sound in real time on `audio`, and hears the status of the speech node."""

    def __init__(self) -> None:
        import rclpy
        from diagnostic_msgs.msg import DiagnosticStatus
        from rclpy.qos import DurabilityPolicy, QoSProfile
        from std_msgs.msg import Int16MultiArray
        rclpy.init()
        self._message = Int16MultiArray
        self._node = rclpy.create_node('footprint')
        self._audio = self._node.create_publisher(Int16MultiArray, 'audio', QoSProfile(depth=100))
        self._states: list[str] = []
        late = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)

        def note(status: DiagnosticStatus) -> None:
            self._states.append(status.message)
        self._node.create_subscription(DiagnosticStatus, 'speech/status', note, late)

    def wait_listening(self, check: object) -> None:
        """Wait until the node listens.

        :raises ValueError: it does not, and what it says
        """
        deadline = time.monotonic() + LOADING
        while not (self._states and self._states[-1].startswith('listening')
                   and self._audio.get_subscription_count()):
            self._spin(0.1)
            check()      # type: ignore[operator]
            if time.monotonic() > deadline:
                raise ValueError('the speech node does not listen; it says: '
                                 f'{self._states[-1] if self._states else "nothing"}')

    def play(self, sound: Samples) -> None:
        """As fast as it sounds."""
        pcm, begun = to_pcm(sound), time.monotonic()
        for number, begin in enumerate(range(0, len(pcm), BLOCK)):
            data = array('h', pcm[begin:begin + BLOCK].tobytes())
            self._audio.publish(self._message(data=data))
            ahead = begun + (number + 1) * BLOCK / RATE - time.monotonic()
            self._spin(max(0.0, ahead))

    def end(self) -> None:
        """Leave the domain."""
        import rclpy
        self._node.destroy_node()
        rclpy.try_shutdown()

    def _spin(self, seconds: float) -> None:
        import rclpy
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            rclpy.spin_once(self._node, timeout_sec=min(left, 0.05))
