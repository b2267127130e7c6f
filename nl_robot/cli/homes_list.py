"""The homes that the robot knows: places, ways driven, sentences, and what is in use there."""

from __future__ import annotations

import argparse

from nl_robot.homes.labels import counts
from nl_robot.homes.store import Homes, homes_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot homes list`."""
    parser.add_argument('--homes', type=homes_folder, default=homes_folder(), metavar='DIR')


def run(args: argparse.Namespace) -> int:
    """One line per home; a damaged one is told and does not hide the others."""
    homes = Homes(args.homes)
    if not homes.names():
        print(f'no home is known in {homes.root}')
    for name in homes.names():
        try:
            home = homes.open(name)
            active = home.versions.active()
            print(f'{name}: {len(home.map())} places, {len(home.trajectories())} trajectories, '
                  f'{counts(home.labels()).kept} sentences, acts on '
                  f'{active.version or "the checkpoint it began with"}, {home.progress().phase}, '
                  f'{home.size() / 1e6:.1f} MB')
        except ValueError as error:
            print(f'{name}: {error}')
    return 0
