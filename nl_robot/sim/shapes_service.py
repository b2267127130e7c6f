"""How the things of kitchens, bathrooms, laundry rooms, halls and garages are built."""

from __future__ import annotations

import numpy as np

from nl_robot.sim.records import Part
from nl_robot.sim.shapes import (
    DARK,
    GLASS,
    GOLD,
    OAK,
    PALE,
    STEEL,
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


def _fridge(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    split = h * rng.uniform(0.55, 0.68)
    grip = STEEL if sum(c) < 1.5 else (0.35, 0.35, 0.37)
    return [box(-0.03, 0, 0, d - 0.06, w, h, tone(c, 0.85)),
            box(d / 2 - 0.03, 0, 0.06, 0.06, w, split - 0.08, c),
            box(d / 2 - 0.03, 0, split, 0.06, w, h - split, c),
            box(d / 2 + 0.015, w * 0.38, split - 0.50, 0.03, 0.045, 0.42, grip),
            box(d / 2 + 0.015, w * 0.38, split + 0.06, 0.03, 0.045, 0.30, grip)]


def _stove(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    hobs = [post(sx * d * 0.22, sy * w * 0.24, h - 0.04, 0.09, 0.015, (0.75, 0.16, 0.08))
            for sx, sy in ((-1, -1), (-1, 1), (1, -1), (1, 1))]
    return [box(0, 0, 0, d, w, h - 0.05, c), box(0, 0, h - 0.05, d, w, 0.02, DARK),
            box(d / 2 + 0.005, 0, 0.22, 0.02, w * 0.78, 0.38, DARK),
            box(d / 2 + 0.02, 0, 0.66, 0.03, w * 0.8, 0.035, STEEL), *hobs,
            box(-d / 2 + 0.03, 0, h - 0.03, 0.06, w, 0.20, tone(c, 0.8))]


def _sink(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(-0.02, 0, 0, d - 0.08, w * 0.92, h - 0.16, c),
            box(0, 0, h - 0.16, d, w, 0.12, PALE),
            blob(0.03, 0, h - 0.10, d * 0.66, w * 0.70, 0.10, (0.55, 0.66, 0.72)),
            post(-d * 0.36, 0, h - 0.04, 0.025, 0.24, STEEL),
            disc(-d * 0.20, 0, h + 0.19, 0.022, d * 0.36, STEEL),
            box(d / 2 - 0.06, 0, 0.05, 0.02, 0.02, h - 0.26, DARK)]


def _dishwasher(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, 0, 0, d, w, h, c),
            box(d / 2 + 0.004, 0, h - 0.15, 0.012, w * 0.96, 0.13, (0.20, 0.21, 0.24)),
            box(d / 2 + 0.02, 0, h - 0.22, 0.04, w * 0.7, 0.035, STEEL),
            box(d / 2 + 0.003, 0, 0, 0.01, w * 0.96, 0.10, DARK)]


def _kitchen_cabinet(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [*cabinet(d - 0.04, w, h - 0.05, c, 1, 2),
            box(d / 2 - 0.01, -0.05, h * 0.45, 0.03, 0.02, 0.22, STEEL),
            box(d / 2 - 0.01, 0.05, h * 0.45, 0.03, 0.02, 0.22, STEEL),
            box(0, 0, h - 0.05, d, w, 0.05, (0.30, 0.29, 0.28))]


def _microwave(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, 0, 0, d, w, h, c),
            box(d / 2, w * 0.12, h * 0.15, 0.02, w * 0.62, h * 0.7, (0.10, 0.12, 0.16)),
            box(d / 2 + 0.02, -w * 0.22, h * 0.12, 0.03, 0.025, h * 0.76, STEEL),
            box(d / 2, -w * 0.37, h * 0.62, 0.02, w * 0.16, h * 0.22, (0.15, 0.85, 0.35))]


def _kettle(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [post(0, 0, 0, d * 0.42, 0.03, DARK), blob(0, 0, 0.0, d * 0.86, d * 0.86, h * 0.95, c),
            post(0, 0, h * 0.80, 0.05, h * 0.18, DARK),
            slant(0, w * 0.42, h * 0.60, 0.05, 0.16, 0.04, c, roll=0.7),
            box(0, -w * 0.46, h * 0.25, 0.03, 0.03, h * 0.5, DARK),
            box(0, -w * 0.36, h * 0.70, 0.03, w * 0.24, 0.03, DARK)]


def _dishes(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    plates = [post(0, -w * 0.10, 0.035 * k, d * (0.40 - 0.02 * (k % 2)), 0.028,
                   c if k % 2 == 0 else tone(c, 0.75)) for k in range(4)]
    return [*plates, blob(0, -w * 0.10, 0.13, d * 0.52, d * 0.52, 0.09, tone(c, 1.3)),
            post(d * 0.25, w * 0.36, 0, 0.045, h * 0.6, c)]


def _trash_can(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [post(0, 0, 0, d * 0.44, h * 0.84, c), post(0, 0, h * 0.82, d * 0.5, 0.05, DARK),
            blob(0, 0, h * 0.80, d * 0.8, d * 0.8, h * 0.2, DARK),
            box(d * 0.46, 0, 0, 0.10, 0.12, 0.03, DARK)]


def _freezer(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, 0, 0.05, d, w, h * 0.80, c), box(0, 0, 0, d * 0.94, w * 0.96, 0.05, DARK),
            box(0, 0, h * 0.87, d, w, h * 0.13, tone(c, 0.9)),
            box(d / 2 + 0.015, 0, h * 0.82, 0.04, w * 0.25, 0.05, (0.25, 0.35, 0.55)),
            box(d / 2 + 0.004, -w * 0.35, 0.12, 0.012, w * 0.2, 0.14, (0.25, 0.45, 0.75))]


def _storage_shelf(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    boards = [box(0, 0, z, d, w, 0.035, c) for z in (0.12, h * 0.38, h * 0.66, h - 0.035)]
    posts = [box(0, s * (w / 2 - 0.02), 0, d, 0.04, h, tone(c, 0.8)) for s in (-1, 1)]
    goods = []
    for z in (0.155, h * 0.38 + 0.035, h * 0.66 + 0.035):
        for y in (-w * 0.24, w * 0.22):
            rgb = tuple(float(v) for v in rng.uniform(0.2, 0.85, 3))
            goods.append(box(0, y, z, d * 0.7, w * rng.uniform(.22, .36),
                             h * rng.uniform(.10, .19), (rgb[0], rgb[1], rgb[2])))
    return boards + posts + goods


def _wine_rack(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    frame = [box(0, s * (w / 2 - 0.02), 0, d, 0.04, h, c) for s in (-1, 1)]
    frame += [box(0, 0, z, d, w, 0.03, c) for z in (0.10, h * 0.38, h * 0.66, h - 0.03)]
    bottles = [disc(0, y, z, 0.055, d, (0.07, 0.26, 0.12))
               for z in (0.19, h * 0.38 + 0.10, h * 0.66 + 0.10)
               for y in (-w * 0.28, 0.0, w * 0.28)]
    return frame + bottles


def _high_chair(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [*legs(d, w, h * 0.5, 0.04, OAK), box(-0.04, 0, h * 0.48, d * 0.7, w * 0.8, 0.06, c),
            box(-d * 0.38, 0, h * 0.52, 0.06, w * 0.8, h * 0.48, c),
            box(d * 0.30, 0, h * 0.70, d * 0.45, w, 0.04, PALE)]


def _bathtub(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    wall = 0.09
    return [box(0, 0, 0, d, w, 0.30, c), box(d / 2 - wall / 2, 0, 0.3, wall, w, h - 0.3, c),
            box(-d / 2 + wall / 2, 0, 0.3, wall, w, h - 0.3, c),
            box(0, w / 2 - wall / 2, 0.3, d, wall, h - 0.3, c),
            box(0, -w / 2 + wall / 2, 0.3, d, wall, h - 0.3, c),
            box(0, 0, 0.30, d - 2 * wall, w - 2 * wall, h * 0.28, (0.45, 0.72, 0.85)),
            post(0, w / 2 - 0.06, h, 0.025, 0.22, STEEL),
            disc(0, w / 2 - 0.13, h + 0.20, 0.022, 0.16, STEEL, 'y')]


def _shower(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    frame = (0.62, 0.64, 0.67)
    corners = [box(sx * (d / 2 - 0.02), sy * (w / 2 - 0.02), 0.26, 0.04, 0.04, h - 0.26, frame)
               for sx in (-1, 1) for sy in (-1, 1)]
    return [box(0, 0, 0, d, w, 0.26, c), *corners,
            box(-d / 2 + 0.02, 0, 0.26, 0.02, w - 0.06, h - 0.3, tone(GLASS, 0.95)),
            box(0, w / 2 - 0.02, 0.26, d - 0.06, 0.015, h * 0.5, tone(GLASS, 1.2)),
            box(0, 0, h - 0.05, d, w, 0.05, frame),
            post(-d * 0.2, 0, h - 0.14, 0.12, 0.04, STEEL),
            disc(-d * 0.34, 0, h - 0.08, 0.02, d * 0.3, STEEL)]


def _toilet(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0.02, 0, 0, d * 0.55, w * 0.55, 0.30, c),
            blob(d * 0.14, 0, 0.16, d * 0.70, w * 0.95, 0.28, c),
            blob(d * 0.14, 0, 0.37, d * 0.70, w * 0.98, 0.09, tone(c, 0.82)),
            box(-d / 2 + 0.10, 0, 0.36, 0.20, w, h - 0.36, c),
            box(-d / 2 + 0.10, 0, h - 0.03, 0.22, w * 1.04, 0.04, tone(c, 0.85)),
            box(-d / 2 + 0.21, w * 0.3, h - 0.12, 0.02, 0.07, 0.04, STEEL)]


def _towel_rack(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [disc(0, 0, h - 0.03, 0.02, w, STEEL, 'y'),
            box(-d * 0.3, w * 0.48, h - 0.06, d * 0.6, 0.03, 0.06, STEEL),
            box(-d * 0.3, -w * 0.48, h - 0.06, d * 0.6, 0.03, 0.06, STEEL),
            box(0.02, w * 0.02, h * 0.08, 0.06, w * 0.72, h * 0.90, c),
            box(0.055, w * 0.02, h * 0.20, 0.015, w * 0.72, 0.07, PALE),
            box(0.055, w * 0.02, h * 0.36, 0.015, w * 0.72, 0.03, PALE)]


def _laundry_basket(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    holes = [box(d * 0.36, 0, z, d * 0.1, w * 0.5, 0.04, tone(c, 0.45))
             for z in (h * 0.2, h * 0.4)]
    return [post(0, 0, 0, d * 0.44, h * 0.76, c), post(0, 0, h * 0.70, d * 0.5, 0.06, c), *holes,
            blob(-0.04, 0.05, h * 0.62, d * 0.6, w * 0.6, h * 0.34, (0.85, 0.25, 0.30)),
            blob(0.06, -0.06, h * 0.62, d * 0.5, w * 0.5, h * 0.30, (0.25, 0.45, 0.85))]


def _washing_machine(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, 0, 0, d, w, h, c), disc(d / 2, 0, h * 0.44, w * 0.34, 0.05, STEEL),
            disc(d / 2 + 0.02, 0, h * 0.44, w * 0.25, 0.05, (0.12, 0.20, 0.38)),
            box(d / 2, 0, h - 0.13, 0.02, w * 0.94, 0.10, tone(c, 0.62)),
            disc(d / 2 + 0.02, -w * 0.3, h - 0.08, 0.04, 0.03, DARK)]


def _dryer(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, 0, 0, d, w, h, c),
            box(d / 2 + 0.01, 0, h * 0.20, 0.03, w * 0.66, h * 0.52, tone(c, 0.72)),
            box(d / 2 + 0.03, w * 0.26, h * 0.34, 0.03, 0.04, h * 0.24, DARK),
            box(-d / 2 + 0.08, 0, h, 0.16, w, 0.16, DARK),
            disc(-d / 2 + 0.17, w * 0.25, h + 0.08, 0.05, 0.03, (0.85, 0.85, 0.85))]


def _ironing_board(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, -w * 0.06, h - 0.05, d * 0.9, w * 0.80, 0.05, c),
            blob(0, w * 0.33, h - 0.05, d * 0.9, w * 0.34, 0.05, c),
            slant(0.05, 0, h * 0.46, 0.04, w * 0.84, 0.05, STEEL, roll=0.85),
            slant(-0.05, 0, h * 0.46, 0.04, w * 0.84, 0.05, STEEL, roll=-0.85),
            box(0, 0, RAIL, d * 0.9, w * 0.74, 0.05, STEEL),
            box(0, -w * 0.28, h, d * 0.32, 0.24, 0.03, STEEL),
            blob(0, -w * 0.28, h, d * 0.30, 0.22, 0.17, (0.25, 0.45, 0.80))]


RAIL = 0.15       # height of what the laser should meet


def _coat_rack(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    coats = ((0.55, 0.12, 0.12), (0.15, 0.25, 0.50), (0.30, 0.40, 0.22), (0.75, 0.60, 0.35))
    first = int(rng.integers(4))
    return [post(0, 0, 0, d * 0.42, 0.05, c), post(0, 0, 0.05, d * 0.34, 0.2, c),
            post(0, 0, 0.1, 0.03, h - 0.1, c),
            disc(0, 0, h - 0.12, 0.02, d, c), disc(0, 0, h - 0.12, 0.02, w, c, 'y'),
            blob(0.02, w * 0.30, h * 0.40, d * 0.5, w * 0.42, h * 0.50, coats[first]),
            blob(-0.02, -w * 0.30, h * 0.48, d * 0.5, w * 0.40, h * 0.42, coats[(first + 1) % 4])]


def _shoe_rack(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    sides = [box(0, s * (w / 2 - 0.02), 0, d, 0.04, h, c) for s in (-1, 1)]
    boards = [box(0, 0, z, d, w, 0.03, c) for z in (0.06, h * 0.52, h - 0.03)]
    shoes = [blob(0.03, y, z, d * 0.8, 0.11, 0.12, rgb) for y, z, rgb in (
        (-w * 0.28, 0.09, (0.10, 0.10, 0.12)), (-w * 0.10, 0.09, (0.10, 0.10, 0.12)),
        (w * 0.22, 0.09, (0.70, 0.15, 0.15)), (-w * 0.2, h * 0.55, (0.85, 0.80, 0.72)),
        (w * 0.18, h * 0.55, (0.40, 0.24, 0.12)))]
    return sides + boards + shoes


def _umbrella_stand(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [post(0, 0, 0, d * 0.5, h * 0.62, c), post(0, 0, h * 0.60, d * 0.42, 0.03, DARK),
            post(0.03, 0.05, h * 0.4, 0.022, h * 0.6, WOOD),
            post(-0.05, -0.03, h * 0.4, 0.03, h * 0.52, (0.75, 0.12, 0.14)),
            disc(0.03, 0.02, h - 0.01, 0.018, 0.10, WOOD, 'y')]


def _car(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    wheels = [disc(sx * d * 0.31, sy * (w / 2 - 0.10), 0.30, 0.30, 0.20, DARK, 'y')
              for sx in (-1, 1) for sy in (-1, 1)]
    return [box(0, 0, 0.12, d, w, h * 0.46, c), *wheels,
            box(-d * 0.06, 0, h * 0.50, d * 0.52, w * 0.86, h * 0.34, (0.20, 0.28, 0.36)),
            box(-d * 0.06, 0, h * 0.86, d * 0.44, w * 0.84, h * 0.14, c),
            box(d / 2, w * 0.33, 0.45, 0.03, 0.22, 0.12, (1.0, 0.95, 0.7)),
            box(d / 2, -w * 0.33, 0.45, 0.03, 0.22, 0.12, (1.0, 0.95, 0.7)),
            box(-d / 2, 0, 0.48, 0.03, w * 0.8, 0.10, (0.7, 0.08, 0.08))]


def _bicycle(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    r = w * 0.205
    wheels = [disc(0, s * (w / 2 - r), r, r, 0.05, DARK, 'x') for s in (-1, 1)]
    hubs = [disc(0, s * (w / 2 - r), r, r * 0.78, 0.055, (0.80, 0.81, 0.82), 'x') for s in (-1, 1)]
    return [*wheels, *hubs,
            slant(0, 0.0, h * 0.62, 0.06, w * 0.48, 0.06, c),
            slant(0, w * 0.10, h * 0.42, 0.06, w * 0.44, 0.06, c, roll=0.75),
            slant(0, -w * 0.14, h * 0.48, 0.06, 0.06, h * 0.62, c, roll=0.15),
            slant(0, w * 0.26, h * 0.60, 0.06, 0.06, h * 0.66, c, roll=0.25),
            box(0, w * 0.22, h * 0.93, d, 0.04, 0.04, DARK),
            blob(0, -w * 0.18, h * 0.80, 0.16, 0.28, 0.09, DARK)]


def _workbench(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    top, h = h, h * 0.62
    return [*table(d, w, h, OAK, c, 0.08),
            box(-0.03, 0, 0.26, d * 0.75, w - 0.2, 0.04, c),
            box(d / 2 - 0.05, -w * 0.22, h - 0.22, 0.05, w * 0.36, 0.14, c),
            box(d * 0.28, w * 0.38, h, 0.20, 0.12, 0.16, (0.25, 0.32, 0.42)),
            box(-d / 2 + 0.02, 0, h, 0.03, w, top - h, tone(c, 0.85)),
            slant(-d / 2 + 0.05, -w * 0.2, h + 0.30, 0.03, 0.05, 0.34, STEEL, roll=0.4),
            slant(-d / 2 + 0.05, w * 0.15, h + 0.30, 0.03, 0.06, 0.32, GOLD, roll=-0.3)]


def _toolbox(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    return [box(0, 0, 0, d, w, h * 0.48, c),
            box(0, 0, h * 0.48, d * 0.9, w * 0.96, h * 0.2, tone(c, 0.75)),
            box(0, w * 0.3, h * 0.68, 0.04, 0.04, h * 0.24, DARK),
            box(0, -w * 0.3, h * 0.68, 0.04, 0.04, h * 0.24, DARK),
            box(0, 0, h * 0.88, 0.05, w * 0.66, h * 0.12, DARK),
            box(d / 2, 0, h * 0.40, 0.02, 0.10, 0.07, STEEL)]


def _ladder(d: float, w: float, h: float, c: Rgb, rng: Random) -> list[Part]:
    lean = 0.16
    sides = [slant(s2 * d * 0.26, s * (w / 2 - 0.03), h / 2, 0.05, 0.05, h, c, pitch=-s2 * lean)
             for s in (-1, 1) for s2 in (-1, 1)]
    rungs = [box(d * 0.26 + lean * (h / 2 - z), 0, z, 0.09, w - 0.06, 0.04, tone(c, 0.85))
             for z in (0.16, h * 0.33, h * 0.54, h * 0.76)]
    return [*sides, *rungs, box(0, 0, h - 0.04, 0.24, w, 0.05, DARK),
            box(-d * 0.42, 0, 0.14, 0.03, w - 0.06, 0.08, tone(c, 0.7))]


SERVICE: dict[str, Builder] = {
    'fridge': _fridge, 'stove': _stove, 'sink': _sink, 'dishwasher': _dishwasher,
    'kitchen cabinet': _kitchen_cabinet, 'microwave': _microwave, 'kettle': _kettle,
    'dishes': _dishes, 'trash can': _trash_can, 'freezer': _freezer,
    'storage shelf': _storage_shelf, 'wine rack': _wine_rack, 'high chair': _high_chair,
    'bathtub': _bathtub, 'shower': _shower, 'toilet': _toilet, 'towel rack': _towel_rack,
    'laundry basket': _laundry_basket, 'washing machine': _washing_machine, 'dryer': _dryer,
    'ironing board': _ironing_board, 'coat rack': _coat_rack, 'shoe rack': _shoe_rack,
    'umbrella stand': _umbrella_stand, 'car': _car, 'bicycle': _bicycle,
    'workbench': _workbench, 'toolbox': _toolbox, 'ladder': _ladder}
