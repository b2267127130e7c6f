"""What is promised, the trial that measures it, and the protection without which it is broken.

The table in the README is printed from here; a number that no trial gives is not in it.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nl_robot.trials import hostile, trials
from nl_robot.trials.machine import cpu_percent
from nl_robot.trials.rig import ROAD, Rig

Trial = Callable[[Rig, int], Sequence[float]]


@dataclass(frozen=True)
class Promise:
    """One promise.

    :param bound: the worst of all repeats may be this at most
    :param unit: `s`, `%` of a core, or `failures`
    :param control: node and protection that are switched off for the control run
    """

    key: str
    text: str
    bound: float
    trial: Trial
    repeats: int
    unit: str = 's'
    control: tuple[str, str] | None = None


@dataclass(frozen=True)
class Measured:
    """The numbers of one promise; `fault` says why there are none, or what else went wrong."""

    promise: Promise
    values: tuple[float, ...]
    fault: str = ''

    @property
    def worst(self) -> float:
        """The largest; infinite without any."""
        return max(self.values, default=float('inf'))

    @property
    def kept(self) -> bool:
        """Whether the promise held, every time."""
        return not self.fault and self.worst <= self.promise.bound


def idle(rig: Rig, repeats: int) -> list[float]:
    """Percent of a core that each node uses while nothing is said, the largest last."""
    rig.wait_ready()
    shares = cpu_percent({name: rig.processes[name].pid for name in ROAD}, float(repeats))
    return sorted(shares.values())


def ready(rig: Rig, repeats: int) -> list[float]:
    """From the start of all processes to `idle: ready`, with an agent that loads nothing."""
    return _ready(rig, repeats, ())


def ready_with_model(rig: Rig, repeats: int) -> list[float]:
    """The same with the agent and the detector of the package."""
    return _ready(rig, repeats, None)


def _ready(rig: Rig, repeats: int, policy: tuple[str, ...] | None) -> list[float]:
    times = []
    for _ in range(repeats):
        rig.end_nodes()
        began = time.monotonic()
        rig.start_all(*(policy or ()), scripted=policy is not None)
        times.append(time.monotonic() - began)
    rig.end_nodes()
    rig.start_all()
    return times


PROMISES = (
    Promise('stop', 'protective stop, in seven states', 0.1, trials.stop, 200,
            control=('safety_gate', 'stop')),
    Promise('stop_overloaded', 'protective stop, every core wanted by two more', 0.25,
            trials.stop_overloaded, 30),
    Promise('bridge_frozen', 'velocities fall silent: bridge frozen', 0.2, trials.bridge_frozen,
            20, control=('safety_gate', 'silence')),
    Promise('bridge_killed', 'velocities fall silent: bridge killed', 0.2, trials.bridge_killed,
            10, control=('safety_gate', 'silence')),
    Promise('gate_killed', 'gate killed, the standby says zero', 0.5, trials.gate_killed, 10,
            control=('standby_gate', 'standby')),
    Promise('gate_frozen', 'gate frozen, the standby says zero', 0.5, trials.gate_frozen, 10,
            control=('standby_gate', 'standby')),
    Promise('scan_lost', 'laser falls silent', 0.35, trials.scan_lost, 20,
            control=('safety_gate', 'scan')),
    Promise('hostile_scan', 'laser tells what cannot be, or an obstacle', 0.35,
            hostile.hostile_scans, 1, control=('safety_gate', 'scan')),
    Promise('obstacle', 'obstacle 0.30 m ahead: no speed ahead', 0.2, trials.obstacle, 20,
            control=('safety_gate', 'obstacle')),
    Promise('stamps_shift', 'stamps of the laser shift: −1 s, −1 h, +10 s, to zero', 0.35,
            trials.stamps_shift, 8, control=('safety_gate', 'clock')),
    Promise('odometry_jumps', 'odometry jumps', 0.15, trials.odometry_jumps, 10,
            control=('safety_gate', 'odometry')),
    Promise('odometry_lost', 'odometry falls silent', 0.55, trials.odometry_lost, 10),
    Promise('policy_killed', 'policy killed', 0.6, trials.policy_killed, 5,
            control=('bridge', 'heartbeat')),
    Promise('command_killed', 'command node killed', 1.2, trials.command_killed, 5,
            control=('safety_gate', 'release')),
    Promise('policy_frozen', 'policy frozen, and nothing moves after the thaw', 0.6,
            trials.policy_frozen, 5, control=('bridge', 'heartbeat')),
    Promise('hostile_velocities', '10,000 random velocities: illegal ones that left the gate', 0.0,
            hostile.hostile_velocities, 1, 'failures', control=('safety_gate', 'limits')),
    Promise('flood', '10,000 commands in 10 s, each answered, one stop among them', 0.2,
            trials.flood, 1),
    Promise('cancel', 'cancelled 0 to 200 ms after the command: not honoured, of 100', 0.0,
            trials.cancel, 100, 'failures'),
    Promise('idle', 'processor time of the busiest node, idle', 10.0, idle, 20, '%'),
    Promise('ready', 'start to ready, without a model', 10.0, ready, 3),
    Promise('ready_with_model', 'start to ready, with the model', 20.0, ready_with_model, 2),
)


@contextmanager
def road(others: Mapping[str, str] | None = None) -> Iterator[Rig]:
    """A rig with all nodes ready, and its folder of logs, which is kept when something failed.

    :param others: one parameter of a node, by the node's name
    """
    folder = Path(tempfile.mkdtemp(prefix='nl_robot-trials-'))
    rig = Rig(folder)
    try:
        rig.start_all(others=others)
        yield rig
    finally:
        rig.close()
    shutil.rmtree(folder, ignore_errors=True)


def measure(promise: Promise, rig: Rig, repeats: int) -> Measured:
    """Do the trial; what goes wrong in it breaks the promise, and the text says what."""
    known = len(rig.robot.complaints)
    try:
        values = tuple(promise.trial(rig, repeats))
    except (AssertionError, StopIteration) as error:
        return Measured(promise, (), str(error).split('\n')[0] or type(error).__name__)
    return Measured(promise, values, '; '.join(rig.robot.complaints[known:][:3]))


def table(results: Sequence[Measured]) -> str:
    """The results in Markdown."""
    lines = ['| what happens | promised | measured: worst | median | of |',
             '|---|---|---|---|---|']
    for result in results:
        promise, count = result.promise, len(result.values)
        bound = '0' if promise.unit == 'failures' else f'≤ {_told(promise, promise.bound)}'
        if not result.values:
            lines.append(f'| {promise.text} | {bound} | **broken**: {result.fault} | | |')
            continue
        if promise.unit == 'failures':
            worst, middle = f'{sum(result.values):.0f}', ''
        else:
            worst = _told(promise, result.worst)
            middle = _told(promise, statistics.median(result.values))
        worst += '' if result.kept else ' **broken** ' + result.fault
        lines.append(f'| {promise.text} | {bound} | {worst} | {middle} | {count} |')
    return '\n'.join(lines)


def _told(promise: Promise, value: float) -> str:
    if promise.unit == '%':
        return f'{value:.1f} %'
    return f'{value:.1f} s' if promise.bound >= 5.0 else f'{value * 1e3:.0f} ms'
