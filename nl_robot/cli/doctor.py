"""Look whether everything is there that a robot needs, and say what to do where it is not.

Looks at this machine, and for some seconds at the robot's topics: who publishes what as which
type, how often, in which frame, with stamps how old. Prints one line each: ok, note, or MISSING
with what to do; tells the same to /diagnostics. Exit status: 1 when something needed is missing.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from nl_robot.cli.arguments import positive_number
from nl_robot.cli.doctor_machine import machine_findings
from nl_robot.cli.findings import Finding, missing
from nl_robot.settings import load_yaml, shared_dir

AUDIO = 'nl_robot.cli.doctor_audio'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot doctor`."""
    parser.add_argument('--json', action='store_true', help='print the findings as JSON')
    parser.add_argument('--machine', action='store_true',
                        help='look at this machine alone, not at a robot')
    parser.add_argument('--seconds', type=positive_number, default=4.0,
                        help='how long to listen to the robot (default: 4)')
    parser.add_argument('--namespace', default='', help='of the robot')
    parser.add_argument('--params-file', type=Path, help='the parameter file of the robot '
                        '(default: config/robot.yaml), for its cameras, driver and types')
    if (audio := audio_module()) is not None:
        audio.add_audio_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 when something needed is missing."""
    if getattr(args, 'audio', False):
        findings = [*audio_findings(), *heard(args)]
    else:
        parameters = read_parameters(args.params_file)
        findings = [*machine_findings(parameters), *audio_findings()]
        if not args.machine:
            findings += robot_findings(parameters, args.namespace, args.seconds)
    if args.json:
        print(json.dumps([finding._asdict() for finding in findings], indent=1))
    else:
        print('\n'.join(lines(findings)))
    return int(any(finding.state == 'missing' for finding in findings))


def read_parameters(path: Path | None) -> dict[str, dict[str, object]]:
    """The parameters of each node in a ROS parameter file, by the node's name.

    :raises ValueError: the file is none, or there is no such file
    """
    path = path or shared_dir('config') / 'robot.yaml'
    content = load_yaml(path)
    if not isinstance(content, dict):
        raise ValueError(f'{path} is no parameter file: it has no nodes in it')
    return {str(name).rpartition('/')[2]: (values or {}).get('ros__parameters', {})
            for name, values in content.items()}


def audio_findings() -> list[Finding]:
    """What is known of a microphone, where this installation can listen at all."""
    if (audio := audio_module()) is None:
        return [Finding('microphone', 'note', 'this installation takes typed commands only')]
    return [Finding(*finding) for finding in audio.findings()]


def heard(args: argparse.Namespace) -> list[Finding]:
    """What a microphone brought, or a file in its place."""
    audio = audio_module()
    assert audio is not None    # else there is no --audio
    if args.wav is None:
        print(f'speak now: listening for {args.listen:g} s', file=sys.stderr, flush=True)
    return [Finding(*finding) for finding in audio.listen(args)]


def audio_module() -> ModuleType | None:
    """What looks after sound, where this installation has it."""
    return importlib.import_module(AUDIO) if importlib.util.find_spec(AUDIO) else None


def robot_findings(parameters: dict[str, dict[str, object]], namespace: str, seconds: float
                   ) -> list[Finding]:
    """What was heard of a robot, where ROS 2 is installed."""
    if importlib.util.find_spec('rclpy') is None:
        return [missing('robot', 'rclpy is not installed, so that nothing can be heard',
                        'source your ROS 2 installation, or type: make setup')]
    from nl_robot.cli.doctor_robot import listen
    return listen(parameters, namespace, seconds)


def lines(findings: Iterable[Finding]) -> list[str]:
    """A line for each finding, and one below it that says what to do."""
    text = []
    for finding in findings:
        state = finding.state.upper() if finding.state == 'missing' else finding.state
        text.append(f'{state:<8}{finding.name}: {finding.says}')
        if finding.todo:
            text.append(f'{"":8}{"":2}{finding.todo}')
    return text
