"""`nl_robot <command>`: finds the module of a command, imports only that, and runs it.

A command is a module with `add_arguments(parser)` and `run(args) -> int`; a module with
`COMMANDS` is a group of further commands (`nl_robot benchmark homes`).
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

from nl_robot import __version__


class Command(NamedTuple):
    """What the dispatcher knows of a command before it imports it."""

    name: str
    module: str
    help: str


COMMANDS = (
    Command('demo', 'nl_robot.cli.demo', 'drive a simulated robot by commands in plain words'),
    Command('sim-home', 'nl_robot.cli.sim_home', 'draw a generated home'),
    Command('sentences', 'nl_robot.cli.sentences', 'show the goals that the grammar writes'),
    Command('train', 'nl_robot.cli.train', 'train the agent in generated homes'),
    Command('train-detector', 'nl_robot.cli.train_detector', 'train the embedded detector'),
    Command('doctor', 'nl_robot.cli.doctor', 'look at what there is for speech, and try it'),
    Command('benchmark', 'nl_robot.cli.benchmark', 'measure: homes, detector'),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `nl_robot`; gives the exit status.

    0: done · 1: it ran and did not succeed · 2: wrong input · 130: Ctrl-C
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None:     # a program of its own, perhaps in the background of a script
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
    try:
        status = dispatch('nl_robot', COMMANDS, arguments)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130
    except BrokenPipeError:    # whoever read the output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ValueError, OSError) as error:
        if os.environ.get('NL_ROBOT_TRACEBACK'):
            raise
        print(f'nl_robot: {one_sentence(error)}', file=sys.stderr)
        return 2


def dispatch(program: str, commands: Sequence[Command], argv: Sequence[str]) -> int:
    """Run the command that `argv` names; its own arguments follow the name.

    :param program: what was typed so far (`nl_robot benchmark`)
    :raises ValueError: an unknown command, or one whose parts are not installed
    """
    if not argv or argv[0] in ('-h', '--help'):
        print(usage(program, commands), file=sys.stdout if argv else sys.stderr)
        return 0 if argv else 2
    if argv[0] == '--version':
        print(f'nl_robot {__version__}')
        return 0
    command = find(program, commands, argv[0])
    module = load(command)
    if hasattr(module, 'COMMANDS'):
        return dispatch(f'{program} {command.name}', module.COMMANDS, argv[1:])
    parser = argparse.ArgumentParser(prog=f'{program} {command.name}', description=module.__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(argv[1:])))


def find(program: str, commands: Sequence[Command], name: str) -> Command:
    """The command called `name`; ValueError with the nearest name and all names."""
    for command in commands:
        if command.name == name:
            return command
    names = [command.name for command in commands]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f'; did you mean {near[0]!r}?' if near else '.'
    raise ValueError(f'{program} has no command {name!r}{hint} It has: {", ".join(names)}')


def load(command: Command) -> ModuleType:
    """The module of a command; ValueError says what is missing to run it."""
    try:
        return importlib.import_module(command.module)
    except ModuleNotFoundError as error:
        if error.name == command.module:
            raise ValueError(f'{command.name!r} is not part of this installation') from error
        raise ValueError(f'{command.name!r} needs the Python module {error.name!r}; install it '
                         'with: pip install -c constraints.txt -r requirements.txt') from error


def usage(program: str, commands: Sequence[Command]) -> str:
    """The list of commands as text."""
    width = max(len(command.name) for command in commands)
    lines = [f'  {command.name:<{width}}  {command.help}' for command in commands]
    return '\n'.join([f'usage: {program} <command> [arguments]', '', *lines, '',
                      f'{program} <command> --help tells the arguments of one.'])


def one_sentence(error: Exception) -> str:
    """What an error says, on one line."""
    if isinstance(error, FileNotFoundError) and error.filename:
        return f'there is no file {error.filename}'
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f'{error.filename}: {error.strerror}'
    return ' '.join(str(error).split()) or type(error).__name__


if __name__ == '__main__':
    sys.exit(main())
