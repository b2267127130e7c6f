"""Where the files of Room-to-Room and REVERIE lie, under their official names.

A data folder holds `connectivity/` or `connectivity.zip`, `BBox/` or `BBox.zip`, and the
instructions, `R2R_{split}.json` and `REVERIE_{split}.json`.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

DATASETS = {'r2r': 'R2R', 'reverie': 'REVERIE'}


def parse_json(text: bytes, name: str) -> Any:
    """The content of a JSON file; ValueError naming the file where it is none."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f'{name} is not readable as JSON ({error}): fetch it again') from error


class Shelf:
    """The JSON files of a folder or of its zip, by their bare names.

    :param folder: what holds `<name>/` or `<name>.zip`
    :raises FileNotFoundError: where it holds neither
    """

    def __init__(self, folder: Path, name: str) -> None:
        inside, packed = folder / name, folder / f'{name}.zip'
        self._zip: zipfile.ZipFile | None = None
        self.where = inside
        self.sizes: dict[str, int] = {}
        self._members: dict[str, zipfile.ZipInfo] = {}
        if inside.is_dir():
            self.sizes = {entry.name: entry.stat().st_size for entry in os.scandir(inside)
                          if entry.name.endswith('.json')}
        elif packed.is_file():
            self.where = packed
            self._open(packed)
        else:
            raise FileNotFoundError(f'{folder} holds neither {name}/ nor {name}.zip: give the '
                                    'folder with the files of Room-to-Room and REVERIE')

    def _open(self, packed: Path) -> None:
        """Read the index of the zip."""
        try:
            self._zip = zipfile.ZipFile(packed)
        except zipfile.BadZipFile as error:
            raise ValueError(f'{packed} is not a whole zip file: fetch it again') from error
        for info in self._zip.infolist():
            bare = info.filename.rpartition('/')[2]
            if bare.endswith('.json') and not info.filename.startswith('__MACOSX'):
                self._members[bare] = info
        self.sizes = {bare: info.file_size for bare, info in self._members.items()}

    def read(self, name: str) -> Any:
        """The content of one file; FileNotFoundError where it is missing."""
        if name not in self.sizes:
            raise FileNotFoundError(f'there is no {name} in {self.where}')
        text = self._zip.read(self._members[name]) if self._zip else (
            self.where / name).read_bytes()
        return parse_json(text, f'{self.where}/{name}')

    def fingerprint(self, names: Iterable[str]) -> int:
        """A number that changes when one of these files changes its name or its size."""
        told = ' '.join(f'{name}:{self.sizes.get(name, -1)}' for name in sorted(names))
        return zlib.crc32(told.encode())


class DataFolder:
    """A folder of the official files; ones that are missing are told when they are needed."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise FileNotFoundError(f'there is no folder {path}: give the one with the files of '
                                    'Room-to-Room and REVERIE')

    @cached_property
    def connectivity(self) -> Shelf:
        """The navigation graphs, `{scan}_connectivity.json`."""
        return Shelf(self.path, 'connectivity')

    @cached_property
    def boxes(self) -> Shelf:
        """The objects at the viewpoints, `{scan}_{viewpoint}.json`."""
        return Shelf(self.path, 'BBox')

    def scans(self) -> tuple[str, ...]:
        """The buildings that have a navigation graph, sorted."""
        ending = '_connectivity.json'
        return tuple(sorted(name.removesuffix(ending) for name in self.connectivity.sizes
                            if name.endswith(ending)))

    def splits(self, dataset: str) -> tuple[str, ...]:
        """The names of the splits of `r2r` or `reverie` in the folder, sorted."""
        prefix = official_name(dataset) + '_'
        return tuple(sorted(file.stem.removeprefix(prefix)
                            for file in self.path.glob(f'{prefix}*.json')))

    def records(self, dataset: str, split: str) -> list[dict[str, Any]]:
        """The instruction records of a split as they stand in the file."""
        file = self.path / f'{official_name(dataset)}_{split}.json'
        if not file.is_file():
            found = ', '.join(self.splits(dataset)) or 'none'
            raise FileNotFoundError(f'there is no {file.name} in {self.path}; '
                                    f'splits found there: {found}')
        records = parse_json(file.read_bytes(), str(file))
        if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
            raise ValueError(f'{file} must be a list of instruction records')
        return records


def official_name(dataset: str) -> str:
    """`R2R` or `REVERIE` in file names; ValueError for another data set."""
    if dataset not in DATASETS:
        raise ValueError(f'the data set must be one of {", ".join(DATASETS)}, got {dataset!r}')
    return DATASETS[dataset]
