"""The running command on disk, so that a node that comes back says what became of it.

Without it a command that ran when the node was killed would never end for those who wait for it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from nl_robot.mission.command import Status


class Journal:
    """One small file: there while a command runs, gone when none does.

    It is replaced as a whole, so that it is never half of one; it outlives the process, not a
    power cut of the very moment. A disk that is full or read-only takes nothing from the robot:
    `trouble` tells, and commands go on.

    :param path: None: nothing is kept
    """

    def __init__(self, path: Path | None) -> None:
        self._path, self.trouble = path, ''
        self._noted: str | None = None

    def left_over(self) -> Status | None:
        """The command that ran when its node ended, if any; a broken file means there was one."""
        if self._path is None:
            return None
        try:
            text = self._path.read_text(encoding='utf-8')
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            return Status('', 'accepted')
        try:
            values = json.loads(text)
            return Status(str(values['id']), 'accepted', words=str(values['words']))
        except (ValueError, KeyError, TypeError):
            return Status('', 'accepted')

    def note(self, running: Status | None) -> None:
        """Keep which command runs; None: none does."""
        id_ = running.id if running else None
        if self._path is None or id_ == self._noted:
            return
        try:
            if running is None:
                self._path.unlink(missing_ok=True)
            else:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                temporary = self._path.with_suffix('.tmp')
                temporary.write_text(json.dumps({'id': running.id, 'words': running.words}),
                                     encoding='utf-8')
                os.replace(temporary, self._path)
            self._noted, self.trouble = id_, ''
        except OSError as error:
            self.trouble = f'the journal cannot be written: {error}'


def journal_path(setting: str, name: str, domain: int) -> Path | None:
    """Where the journal of a command node is kept.

    :param setting: a path, `none`, or empty for a file of this node's own in ~/.ros
    :param name: the node's fully qualified name
    """
    if setting:
        return None if setting == 'none' else Path(setting)
    home = Path(os.environ.get('ROS_HOME') or Path.home() / '.ros')
    return home / 'nl_robot' / f'running-{domain}{name.replace("/", "-")}.json'
