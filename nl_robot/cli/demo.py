"""Drive a simulated robot through a home by commands in plain words.

Starts the simulator and the ROS 2 nodes as processes, gives the commands one after another,
shows a line for every decision, and judges by the simulator's own ground truth where the robot
ended. Without commands it asks for them on a terminal, and takes config/demo.yaml elsewhere.
Exit status: 0 when every goal was reached, 1 when not, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nl_robot.cli.arguments import output_file
from nl_robot.cli.demo_talk import Judge, Talk
from nl_robot.cli.node_processes import NodeFailedError, NodeProcesses
from nl_robot.datatypes import Pose
from nl_robot.embodied.home_episodes import read_episodes, start_pose
from nl_robot.embodied.places import Target
from nl_robot.settings import shared_dir
from nl_robot.sim.homes import free_poses, generate_home
from nl_robot.sim.records import Home

NODES = ('safety_gate', 'standby_gate', 'bridge', 'command', 'policy')
READY_WITHIN = 90.0    # seconds; loading the networks on a busy machine takes most of them


@dataclass(frozen=True)
class Plan:
    """What a demo does: in which home, from where, and the commands with their targets.

    :param commands: (words, target or None where only the robot knows)
    :param asks: commands are typed by a person
    """

    home: Home
    start: Pose
    commands: tuple[tuple[str, Target | None], ...]
    asks: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot demo`."""
    parser.add_argument('--seed', type=int, help='which home (default: that of config/demo.yaml)')
    parser.add_argument('--command', action='append', default=[], metavar='WORDS',
                        help='a command; may be given several times')
    parser.add_argument('--commands', type=Path, metavar='FILE',
                        help='a commands file (see the README), all in one home; the robot goes '
                             'on from where the command before ended')
    parser.add_argument('--start', type=float, nargs=3, metavar=('X', 'Y', 'YAW'),
                        help='where the robot starts, metres and radians')
    parser.add_argument('--png', type=output_file, default=Path('demo.png'),
                        help='the picture (default: demo.png)')
    parser.add_argument('--speed', type=float, default=1.0,
                        help='simulated seconds per second (default: 1)')
    parser.add_argument('--agent', default='', help='checkpoint directory (default: models/agent)')
    parser.add_argument('--detector', default='embedded',
                        help='embedded, or zero-shot:<path or hub name>')
    parser.add_argument('--rig', choices=('four_cameras', 'one_camera'), default='four_cameras',
                        help='one_camera turns on the spot to see all around '
                             '(default: %(default)s)')
    parser.add_argument('--domain', type=int, default=10 + os.getpid() % 90,
                        help='ROS_DOMAIN_ID (default: one of its own)')
    parser.add_argument('--logs', type=Path, help='folder for what the nodes say (default: a '
                                                  'new one, which is named)')


def run(args: argparse.Namespace) -> int:
    """Drive as the arguments say; SIGTERM and a closed terminal end it as Ctrl-C does."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return drive(args)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)    # on the way out; nodes have ended


def drive(args: argparse.Namespace) -> int:
    """Start the nodes, give the commands, judge, draw; end the nodes whatever happens."""
    plan = make_plan(args, sys.stdin.isatty())
    check_agent(args.agent)
    environment = node_environment(args.domain)
    os.environ.update(environment)
    logs = args.logs or Path(tempfile.mkdtemp(prefix='nl_robot-demo-'))
    print(f'home {plan.home.seed}: {", ".join(room.name for room in plan.home.rooms)}')
    print(f'starting the nodes in ROS domain {args.domain}; their logs are in {logs}', flush=True)
    from nl_robot.cli.demo_watch import Watcher  # rclpy, after its environment is set
    with NodeProcesses(logs, environment) as nodes:
        start_nodes(nodes, plan, args)
        with Watcher() as watcher:
            talk = Talk(watcher, nodes.check, Judge(plan.home), asks=plan.asks)
            try:
                talk.wait_until_ready(READY_WITHIN)
                success = talk.ask() if plan.asks else talk.give(plan.commands)
            except NodeFailedError as error:
                print(f'the demo failed: {error}; what the nodes said is in {logs}',
                      file=sys.stderr)
                success = False
    if talk.drives:
        from nl_robot.cli.demo_picture import draw_demo
        draw_demo(plan.home, talk.drives, args.png)
        print(f'wrote {args.png}')
    return 0 if success else 1


def _interrupt(number: int, frame: object) -> None:
    """What every signal to end does."""
    raise KeyboardInterrupt


def make_plan(args: argparse.Namespace, on_terminal: bool) -> Plan:
    """Which home, start and commands the arguments ask for.

    :raises ValueError: arguments that exclude each other, or commands in several homes
    """
    if args.commands and (args.command or args.seed is not None):
        raise ValueError('give either --commands FILE, or --seed and --command')
    if not 0.1 <= args.speed <= 10:
        raise ValueError(f'--speed must be from 0.1 to 10, got {args.speed:g}')
    asks = on_terminal and not args.command and not args.commands
    if args.command or args.seed is not None or asks:
        if not args.command and not asks:
            raise ValueError('--seed needs a --command where there is no terminal to type at')
        episodes = read_episodes(shared_dir('config') / 'demo.yaml') if args.seed is None else []
        home = generate_home(episodes[0].home if episodes else args.seed)
        judge = Judge(home)
        commands = tuple((words, judge.target_of_words(words)) for words in args.command)
    else:
        episodes = read_episodes(args.commands or shared_dir('config') / 'demo.yaml')
        if len({episode.home for episode in episodes}) > 1:
            raise ValueError('the commands of a demo are all in one home; the file names '
                             + ', '.join(sorted({str(e.home) for e in episodes})))
        home = generate_home(episodes[0].home)
        commands = tuple((episode.words, episode.target) for episode in episodes)
    given = args.start or (episodes[0].start if episodes else None)
    start = start_pose(home, given) if given else \
        free_poses(home, np.random.default_rng(home.seed), 1)[0]
    return Plan(home, start, commands, asks)


def check_agent(name: str) -> None:
    """Raise ValueError at once, instead of waiting for it, where there is no such agent."""
    if name.startswith('python:'):
        return
    directory = Path(name) if name else shared_dir('models') / 'agent'
    if not directory.is_dir():
        raise ValueError(f'there is no agent in {directory}: train one with `nl_robot train`, '
                         'or name another with --agent')


def node_environment(domain: int) -> dict[str, str]:
    """The variables of all processes: a domain of its own, this machine only."""
    if not 0 <= domain <= 232:
        raise ValueError(f'a ROS domain is a number from 0 to 232, got {domain}')
    return {**os.environ, 'ROS_DOMAIN_ID': str(domain), 'PYTHONUNBUFFERED': '1',
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
            'AMENT_PREFIX_PATH': os.environ.get('AMENT_PREFIX_PATH') or sys.prefix,
            'OMP_NUM_THREADS': os.environ.get('OMP_NUM_THREADS', '1')}


def start_nodes(nodes: NodeProcesses, plan: Plan, args: argparse.Namespace) -> None:
    """Start the simulator and the four nodes of the robot."""
    start = plan.start
    simulator = {'seed': plan.home.seed, 'start_x': float(start.x), 'start_y': float(start.y),
                 'start_yaw': float(start.yaw), 'real_time_factor': float(args.speed)}
    parameters: dict[str, dict[str, object]] = {
        'sim': dict(simulator), 'safety_gate': {'use_sim_time': True},
        'policy': {'agent': args.agent, 'detector': args.detector}}
    file = shared_dir('config') / 'one_camera.yaml' if args.rig == 'one_camera' else None
    for name in ('sim', *NODES):
        nodes.start(name, f'nl_robot.nodes.{name}', ros_arguments(parameters.get(name, {}), file))


def ros_arguments(parameters: dict[str, object], file: Path | None = None) -> list[str]:
    """A parameter file and single parameters as a ROS 2 command line; empty strings are left."""
    arguments = [] if file is None else ['--params-file', str(file)]
    for name, value in parameters.items():
        if value != '':
            text = f'{value:.6f}' if isinstance(value, float) else str(value)
            arguments += ['-p', f'{name}:={text}']
    return ['--ros-args', *arguments] if arguments else []
