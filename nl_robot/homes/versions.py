"""Which checkpoint a home acts on: versions side by side, one active, and the way back.

Versions are directories that never change; what is active stands in one small file that is
replaced whole, so that a crash leaves the old choice or the new one.
"""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from nl_robot.homes.files import read_json, write_json
from nl_robot.settings import from_mapping

KEPT = 3
FAILURES, COMMANDS = 3, 10
FAILED = ('unsure', 'not_found', 'timeout', 'failed')
JUDGED = ('succeeded', 'blocked', *FAILED)
NOT_ITS_FAULT = ('sensor_lost', 'policy_lost', 'bridge_lost', 'gate_lost', 'interrupted')


@dataclass(frozen=True)
class Active:
    """What a home acts on.

    :param version: name of a version; '' for the checkpoint that every home begins with
    :param previous: versions that were active before, the latest last
    :param commands: how many commands it has had since; :param failures: of them failed
    :param trial: it may still be rolled back by itself
    :param why: what led to it, one line
    """

    version: str = ''
    previous: tuple[str, ...] = ()
    commands: int = 0
    failures: int = 0
    trial: bool = False
    why: str = ''


class Versions:
    """The versions of one home; no networks are read here.

    :param folder: holds the versions and `active.json`
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def active(self) -> Active:
        """What is active; ValueError where the file is damaged."""
        path = self.folder / 'active.json'
        if not path.exists():
            return Active()
        return from_mapping(Active, read_json(path), str(path))

    def names(self) -> list[str]:
        """Versions on disk, the oldest first."""
        return sorted(path.name for path in self.folder.glob('v[0-9]*') if path.is_dir())

    def next(self) -> Path:
        """The directory of a version that is not there yet."""
        active = self.active()
        known = [*self.names(), active.version, *active.previous]
        last = max((int(name[1:]) for name in known if name[1:].isdigit()), default=0)
        return self.folder / f'v{last + 1:04d}'

    def path(self, version: str) -> Path | None:
        """Where a version lies; None for the one that every home begins with."""
        return self.folder / version if version else None

    def activate(self, version: str, why: str) -> Active:
        """Act on a version from now on, on trial; the oldest ones beyond three are removed.

        :raises ValueError: there is no such version
        """
        if version not in self.names():
            raise ValueError(f'there is no version {version!r} of this home; it has: '
                             + (', '.join(self.names()) or 'none'))
        before = self.active()
        return self._put(Active(version, (*before.previous, before.version)[-KEPT:], trial=True,
                                why=why))

    def roll_back(self, why: str) -> Active:
        """Act on what was active before.

        :raises ValueError: nothing was
        """
        now = self.active()
        if not now.version:
            raise ValueError('there is nothing to roll back: the home acts on the checkpoint '
                             'that it began with')
        left = [name for name in now.previous if not name or name in self.names()]
        return self._put(Active(left[-1] if left else '', tuple(left[:-1]), why=why))

    def heard(self, state: str, reason: str) -> Active | None:
        """A command came to an end; what is active afterwards where it was rolled back.

        Of the first commands after an activation a few may fail; what the sensors, the other
        nodes or a person did is not the checkpoint's fault.
        """
        now = self.active()
        if (not now.trial or state not in JUDGED
                or reason.partition(':')[0] in NOT_ITS_FAULT):
            return None
        now = replace(now, commands=now.commands + 1, failures=now.failures + (state in FAILED))
        if now.failures >= FAILURES:
            return self.roll_back(f'{now.failures} of the first {now.commands} commands failed')
        self._put(replace(now, trial=now.commands < COMMANDS))
        return None

    def _put(self, active: Active) -> Active:
        write_json(self.folder / 'active.json', dataclasses.asdict(active))
        self._prune(active)
        return active

    def _prune(self, active: Active) -> None:
        """Three versions are kept, what is active among them."""
        names = [name for name in self.names() if name != active.version]
        for name in names[:max(0, len(names) - (KEPT - bool(active.version)))]:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def sweep(self) -> list[Path]:
        """Remove what savers that were killed left behind; nobody else may be saving."""
        left = [path for pattern in ('.*.tmp', '.*.old') for path in self.folder.glob(pattern)
                if not (path.name.endswith('.old')
                        and not (self.folder / path.name[1:-4]).exists())]
        for path in left:
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)
        return left
