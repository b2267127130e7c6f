"""What the detector learns from: pictures with boxes, and what the network should say of them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nl_robot.perception.embedded import STRIDE, DetectorConfig

BOX_COLUMNS = ('image', 'kind', 'colour', 'x0', 'y0', 'x1', 'y1', 'pixels', 'distance')
NEAREST = 0.15   # metres; log distance below is noise (0 m is to stand on a rug)


class Pictures:
    """The frames and boxes of a render cache, read as they are needed.

    :param seeds: of the homes; ValueError names the first that the cache lacks
    """

    def __init__(self, cache: Path, seeds: Sequence[int]) -> None:
        meta = json.loads((cache / 'meta.json').read_text('utf-8'))
        self.kinds: tuple[str, ...] = tuple(meta['kinds'])
        self.colours: tuple[str, ...] = tuple(meta['colours'])
        self._frames: list[NDArray[np.uint8]] = []
        self._boxes: list[NDArray[np.float32]] = []
        for seed in seeds:
            path = cache / f'home-{seed:04d}.boxes.npy'
            if not path.exists():
                raise ValueError(f'{path} is missing: render the home first')
            self._frames.append(np.load(cache / f'home-{seed:04d}.images.npy', mmap_mode='r'))
            boxes = np.load(path)
            order = np.argsort(boxes[:, 0], kind='stable')
            self._boxes.append(boxes[order])
        self._ends = np.cumsum([len(frames) for frames in self._frames])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def get(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Frame (height, width, 3) and its boxes (n, 9)."""
        home = int(np.searchsorted(self._ends, index, side='right'))
        local = index - (int(self._ends[home - 1]) if home else 0)
        boxes = self._boxes[home]
        first, last = np.searchsorted(boxes[:, 0], (local, local + 1))
        return np.asarray(self._frames[home][local]), boxes[first:last]

    def batch(self, indices: Sequence[int], rng: np.random.Generator | None = None,
              ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Frames (n, height, width, 3) and boxes (m, 9) whose column `image` counts in the batch.

        :param rng: mirrors half of the frames and varies light, tint and noise; None leaves them
        """
        frames, boxes = [], []
        for position, index in enumerate(indices):
            frame, found = self.get(int(index))
            found = found.copy()
            found[:, 0] = position
            if rng is not None:
                frame, found = augment(frame, found, rng)
            frames.append(frame)
            boxes.append(found)
        return np.stack(frames), np.concatenate(boxes)


def augment(frame: NDArray[np.uint8], boxes: NDArray[np.float32], rng: np.random.Generator,
            ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Mirrored or not, a little lighter or darker, tinted, and with a camera's noise."""
    if rng.random() < 0.5:
        frame, boxes = frame[:, ::-1], boxes.copy()
        boxes[:, [3, 5]] = frame.shape[1] - boxes[:, [5, 3]]
    gain = (rng.uniform(0.8, 1.15) * rng.uniform(0.96, 1.04, 3)).astype(np.float32)
    noise = rng.standard_normal((8, frame.shape[1], 3), dtype=np.float32) * rng.uniform(0, 5)
    noisy = frame * gain + np.tile(noise, (-(-frame.shape[0] // 8), 1, 1))[:frame.shape[0]]
    return np.clip(noisy, 0, 255).astype(np.uint8), boxes


@dataclass(frozen=True)
class Targets:
    """What the network should say about one batch.

    :param heat: (batch, 2, rows, columns) wanted heat of items and of doors
    :param weight: (batch, 2, rows, columns) 0 where small objects make it a matter of taste
    :param cells: (points, 4) batch, is door, row, column of the cells that are taught numbers
    :param numbers: (points, 5) offsets, log sizes, log distance
    :param kinds, colours: (points,) indices; -1 is not taught (a door has neither)
    """

    heat: Tensor
    weight: Tensor
    cells: Tensor
    numbers: Tensor
    kinds: Tensor
    colours: Tensor


def make_targets(boxes: NDArray[np.float32], batch: int, config: DetectorConfig,
                 least_pixels: int) -> Targets:
    """Heat and numbers for the boxes (m, 9) of a batch.

    The middle of a box glows as a Gaussian whose sigma is a tenth of the box (CenterNet, with
    both axes apart); its cell and the direct neighbours inside the box are taught the numbers.
    """
    rows, columns = config.height // STRIDE, config.width // STRIDE
    heat = np.zeros((batch, 2, rows, columns), np.float32)
    weight = np.ones_like(heat)
    points: list[tuple[float, ...]] = []
    door = len(config.kinds) - 1
    for box in boxes[np.argsort(-boxes[:, 8])]:            # far ones first: near ones overwrite
        image, kind, colour, pixels = int(box[0]), int(box[1]), int(box[2]), box[7]
        x0, y0, x1, y1 = box[3:7] / STRIDE
        layer = int(kind == door)
        if pixels < least_pixels:
            weight[image, layer, int(y0):math.ceil(y1), int(x0):math.ceil(x1)] = 0.0
            continue
        u, v, width, height = (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0
        column, row = min(int(u), columns - 1), min(int(v), rows - 1)
        sigma = np.maximum(np.array([width, height]) / 10, 0.45)
        glow = np.exp(-((np.arange(columns) - column) / sigma[0]) ** 2 / 2)[None, :] \
            * np.exp(-((np.arange(rows) - row) / sigma[1]) ** 2 / 2)[:, None]
        np.maximum(heat[image, layer], glow, out=heat[image, layer])
        for r, c in ((row, column), (row - 1, column), (row + 1, column), (row, column - 1),
                     (row, column + 1)):
            inside = 0 <= r < rows and 0 <= c < columns and y0 <= r + .5 <= y1 and \
                x0 <= c + .5 <= x1
            if inside or (r, c) == (row, column):
                points.append((image, layer, r, c, u - c - .5, v - r - .5, math.log(width),
                               math.log(height), math.log(max(box[8], NEAREST)),
                               -1 if layer else kind, -1 if layer else colour))
    table = torch.tensor(points, dtype=torch.float32).reshape(-1, 11)
    return Targets(torch.from_numpy(heat), torch.from_numpy(weight), table[:, :4].long(),
                   table[:, 4:9], table[:, 9].long(), table[:, 10].long())
