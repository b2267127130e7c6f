"""After `pip install -e .`: what an ament package needs beside its modules, as links to the tree.

An editable install leaves out data files, and pip puts programs into bin/ where `ros2 run`
does not look (it looks in lib/<package>).  This adds both to the virtual environment it runs in.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path

PACKAGE = 'nl_robot'


def link(place: Path, target: Path) -> None:
    """Make `place` a symbolic link to `target`, replacing a link that is there."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_symlink():
        place.unlink()
    place.symlink_to(target)


def link_package(prefix: Path, tree: Path) -> None:
    """Link the index marker, share/ and the programs of the package in `tree` into `prefix`."""
    link(prefix / 'share/ament_index/resource_index/packages' / PACKAGE,
         tree / 'resource' / PACKAGE)
    for name in ('package.xml', 'launch', 'config', 'models'):
        link(prefix / 'share' / PACKAGE / name, tree / name)
    for script in entry_points(group='console_scripts'):
        if script.value.startswith(f'{PACKAGE}.'):
            link(prefix / 'lib' / PACKAGE / script.name, prefix / 'bin' / script.name)


if __name__ == '__main__':
    link_package(Path(sys.prefix), Path(__file__).resolve().parents[1])
