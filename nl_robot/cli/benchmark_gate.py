"""What the gate of adaptation lets pass: homes that teach themselves, and sabotaged ones.

Each home is explored and put into words once; then it learns from these words, and several times
from the same words shuffled, so that every way has another's.  The commands of the home, which
only its plan can judge, tell what really became of it, and commands in homes of training whether
anything was forgotten; the gate sees neither.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nl_robot.checkpoint import Checkpoint, load_checkpoint
from nl_robot.cli.adapt import Teller
from nl_robot.cli.adapt_learning import road_of
from nl_robot.cli.adapt_worlds import Place, generated_home
from nl_robot.cli.arguments import minutes, natural, output_file
from nl_robot.cli.benchmark_homes import seeds_of
from nl_robot.embodied.demonstrations import home_tasks
from nl_robot.homes.store import Home, Homes
from nl_robot.learning.home_gate import Comparison, Measure, compare, successes
from nl_robot.learning.home_road import Road
from nl_robot.nets.words import Encoder
from nl_robot.sim.records import SPLITS
from nl_robot.worlds.tasks import GraphTask

OWN, SHUFFLED = 'its own words', 'shuffled'
OLD_HOMES, OLD_TASKS, OLD_SEED = 8, 60, 11      # of training, drawn anew
MEASURES = ('here', 'commands', 'commands, step by step', 'old', 'old, step by step')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot benchmark gate`."""
    parser.add_argument('--homes', default='1000-1004',
                        help='seeds of homes, none of training (default: %(default)s)')
    parser.add_argument('--own', type=natural, default=1,
                        help='adaptations of each home to its own words (default: %(default)s)')
    parser.add_argument('--shuffled', type=natural, default=4,
                        help='and to shuffled ones (default: %(default)s)')
    parser.add_argument('--learning', type=minutes, default=1 / 3, metavar='TIME',
                        help='processor time of learning, each (default: 20s)')
    parser.add_argument('--checkpoint', type=Path, help='default: models/agent')
    parser.add_argument('--json', type=output_file, help='results; a second run resumes from it')
    parser.add_argument('--cache', type=Path, default=Path('.cache/homes'))


def run(args: argparse.Namespace) -> int:
    """Adapt every home, print a line each, then the sums."""
    rows: list[dict[str, Any]] = []
    if args.json and args.json.exists():
        rows = json.loads(args.json.read_text(encoding='utf-8'))
    for seed in seeds_of(args.homes):
        todo = [(words, number) for words, count in ((OWN, args.own), (SHUFFLED, args.shuffled))
                for number in range(count)
                if not any((r['home'], r['words'], r['seed']) == (seed, words, number)
                           for r in rows)]
        for row in _adapted(seed, todo, args) if todo else ():
            rows.append(row)
            print(_line(row), flush=True)
            _save(args.json, rows)
    print('\n' + '\n'.join(_sums(rows)))
    return 0


def _adapted(seed: int, todo: Sequence[tuple[str, int]], args: argparse.Namespace
             ) -> Iterator[dict[str, Any]]:
    """The rows of one home, which is explored and labelled once."""
    asked = argparse.Namespace(**{
        **vars(args), 'seed': seed, 'physics': False, 'budget': 120.0, 'episodes': 1000,
        'learner': 'nl_robot.learning.home_learning:imitate_on', 'learning_seed': 0,
        'shuffle_labels': False})
    tell = Teller()
    with tempfile.TemporaryDirectory() as folder:
        place = generated_home(asked, tell)
        home = Homes(Path(folder)).open(place.name, make=True)
        place.explore(home, asked, tell)
        road = road_of(asked, place, home, tell)
        road = dataclasses.replace(road, measure=remembering(road.measure), relabel=False)
        for words, number in todo:
            yield {'home': seed, 'words': words, 'seed': number,
                   **_once(home, place, dataclasses.replace(
                       road, seed=number, sabotage=words == SHUFFLED), args)}


def _once(home: Home, place: Place, road: Road, args: argparse.Namespace) -> dict[str, Any]:
    """One adaptation from the beginning; whatever it brought is measured, then forgotten."""
    learned: list[Checkpoint] = []

    def learner(lesson: Any) -> Checkpoint:
        learned.append(road.learner(lesson))
        return learned[-1]
    outcome = dataclasses.replace(road, learner=learner).run()
    if outcome.version:
        home.versions.roll_back('a benchmark begins anew each time')
    base = load_checkpoint(road.base)
    old = [task for seed in list(SPLITS['train'])[:OLD_HOMES]
           for task in home_tasks(seed, OLD_TASKS, 'train', args.cache, OLD_SEED)]

    def points(tasks: Sequence[GraphTask], measure: Measure) -> dict[str, Any]:
        return _points(compare(base, learned[0], tasks, road.encoder, measure))
    walked = remembering(successes)
    return {'passed': outcome.verdict.passed, 'why': outcome.verdict.why,
            'kept': outcome.counts.kept, 'proposed': outcome.counts.proposed,
            'updates': learned[0].origin['updates'], 'here': _points(outcome.verdict.here),
            'commands': points(place.commands, road.measure),
            'commands, step by step': points(place.commands, walked),
            'old': points(old, road.measure), 'old, step by step': points(old, walked)}


def _points(found: Comparison) -> dict[str, Any]:
    """A comparison in percent, and episode by episode nothing."""
    return {'episodes': found.episodes, 'before': found.before.value, 'after': found.after.value,
            'low': found.paired.difference.low, 'high': found.paired.difference.high}


def remembering(measure: Measure) -> Measure:
    """The same, which measures no checkpoint twice on the same tasks."""
    known: dict[str, NDArray[np.float64]] = {}

    def measured(stored: Checkpoint, tasks: Sequence[GraphTask], encoder: Encoder
                 ) -> NDArray[np.float64]:
        asked = [(t.graph.name, t.place, t.yaw, t.goal) for t in tasks]
        key = hashlib.sha256(repr(asked).encode())
        for name in ('policy', 'reward'):
            for value in stored.weights[name].values():
                key.update(value.numpy().tobytes())
        return _kept(known, key.hexdigest(), lambda: measure(stored, tasks, encoder))
    return measured


def _kept(known: dict[str, Any], key: str, make: Callable[[], Any]) -> Any:
    if key not in known:
        known[key] = make()
    return known[key]


def _line(row: dict[str, Any]) -> str:
    """One adaptation, for people."""
    shown = ', '.join(f'{name} {row[name]["before"]:.1f} → {row[name]["after"]:.1f}'
                      for name in MEASURES)
    return (f'home {row["home"]}, {row["words"]}: '
            f'{"let pass" if row["passed"] else "refused"}; {shown}')


def _sums(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What was let pass, and the means of all measures, as a table."""
    lines = ['| words | adaptations | let pass | ' + ' | '.join(MEASURES) + ' |',
             '|---|---|---|' + '---|' * len(MEASURES)]
    for words in (OWN, SHUFFLED):
        own = [row for row in rows if row['words'] == words]
        if own:
            cells = [f'{np.mean([r[name]["before"] for r in own]):.1f} → '
                     f'{np.mean([r[name]["after"] for r in own]):.1f}' for name in MEASURES]
            lines.append(f'| {words} | {len(own)} | {sum(r["passed"] for r in own)} | '
                         + ' | '.join(cells) + ' |')
    return lines


def _save(path: Path | None, rows: Sequence[dict[str, Any]]) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix('.tmp')
        temporary.write_text(json.dumps(list(rows)), encoding='utf-8')
        os.replace(temporary, path)
