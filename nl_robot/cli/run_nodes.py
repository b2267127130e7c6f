"""Run the nodes of a robot without ros2 launch, and start those again that end unasked.

The robot itself (scan, odom, camera images, cmd_vel) runs elsewhere, or with --home here, as the
simulator. A node that comes back is stopped: it moves only after a new command. One that ends
more than five times in a minute stays down. Exit status: 0 when ended by Ctrl-C or SIGTERM with
all nodes well, 1 when one had to stay down.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from nl_robot.cli.demo import NODES, node_environment
from nl_robot.cli.node_processes import NodeProcesses
from nl_robot.cli.supervision import Supervisor
from nl_robot.settings import shared_dir


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot run`."""
    parser.add_argument('--params-file', type=Path, action='append', metavar='FILE',
                        help='ROS parameters of the nodes; may be given several times, the last '
                             'counts (default: config/robot.yaml)')
    parser.add_argument('--namespace', default='', help='of all nodes and topics')
    parser.add_argument('--domain', type=int, default=int(os.environ.get('ROS_DOMAIN_ID') or 0),
                        help='ROS_DOMAIN_ID (default: that of the environment)')
    parser.add_argument('--home', type=int, metavar='SEED',
                        help='run the simulator, too, in this home')
    parser.add_argument('--adaptation', action='store_true',
                        help='run the node, too, by which the robot teaches itself its home')
    parser.add_argument('--speech', action='store_true',
                        help='listen, too, to what the parameter source of that node says')
    parser.add_argument('--logs', type=Path, help='folder for what the nodes say (default: a '
                                                  'new one, which is named)')


def run(args: argparse.Namespace) -> int:
    """Start the nodes and tend to them until a signal."""
    files = args.params_file or [shared_dir('config') / 'robot.yaml']
    for file in files:
        if not file.is_file():
            raise ValueError(f'there is no parameter file {file}')
    ended: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: ended.append(number))
    logs = args.logs or Path(tempfile.mkdtemp(prefix='nl_robot-run-'))
    environment = {**node_environment(args.domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE':
                   os.environ.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')}
    print(f'starting the nodes in ROS domain {args.domain}; their logs are in {logs}', flush=True)
    with NodeProcesses(logs, environment) as nodes:
        supervisor = Supervisor(nodes, lambda line: print(line, file=sys.stderr, flush=True))
        for name in names_of(args):
            supervisor.start(name, f'nl_robot.nodes.{name}',
                             arguments_of(name, files, args.namespace, args.home))
        while not ended:
            supervisor.tend()
            time.sleep(0.1)
    return 1 if supervisor.faults else 0


def names_of(args: argparse.Namespace) -> tuple[str, ...]:
    """The nodes that are wanted, in the order they start."""
    return (*(() if args.home is None else ('sim',)), *NODES,
            *(name for name in ('adaptation', 'speech') if getattr(args, name)))


def arguments_of(name: str, files: list[Path], namespace: str, home: int | None) -> list[str]:
    """The ROS 2 command line of a node."""
    words = [word for file in files for word in ('--params-file', str(file))]
    if namespace:
        words += ['-r', f'__ns:=/{namespace.strip("/")}']
    if name == 'sim':
        words += ['-p', f'seed:={home}']
    if name == 'safety_gate' and home is not None:
        words += ['-p', 'use_sim_time:=true']   # its stamps tell no delays
    return ['--ros-args', *words]
