"""The process that learns: of low priority, watched, and gone when whoever started it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PROGRAM = '''
import ctypes, os, signal, sys
os.nice(10)
if sys.platform == 'linux':
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)      # PR_SET_PDEATHSIG
    if os.getppid() != {parent}:
        sys.exit(1)
from {module} import main
sys.exit(main())
'''


class Trainer:
    """One run of `nl_robot adapt --learn-only`; nothing here ever waits for it.

    :param log: the file that gets what it complains of
    :param module: the module whose `main` it runs
    """

    def __init__(self, arguments: Sequence[str], log: Path,
                 module: str = 'nl_robot.cli.main') -> None:
        self._log = log
        environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONUNBUFFERED': '1'}
        with open(log, 'wb') as complaints:
            self._process = subprocess.Popen(
                [sys.executable, '-c', PROGRAM.format(parent=os.getpid(), module=module),
                 *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=complaints, env=environment, start_new_session=True)
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._text = b''

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def facts(self) -> list[dict[str, Any]]:
        """What it said since the last call; lines that are no facts are left out."""
        assert self._process.stdout is not None
        self._text += self._process.stdout.read() or b''
        *lines, self._text = self._text.split(b'\n')
        found = []
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                found.append(row)
        return found

    def ended(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.poll()

    def last_words(self) -> str:
        """The last line that it complained of."""
        text = self._log.read_text(encoding='utf-8', errors='replace').strip()
        return text.rpartition('\n')[2][-300:]

    def memory(self) -> int:
        """MiB that it holds; 0 where that is not known."""
        try:
            status = Path(f'/proc/{self.pid}/status').read_text(encoding='utf-8')
        except OSError:
            return 0
        rows = [line.split() for line in status.splitlines() if line.startswith('VmRSS:')]
        return int(rows[0][1]) // 1024 if rows else 0

    def kill(self) -> None:
        """End it and all that it started."""
        if self._process.poll() is None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._process.wait(timeout=5)
