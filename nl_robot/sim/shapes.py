"""Silhouettes: every kind of object as a handful of primitives in its own frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nl_robot.sim.records import Part

Rgb = tuple[float, float, float]
Builder = Callable[[float, float, float, Rgb, np.random.Generator], list[Part]]


class _Plain(dict[str, Builder]):
    def __missing__(self, kind: str) -> Builder:
        return lambda d, w, h, rgb, rng: [Part('box', (d / 2, w / 2, h / 2), (0, 0, h / 2), rgb)]


BUILDERS: dict[str, Builder] = _Plain()
