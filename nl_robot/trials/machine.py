"""What a process costs, what keeps a machine busy, and which machine it is; from /proc."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType


class Burners:
    """Keeps every core busy several times over while the `with` block runs.

    :param per_core: endless loops for each core, at the usual priority
    """

    def __init__(self, per_core: int = 2) -> None:
        self._count = per_core * (os.cpu_count() or 1)
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Burners:
        self._processes = [subprocess.Popen([sys.executable, '-S', '-c', 'while True: pass'])
                           for _ in range(self._count)]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


def cpu_seconds(pid: int) -> float:
    """Seconds of processor time that a process has used, of all its threads."""
    fields = Path(f'/proc/{pid}/stat').read_text(encoding='utf-8').rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def resident_megabytes(pid: int) -> float:
    """Memory of a process that is in RAM."""
    pages = int(Path(f'/proc/{pid}/statm').read_text(encoding='utf-8').split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 1e6


def cpu_percent(pids: Mapping[str, int], seconds: float) -> dict[str, float]:
    """Percent of one core that each process uses over the next `seconds`."""
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    began = time.monotonic()
    time.sleep(seconds)
    spent = time.monotonic() - began
    return {name: 100.0 * (cpu_seconds(pid) - before[name]) / spent for name, pid in pids.items()}


def slope_per_hour(*runs: Sequence[tuple[float, float]]) -> float:
    """The common slope of least-squares lines through runs of (seconds, value), per hour.

    Each run has a level of its own, so that what starts anew counts for its growth alone.
    """
    above = below = 0.0
    for points in filter(None, runs):
        mean_t = sum(t for t, _ in points) / len(points)
        mean_v = sum(v for _, v in points) / len(points)
        above += sum((t - mean_t) * (v - mean_v) for t, v in points)
        below += sum((t - mean_t) ** 2 for t, _ in points)
    return 3600.0 * above / below if below else 0.0


def description() -> str:
    """The machine in a few words, for beside a number."""
    model = platform.processor() or platform.machine()
    info = Path('/proc/cpuinfo')
    if info.is_file():
        names = [line.partition(':')[2].strip() for line in info.read_text().split('\n')
                 if line.startswith('model name')]
        model = names[0] if names else model
    middleware = os.environ.get('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp')
    return (f'{os.cpu_count()} cores of {model}, Python {platform.python_version()}, '
            f'{middleware}')
