"""The table and the figure of `nl_robot benchmark methods`, from the results of its runs."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nl_robot.evaluation import Estimate, Matrix, gap, over_seeds, paired

WHOLE = 'lang-goal-irl'
# what a part brings: the method that has it minus the one that has all but that
PARTS = (('chosen negatives', WHOLE, 'no-negatives'), ('rephrasing', WHOLE, 'no-rephrasing'),
         ('relabelling', WHOLE, 'no-relabelling'),
         ('all generated goals', WHOLE, 'no-generator'),
         ('the learned reward', WHOLE, 'no-reward'),
         ('the expert on its own ways', WHOLE, 'no-teacher'),
         ('reward and generated goals', WHOLE, 'dagger'),
         ('own ways, in imitation', 'dagger', 'cloning'), ('sightings', 'dagger', 'blind'))
Runs = Sequence[Mapping[str, Any]]


def matrix(runs: Runs, split: str, measure: str) -> Matrix:
    """(seeds, episodes) of a method's runs; ValueError where they have other episodes."""
    rows = [run['splits'][split][measure] for run in runs]
    if len({len(row) for row in rows}) > 1:
        raise ValueError(f'runs of {runs[0]["method"]} have {sorted(map(len, rows))} episodes in '
                         f'{split}: the data have changed; choose another --out')
    return np.array(rows, float)


def compare(runs: Runs, plan: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Everything that the table says, as JSON.

    :param plan: `splits`, the names of seen and unseen, and what else the runs have in common
    :param names: of methods, in the order of the rows; those without runs are left out
    """
    methods: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: int(run['seed'])):
        methods[run['method']].append(run)
    rows = {name: _row(methods[name], methods.get(WHOLE, []), plan['splits'])
            for name in names if name in methods}
    parts = [{'part': part, 'with': whole, 'without': without,
              **_against(methods[whole], methods[without], plan['splits'])}
             for part, whole, without in PARTS if whole in methods and without in methods]
    first = next(iter(methods.values()))[0]
    return {'plan': dict(plan), 'methods': rows, 'parts': parts,
            'machines': sorted({run['machine'] for run in runs}),
            'episodes': {split: len(first['splits'][split]['success'])
                         for split in plan['splits']}}


def _row(runs: Runs, whole: Runs, splits: Sequence[str]) -> dict[str, Any]:
    """One method: its measures, and how far the whole method is ahead."""
    seen, unseen = splits
    found: dict[str, Any] = {'seeds': [run['seed'] for run in runs]}
    for name, split in (('seen', seen), ('unseen', unseen)):
        for measure in ('success', 'spl', 'oracle'):
            estimate = over_seeds(matrix(runs, split, measure))
            found[f'{measure}_{name}'] = dataclasses.asdict(estimate)
    found['gap'] = dataclasses.asdict(gap(matrix(runs, seen, 'success'),
                                          matrix(runs, unseen, 'success')))
    if whole and runs[0]['method'] != WHOLE:
        for key, split in (('whole_ahead', unseen), ('whole_ahead_seen', seen)):
            found[key] = dataclasses.asdict(paired(matrix(whole, split, 'success'),
                                                   matrix(runs, split, 'success')))
    if any(run.get('arrived', {}).get(unseen) for run in runs):
        said = [run['arrived'][unseen] for run in runs]
        found['arrived'] = {key: float(np.mean([doubt[key] for doubt in said]))
                            for key in said[0]}
    for key in ('episodes_trained', 'episodes_per_second'):
        found[key] = float(np.mean([run[key] for run in runs]))
    found['curves'] = [run['curve'] for run in runs if run.get('curve')]
    return found


def _against(ours: Runs, theirs: Runs, splits: Sequence[str]) -> dict[str, Any]:
    """Differences in success and SPL on both splits."""
    return {f'{measure}_{name}': dataclasses.asdict(paired(
        matrix(ours, split, measure), matrix(theirs, split, measure)))
        for name, split in zip(('seen', 'unseen'), splits) for measure in ('success', 'spl')}


# ---- as text

def text(found: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """The whole page in Markdown.

    :param titles: of methods, one line each
    """
    seen, unseen = found['plan']['splits']
    counts = ' and '.join(f'{n} of {split}' for split, n in found['episodes'].items())
    lines = ['# Methods side by side', '',
             f'{found["plan"]["dataset"]}; every method and seed learned for '
             f'{found["plan"]["minutes"]:g} minutes{_whose(found)} ('
             f'{"; ".join(found["machines"])}) and was measured on {counts}. Seen: {seen}; '
             f'unseen: {unseen}. In brackets: 95 % intervals of a hierarchical bootstrap over '
             f'seeds and episodes; differences are paired by episode.{_caution(found)}', '',
             '| method | seeds | success seen % | SPL seen % | success unseen % | SPL unseen % '
             f'| gap seen − unseen | {WHOLE} ahead, unseen | relative gain seen % '
             '| relative gain unseen % | episodes trained |',
             '|---|---|---|---|---|---|---|---|---|---|---|']
    lines += [_line(name, row) for name, row in found['methods'].items()]
    if found['parts']:
        lines += ['', '## What each part brings', '',
                  'Points, with the part minus without it.', '',
                  '| part | with | without | success seen | success unseen | SPL unseen |',
                  '|---|---|---|---|---|---|']
        lines += [f'| {part["part"]} | {part["with"]} | {part["without"]} | ' + ' | '.join(
            points(part[key]['difference'])
            for key in ('success_seen', 'success_unseen', 'spl_unseen')) + ' |'
            for part in found['parts']]
    lines += _doubt_lines(found)
    lines += ['', '## What the methods are', '']
    lines += [f'- {name}: {titles[name]}' for name in found['methods']]
    return '\n'.join(lines) + '\n'


def _doubt_lines(found: Mapping[str, Any]) -> list[str]:
    """How well each learned reward knows whether its policy has arrived."""
    rows = {name: row['arrived'] for name, row in found['methods'].items() if 'arrived' in row}
    if not rows:
        return []
    return ['', '## How well it knows whether it has arrived', '',
            f'On {found["plan"]["splits"][1]}, mean over seeds: the area under the curve of the '
            'reward at its stops, and the share of stops that are called a success and are none, '
            'without its doubts and with them; and how many true ones are still called so.', '',
            '| method | AUC | called a success and wrong % | of these less, relative % '
            '| true ones kept % |', '|---|---|---|---|---|',
            *(f'| {name} | {row["auc"]:.3f} | {100 * row["false_before"]:.1f} → '
              f'{100 * row["false_after"]:.1f} | '
              f'{100 * (1 - row["false_after"] / max(row["false_before"], 1e-9)):.0f} | '
              f'{100 * row["true_kept"]:.0f} |' for name, row in rows.items())]


def _whose(found: Mapping[str, Any]) -> str:
    """What the minutes are of."""
    on_gpu = not all('no GPU' in machine for machine in found['machines'])
    return (' on the wall, sharing a GPU with the others that ran then' if on_gpu
            else ' of one processor')


def _caution(found: Mapping[str, Any]) -> str:
    """What the intervals do not tell."""
    least = min(len(row['seeds']) for row in found['methods'].values())
    if least == 1:
        return (' Where a method has one seed, they tell of episodes alone, and nothing of what '
                'another seed would have given.')
    return ' Of few seeds they are too narrow.' if least < 5 else ''


def _line(name: str, row: Mapping[str, Any]) -> str:
    """One row of the table."""
    ahead = row.get('whole_ahead')
    trained = row['episodes_trained']
    cells = [name, str(len(row['seeds'])),
             *(percent(row[key]) for key in ('success_seen', 'spl_seen', 'success_unseen',
                                             'spl_unseen')),
             points(row['gap']), points(ahead['difference']) if ahead else '–',
             points(row['whole_ahead_seen']['gain']) if ahead else '–',
             points(ahead['gain']) if ahead else '–',
             f'{trained:.0f} ({row["episodes_per_second"]:.0f} a second)' if trained else '–']
    return f'| {" | ".join(cells)} |'


def percent(estimate: Mapping[str, float]) -> str:
    """`61.2 (57.0–65.1)`."""
    return '{value:.1f} ({low:.1f}–{high:.1f})'.format_map(estimate)


def points(estimate: Mapping[str, float]) -> str:
    """`+6.1 (+2.0 to +9.9)`; a dash for what is no number, ∞ for what has no end."""
    found = Estimate(**estimate)
    if math.isnan(found.value):
        return '–'
    value, low, high = (f'{n:+.1f}'.replace('inf', '∞').replace('-', '−')
                        for n in (found.value, found.low, found.high))
    return f'{value} ({low} to {high})'


# ---- as a picture

def draw(found: Mapping[str, Any], path: Path) -> None:
    """Success seen and unseen of every method, and how it grew."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    curves = {name: row['curves'] for name, row in found['methods'].items() if row['curves']}
    high = 1.4 + 0.42 * len(found['methods'])
    figure, axes = pyplot.subplots(1, 2 if curves else 1, figsize=(12 if curves else 6.5,
                                   max(4.0, high)), squeeze=False, layout='constrained')
    _draw_points(axes[0, 0], found)
    if curves:
        _draw_curves(axes[0, 1], curves, found['plan']['minutes'])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _draw_points(axis: Any, found: Mapping[str, Any]) -> None:
    """A row for every method, with intervals."""
    names = list(found['methods'])
    for key, split, up, colour, mark in zip(('success_seen', 'success_unseen'),
                                            found['plan']['splits'], (-0.12, 0.12),
                                            ('tab:gray', 'tab:blue'), 'so'):
        rows = [found['methods'][name][key] for name in names]
        values = np.array([row['value'] for row in rows])
        # the percentiles of few draws may miss the mean by a hair
        reach = np.array([[max(0.0, row['value'] - row['low']) for row in rows],
                          [max(0.0, row['high'] - row['value']) for row in rows]])
        axis.errorbar(values, np.arange(len(names)) + up, xerr=reach, fmt=mark, color=colour,
                      capsize=3, markersize=5, label=split)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.set_xlabel('success %, 95 % interval')
    axis.grid(axis='x', alpha=0.3)
    axis.legend()


def _draw_curves(axis: Any, curves: Mapping[str, Sequence[Any]], minutes: float) -> None:
    """The mean over seeds at every tenth of the budget."""
    tenths = np.linspace(0, 1, 11)[1:]
    styles = ('-', '--', ':')
    for number, (name, seeds) in enumerate(curves.items()):
        means = np.mean([np.interp(tenths, *np.array(seed).T) for seed in seeds], axis=0)
        axis.plot(minutes * tenths, 100 * means, styles[number // 10 % 3], label=name,
                  linewidth=2.2 if name == WHOLE else 1.2)
    axis.set_xlabel('minutes of learning')
    axis.set_ylabel('success % on some of the unseen')
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
