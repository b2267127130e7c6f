"""Let the robot teach itself a home: explore, put it into words, learn, check, and only then use.

On a live robot (the default) it asks the adaptation node and follows what it does; Ctrl-C leaves
the robot at it.  `--world homes --seed N` and `--world r2r --data DIR --scan NAME` do the same
offline, in a generated home or a real building that the agent has never seen.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nl_robot.cli.adapt_worlds import (
    Place,
    generated_home,
    live_home,
    real_building,
)
from nl_robot.cli.arguments import minutes, natural, output_file, positive
from nl_robot.homes.store import Home, Homes, homes_folder
from nl_robot.settings import shared_dir

KEYS = ('losses', 'left', 'places', 'labels', 'episodes', 'seconds', 'memory')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot adapt`."""
    parser.add_argument('--world', choices=('live', 'homes', 'r2r'), default='live')
    parser.add_argument('--home', metavar='NAME', help='what the home is called')
    parser.add_argument('--homes', type=homes_folder, default=homes_folder(), metavar='DIR',
                        help='where homes are kept (default: $NL_ROBOT_HOMES or the data folder '
                             'of the user)')
    parser.add_argument('--budget', type=minutes, default=20.0, metavar='TIME',
                        help='of exploring, as 10m or 90s (default: 20m)')
    parser.add_argument('--episodes', type=positive, default=1000,
                        help='or so many trajectories, whichever is first')
    parser.add_argument('--learning', type=minutes, default=6.0, metavar='TIME',
                        help='processor time of learning (default: 6m)')
    parser.add_argument('--learning-seed', type=natural, default=0,
                        help='of what is drawn while it labels and learns')
    parser.add_argument('--seed', type=natural, default=2003,
                        help='of the generated home (--world homes)')
    parser.add_argument('--physics', action='store_true',
                        help='explore the generated home in the simulator, not in its graph')
    parser.add_argument('--data', type=Path, help='the folder of the official files (--world r2r)')
    parser.add_argument('--scan', help='the building (--world r2r)')
    parser.add_argument('--checkpoint', type=Path,
                        help='what the home begins with (default: the one of the package)')
    parser.add_argument('--learner', default='nl_robot.learning.home_learning:imitate_on',
                        metavar='MODULE:FUNCTION', help='what learns, a home_lesson.Learner')
    parser.add_argument('--shuffle-labels', action='store_true',
                        help='a control: every way gets the sentences of another')
    parser.add_argument('--learn-only', action='store_true',
                        help='learn from what is known of the home; the adaptation node does so')
    parser.add_argument('--json', action='store_true', help='one line of JSON per fact')
    parser.add_argument('--png', type=output_file, help='write the figure here, too')
    parser.add_argument('--cache', type=Path, default=Path('.cache/homes'))


def run(args: argparse.Namespace) -> int:
    """0: something better is in use · 1: nothing better was found.

    Where the plan of the home can judge commands, better means that more of them are fulfilled
    than before, by the map, by what was learned, or by both; else that a version is in use.
    """
    if args.world == 'live' and not args.learn_only:
        if not args.home:
            raise ValueError('a home needs a name: give --home NAME')
        from nl_robot.cli.adapt_live import adapt_live
        return adapt_live(args.home, args.budget)
    tell = Teller(args.json)
    make = {'live': live_home, 'homes': generated_home, 'r2r': real_building}[args.world]
    place = make(args, tell)
    home = Homes(args.homes).open(args.home or place.name, make=not args.learn_only)
    was_explored = home.notes().explored
    if place.world is not None:
        place.explore(home, args, tell)
    return learn(args, place, home, tell, was_explored)


def learn(args: argparse.Namespace, place: Place, home: Home, tell: Teller, was_explored: bool
          ) -> int:
    """Label, learn, measure, activate, and show what it brought."""
    from nl_robot.cli.adapt_learning import figure, road_of
    from nl_robot.cli.adapt_showing import show_commands
    road = road_of(args, place, home, tell)
    before = home.versions.path(home.versions.active().version) or road.base
    began = time.monotonic()
    outcome = road.run()
    tell({'phase': 'done', 'text': outcome.verdict.why, 'version': outcome.version,
          'passed': outcome.verdict.passed, 'seconds': round(time.monotonic() - began),
          'memory': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024})
    after = home.versions.path(outcome.version) or before
    shown = show_commands(place, home, before, after, road.encoder, was_explored, args.json)
    figure(home, outcome, shown, [path for path in (home.figure, args.png) if path])
    return 0 if (bool(outcome.version) if shown is None else shown.better) else 1


class Teller:
    """Prints facts as they come: for people, or one JSON object a line."""

    def __init__(self, as_json: bool = False) -> None:
        self._json, self._began = as_json, time.monotonic()

    def __call__(self, facts: Mapping[str, Any]) -> None:
        """Some facts; `phase` says what is going on."""
        if self._json:
            print(json.dumps(dict(facts)), flush=True)
            return
        rest = {key: value for key, value in facts.items() if key not in ('phase', 'text')}
        words = [str(facts.get('text', ''))] + [
            f'{key} {value}' for key, value in rest.items() if key in KEYS]
        print(f'{time.monotonic() - self._began:6.0f} s  {facts["phase"]}: '
              + '; '.join(filter(None, words)), flush=True)


def base_of(args: argparse.Namespace) -> Path:
    """The checkpoint that the home begins with."""
    return args.checkpoint or shared_dir('models') / 'agent'
