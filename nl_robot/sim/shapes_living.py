"""How the things of living and dining rooms and what hangs on walls are built."""

from __future__ import annotations

import numpy as np

from nl_robot.sim.records import Part
from nl_robot.sim.shapes import (
    CLAY,
    DARK,
    GLASS,
    GLOW,
    GOLD,
    LEAF,
    PALE,
    WOOD,
    Builder,
    Rgb,
    blob,
    box,
    cabinet,
    disc,
    legs,
    post,
    slant,
    table,
    tone,
)

Random = np.random.Generator


def _kitchen_table(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return table(d, w, h, c, PALE, 0.07)


def _dining_table(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [*table(d, w, h, c, tone(c, 0.8), 0.06),
            box(0, 0, h, d * 0.34, w * 0.9, 0.008, (0.86, 0.83, 0.72))]


def _coffee_table(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, 0, h - 0.06, d, w, 0.06, c), box(0, 0, 0.10, d * 0.86, w * 0.9, 0.12, c),
            *[box(sx * d * 0.40, sy * w * 0.44, 0, 0.06, 0.06, h - 0.06, tone(c, 0.75))
              for sx in (-1, 1) for sy in (-1, 1)],
            box(0.02, w * 0.15, h, 0.18, 0.26, 0.025, (0.70, 0.25, 0.20))]


def _chair(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [*legs(d, w, 0.44, 0.045, tone(c, 0.75)), box(0, 0, 0.43, d, w, 0.06, c),
            box(-d / 2 + 0.025, 0, 0.62, 0.05, w, h - 0.62, c),
            box(-d / 2 + 0.025, 0, 0.48, 0.05, w * 0.25, 0.16, c)]


def _bench(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, 0, h - 0.10, d, w, 0.10, c),
            box(0, w * 0.40, 0, d * 0.9, 0.08, h - 0.10, tone(c, 0.7)),
            box(0, -w * 0.40, 0, d * 0.9, 0.08, h - 0.10, tone(c, 0.7)),
            box(d * 0.3, 0, 0.12, 0.05, w * 0.8, 0.12, tone(c, 0.7))]


def _sideboard(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [*cabinet(d, w, h - 0.14, c, 1, 3), box(0, 0, h - 0.14, d, w, 0.14, tone(c, 0.85)),
            *[disc(d / 2 + 0.01, y, h * 0.45, 0.03, 0.03, GOLD) for y in (-w / 3, 0.0, w / 3)]]


def _china_cabinet(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    plates = [disc(d / 2 - 0.02, y, z, 0.10, 0.02, PALE) for z in (h * 0.62, h * 0.84)
              for y in (-w * 0.22, w * 0.22)]
    return [box(0, 0, 0, d, w, h * 0.46, c), box(-0.06, 0, h * 0.46, d - 0.12, w, h * 0.54, c),
            box(d / 2 - 0.08, 0, h * 0.50, 0.05, w * 0.86, h * 0.44, tone(GLASS, 0.8)), *plates,
            box(d / 2 - 0.05, 0, h * 0.49, 0.03, 0.04, h * 0.46, c),
            box(d / 2 + 0.005, 0, 0.06, 0.01, 0.02, h * 0.36, DARK)]


def _sofa(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    arm = 0.20
    seats = 2 if w < 1.75 else 3
    wide = (w - 2 * arm) / seats
    pads = [box(0.06, -w / 2 + arm + (k + 0.5) * wide, 0.30, d * 0.80, wide - 0.03, 0.14,
                tone(c, 1.12)) for k in range(seats)]
    return [box(0, 0, 0.05, d, w, 0.26, tone(c, 0.85)),
            box(-d / 2 + 0.12, 0, 0.25, 0.24, w, h - 0.25, c),
            box(0, w / 2 - arm / 2, 0.05, d, arm, h * 0.68, c),
            box(0, -w / 2 + arm / 2, 0.05, d, arm, h * 0.68, c), *pads]


def _armchair(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    arm = w * 0.19
    parts = [box(0, 0, 0.08, d * 0.96, w * 0.96, 0.24, tone(c, 0.85)),
             box(0.06, 0, 0.30, d * 0.76, w - 2 * arm - 0.02, 0.15, tone(c, 1.12)),
             disc(-d / 2 + 0.13, 0, h - 0.26, 0.26, 0.22, c),
             box(-d / 2 + 0.12, 0, 0.2, 0.22, w * 0.84, h - 0.44, c)]
    for s in (-1, 1):
        parts.append(box(0.02, s * (w / 2 - arm / 2), 0.08, d * 0.9, arm * 0.8, 0.48, c))
        parts.append(disc(0.02, s * (w / 2 - arm / 2), 0.56, arm / 2, d * 0.92, c))
    return parts


def _television(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, 0, 0, d, w, 0.40, c), box(d / 2 + 0.004, 0, 0.06, 0.01, w * 0.94, 0.28,
                                             tone(c, 0.7)),
            box(-0.05, 0, 0.40, 0.16, w * 0.3, 0.08, DARK),
            box(-0.05, 0, 0.48, 0.06, w * 0.96, h - 0.48, DARK),
            box(-0.015, 0, 0.52, 0.012, w * 0.90, h - 0.56, (0.10, 0.14, 0.24))]


def _bookshelf(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    levels = 4
    step = (h - 0.10) / levels
    parts = [box(-d / 2 + 0.02, 0, 0, 0.04, w, h, tone(c, 0.7)),
             box(0, w / 2 - 0.02, 0, d, 0.04, h, c), box(0, -w / 2 + 0.02, 0, d, 0.04, h, c),
             box(0, 0, h - 0.04, d, w, 0.04, c)]
    tints = ((0.65, 0.15, 0.15), (0.15, 0.30, 0.60), (0.18, 0.45, 0.25), (0.80, 0.65, 0.25),
             (0.45, 0.20, 0.45), (0.85, 0.82, 0.75), (0.25, 0.25, 0.28))
    for k in range(levels):
        z = 0.06 + k * step
        parts.append(box(0, 0, z - 0.06 if k == 0 else z - 0.03, d, w, 0.06, c))
        cut = w * rng.uniform(-0.15, 0.15)
        for low, high in ((-w / 2 + 0.05, cut), (cut + 0.01, w / 2 - 0.10)):
            parts.append(box(-0.01, (low + high) / 2, z + 0.02, d * 0.7, high - low,
                             step * rng.uniform(0.58, 0.78), tints[int(rng.integers(7))]))
    return parts


def _fireplace(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, w * 0.36, 0, d, w * 0.28, h, c), box(0, -w * 0.36, 0, d, w * 0.28, h, c),
            box(-d * 0.1, 0, 0, d * 0.8, w * 0.5, h, (0.07, 0.06, 0.06)),
            box(0, 0, h * 0.68, d, w * 0.9, h * 0.32, c),
            box(0.0, 0, h - 0.08, d, w, 0.08, PALE),
            blob(d * 0.26, 0, 0.06, d * 0.4, w * 0.34, h * 0.5, (0.98, 0.50, 0.08)),
            blob(d * 0.34, 0, 0.06, d * 0.3, w * 0.20, h * 0.34, (1.0, 0.85, 0.2)),
            disc(d * 0.3, 0, 0.08, 0.07, w * 0.42, WOOD, 'y')]


def _piano(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    keys = [box(d / 2 - 0.09, -w * 0.42 + k * w * 0.12, 0.735, 0.08, 0.05, 0.02, DARK)
            for k in range(8)]
    return [box(-d * 0.22, 0, 0, d * 0.56, w, h, c), box(0.05, 0, 0.60, d * 0.90, w, 0.10, c),
            box(d / 2 - 0.10, 0, 0.70, 0.18, w * 0.94, 0.03, (0.97, 0.97, 0.95)), *keys,
            box(d * 0.40, w * 0.46, 0, 0.07, 0.08, 0.60, c),
            box(d * 0.40, -w * 0.46, 0, 0.07, 0.08, 0.60, c),
            box(d * 0.40, 0, 0.12, 0.05, w * 0.9, 0.10, c),
            slant(d * 0.10, 0, h * 0.84, 0.02, 0.50, 0.26, PALE, pitch=-0.2)]


def _fish_tank(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    water = tone(c, 1.1)
    return [box(0, 0, 0, d, w, h * 0.55, WOOD), box(0, 0, h * 0.55, d, w, 0.05, DARK),
            box(0, 0, h * 0.59, d * 0.94, w * 0.96, h * 0.33, water),
            box(0, 0, h * 0.92, d, w, h * 0.08, DARK),
            blob(d * 0.47, w * 0.2, h * 0.74, 0.03, 0.14, 0.09, (1.0, 0.55, 0.1)),
            blob(d * 0.47, -w * 0.22, h * 0.67, 0.03, 0.12, 0.07, (1.0, 0.85, 0.2)),
            box(d * 0.46, 0, h * 0.59, 0.03, w * 0.94, 0.04, (0.80, 0.70, 0.45))]


def _guitar(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, 0, 0, d, w * 0.9, 0.05, DARK), box(-0.10, 0, 0.05, 0.05, 0.05, 0.5, DARK),
            disc(0, 0, 0.27, w * 0.46, 0.12, c), disc(0, 0, 0.54, w * 0.34, 0.12, c),
            disc(0.05, 0, 0.42, 0.07, 0.03, DARK), box(0.02, 0, 0.55, 0.04, 0.06, h - 0.60, WOOD),
            box(0.02, 0, h - 0.14, 0.04, 0.11, 0.14, DARK)]


def _floor_lamp(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    pole = DARK if rng.random() < 0.6 else GOLD
    return [post(0, 0, 0, d * 0.42, 0.05, pole), post(0, 0, 0.05, d * 0.36, 0.20, pole),
            post(0, 0, 0.2, 0.022, h - 0.4, pole), post(0, 0, h - 0.34, d * 0.50, 0.13, c),
            post(0, 0, h - 0.21, d * 0.40, 0.11, c), post(0, 0, h - 0.10, d * 0.30, 0.10, c),
            post(0, 0, h - 0.36, d * 0.38, 0.03, GLOW)]


def _table_lamp(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [post(0, 0, 0, d * 0.28, 0.03, DARK),
            blob(0, 0, 0.01, d * 0.42, d * 0.42, h * 0.5, PALE),
            post(0, 0, h * 0.44, d * 0.50, h * 0.20, c),
            post(0, 0, h * 0.63, d * 0.42, h * 0.19, c),
            post(0, 0, h * 0.81, d * 0.34, h * 0.19, c)]


def _plant(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    pot = (CLAY, PALE, (0.25, 0.27, 0.32), (0.20, 0.40, 0.62))[int(rng.integers(4))]
    parts = [post(0, 0, 0, d * 0.36, 0.30, pot), post(0, 0, 0.28, d * 0.40, 0.05, pot),
             post(0, 0, 0.30, 0.03, h * 0.35, WOOD)]
    leaf = tone(LEAF, rng.uniform(0.8, 1.1))
    if rng.random() < 0.5:        # a bush
        parts.append(blob(0, 0, h * 0.36, d, w, h * 0.62, leaf))
        parts.append(blob(d * 0.1, -w * 0.12, h * 0.56, d * 0.7, w * 0.6, h * 0.44,
                          tone(leaf, 1.15)))
        return parts
    for k, roll in enumerate((-0.48, 0.48, -0.2, 0.2)):      # long leaves
        parts.append(slant(0.05 * (k % 2), -0.42 * roll * w, h * 0.66, 0.05, w * 0.17,
                           h * 0.58, tone(leaf, 0.85 + 0.1 * k), roll=roll))
    parts.append(slant(0.10, 0, h * 0.66, 0.05, w * 0.22, h * 0.6, leaf, pitch=0.35))
    return parts


def _rug(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    stripe = tone(c, 1.55)
    return [box(0, 0, 0, d, w, h * 0.7, c), box(0, 0, h * 0.7, d * 0.80, w * 0.86, 0.002, stripe),
            box(0, 0, h * 0.9, d * 0.66, w * 0.74, 0.002, c)]


def _vase(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    tints = ((0.95, 0.3, 0.4), (1.0, 0.85, 0.2), (0.75, 0.4, 0.85))
    blooms = [blob(x * d, y * w, h * z, 0.10, 0.10, 0.10, tints[k]) for k, (x, y, z) in
              enumerate(((0.15, 0.25, 0.72), (-0.2, -0.22, 0.70), (0.05, -0.02, 0.78)))]
    return [blob(0, 0, 0, d * 0.92, w * 0.92, h * 0.55, c),
            post(0, 0, h * 0.42, d * 0.22, h * 0.16, c),
            post(0, 0, h * 0.5, 0.03, h * 0.24, LEAF), *blooms]


def _cushion(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [slant(0, 0, h * 0.5, 0.13, w * 0.92, h * 0.86, c, pitch=-0.3),
            Part('ellipsoid', (0.10, w * 0.42, h * 0.42), (0, 0, h * 0.5), tone(c, 1.1),
                 (0.0, -0.3, 0.0))]


def _painting(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    frame = (GOLD, DARK, WOOD)[int(rng.integers(3))]
    y, z = rng.uniform(-0.2, 0.2) * w, h * rng.uniform(0.35, 0.6)
    return [box(-0.01, 0, 0, d - 0.02, w, h, frame),
            box(d / 2 - 0.008, 0, 0.05, 0.016, w - 0.10, h - 0.10, c),
            box(d / 2, 0, 0.06, 0.016, w - 0.12, h * 0.22, tone(c, 0.55)),
            disc(d / 2, y, z + 0.08, h * 0.14, 0.02, tone(c, 1.6))]


def _clock(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    rim = DARK if sum(c) > 1.2 else PALE
    return [disc(-0.01, 0, h / 2, w / 2, d - 0.02, c),
            disc(d / 2 - 0.01, 0, h / 2, w * 0.39, 0.02, (0.97, 0.97, 0.95)),
            box(d / 2 + 0.008, 0, h / 2, 0.012, 0.035, h * 0.30, rim if rim == DARK else DARK),
            box(d / 2 + 0.008, w * 0.11, h / 2 - 0.015, 0.012, w * 0.24, 0.04, DARK)]


def _window(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    sky = (0.62, 0.83, 0.97)
    return [box(-0.015, 0, 0, d - 0.03, w, h, c),
            box(0.01, w * 0.23, 0.06, d - 0.03, w * 0.40, h - 0.12, sky),
            box(0.01, -w * 0.23, 0.06, d - 0.03, w * 0.40, h - 0.12, sky),
            box(0.012, 0, h * 0.62, d - 0.02, w, 0.04, c),
            box(0.02, 0, -0.03, d + 0.04, w * 1.06, 0.05, c)]


def _curtain(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    parts = [disc(0, 0, h - 0.02, 0.022, w, DARK, 'y')]
    for s in (-1, 1):
        for k in range(3):
            parts.append(box(0.01 * (k % 2), s * (w / 2 - 0.07 - 0.11 * k), 0, d * 0.6, 0.11,
                             h - 0.04, c if k % 2 == 0 else tone(c, 0.8)))
    return parts


def _radiator(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    ribs = [box(0.02, -w / 2 + (k + 0.5) * w / 7, 0.08, d * 0.7, w / 7 * 0.62, h - 0.10, c)
            for k in range(7)]
    return [box(-0.02, 0, 0.12, d * 0.5, w, h - 0.18, tone(c, 0.55)), *ribs,
            box(0, 0, 0, d * 0.5, w * 0.9, 0.10, tone(c, 0.5))]


def _chandelier(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    bulbs = [blob(sx * d * 0.38, sy * w * 0.38, 0.12, 0.13, 0.13, 0.15, GLOW)
             for sx, sy in ((-1, 0), (1, 0), (0, -1), (0, 1))]
    return [post(0, 0, 0.1, 0.02, h - 0.1, GOLD), blob(0, 0, 0, 0.18, 0.18, 0.20, c),
            disc(0, 0, 0.12, 0.022, d * 0.8, c), disc(0, 0, 0.12, 0.022, w * 0.8, c, 'y'), *bulbs]


LIVING: dict[str, Builder] = {
    'kitchen table': _kitchen_table, 'dining table': _dining_table,
    'coffee table': _coffee_table, 'chair': _chair, 'bench': _bench, 'sideboard': _sideboard,
    'china cabinet': _china_cabinet, 'sofa': _sofa, 'armchair': _armchair,
    'television': _television, 'bookshelf': _bookshelf, 'fireplace': _fireplace, 'piano': _piano,
    'fish tank': _fish_tank, 'guitar': _guitar, 'floor lamp': _floor_lamp,
    'table lamp': _table_lamp, 'plant': _plant, 'rug': _rug, 'vase': _vase, 'cushion': _cushion,
    'painting': _painting, 'clock': _clock, 'window': _window, 'curtain': _curtain,
    'radiator': _radiator, 'chandelier': _chandelier}
