"""Pictures of a home for people: its map, its labels, and what adaptation brought."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nl_robot.evaluation import Estimate
from nl_robot.homes.home_map import HomeMap
from nl_robot.homes.labels import Label

ENOUGH = 12     # labels in one picture


@dataclass(frozen=True)
class Bar:
    """A pair of bars: success in percent, before and after, with intervals."""

    title: str
    before: Estimate
    after: Estimate


def _pyplot() -> Any:
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    return pyplot


def draw_map(home: HomeMap, path: Path, start: int | None = None) -> None:
    """Write the map: places, ways, the things that were seen, and where exploring began."""
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=(9, 8), layout='constrained')
    on_axes(axes, home, names=True, start=start)
    axes.set_title(f'{home.name}: {len(home)} places')
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def on_axes(axes: Any, home: HomeMap, names: bool = False, start: int | None = None) -> None:
    """Draw a map on axes of matplotlib."""
    axes.set_aspect('equal')
    axes.set_axis_off()
    for place, ways in enumerate(home.ways):
        for way in range(len(ways)):
            to = home.landing(place, way)
            if to >= 0:
                (x, y, _), (u, v, _) = home.points[place], home.points[to]
                axes.plot([x, u], [y, v], color='0.8', linewidth=1.0, zorder=1)
    if len(home):
        points = np.array(home.points)
        axes.plot(points[:, 0], points[:, 1], 'o', color='tab:blue', markersize=3.5, zorder=3)
    if start is not None and start < len(home):
        axes.plot(*home.points[start][:2], 'o', color='tab:green', markersize=10, zorder=4)
    if names:
        for x, y, label in landmarks(home):
            axes.text(x, y, label, fontsize=6.5, color='0.25', ha='center', zorder=2)


def landmarks(home: HomeMap, apart: float = 0.9) -> list[tuple[float, float, str]]:
    """Where things are, each once: the middle of where it was seen from different places."""
    found: list[tuple[float, float, str, int]] = []
    for (x, y, _), seen in zip(home.points, home.sightings):
        for s in seen:
            if s.distance is None:
                continue
            u, v = x + s.distance * math.cos(s.bearing), y + s.distance * math.sin(s.bearing)
            for number, (a, b, label, count) in enumerate(found):
                if label == s.label and math.hypot(a - u, b - v) < apart:
                    found[number] = ((a * count + u) / (count + 1), (b * count + v) / (count + 1),
                                     label, count + 1)
                    break
            else:
                found.append((u, v, s.label, 1))
    return [(x, y, label) for x, y, label, count in found if count > 1]


def draw_labels(home: HomeMap, labels: Sequence[Label], path: Path) -> None:
    """Write trajectories, each drawn in the map with its sentences below."""
    pyplot = _pyplot()
    shown = list(labels)[:ENOUGH]
    columns = min(3, max(1, len(shown)))
    rows = max(1, math.ceil(len(shown) / columns))
    figure, grid = pyplot.subplots(rows, columns, figsize=(4.6 * columns, 4.4 * rows),
                                   layout='constrained', squeeze=False)
    for axes in grid.flat[len(shown):]:
        axes.set_axis_off()
    for axes, label in zip(grid.flat, shown):
        on_axes(axes, home)
        _draw_way(axes, home, label.trajectory.places)
        axes.set_title('\n'.join(_lines(label)), fontsize=7.5, loc='left', wrap=True)
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def _lines(label: Label, most: int = 3) -> list[str]:
    """What is written above a drawn trajectory."""
    state = label.verdict or (label.trajectory.fault and f'fault: {label.trajectory.fault}')
    lines = [f'{label.number}. {label.trajectory.kind}' + (f' ({state})' if state else '')]
    if label.human:
        return [*lines, f'“{label.goals[0]}”' if label.goals else '(dropped)']
    return lines + [('+ ' if p.text in label.goals else '– ') + p.text
                    for p in label.proposals[:most]]


def _draw_way(axes: Any, home: HomeMap, places: Sequence[int], colour: str = 'tab:red') -> None:
    """A trajectory: a ring at its start, an arrow at its end."""
    points = np.array([home.points[place][:2] for place in places])
    axes.plot(points[:, 0], points[:, 1], color=colour, linewidth=2.5, zorder=10)
    axes.plot(*points[0], 'o', color=colour, markerfacecolor='white', markersize=8, zorder=11)
    axes.plot(*points[-1], '*', color=colour, markersize=14, zorder=11)


def draw_before_after(home: HomeMap, bars: Sequence[Bar], verdict: str, path: Path,
                      start: int | None = None) -> None:
    """Write the map that was learned from, and success before and after."""
    pyplot = _pyplot()
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(14, 6.5), layout='constrained',
                                            width_ratios=(1, 1))
    on_axes(left, home, names=True, start=start)
    left.set_title(f'{home.name}: {len(home)} places explored')
    where = np.arange(len(bars))
    for offset, what, colour in ((-0.2, 'before', '0.6'), (0.2, 'after', 'tab:green')):
        found = [getattr(bar, what) for bar in bars]
        values = np.array([e.value for e in found])
        errors = np.array([[e.value - e.low for e in found], [e.high - e.value for e in found]])
        right.bar(where + offset, values, 0.38, color=colour, label=what,
                  yerr=np.maximum(errors, 0), capsize=4)
        for x, value in zip(where + offset, values):
            right.text(x, 2, f'{value:.0f}', ha='center', color='white', fontweight='bold')
    right.set_xticks(where, [bar.title for bar in bars])
    right.set_ylim(0, 100)
    right.set_ylabel('success, %')
    right.legend(loc='upper left')
    right.set_title(verdict, fontsize=10, wrap=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
    pyplot.close(figure)
