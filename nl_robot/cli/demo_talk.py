"""The demo's conversation: give a command, follow it to its end, judge it by the ground truth."""

from __future__ import annotations

import math
import os
import re
import select
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from nl_robot.cli.demo_picture import Drive
from nl_robot.cli.node_processes import NodeFailedError
from nl_robot.embodied.home_episodes import read_target
from nl_robot.embodied.places import Target, fulfilled, remaining
from nl_robot.mission.command import Status
from nl_robot.sim.homes import floor_grid
from nl_robot.sim.records import Home

PATIENCE = 330.0    # seconds for one command; the policy itself gives up after 300
PAUSES = (1.0, 2.0, 4.0)    # seconds before a robot that is not ready is told again
SETTLE = 0.7        # seconds for the robot to come to rest after a terminal status
OWN_ENDS = ('succeeded', 'unsure')    # the robot itself decided to stop there
ASKING = re.compile(
    r"(?:please |now |could you |can you |would you |i want you to |let's )*"
    r'(?:(?:go|drive|head|move|walk|come|navigate|run|proceed)(?: over)?(?: to| into| in)? |'
    r'(?:find|enter|visit|approach) )?(?:the |a |an |my |our )?(?P<name>.+?)(?: please)?[ .!?]*')


class Watching(Protocol):
    """What the talk needs of a `Watcher`."""

    path: list[tuple[float, float]]
    collisions: int

    def missing(self) -> list[str]:
        """What is not ready for a command yet."""

    def say(self, words: str) -> None:
        """Give a command."""

    def heard(self) -> list[Status]:
        """The statuses since the last call."""

    def spin(self, seconds: float, until: Callable[[], bool] = ...) -> bool:
        """Let messages in."""

    def photograph(self) -> dict[str, Any]:
        """One frame of every camera."""


class Judge:
    """Says by the plan of the home whether a goal is fulfilled at a place."""

    def __init__(self, home: Home) -> None:
        self._home, self._grid = home, floor_grid(home)

    def __call__(self, target: Target, place: tuple[float, float]) -> tuple[bool, str]:
        """Whether it is fulfilled there, and one phrase about where that is."""
        done = fulfilled(self._home, self._grid, target, *place)
        room = self._home.room_at(*place)
        where = f'in the {room.name}' if room else 'in a doorway'
        if target.rooms and done:
            return True, where
        left = remaining(self._home, self._grid, target, *place)
        return done, f'{where}, {left:.1f} m from the goal'

    def target_of_words(self, words: str) -> Target | None:
        """The target of words that plainly name one room or item; None for all others."""
        match = ASKING.fullmatch(' '.join(words.lower().split()))
        for what in ('room', 'item'):
            try:
                return read_target(self._home, {what: match['name']}, '') if match else None
            except ValueError:
                continue
        return None


class Keyboard:
    """Lines that a person types, taken without ever waiting for one."""

    def __init__(self, descriptor: int) -> None:
        """:param descriptor: of the open file to read; 0 is standard input"""
        self._descriptor, self._text, self._ended = descriptor, b'', False

    def line(self) -> str | None:
        """The next whole line, stripped; None when there is none yet; '' after the end."""
        while not self._ended and select.select([self._descriptor], [], [], 0)[0]:
            read = os.read(self._descriptor, 4096)
            self._text += read
            self._ended = not read
        if b'\n' not in self._text and not self._ended:
            return None
        line, _, self._text = self._text.partition(b'\n')
        return line.decode('utf-8', 'replace').strip()


class Talk:
    """One conversation with the robot; `drives` holds what came of each command."""

    def __init__(self, watcher: Watching, check: Callable[[], None], judge: Judge,
                 asks: bool = False) -> None:
        """:param check: raises `NodeFailedError` when a node has ended
        :param asks: further commands may be typed while one is under way
        """
        self._watcher, self._check, self._judge, self._asks = watcher, check, judge, asks
        self.drives: list[Drive] = []
        self._ids: set[str] = set()
        self._keyboard = Keyboard(0)

    def wait_until_ready(self, seconds: float) -> None:
        """Let the nodes start; NodeFailedError says what is missing when the time is over."""
        began = time.monotonic()
        while missing := self._watcher.missing():
            self._check()
            if time.monotonic() - began > seconds:
                raise NodeFailedError(f'not ready after {seconds:.0f} s: {", ".join(missing)}')
            self._watcher.spin(0.3)
        print(f'ready after {time.monotonic() - began:.0f} s', flush=True)

    def give(self, commands: Sequence[tuple[str, Target | None]]) -> bool:
        """Give commands one after another; gives whether every one was done."""
        outcomes = [self.follow(words, target) for words, target in commands]
        print(f'{sum(outcomes)} of {len(outcomes)} commands done')
        return all(outcomes)

    def ask(self) -> bool:
        """Take commands from the terminal until an empty line; gives whether all were done."""
        print('Type a command (while it runs: another one, or "stop"); an empty line ends.')
        outcomes = []
        while words := self._typed():
            outcomes.append(self.follow(words, self._judge.target_of_words(words)))
        return all(outcomes)

    def _typed(self) -> str:
        """The next line, while messages go on coming in; '' at the end."""
        print('> ', end='', flush=True)
        while (line := self._keyboard.line()) is None:
            self._watcher.spin(0.1)
            self._check()
        return line

    def follow(self, words: str, target: Target | None) -> bool:
        """Give one command, show what the robot says until it ends, and judge the end."""
        watcher = self._watcher
        first, touched = len(watcher.path), watcher.collisions
        ended = self._until_the_end(words)
        for pause in PAUSES:
            if isinstance(ended, Status) and ended.reason.startswith('not_ready'):
                watcher.spin(pause)
                ended = self._until_the_end(words)
        if isinstance(ended, str):
            self.drives.append(Drive(words, watcher.path[first:], 'another command came', False))
            return self.follow(ended, self._judge.target_of_words(ended))
        watcher.spin(SETTLE)
        return self._conclude(Drive(words, watcher.path[max(first - 1, 0):], '', False), target,
                              ended.state if ended else f'no end within {PATIENCE:.0f} s',
                              watcher.collisions - touched)

    def _until_the_end(self, words: str) -> Status | str | None:
        """Give a command and show what is said of it.

        Gives its terminal status, None where none came in time, or what was typed meanwhile.
        """
        watcher, began, id_, told = self._watcher, time.monotonic(), '', ''
        self._ids.update(status.id for status in watcher.heard())
        print(f'\n"{words}"', flush=True)
        watcher.say(words)
        while time.monotonic() - began < PATIENCE:
            watcher.spin(0.1)
            self._check()
            for status in watcher.heard():
                id_ = id_ or (status.id if status.id not in self._ids else '')
                self._ids.add(status.id)
                if status.id != id_:
                    continue
                line = f'{status.state}: {status.text}' if status.is_terminal else status.text
                if line != told:
                    print(f'{time.monotonic() - began:6.1f} s  {line}', flush=True)
                    told = line
                if status.is_terminal:
                    return status
            if self._asks and (typed := self._keyboard.line()) is not None:
                return typed or 'stop'
        return None

    def _conclude(self, drive: Drive, target: Target | None, said: str, touched: int) -> bool:
        """Judge where the robot came to rest, and keep the drive."""
        if target is None:
            done, where = said == 'succeeded', 'nobody but the robot knows what was meant'
        else:
            done, where = self._judge(target, drive.path[-1])
            done = done and said in OWN_ENDS
        verdict = f'{said}; {where}; {length(drive.path):.1f} m driven, {touched} collisions'
        print(f'          {"reached" if done else "NOT reached"}: {verdict}', flush=True)
        self.drives.append(replace(drive, verdict=verdict, success=done,
                                   frames=self._watcher.photograph()))
        return done


def length(path: Sequence[tuple[float, float]]) -> float:
    """Metres along a path."""
    return sum(math.dist(a, b) for a, b in zip(path, path[1:]))
