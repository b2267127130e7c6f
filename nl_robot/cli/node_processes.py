"""The ROS 2 nodes as processes: started together, watched, and always ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

PROGRAM = '''
import ctypes, importlib, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.platform == 'linux':
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)   # PR_SET_PDEATHSIG: end when the parent is gone
    if os.getppid() != {parent}:
        sys.exit(1)
sys.argv[0] = {module!r}
sys.exit(importlib.import_module({module!r}).main())
'''
PATIENCE = ((signal.SIGINT, 4.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0))
"""Signals in rising order of force, and the seconds that each is given."""


class NodeFailedError(RuntimeError):
    """A node ended although nobody asked it to; the text says which, and its last words."""


class NodeProcesses:
    """A group of node processes; leaving the `with` block ends all that still run.

    Each has a session of its own, so that Ctrl-C on the terminal reaches the starter alone and
    the nodes end in order. Should the starter be killed, Linux sends them SIGTERM.
    """

    def __init__(self, logs: Path, environment: Mapping[str, str],
                 patience: Sequence[tuple[signal.Signals, float]] = PATIENCE) -> None:
        """:param logs: the folder that gets one log file per node
        :param environment: all variables of the processes
        """
        self._logs, self._environment, self._patience = logs, dict(environment), patience
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, module: str, arguments: Sequence[str] = ()) -> None:
        """Start `module.main()` under the name `name`; again, where it has ended."""
        program = PROGRAM.format(parent=os.getpid(), module=module)
        again = name in self._processes
        with open(self.log(name), 'ab' if again else 'wb') as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, '-c', program, *arguments], stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, env=self._environment,
                start_new_session=True)

    def log(self, name: str) -> Path:
        """Where a node writes what it says."""
        return self._logs / f'{name}.log'

    def pids(self) -> dict[str, int]:
        """The process id of each node."""
        return {name: process.pid for name, process in self._processes.items()}

    def check(self) -> None:
        """Raise `NodeFailedError` when a node has ended by itself."""
        for name, status in self.ended().items():
            raise NodeFailedError(f'the node {name} ended with status {status}; it said: '
                                  f'{self.last_words(name)} (all of it in {self.log(name)})')

    def ended(self) -> dict[str, int]:
        """The exit status of every node that has ended; negative: the signal that killed it."""
        found = {name: process.poll() for name, process in self._processes.items()}
        return {name: status for name, status in found.items() if status is not None}

    def last_words(self, name: str, lines: int = 7) -> str:
        """The end of what a node said."""
        text = self.log(name).read_text(encoding='utf-8', errors='replace').strip()
        return ' '.join(text.split('\n')[-lines:]) or 'nothing'

    def stop(self) -> None:
        """End every process group: SIGINT first, then SIGTERM, then SIGKILL.

        A second Ctrl-C meanwhile goes on to the next signal at once.
        """
        for number, seconds in self._patience:
            try:
                self._signal(number)
                if self._wait(seconds):
                    return
            except KeyboardInterrupt:
                continue

    def _signal(self, number: signal.Signals) -> None:
        """Send a signal to the group of every process that still runs."""
        for process in self._processes.values():
            if process.poll() is None:
                try:
                    os.killpg(process.pid, number)
                except ProcessLookupError:
                    pass

    def _wait(self, seconds: float) -> bool:
        """True as soon as all have ended; False when the seconds are over."""
        deadline = time.monotonic() + seconds
        while any(process.poll() is None for process in self._processes.values()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def __enter__(self) -> NodeProcesses:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()
