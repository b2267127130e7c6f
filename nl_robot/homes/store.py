"""Homes on disk, by name, side by side; each is a folder, and deleting it forgets all of it.

    <root>/<name>/home.json           where exploring began, where the robot was last
                  adaptation.json     how far adaptation is
                  map.npz             places, sightings and ways: words and geometry, no pictures
                  trajectories.jsonl  what was driven there
                  labels.json         sentences for trajectories, and what people said of them
                  checkpoints/        what was learned there, and which of it is active
                  learning/           a training run under way
                  before_after.png    what the last adaptation brought
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nl_robot.homes import labels, trajectories
from nl_robot.homes.files import read_json, sweep, sync_folder, write_json
from nl_robot.homes.home_map import HomeMap
from nl_robot.homes.labels import Label
from nl_robot.homes.trajectories import Trajectory
from nl_robot.homes.versions import Versions
from nl_robot.settings import from_mapping

NAME = re.compile(r'[\w][\w .-]{0,63}')
PHASES = ('idle', 'exploring', 'returning', 'learning', 'done', 'failed', 'stopped')


def homes_folder(given: Path | str = '') -> Path:
    """Where homes are kept: as given, `$NL_ROBOT_HOMES`, or the user's data folder."""
    if given:
        return Path(given)
    if os.environ.get('NL_ROBOT_HOMES'):
        return Path(os.environ['NL_ROBOT_HOMES'])
    data = os.environ.get('XDG_DATA_HOME') or Path.home() / '.local' / 'share'
    return Path(data) / 'nl_robot' / 'homes'


@dataclass(frozen=True)
class Notes:
    """What is remembered of a home beside its map.

    :param start: the place where exploring began, None before it did
    :param pose: x, y, yaw in the map and :param odometry: in the odometry's frame, when it was
        last seen: as long as the odometry goes on from there, both frames are known
    :param explored: nothing new was within reach any more
    :param places, driven: that its map and its trajectories number
    """

    start: int | None = None
    pose: tuple[float, ...] = ()
    odometry: tuple[float, ...] = ()
    explored: bool = False
    places: int = 0
    driven: int = 0


@dataclass(frozen=True)
class Progress:
    """How far the adaptation of a home is; the adaptation node alone writes it.

    :param phase: one of PHASES; :param reason: why it ended as it did
    :param run: names this adaptation
    :param minutes: budget of exploring, and :param spent: of it so far
    """

    phase: str = 'idle'
    reason: str = ''
    run: str = ''
    minutes: float = 20.0
    spent: float = 0.0

    def __post_init__(self) -> None:
        if self.phase not in PHASES:
            raise ValueError(f'a home is in one of the phases {PHASES}, got {self.phase!r}')


class Home:
    """The folder of one home."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, folder.name
        self.versions = Versions(folder / 'checkpoints')

    @property
    def figure(self) -> Path:
        """Where the figure of before and after is kept."""
        return self.folder / 'before_after.png'

    def notes(self) -> Notes:
        """What is remembered; ValueError where the file is damaged."""
        path = self.folder / 'home.json'
        return from_mapping(Notes, read_json(path), str(path)) if path.exists() else Notes()

    def note(self, **changes: Any) -> Notes:
        """Remember something else, and keep the rest."""
        return self.keep(replace(self.notes(), **changes))

    def keep(self, notes: Notes) -> Notes:
        """Remember exactly this."""
        write_json(self.folder / 'home.json', dataclasses.asdict(notes))
        return notes

    def progress(self) -> Progress:
        """How far its adaptation is; ValueError where the file is damaged."""
        path = self.folder / 'adaptation.json'
        return from_mapping(Progress, read_json(path), str(path)) if path.exists() else Progress()

    def keep_progress(self, progress: Progress) -> None:
        """Remember how far it is."""
        write_json(self.folder / 'adaptation.json', dataclasses.asdict(progress))

    def map(self) -> HomeMap:
        """Its map; an empty one where nothing is known yet."""
        path = self.folder / 'map.npz'
        return HomeMap.load(path) if path.exists() else HomeMap(self.name)

    def save_map(self, home: HomeMap) -> None:
        """Keep a map, whole or not at all."""
        home.save(self.folder / 'map.npz')

    def trajectories(self) -> list[Trajectory]:
        """What was driven there, in order."""
        return trajectories.read(self.folder / 'trajectories.jsonl')

    def add(self, driven: list[Trajectory]) -> None:
        """Keep more of them."""
        trajectories.append(self.folder / 'trajectories.jsonl', driven)

    def labels(self) -> list[Label]:
        """Sentences for its trajectories."""
        return labels.load(self.folder / 'labels.json')

    def save_labels(self, found: list[Label]) -> None:
        """Keep sentences, whole or not at all."""
        labels.save(self.folder / 'labels.json', found)

    def driven_since_labels(self) -> bool:
        """Whether there are trajectories that were not there when labels were written last."""
        driven, labelled = self.folder / 'trajectories.jsonl', self.folder / 'labels.json'
        return driven.exists() and (not labelled.exists()
                                    or driven.stat().st_mtime > labelled.stat().st_mtime)

    def sweep(self) -> None:
        """Remove what writers that were killed left behind; see `Versions.sweep` for the rest."""
        sweep(self.folder)
        sweep(self.versions.folder)

    def size(self) -> int:
        """Bytes of all that is kept of it."""
        return sum(path.stat().st_size for path in self.folder.rglob('*') if path.is_file())


class Homes:
    """All homes of a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """The homes that are known, in alphabetical order."""
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir()
                      if (path / 'home.json').is_file() and NAME.fullmatch(path.name))

    def open(self, name: str, make: bool = False) -> Home:
        """The home of that name.

        :param make: begin one where there is none
        :raises ValueError: a name that is none, or that nobody knows
        """
        if not NAME.fullmatch(name):
            raise ValueError(f'a home is called by letters, digits, spaces, - . and _, at most '
                             f'64 of them, got {name!r}')
        home = Home(self.root / name)
        if name not in self.names():
            if not make:
                raise ValueError(f'no home {name!r} is known; known are: '
                                 + (', '.join(self.names()) or 'none yet'))
            home.note()
            sync_folder(self.root)
        home.sweep()
        return home

    def delete(self, name: str) -> int:
        """Forget a home and all that was learned there; the bytes that it took.

        It is renamed first, so that no half of it is ever found under its name.
        """
        home = self.open(name)
        size, doomed = home.size(), self.root / f'.{name}.deleted'
        shutil.rmtree(doomed, ignore_errors=True)
        os.replace(home.folder, doomed)
        shutil.rmtree(doomed)
        sync_folder(self.root)
        return size
