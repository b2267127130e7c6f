"""Episodes on disk: one JSON line each, so that a log can grow and be cut anywhere."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from nl_robot.datatypes import (
    Decision,
    Episode,
    Observation,
    Pose,
    Sighting,
    Step,
    Waypoint,
)


def to_json(episode: Episode) -> str:
    """One line of JSON."""
    return json.dumps(dataclasses.asdict(episode), separators=(',', ':'), allow_nan=False)


def _observation(data: dict[str, Any]) -> Observation:
    """The record behind its dictionary."""
    return Observation(tuple(Sighting(**s) for s in data['sightings']),
                       tuple(Waypoint(**w) for w in data['waypoints']), Pose(**data['pose']))


def from_json(line: str) -> Episode:
    """The episode of one line; ValueError says what is wrong with it."""
    try:
        data = json.loads(line)
        steps = tuple(
            Step(_observation(step['observation']),
                 Decision(step['decision']['waypoint_index'], step['decision']['probability'],
                          tuple(step['decision']['probabilities'])))
            for step in data.pop('steps'))
        return Episode(steps=steps, **data)
    except (AttributeError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f'not an episode: {error!r} in {line[:80]!r}') from error


def append(path: Path, episodes: Iterable[Episode]) -> None:
    """Add episodes to a log; a last line that a crash left unfinished is cut off first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'a+b') as file:
        file.truncate(_whole_lines(file))
        for episode in episodes:
            file.write(to_json(episode).encode() + b'\n')


def _whole_lines(file: BinaryIO, block: int = 65536) -> int:
    """How many bytes of a file are whole lines, found from its end."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - block)
        file.seek(start)
        newline = file.read(end - start).rfind(b'\n')
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def read(path: Path) -> Iterator[Episode]:
    """The episodes of a log; a last line that was cut off by a crash is left out."""
    with open(path, encoding='utf-8') as file:
        for line in file:
            if line.endswith('\n'):
                yield from_json(line)
