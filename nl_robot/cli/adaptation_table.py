"""Tables and figure of `nl_robot benchmark adaptation`, out of its pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from nl_robot.cli.adaptation_arms import ARMS
from nl_robot.cli.method_table import percent, points
from nl_robot.evaluation import Estimate, Matrix, over_seeds, paired

BEFORE = 'before'
TITLES = {'r2r': 'Room-to-Room', 'reverie': 'REVERIE'}
MAIN = (('not adapted, step by step', BEFORE, 'step'), ('weights adapted', 'adapted', 'step'),
        ('map and ranking only', BEFORE, 'map'), ('both', 'adapted', 'map'))
Rows = Sequence[Mapping[str, Any]]


def matrix(rows: Rows, arm: str, kind: str, measure: str, like: str = '') -> Matrix:
    """(seeds, episodes) of an arm, building after building.

    :param kind: `step` or `map`; :param like: only buildings that this other arm has, too
    :raises ValueError: a seed lacks a building that another one has
    """
    found: dict[int, dict[str, list[float]]] = {}
    wanted = {row['building'] for row in rows if row['arm'] == (like or arm)}
    for row in rows:
        if row['arm'] == arm and row['building'] in wanted:
            values = row['results'][kind][measure]
            found.setdefault(row['seed'], {})[row['building']] = values
    buildings = sorted({name for seed in found.values() for name in seed})
    whole = [seed for seed in found.values() if sorted(seed) == buildings]
    if not whole:
        raise ValueError(f'no seed has every building of {arm}')
    return np.array([sum((seed[name] for name in buildings), []) for seed in whole])


def text(rows: Rows) -> str:
    """Everything in Markdown, dataset by dataset."""
    parts = []
    for dataset in dict.fromkeys(row['dataset'] for row in rows):
        these = [row for row in rows if row['dataset'] == dataset]
        parts += [f'## {TITLES[dataset]}', '', *_main(these), '', *_arms(these), '',
                  *_buildings(these), '']
    return '\n'.join(parts)


def _main(rows: Rows) -> list[str]:
    """Weights, map, and both, against going step by step as it was."""
    base = matrix(rows, BEFORE, 'step', 'success')
    lines = [f'{base.shape[1]} instructions in {len({r["building"] for r in rows})} buildings, '
             f'{len({r["seed"] for r in rows})} seeds; in brackets 95 % intervals of a bootstrap '
             'over seeds and episodes, differences paired by episode.', '',
             '| | success % | SPL % | ahead of not adapted | relative gain % |',
             '|---|---|---|---|---|']
    for title, arm, kind in MAIN:
        if not any(row['arm'] == arm for row in rows):
            continue
        ours, spl = (matrix(rows, arm, kind, measure) for measure in ('success', 'spl'))
        against = paired(ours, matrix(rows, BEFORE, 'step', 'success', like=arm))
        first = (arm, kind) == (BEFORE, 'step')
        lines.append(f'| {title} | {percent(asdict(over_seeds(ours)))} | '
                     f'{percent(asdict(over_seeds(spl)))} | '
                     + ('– | – |' if first else f'{points(asdict(against.difference))} | '
                        f'{points(asdict(against.gain))} |'))
    return lines


def _arms(rows: Rows) -> list[str]:
    """Every arm against not adapted, on the seeds and buildings that it was tried in."""
    lines = ['Every arm, on the buildings and seeds that it was tried in; forgotten: success in '
             'buildings of training, before minus after; activated: by the gate, which knows '
             'held-out labels alone.', '',
             '| arm | seeds × buildings | step by step % | ahead | with the map % | ahead '
             '| forgotten, points | activated |', '|---|---|---|---|---|---|---|---|']
    for name, arm in ARMS.items():
        its = [row for row in rows if row['arm'] == name]
        if not its:
            continue
        same = [row for row in rows if row['arm'] == BEFORE
                and (row['seed'], row['building']) in {(r['seed'], r['building']) for r in its}]
        cells = []
        for kind in ('step', 'map'):
            ours = matrix([*its, *same], name, kind, 'success')
            theirs = matrix([*its, *same], BEFORE, kind, 'success')
            cells += [f'{100 * ours.mean():.1f}', points(asdict(paired(ours, theirs).difference))]
        lost = [row['old_before'] - row['old_after'] for row in its]
        lines.append(f'| {name}: {arm.title} | {len({r["seed"] for r in its})} × '
                     f'{len({r["building"] for r in its})} | {" | ".join(cells)} | '
                     + (f'{np.mean(lost):+.1f}'.replace('-', '−')
                        + f' | {sum(r["passed"] for r in its)} of {len(its)} |'
                        if arm.learned else '– | – |'))
    return lines


def _buildings(rows: Rows) -> list[str]:
    """A row for each building: means over seeds, and what adapting cost."""
    lines = ['| building | instructions | not adapted % | weights % | map % | both % '
             '| sentences kept | seconds | MiB, all data read |',
             '|---|---|---|---|---|---|---|---|---|']
    for name in sorted({row['building'] for row in rows}):
        here = [row for row in rows if row['building'] == name]
        adapted = [row for row in here if row['arm'] == 'adapted']
        values = [_rate(here, arm, kind) for _, arm, kind in MAIN]
        count = len(here[0]['results']['step']['success'])
        cost = ('– | – | –' if not adapted else
                f'{np.mean([r["kept"] for r in adapted]):.0f} of '
                f'{np.mean([r["proposed"] for r in adapted]):.0f} | '
                f'{np.mean([r["seconds"] for r in adapted]):.0f} | '
                f'{max(r["memory"] for r in adapted)}')
        lines.append(f'| {name} | {count} | {" | ".join(values)} | {cost} |')
    return lines


def _rate(rows: Rows, arm: str, kind: str) -> str:
    """Mean success in percent, or a dash."""
    found = [np.mean(row['results'][kind]['success']) for row in rows if row['arm'] == arm]
    return f'{100 * np.mean(found):.1f}' if found else '–'


def draw(rows: Rows, path: Path) -> None:
    """Every building before and after, and all of them together."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    datasets = list(dict.fromkeys(row['dataset'] for row in rows))
    figure, axes = pyplot.subplots(len(datasets), 1, figsize=(9, 3.6 * len(datasets)),
                                   squeeze=False, layout='constrained')
    for axis, dataset in zip(axes[:, 0], datasets):
        these = [row for row in rows if row['dataset'] == dataset]
        names = sorted({row['building'] for row in these})
        for number, (title, arm, kind) in enumerate(MAIN):
            if not any(row['arm'] == arm for row in these):
                continue
            heights = [np.mean([np.mean(row['results'][kind]['success']) for row in these
                                if row['arm'] == arm and row['building'] == name] or [np.nan])
                       for name in names]
            found = over_seeds(matrix(these, arm, kind, 'success'))
            _bars(axis, number, [100 * h for h in heights], found, title)
        axis.set_xticks(np.arange(len(names) + 1) + 0.3, [*names, 'all'], rotation=30, ha='right')
        axis.set_ylabel(f'success %, {TITLES[dataset]}')
        axis.grid(axis='y', alpha=0.3)
        axis.legend(fontsize=8, ncols=4, loc='upper center', bbox_to_anchor=(0.5, 1.15))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _bars(axis: Any, number: int, heights: Sequence[float], found: Estimate, title: str) -> None:
    """One colour of bars: the buildings, then all with the interval."""
    colour = ('0.7', 'tab:orange', 'tab:blue', 'tab:green')[number]
    at = np.arange(len(heights) + 1) + 0.2 * number
    axis.bar(at, [*heights, found.value], 0.19, color=colour, label=title)
    axis.errorbar(at[-1:], [found.value], [[max(0.0, found.value - found.low)],
                                           [max(0.0, found.high - found.value)]],
                  color='black', capsize=2)
