"""Draws a home from above: rooms, doors, furniture in its own colours, trails and markers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nl_robot.sim.catalogue import CATALOGUE, COLOURS
from nl_robot.sim.layout import WALL
from nl_robot.sim.records import Home, Item, Room

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Trail = tuple[Sequence[tuple[float, float]], str, str]       # points, colour, label
Marker = tuple[float, float, str, str]                       # x, y, colour, label

INK = '#2b2a28'
SHORT = {'computer monitor': 'monitor', 'washing machine': 'washer', 'kitchen cabinet': 'cabinet',
         'laundry basket': 'basket', 'storage shelf': 'shelf', 'ironing board': 'ironing bd.',
         'filing cabinet': 'files', 'umbrella stand': 'umbrellas', 'exercise ball': 'ball'}
# Pale floors by kind, so that a room is known at a glance.
FLOORS = {'bathroom': '#d8ebf0', 'bedroom': '#e9e2f1', 'dining room': '#f6e8cf',
          'garage': '#dfdfdd', 'guest room': '#efe0ea', 'gym': '#d9ecdf', 'hallway': '#f2efe7',
          'kitchen': '#fbf0c9', 'laundry room': '#d5e4ee', 'living room': '#f7dfd0',
          'nursery': '#fbe3e6', 'office': '#dfe8d3', 'pantry': '#ece3cd'}


def draw_plan(home: Home, path: Path | str | None, *, trails: Sequence[Trail] = (),
              markers: Sequence[Marker] = (), title: str = '') -> None:
    """Draw the plan of a home into a PNG.

    :param path: of the PNG, its folder is made; None draws and writes nothing
    :param trails: lines on the floor, each (points, colour, label)
    :param markers: spots, each (x, y, colour, label)
    :param title: above the plan; by default the home's name and what it has
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width = max(room.x1 for room in home.rooms) + WALL
    height = max(room.y1 for room in home.rooms) + WALL
    named = sum(1 for _, _, label in trails if label)
    legend = 0.25 + 0.24 * math.ceil(named / 2) if named else 0.1
    inches = 0.95 * width + 0.4, 0.95 * height + 0.75 + legend
    figure = Figure(figsize=inches, facecolor='white')
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.02, legend / inches[1], 0.96, 1 - (legend + 0.6) / inches[1]))
    draw_on_axes(axes, home)
    draw_trails(axes, trails, markers)
    axes.set_title(title or f'{home.name}:  {len(home.rooms)} rooms,  {len(home.items)} items',
                   fontsize=15, color=INK, loc='left', pad=8)
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)


def draw_on_axes(axes: Axes, home: Home, names: bool = True) -> None:
    """Draw the plan of a home on matplotlib axes, in metres.

    :param names: write the names of rooms and items; leave them out in a small picture
    """
    for room in home.rooms:
        axes.add_patch(_rectangle(room.x0, room.y0, room.x1, room.y1,
                                  facecolor=FLOORS.get(room.kind, '#eeeeee'), zorder=0))
    for wall in home.walls:
        if wall.base == 0:
            axes.add_patch(_rectangle(wall.x0, wall.y0, wall.x1, wall.y1, facecolor='#4a4743',
                                      edgecolor='#4a4743', linewidth=0.6, zorder=3))
    _draw_doors(axes, home)
    for item in sorted(home.items, key=_order):
        _draw_item(axes, item, names)
    if names:
        taken: list[tuple[float, float, float, float]] = []
        for room in home.rooms:
            _write_room(axes, home, room, taken)
        _write_items(axes, home, taken)
    xs = [x for wall in home.walls for x in (wall.x0, wall.x1)]
    ys = [y for wall in home.walls for y in (wall.y0, wall.y1)]
    axes.set_xlim(min(xs) - 0.1, max(xs) + 0.1)
    axes.set_ylim(min(ys) - 0.1, max(ys) + 0.1)
    axes.set_aspect('equal')
    axes.axis('off')


def draw_trails(axes: Axes, trails: Sequence[Trail] = (), markers: Sequence[Marker] = ()) -> None:
    """Draw lines and spots over a plan, with a legend for those that have a label."""
    for points, colour, label in trails:
        if len(points) == 0:
            continue
        x, y = [p[0] for p in points], [p[1] for p in points]
        axes.plot(x, y, color='white', linewidth=5.5, solid_capstyle='round', zorder=8)
        axes.plot(x, y, color=colour, linewidth=3, solid_capstyle='round', zorder=9,
                  label=label or '_')
        axes.plot(x[:1], y[:1], 'o', color=colour, markersize=9, markeredgecolor='white',
                  markeredgewidth=1.5, zorder=10)
    for px, py, colour, label in markers:
        axes.plot([px], [py], '*', color=colour, markersize=20, markeredgecolor='white',
                  markeredgewidth=1.5, zorder=11)
        if label:
            axes.annotate(label, (px, py), (0, 13), textcoords='offset points', ha='center',
                          fontsize=9, color=INK, zorder=12, bbox=_paper(0.9))
    if any(label for _, _, label in trails):
        axes.legend(loc='upper left', bbox_to_anchor=(0.0, 0.0), fontsize=10, frameon=False,
                    ncol=2)


def _rectangle(x0: float, y0: float, x1: float, y1: float, **style: Any) -> Any:
    """An axis-parallel rectangle."""
    from matplotlib.patches import Rectangle

    return Rectangle((x0, y0), x1 - x0, y1 - y0, **{'edgecolor': 'none', **style})


def _paper(alpha: float) -> dict[str, Any]:
    """The ground of a label."""
    return {'boxstyle': 'round,pad=0.15', 'facecolor': 'white', 'edgecolor': 'none',
            'alpha': alpha}


def _draw_doors(axes: Axes, home: Home) -> None:
    """Thresholds in the openings."""
    for door in home.doors:
        along_x = math.cos(door.yaw) > 0.5
        hx, hy = (WALL / 2, door.width / 2) if along_x else (door.width / 2, WALL / 2)
        axes.add_patch(_rectangle(door.x - hx, door.y - hy, door.x + hx, door.y + hy,
                                  facecolor='#c9a36a', zorder=2.5))


def _order(item: Item) -> float:
    """What is drawn first: rugs, then furniture, then what stands on it, then what hangs."""
    mount = CATALOGUE[item.kind].mount
    return {'flat': 0, 'floor': 1, 'support': 2, 'wall': 3, 'ceiling': 4}[mount]


def _draw_item(axes: Axes, item: Item, names: bool) -> None:
    """An item in its own colour, seen from above, with a line at its front."""
    from matplotlib.patches import Ellipse
    from matplotlib.transforms import Affine2D

    d, w, _ = item.extent
    mount = CATALOGUE[item.kind].mount
    place = Affine2D().rotate(item.yaw).translate(item.x, item.y) + axes.transData
    style: dict[str, Any] = {'facecolor': COLOURS[item.colour], 'edgecolor': INK, 'linewidth': 0.7,
             'zorder': 4 + 0.1 * _order(item), 'transform': place}
    if mount == 'flat':
        style.update(alpha=0.35, linestyle=(0, (4, 2)))
    if mount == 'ceiling':
        style.update(facecolor='none', edgecolor=COLOURS[item.colour], linewidth=1.6)
    if abs(d - w) < 0.08 and item.parts[0].shape != 'box':
        axes.add_patch(Ellipse((0, 0), d, w, **style))
        return
    if mount == 'wall':
        d = max(d, 0.09)
    axes.add_patch(_rectangle(-d / 2, -w / 2, d / 2, w / 2, **style))
    if mount == 'floor':
        axes.add_patch(_rectangle(d / 2 - 0.05, -w / 2, d / 2, w / 2, facecolor=INK, alpha=0.25,
                                  zorder=style['zorder'] + 0.01, transform=place))


def _size(text: str, points: float) -> tuple[float, float]:
    """About how many metres wide and high a text is on the plan (0.95 inch to the metre)."""
    return 0.0077 * points * len(text), 0.0175 * points


def _free(spot: tuple[float, float, float, float],
          taken: list[tuple[float, float, float, float]]) -> bool:
    """Whether a text's box (x0, y0, x1, y1) is clear of those already written."""
    return not any(spot[0] < t[2] and t[0] < spot[2] and spot[1] < t[3] and t[1] < spot[3]
                   for t in taken)


def _write_room(axes: Axes, home: Home, room: Room,
                taken: list[tuple[float, float, float, float]]) -> None:
    """The room's name, where it covers the least furniture near the middle."""
    from matplotlib.patheffects import withStroke

    points = 12.5
    wide, high = _size(room.name, points)
    wide, high = wide * 1.25, high * 1.2
    upright = wide > room.x1 - room.x0 - 0.1
    if upright:
        wide, high = high, wide

    def cost(x: float, y: float) -> float:
        covered = 0.0
        for item in home.items:
            if item.room == room.name and CATALOGUE[item.kind].mount != 'flat':
                reach = max(item.extent[:2]) / 2
                covered += max(0.0, min(wide / 2 + reach - abs(x - item.x),
                                        high / 2 + reach - abs(y - item.y)))
        return covered + 0.04 * math.hypot(x - room.centre[0], y - room.centre[1])

    spots = [(room.x0 + wide / 2 + i / 10 * max(0.0, room.x1 - room.x0 - wide),
              room.y0 + high / 2 + j / 10 * max(0.0, room.y1 - room.y0 - high))
             for i in range(11) for j in range(11)]
    x, y = min(spots, key=lambda spot: cost(*spot))
    taken.append((x - wide / 2, y - high / 2, x + wide / 2, y + high / 2))
    axes.text(x, y, room.name, ha='center', va='center', fontsize=points, color=INK,
              fontweight='bold', rotation=90 if upright else 0, zorder=13,
              path_effects=[withStroke(linewidth=3, foreground='white', alpha=0.8)])


def _write_items(axes: Axes, home: Home, taken: list[tuple[float, float, float, float]]) -> None:
    """Names of the items, small, where they do not cover each other; larger items first."""
    points = 6.5
    for item in sorted(home.items, key=lambda i: -i.extent[0] * i.extent[1]):
        text = SHORT.get(item.kind, item.kind)
        wide, high = _size(text, points)
        c, s = abs(math.cos(item.yaw)), abs(math.sin(item.yaw))
        dx, dy = item.extent[0] * c + item.extent[1] * s, item.extent[0] * s + item.extent[1] * c
        inward_x, inward_y = math.cos(item.yaw), math.sin(item.yaw)
        for shift in (0.0, 0.14, -0.14, 0.28):
            x = item.x + shift * inward_x * (1 if CATALOGUE[item.kind].mount == 'wall' else 0)
            y = item.y + shift * (inward_y or 1)
            upright = dy > dx * 1.3 and wide > dx
            half_x, half_y = ((high, wide) if upright else (wide, high))
            spot = (x - half_x / 2, y - half_y / 2, x + half_x / 2, y + half_y / 2)
            if _free(spot, taken):
                taken.append(spot)
                axes.text(x, y, text, ha='center', va='center', fontsize=points, color=INK,
                          rotation=90 if upright else 0, zorder=6, bbox=_paper(0.6))
                break
