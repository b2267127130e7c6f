"""Processes that share a long job; Ctrl-C is the parent's to answer."""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.pool import Pool


def worker_pool(count: int) -> Pool:
    """A pool of fresh processes (nothing of OpenGL or torch survives a fork) deaf to Ctrl-C."""
    return multiprocessing.get_context('spawn').Pool(max(1, count), _ignore_interrupt)


def _ignore_interrupt() -> None:
    """The parent hears Ctrl-C, keeps what is done, and ends its workers without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
