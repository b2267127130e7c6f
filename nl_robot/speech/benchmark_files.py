"""What is spoken in the benchmark of speech, read from the files beside this one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from nl_robot.settings import load_yaml

SETS = ('development', 'report')
KINDS = ('short', 'long', 'filler')


@cache
def _file(name: str) -> Any:
    return load_yaml(Path(__file__).with_name(name))


def commands_of(which: str) -> dict[str, list[str]]:
    """Kind of command → sentences, of `development` or `report`."""
    return {kind: text.strip().split('\n')
            for kind, text in _file('benchmark_commands.yaml')[which].items() if kind in KINDS}


def stops_of(which: str) -> list[str]:
    """What is said to stop the robot."""
    return list(_file('benchmark_commands.yaml')[which]['stop'].strip().split('\n'))


def talk_of(which: str) -> list[str]:
    """Sentences that are not for the robot."""
    return list(_file('benchmark_talk.yaml')[which].strip().split('\n'))
