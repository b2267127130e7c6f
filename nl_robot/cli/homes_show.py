"""What is known of a home, and its map as a picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from nl_robot.cli.arguments import output_file
from nl_robot.homes.labels import counts
from nl_robot.homes.pictures import draw_map, landmarks
from nl_robot.homes.store import Homes, homes_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot homes show`."""
    parser.add_argument('name', metavar='NAME')
    parser.add_argument('--homes', type=homes_folder, default=homes_folder(), metavar='DIR')
    parser.add_argument('--png', type=output_file, default=Path('home_map.png'),
                        help='the picture of the map (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Print what is known and draw the map."""
    home = Homes(args.homes).open(args.name)
    known, driven, active = home.map(), home.trajectories(), home.versions.active()
    things = sorted({label for *_, label in landmarks(known)})
    faults = sorted({t.fault for t in driven if t.fault})
    print(f'{home.name}: {len(known)} places, {sum(map(len, known.ways))} ways; '
          f'things: {", ".join(things) or "none yet"}')
    print(f'{len(driven)} trajectories, {sum(not t.usable for t in driven)} of them not to be '
          f'learned from{" (" + ", ".join(faults) + ")" if faults else ""}; '
          f'{counts(home.labels())}')
    print(f'acts on {active.version or "the checkpoint it began with"}'
          + (f' because {active.why}' if active.why else ''))
    if len(known):
        draw_map(known, args.png, home.notes().start)
        print(f'wrote {args.png}')
    return 0
