"""Looks at what this machine has for nl_robot, and tries it."""

from __future__ import annotations

import argparse

from nl_robot.cli.doctor_audio import add_audio_arguments, findings, listen


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is looked at."""
    add_audio_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print what was found; 1 when something that was asked for is missing."""
    if not args.audio:
        raise ValueError('say what to look at: --audio for microphones and speech')
    found = findings()
    _print(found)
    if args.wav is None:
        print(f'speak now: listening for {args.listen:g} s', flush=True)
    heard = listen(args)
    _print(heard)
    return int(any(state == 'missing' for _, state, _, _ in heard))


def _print(found: list[tuple[str, str, str, str]]) -> None:
    for name, state, says, todo in found:
        print(f'{state.upper() if state == "missing" else state:<8}{name}: {says}'
              + (f'\n{"":10}{todo}' if todo else ''), flush=True)
