"""A node runs once: a second copy in the same ROS domain of this machine is refused.

The lock belongs to the open file of the process, so the kernel lifts it however the process ends,
and a node that was killed may start again at once; the graph would still show it for 20 s.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO

from rclpy.node import Node


class SecondCopyError(RuntimeError):
    """This node runs already; the text says in which process."""


def lock_folder() -> Path:
    """Where the locks of this user are; it is gone after a restart of the machine."""
    base = os.environ.get('XDG_RUNTIME_DIR') or tempfile.gettempdir()
    return Path(base) / f'nl_robot-{os.getuid()}'


def hold_alone(node: Node) -> IO[str]:
    """Take the lock of this node's name and domain; it is held while the file is open.

    :raises SecondCopyError: another process holds it
    """
    name = node.get_fully_qualified_name()
    domain = node.context.get_domain_id()
    folder = lock_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = open(folder / f'{domain}{name.replace("/", "-")}.lock', 'a+', encoding='utf-8')
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or 'unknown'
        file.close()
        raise SecondCopyError(f'{name} runs already in ROS domain {domain}, as process {holder}; '
                              'end it first, or take another domain or namespace') from None
    file.truncate(0)
    file.write(f'{os.getpid()}\n')
    file.flush()
    return file
