"""The picture of a demo: the plan, the path that was driven, where each command ended, frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nl_robot.sim.plan import draw_on_axes
from nl_robot.sim.records import Home

COLOURS = ('tab:red', 'tab:blue', 'tab:green', 'tab:purple', 'tab:orange', 'tab:brown')
ORDER = ('left', 'front', 'right', 'back')
STRIP = 9.0   # inches that a strip of frames is wide; the plan takes 0.95 inch to the metre


@dataclass(frozen=True)
class Drive:
    """What one command came to.

    :param path: (x, y) in the map, metres, from start to end
    :param verdict: one line: what the robot said and what the ground truth says
    :param success: whether the goal is fulfilled
    :param frames: camera name → (H, W, 3) uint8 RGB at the end
    """

    words: str
    path: Sequence[tuple[float, float]]
    verdict: str
    success: bool
    frames: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)


def draw_demo(home: Home, drives: Sequence[Drive], path: Path) -> None:
    """Write the picture: the plan with the drives on the left, a strip of frames for each."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot

    rows = max(len(drives), 1)
    wide, high = (0.95 * extent for extent in size_of(home))
    figure = pyplot.figure(figsize=(wide + STRIP, max(high, 2.5 * rows)), layout='constrained')
    grid = figure.add_gridspec(rows, 2, width_ratios=(wide, STRIP))
    plan = figure.add_subplot(grid[:, 0])
    draw_on_axes(plan, home, names=True)
    for number, drive in enumerate(drives):
        draw_path(plan, drive, number)
        draw_frames(figure.add_subplot(grid[number, 1]), drive, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def size_of(home: Home) -> tuple[float, float]:
    """Width and height of a home with its walls, metres."""
    return (max(wall.x1 for wall in home.walls) - min(wall.x0 for wall in home.walls),
            max(wall.y1 for wall in home.walls) - min(wall.y0 for wall in home.walls))


def draw_path(axes: Any, drive: Drive, number: int) -> None:
    """The path in the colour of its command, a ring at its start and its number at its end."""
    if not drive.path:
        return
    colour, xs_ys = COLOURS[number % len(COLOURS)], np.asarray(drive.path, float)
    axes.plot(xs_ys[:, 0], xs_ys[:, 1], color=colour, linewidth=2.5, zorder=20)
    axes.plot(*xs_ys[0], 'o', color=colour, markerfacecolor='white', markersize=8, zorder=21)
    axes.text(*xs_ys[-1], str(number + 1), color='white', fontsize=11, fontweight='bold',
              ha='center', va='center', zorder=23,
              bbox={'boxstyle': 'circle', 'facecolor': colour, 'edgecolor': 'white'})


def draw_frames(axes: Any, drive: Drive, number: int) -> None:
    """What the robot saw where the command ended, its words and the verdict above."""
    axes.set_axis_off()
    mark = '\N{CHECK MARK}' if drive.success else '\N{BALLOT X}'
    axes.set_title(f'{number + 1}. “{drive.words}”\n{mark} {drive.verdict}', fontsize=12,
                   loc='left', color=COLOURS[number % len(COLOURS)], wrap=True)
    if drive.frames:
        axes.imshow(strip(drive.frames))


def strip(frames: Mapping[str, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """(H, sum of W, 3): the frames side by side, left to right as a person would turn."""
    names = sorted(frames, key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    return np.concatenate([frames[name] for name in names], axis=1)
