"""The strokes that objects are drawn with: primitives by their full sizes, resting on a height.

Everything is in the item's own frame: x to the front, y to the left, z up, origin in the middle
of the base.  What stands on legs has rails between them at the height of the robot's laser, so
that a table looks to the laser as wide as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nl_robot.sim.records import Part

Rgb = tuple[float, float, float]
Builder = Callable[[float, float, float, Rgb, np.random.Generator], list[Part]]

DARK: Rgb = (0.12, 0.12, 0.13)
STEEL: Rgb = (0.68, 0.70, 0.73)
PALE: Rgb = (0.94, 0.93, 0.89)
WOOD: Rgb = (0.50, 0.31, 0.16)
OAK: Rgb = (0.72, 0.55, 0.34)
GLASS: Rgb = (0.58, 0.78, 0.90)
SILVER: Rgb = (0.74, 0.83, 0.87)
GOLD: Rgb = (0.86, 0.68, 0.25)
LEAF: Rgb = (0.16, 0.50, 0.18)
CLAY: Rgb = (0.66, 0.34, 0.20)
GLOW: Rgb = (1.00, 0.93, 0.66)
RAIL_LOW, RAIL_HIGH = 0.10, 0.26      # the laser looks around at 0.18 m


def tone(rgb: Rgb, factor: float) -> Rgb:
    """A colour darker (factor below 1) or, above 1, part of the way to white."""
    if factor <= 1:
        return rgb[0] * factor, rgb[1] * factor, rgb[2] * factor
    share = min(factor - 1, 1.0)
    r, g, b = (c + (1 - c) * share for c in rgb)
    return r, g, b


def box(x: float, y: float, z: float, dx: float, dy: float, dz: float, rgb: Rgb) -> Part:
    """A box of full sizes dx, dy, dz with its base at height z."""
    return Part('box', (dx / 2, dy / 2, dz / 2), (x, y, z + dz / 2), rgb)


def post(x: float, y: float, z: float, radius: float, height: float, rgb: Rgb) -> Part:
    """An upright cylinder with its base at height z."""
    return Part('cylinder', (radius, height / 2), (x, y, z + height / 2), rgb)


def disc(x: float, y: float, z: float, radius: float, depth: float, rgb: Rgb,
         axis: str = 'x') -> Part:
    """A cylinder lying along the x axis (a clock's face) or the y axis, its middle at height z."""
    euler = (0.0, math.pi / 2, 0.0) if axis == 'x' else (math.pi / 2, 0.0, 0.0)
    return Part('cylinder', (radius, depth / 2), (x, y, z), rgb, euler)


def blob(x: float, y: float, z: float, dx: float, dy: float, dz: float, rgb: Rgb) -> Part:
    """An ellipsoid of full sizes dx, dy, dz with its lowest point at height z."""
    return Part('ellipsoid', (dx / 2, dy / 2, dz / 2), (x, y, z + dz / 2), rgb)


def slant(x: float, y: float, z: float, dx: float, dy: float, dz: float, rgb: Rgb,
          roll: float = 0.0, pitch: float = 0.0) -> Part:
    """A box about its middle, turned about x (roll) or about y (pitch), not both."""
    return Part('box', (dx / 2, dy / 2, dz / 2), (x, y, z), rgb, (roll, pitch, 0.0))


def table(d: float, w: float, h: float, top: Rgb, legs: Rgb, thick: float = 0.05) -> list[Part]:
    """A top on two side panels, with a rail at the front and one at the back."""
    tall, middle = h - thick, (RAIL_LOW + RAIL_HIGH) / 2
    rail = RAIL_HIGH - RAIL_LOW
    parts = [box(0, 0, tall, d, w, thick, top)]
    parts += [box(0, s * (w / 2 - 0.06), 0, d * 0.88, 0.05, tall, legs) for s in (-1, 1)]
    parts += [box(s * (d * 0.44 - 0.02), 0, middle - rail / 2, 0.03, w - 0.14, rail, legs)
              for s in (-1, 1)]
    return parts


def legs(d: float, w: float, h: float, thick: float, rgb: Rgb) -> list[Part]:
    """Four legs with a rail at the front and one at the back."""
    x, y = d / 2 - thick / 2, w / 2 - thick / 2
    parts = [box(sx * x, sy * y, 0, thick, thick, h, rgb) for sx in (-1, 1) for sy in (-1, 1)]
    return parts + [box(s * x, 0, RAIL_LOW + 0.03, thick * 0.6, w - thick, 0.10, rgb)
                    for s in (-1, 1)]


def cabinet(d: float, w: float, h: float, rgb: Rgb, rows: int, columns: int = 1,
            knob: Rgb = STEEL) -> list[Part]:
    """A body with drawers or doors (rows x columns) that stand out in a lighter tone."""
    parts = [box(-0.01, 0, 0, d - 0.02, w, h, tone(rgb, 0.8))]
    high, wide = (h - 0.06) / rows, (w - 0.02) / columns
    for r in range(rows):
        for c in range(columns):
            y, z = -w / 2 + 0.01 + (c + 0.5) * wide, 0.04 + r * high
            parts.append(box(d / 2 - 0.012, y, z, 0.024, wide - 0.03, high - 0.03, rgb))
    if columns == 1:
        for r in range(rows):
            parts.append(box(d / 2 + 0.01, 0, 0.04 + (r + 0.62) * high, 0.02, w * 0.3, 0.03, knob))
    return parts
