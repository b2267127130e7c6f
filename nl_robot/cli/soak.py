"""Let a simulated robot drive by commands for a long time, with a random fault every so often.

Real nodes, tended as by `nl_robot run`, in a simulated home. Held against the rules all the
time: velocities within the limits, exactly one end for each command, no motion between a fault
that must stop the robot and the next command, ready again after each, memory that does not grow.
Exit status: 0 when no rule was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nl_robot.cli.arguments import output_file
from nl_robot.cli.demo import NODES, node_environment
from nl_robot.cli.node_processes import NodeProcesses
from nl_robot.cli.run_nodes import arguments_of
from nl_robot.cli.supervision import RespawnSettings, Supervisor
from nl_robot.settings import shared_dir

WORDS = ('go to the kitchen', 'find the sofa', 'go to the bathroom', 'drive to the bed',
         'could you head over to the table', 'go to the hallway')
READY_WITHIN, SETTLED_WITHIN, WARM_UP = 90.0, 2.0, 600.0  # seconds
MEMORY_SLOPE, MEMORY_MINUTES = 5.0, 15.0  # megabytes an hour, over that many minutes or more


@dataclass(frozen=True)
class Fault:
    """A fault, and whether the robot must stand still until the next command."""

    name: str
    do: Callable[[Soak], object]
    stops: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot soak`."""
    parser.add_argument('--minutes', type=float, default=60.0, help='how long (default: 60)')
    parser.add_argument('--every', type=float, default=60.0, metavar='SECONDS',
                        help='between two faults (default: 60)')
    parser.add_argument('--seed', type=int, default=0, help='of the faults (default: 0)')
    parser.add_argument('--home', type=int, default=2000, help='seed of the home (default: 2000)')
    parser.add_argument('--agent', default='',
                        help='checkpoint directory, or python:module:function (default: '
                             'models/agent)')
    parser.add_argument('--json', type=output_file, metavar='FILE',
                        help='what was broken, and the memory of each node every five seconds')
    parser.add_argument('--domain', type=int, default=100 + os.getpid() % 90,
                        help='ROS_DOMAIN_ID (default: one of its own)')


def run(args: argparse.Namespace) -> int:
    """Soak, and say what was broken."""
    if args.minutes <= 0 or args.every < 15:
        raise ValueError('--minutes must be positive and --every at least 15 seconds')
    folder = Path(tempfile.mkdtemp(prefix='nl_robot-soak-'))
    environment = {**node_environment(args.domain), 'ROS_HOME': str(folder / 'ros')}
    os.environ.update(environment)
    print(f'soaking for {args.minutes:g} minutes in ROS domain {args.domain}; '
          f'logs are in {folder}', flush=True)
    with NodeProcesses(folder, environment) as nodes:
        soak = Soak(nodes, args)
        try:
            soak.run()
        finally:
            soak.observer.end()
    status = soak.report()
    if args.json:
        args.json.write_text(json.dumps(soak.record(), indent=1) + '\n', encoding='utf-8')
    return status


class Soak:
    """Commands, faults and rules; `run` takes as long as it was told."""

    def __init__(self, nodes: NodeProcesses, args: argparse.Namespace) -> None:
        from nl_robot.trials.observer import Observer  # rclpy, after its environment is set
        self.nodes, self.observer = nodes, Observer(args.domain)
        self.supervisor = Supervisor(nodes, self._tell, RespawnSettings(limit=50))
        self.rng, self.events = random.Random(args.seed), 0
        self.complaints: list[str] = []
        self._began, self._seconds = time.monotonic(), 60.0 * args.minutes
        self._every, self._commands, self._worst_ready = args.every, 0, 0.0
        self._memory: dict[tuple[str, int], list[tuple[float, float]]] = {}
        self._sampled_at = 0.0
        file = [shared_dir('config') / 'robot.yaml']
        for name in ('sim', *NODES):
            words = arguments_of(name, file, '', args.home)
            if name == 'policy' and args.agent:
                words += ['-p', f'agent:={args.agent}']
            self.supervisor.start(name, f'nl_robot.nodes.{name}', words)

    def run(self) -> None:
        """Drive, and hurt, and look."""
        self.wait(self.observer.ready, READY_WITHIN * 2, 'ready at the start')
        due = time.monotonic() + self._every / 2
        while time.monotonic() - self._began < self._seconds:
            self.drive()
            if time.monotonic() >= due:
                due = time.monotonic() + self._every
                self.hurt(self.rng.choice(FAULTS))

    def drive(self) -> None:
        """Say a command and let it drive for a while; one that runs is superseded."""
        said = self.observer.say(self.rng.choice(WORDS))
        self.wait(lambda: self.observer.answers(said), 5.0, 'an answer to a command')
        if 'accepted' in self.observer.answers(said):
            self._commands += 1
        self.pause(self.rng.uniform(4.0, 12.0))

    def hurt(self, fault: Fault) -> None:
        """Do one fault and hold what follows against the rules."""
        began = time.monotonic()
        self._tell(f'fault {self.events}: {fault.name}')
        self.events += 1
        fault.do(self)
        settled = time.monotonic() + SETTLED_WITHIN
        self.pause(6.0)
        if fault.stops and (moved := self.observer.moved_between(settled, time.monotonic())):
            self.complain(f'{fault.name}: {moved} motions after it should have settled')
        if not fault.stops:
            self.observer.stop()
        self.wait(self.observer.ready, READY_WITHIN, f'ready again after: {fault.name}')
        self._worst_ready = max(self._worst_ready, time.monotonic() - began)
        if self.observer.ends.running:
            self.complain(f'{fault.name}: no end for {sorted(self.observer.ends.running)}')
            self.observer.ends.running.clear()

    def pause(self, seconds: float) -> None:
        """Let time pass while nodes are tended."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            self.supervisor.tend()
            if now - self._sampled_at > 5.0:
                self._sampled_at = now
                self._sample(now)
            time.sleep(0.05)

    def wait(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Let time pass until the condition holds; a complaint when it does not."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                self.complain(f'not within {seconds:g} s: {what} ({self.observer.status})')
                return
            self.pause(0.1)

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a node, if it runs."""
        if name not in self.nodes.ended():
            os.kill(self.nodes.pids()[name], number)

    def freeze(self, name: str, seconds: float) -> None:
        """Freeze a node for a while."""
        self.signal(name, signal.SIGSTOP)
        self.pause(seconds)
        self.signal(name, signal.SIGCONT)

    def overload(self) -> None:
        """All cores wanted by endless loops for ten seconds, and a stop in the middle of it."""
        from nl_robot.trials.machine import Burners
        with Burners(2):
            self.pause(5.0)
            self.observer.stop()
            self.pause(5.0)

    def flood(self) -> None:
        """Five hundred commands at once, and a stop among them."""
        for index in range(500):
            self.observer.say('go to the kitchen')
            if index == 400:
                self.observer.stop()
        self.pause(1.0)
        self.observer.stop()

    def complain(self, text: str) -> None:
        """Note a broken rule."""
        self.complaints.append(text)
        self._tell(f'BROKEN: {text}')

    def report(self) -> int:
        """Print what there was; gives the exit status."""
        from nl_robot.trials.machine import description
        observer = self.observer
        broken = self.complaints + observer.velocities.complaints + observer.ends.complaints
        if self.supervisor.faults:
            broken.append(f'stayed down: {self.supervisor.faults}')
        slopes = self._slopes()
        for name, (slope, minutes) in sorted(slopes.items()):
            print(f'memory of {name}: {slope:+.1f} MB/h over {minutes:.0f} minutes')
            if slope > MEMORY_SLOPE and minutes >= MEMORY_MINUTES:
                broken.append(f'memory of {name} grows by {slope:.1f} MB/h')
        print(f'{(time.monotonic() - self._began) / 60:.0f} minutes on {description()}: '
              f'{self._commands} commands accepted, {self.events} faults, '
              f'{observer.velocity_count} velocities, ready again after a fault within '
              f'{self._worst_ready:.0f} s, {len(broken)} rules broken')
        print('\n'.join(broken[:20]))
        return 1 if broken else 0

    def record(self) -> dict[str, object]:
        """The numbers behind the report."""
        heard = self.observer
        return {'complaints': [*self.complaints, *heard.velocities.complaints,
                               *heard.ends.complaints],
                'faults': self.events, 'commands': self._commands,
                'megabytes': {f'{name} {pid}': [(round(t - self._began, 1), round(mb, 2))
                                                for t, mb in points]
                              for (name, pid), points in self._memory.items()}}

    def _sample(self, now: float) -> None:
        from nl_robot.trials.machine import resident_megabytes
        for name, pid in self.nodes.pids().items():
            try:
                self._memory.setdefault((name, pid), []).append((now, resident_megabytes(pid)))
            except (OSError, IndexError):
                continue    # it has just ended

    def _slopes(self) -> dict[str, tuple[float, float]]:
        """Megabytes an hour of each node, and over how many minutes: of all its lives together,
        each after its own warm-up."""
        from nl_robot.trials.machine import slope_per_hour
        lives: dict[str, list[list[tuple[float, float]]]] = {}
        for (name, _), points in self._memory.items():
            lives.setdefault(name, []).append(
                [point for point in points if point[0] - points[0][0] > WARM_UP])
        return {name: (slope_per_hour(*runs), sum((run[-1][0] - run[0][0]) / 60
                                                  for run in runs if run))
                for name, runs in lives.items() if any(runs)}

    def _tell(self, line: str) -> None:
        print(f'{time.monotonic() - getattr(self, "_began", time.monotonic()):7.1f} s  {line}',
              flush=True)


def _kills(name: str) -> Callable[[Soak], object]:
    return lambda soak: soak.signal(name, signal.SIGKILL)


def _freezes(name: str) -> Callable[[Soak], object]:
    return lambda soak: soak.freeze(name, 1.5)


KILLED = ('policy', 'bridge', 'command', 'safety_gate', 'standby_gate')
FROZEN = ('policy', 'bridge', 'command', 'safety_gate', 'sim')
FAULTS = (
    *(Fault(f'{name} killed', _kills(name), name != 'standby_gate') for name in KILLED),
    *(Fault(f'{name} frozen for 1.5 s', _freezes(name), name in ('policy', 'command'))
      for name in FROZEN),
    Fault('stop by topic', lambda soak: soak.observer.stop(), True),
    Fault('stop by words', lambda soak: soak.observer.say('stop'), True),
    Fault('cancel', lambda soak: soak.observer.cancel(), True),
    Fault('velocities that are none', lambda soak: soak.observer.lie(), False),
    Fault('somebody else moves the base', lambda soak: soak.observer.push(0.6), True),
    Fault('every core overloaded, and a stop', lambda soak: soak.overload(), True),
    Fault('a flood of commands and a stop', lambda soak: soak.flood(), True),
)
