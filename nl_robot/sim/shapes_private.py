"""How the things of bedrooms, nurseries, offices and gyms are built."""

from __future__ import annotations

import numpy as np

from nl_robot.sim.records import Part
from nl_robot.sim.shapes import (
    DARK,
    GLASS,
    GOLD,
    OAK,
    PALE,
    SILVER,
    STEEL,
    WOOD,
    Builder,
    Rgb,
    blob,
    box,
    cabinet,
    disc,
    post,
    slant,
    tone,
)

Random = np.random.Generator


def _bed(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    frame = (WOOD, OAK, DARK, PALE)[int(rng.integers(4))]
    head = h if rng.random() < 0.7 else h * 0.8
    pillows = [box(-d / 2 + 0.30, s * w * 0.24, 0.50, 0.36, w * 0.40, 0.12, PALE)
               for s in (-1, 1)]
    return [box(-d / 2 + 0.04, 0, 0, 0.08, w, head, frame),
            box(0.03, 0, 0.06, d - 0.08, w, 0.22, frame),
            box(0.03, 0, 0.28, d - 0.10, w * 0.97, 0.24, PALE), *pillows,
            box(d * 0.13, 0, 0.26, d * 0.72, w, 0.29, c),
            box(d * -0.20, 0, 0.30, 0.16, w * 1.0, 0.265, tone(c, 1.45))]


def _nightstand(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [*cabinet(d, w, h - 0.04, c, 2), box(0, 0, h - 0.04, d, w, 0.04, c)]


def _dresser(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    knobs = [disc(d / 2 + 0.012, y, h * z, 0.028, 0.03, GOLD) for z in (0.2, 0.5, 0.8)
             for y in (-w * 0.25, w * 0.25)]
    return [*cabinet(d, w, h - 0.03, c, 3, 2), *knobs, box(0, 0, h - 0.03, d, w, 0.03, c)]


def _wardrobe(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [*cabinet(d, w, h - 0.08, c, 1, 2), box(0, 0, h - 0.08, d * 1.0, w, 0.08, tone(c, 0.7)),
            box(d / 2 + 0.012, 0.06, h * 0.40, 0.025, 0.03, 0.34, GOLD),
            box(d / 2 + 0.012, -0.06, h * 0.40, 0.025, 0.03, 0.34, GOLD)]


def _mirror(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(-0.005, 0, 0, d - 0.01, w, h, c),
            box(d / 2 - 0.006, 0, 0.05, 0.012, w - 0.10, h - 0.10, SILVER),
            slant(d / 2, 0, h * 0.55, 0.006, 0.05, h * 0.6, (0.95, 0.98, 1.0), roll=-0.5)]


def _crib(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    bars = [box(s * (d / 2 - 0.02), -w * 0.36 + k * w * 0.144, 0.3, 0.025, 0.03, h - 0.34, c)
            for s in (-1, 1) for k in range(6)]
    return [box(0, w / 2 - 0.025, 0, d, 0.05, h, c), box(0, -w / 2 + 0.025, 0, d, 0.05, h, c),
            box(0, 0, 0.12, d - 0.02, w - 0.06, 0.2, tone(c, 0.85)),
            box(0, 0, 0.32, d - 0.08, w - 0.12, 0.12, (0.98, 0.95, 0.85)), *bars,
            box(d / 2 - 0.02, 0, h - 0.07, 0.04, w, 0.05, c),
            box(-d / 2 + 0.02, 0, h - 0.07, 0.04, w, 0.05, c)]


def _rocking_horse(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, w * 0.38, 0, d, 0.05, 0.09, OAK), box(0, -w * 0.38, 0, d, 0.05, 0.09, OAK),
            box(d * 0.22, 0, 0.06, 0.08, w * 0.7, h * 0.35, c),
            box(-d * 0.22, 0, 0.06, 0.08, w * 0.7, h * 0.35, c),
            blob(-d * 0.02, 0, h * 0.38, d * 0.66, w * 0.7, h * 0.30, c),
            slant(d * 0.30, 0, h * 0.70, 0.14, 0.12, h * 0.46, c, pitch=0.4),
            blob(d * 0.36, 0, h * 0.78, 0.28, 0.15, 0.15, c),
            box(-d * 0.02, 0, h * 0.63, 0.22, w * 0.5, 0.06, (0.75, 0.15, 0.15)),
            slant(-d * 0.42, 0, h * 0.48, 0.05, 0.06, h * 0.3, PALE, pitch=0.5)]


def _toy_box(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, 0, 0, d, w, h * 0.62, c), box(0, 0, h * 0.30, d * 1.01, w * 1.01, 0.05, PALE),
            blob(0.02, w * 0.24, h * 0.52, 0.24, 0.24, 0.24, (0.95, 0.25, 0.2)),
            blob(-0.05, -w * 0.05, h * 0.50, 0.20, 0.20, 0.22, (0.2, 0.55, 0.95)),
            box(0.04, -w * 0.30, h * 0.55, 0.14, 0.14, h * 0.38, (1.0, 0.85, 0.2)),
            box(-d / 2 + 0.02, 0, h * 0.62, 0.04, w, h * 0.38, tone(c, 0.8))]


def _teddy_bear(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [blob(0, 0, 0, d * 0.72, w * 0.72, h * 0.62, c),
            blob(0, 0, h * 0.50, d * 0.62, w * 0.62, h * 0.46, c),
            blob(0, w * 0.26, h * 0.80, 0.06, 0.13, 0.13, tone(c, 0.7)),
            blob(0, -w * 0.26, h * 0.80, 0.06, 0.13, 0.13, tone(c, 0.7)),
            blob(d * 0.28, 0, h * 0.56, 0.10, 0.14, 0.11, tone(c, 1.5)),
            blob(d * 0.30, w * 0.24, 0, d * 0.5, 0.13, 0.13, tone(c, 0.85)),
            blob(d * 0.30, -w * 0.24, 0, d * 0.5, 0.13, 0.13, tone(c, 0.85))]


def _dollhouse(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    wall = h * 0.66
    panes = [box(d / 2 + 0.004, y, z, 0.012, w * 0.18, wall * 0.26, GLASS)
             for y in (-w * 0.26, w * 0.26) for z in (wall * 0.12, wall * 0.60)]
    return [box(0, 0, 0, d, w * 0.9, wall, PALE), *panes,
            box(d / 2 + 0.004, 0, 0, 0.012, w * 0.15, wall * 0.42, c),
            slant(0, w * 0.23, h * 0.80, d, w * 0.60, 0.05, c, roll=-0.62),
            slant(0, -w * 0.23, h * 0.80, d, w * 0.60, 0.05, c, roll=0.62),
            box(0, 0, wall, d * 0.96, w * 0.45, h * 0.14, c)]


def _desk(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    side = 1 if rng.random() < 0.5 else -1
    drawers = [box(d / 2 - 0.03, side * (w / 2 - 0.22), 0.06 + 0.21 * k, 0.04, 0.36, 0.18, c)
               for k in range(3)]
    return [box(0, 0, h - 0.05, d, w, 0.05, c),
            box(-0.02, side * (w / 2 - 0.22), 0, d * 0.9, 0.40, h - 0.05, tone(c, 0.75)), *drawers,
            box(-0.02, -side * (w / 2 - 0.04), 0, d * 0.9, 0.05, h - 0.05, tone(c, 0.85)),
            box(-d / 2 + 0.06, 0, 0.1, 0.03, w * 0.9, h * 0.6, tone(c, 0.85))]


def _office_chair(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    feet = (0.20, 0.21, 0.23)
    return [disc(0, 0, 0.08, 0.035, d, feet), disc(0, 0, 0.08, 0.035, w, feet, 'y'),
            post(0, 0, 0.05, d * 0.30, 0.18, feet), post(0, 0, 0.25, 0.035, 0.20, STEEL),
            blob(0.02, 0, 0.42, d * 0.9, w * 0.88, 0.13, c),
            Part('ellipsoid', (0.06, w * 0.40, (h - 0.52) / 2), (-d * 0.38, 0, (h + 0.52) / 2), c),
            box(0, w * 0.44, 0.62, d * 0.45, 0.05, 0.04, feet),
            box(0, -w * 0.44, 0.62, d * 0.45, 0.05, 0.04, feet)]


def _computer_monitor(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(-0.02, 0, 0, d * 0.8, w * 0.4, 0.02, c),
            box(-0.05, 0, 0.02, 0.04, 0.06, h * 0.3, c),
            box(-0.03, 0, h * 0.22, 0.05, w, h * 0.78, c),
            box(0.0, 0, h * 0.28, 0.012, w * 0.92, h * 0.66, (0.25, 0.55, 0.85)),
            box(0.008, w * 0.1, h * 0.45, 0.004, w * 0.5, h * 0.32, (0.92, 0.95, 0.97))]


def _printer(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, 0, 0, d * 0.9, w, h * 0.68, c),
            box(-0.03, 0, h * 0.68, d * 0.7, w * 0.9, 0.03, DARK),
            slant(-d * 0.28, 0, h * 0.82, 0.02, w * 0.6, h * 0.42, PALE, pitch=-0.35),
            box(d * 0.40, 0, h * 0.20, d * 0.2, w * 0.62, 0.02, PALE),
            box(d * 0.45 + 0.004, 0, h * 0.28, 0.012, w * 0.7, 0.06, DARK)]


def _filing_cabinet(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    grips = [box(d / 2 + 0.012, 0, h * (0.20 + 0.31 * k), 0.025, w * 0.34, 0.035, STEEL)
             for k in range(3)]
    tags = [box(d / 2 + 0.005, 0, h * (0.26 + 0.31 * k), 0.012, w * 0.22, 0.04, PALE)
            for k in range(3)]
    fronts = [box(d / 2 - 0.01, 0, 0.03 + k * h * 0.32, 0.02, w * 0.92, h * 0.29, c)
              for k in range(3)]
    return [box(-0.01, 0, 0, d - 0.02, w, h, tone(c, 0.7)), *fronts, *grips, *tags]


def _treadmill(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, 0, 0, d, w, 0.22, c),
            box(-0.05, 0, 0.22, d * 0.86, w * 0.66, 0.01, (0.25, 0.25, 0.27)),
            slant(d * 0.40, w * 0.44, h * 0.55, 0.07, 0.06, h * 0.85, STEEL, pitch=0.12),
            slant(d * 0.40, -w * 0.44, h * 0.55, 0.07, 0.06, h * 0.85, STEEL, pitch=0.12),
            box(d * 0.43, 0, h - 0.22, 0.12, w * 0.95, 0.22, c),
            box(d * 0.43 - 0.065, 0, h - 0.16, 0.02, w * 0.4, 0.13, (0.25, 0.85, 0.55)),
            box(d * 0.25, w * 0.44, h * 0.72, d * 0.35, 0.05, 0.05, (0.85, 0.2, 0.2)),
            box(d * 0.25, -w * 0.44, h * 0.72, d * 0.35, 0.05, 0.05, (0.85, 0.2, 0.2))]


def _exercise_ball(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [blob(0, 0, 0, d, w, h, c), post(0, 0, h * 0.47, d * 0.502, 0.03, tone(c, 1.5)),
            post(0, 0, h * 0.68, d * 0.47, 0.02, tone(c, 1.5)),
            post(0, 0, 0.0, d * 0.2, 0.02, tone(c, 0.7))]


PRIVATE: dict[str, Builder] = {
    'bed': _bed, 'nightstand': _nightstand, 'dresser': _dresser, 'wardrobe': _wardrobe,
    'mirror': _mirror, 'crib': _crib, 'rocking horse': _rocking_horse, 'toy box': _toy_box,
    'teddy bear': _teddy_bear, 'dollhouse': _dollhouse, 'desk': _desk,
    'office chair': _office_chair, 'computer monitor': _computer_monitor, 'printer': _printer,
    'filing cabinet': _filing_cabinet, 'treadmill': _treadmill, 'exercise ball': _exercise_ball}
