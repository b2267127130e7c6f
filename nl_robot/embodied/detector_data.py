"""Pictures of generated homes with what they truly show, to train and to measure a detector.

One file pair per home, each written whole or not at all, so that an interrupted run goes on
where it stopped:

    <cache>/meta.json  home-0007.images.npy (n, height, width, 3) uint8
                       home-0007.boxes.npy (boxes, 9) float32, columns as in BOX_COLUMNS
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Pose
from nl_robot.geometry import FloorGrid, wrap_angle
from nl_robot.perception.detector_examples import BOX_COLUMNS
from nl_robot.sim.homes import COLOURS, LABELS, floor_grid, free_poses, generate_home
from nl_robot.sim.records import Home
from nl_robot.sim.simulator import Simulator, TrueBox

MIN_PIXELS = 4  # boxes with fewer visible pixels are not even kept to be ignored


def render_homes(seeds: Sequence[int], poses_per_home: int, cache: Path, rng_seed: int = 0,
                 ) -> Iterator[int]:
    """Render every home that is not in the cache yet; yields the seed of each as it is done.

    :raises ValueError: when the cache was made for other kinds or another number of poses
    """
    cache.mkdir(parents=True, exist_ok=True)
    _check_meta(cache, {'kinds': list(LABELS), 'colours': list(COLOURS),
                        'poses_per_home': poses_per_home, 'rng_seed': rng_seed})
    for seed in seeds:
        boxes_path = cache / f'home-{seed:04d}.boxes.npy'
        if not boxes_path.exists():
            images, boxes = render_home(generate_home(seed), poses_per_home,
                                        np.random.default_rng([rng_seed, seed]))
            _write(cache / f'home-{seed:04d}.images.npy', images)
            _write(boxes_path, boxes)
        yield seed


def render_home(home: Home, poses: int, rng: np.random.Generator,
                ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """All frames (n, height, width, 3) of random poses of a home, and their boxes (m, 9).

    Half of the poses stand anywhere, half near an object whose kind is drawn first, so that rare
    kinds are seen as often as chairs.
    """
    places = free_poses(home, rng, poses - poses // 2)
    places += poses_near_items(home, floor_grid(home), rng, poses // 2)
    images: list[NDArray[np.uint8]] = []
    rows: list[list[float]] = []
    with Simulator(home, places[0]) as simulator:
        for pose in places:
            frames = simulator.images(pose)
            index = {name: len(images) + i for i, name in enumerate(frames)}
            images += list(frames.values())
            rows += [_row(index[box.camera], box)
                     for box in simulator.truth(pose, MIN_PIXELS)]
    return np.stack(images), np.array(rows, np.float32).reshape(-1, len(BOX_COLUMNS))


def poses_near_items(home: Home, grid: FloorGrid, rng: np.random.Generator,
                     count: int) -> list[Pose]:
    """Free poses 0.4 to 2.5 m from the middle of an item, in its room, facing anywhere."""
    by_kind: dict[str, list[int]] = {}
    for index, item in enumerate(home.items):
        by_kind.setdefault(item.kind, []).append(index)
    kinds = sorted(by_kind)
    poses: list[Pose] = []
    for _ in range(50 * count):
        if len(poses) == count:
            break
        item = home.items[int(rng.choice(by_kind[kinds[rng.integers(len(kinds))]]))]
        turn, distance = rng.uniform(-math.pi, math.pi), rng.uniform(0.4, 2.5)
        x, y = item.x + distance * math.cos(turn), item.y + distance * math.sin(turn)
        if home.room(item.room).contains(x, y) and grid.free[grid.cell(x, y)]:
            poses.append(Pose(x, y, wrap_angle(float(rng.uniform(-math.pi, math.pi))), 'map'))
    return poses + free_poses(home, rng, count - len(poses))


def _row(image: int, box: TrueBox) -> list[float]:
    """One true box as a row of the table; the colour of a door is -1."""
    colour = list(COLOURS).index(box.colour) if box.colour in COLOURS else -1
    return [image, LABELS.index(box.kind), colour, *box.box, box.pixels, box.distance]


def _check_meta(cache: Path, meta: dict[str, object]) -> None:
    """Write meta.json, or raise ValueError when the cache holds something else."""
    path = cache / 'meta.json'
    if path.exists() and json.loads(path.read_text('utf-8')) != meta:
        raise ValueError(f'{cache} holds pictures of other kinds or another number of poses: '
                         'delete it, or name another directory with --cache')
    path.write_text(json.dumps(meta), 'utf-8')


def _write(path: Path, array: NDArray) -> None:
    """Save an array so that the file is there only when it is whole."""
    temporary = path.with_suffix('.tmp')
    with open(temporary, 'wb') as file:
        np.save(file, array)
    os.replace(temporary, path)


def render_all(seeds: Sequence[int], poses_per_home: int, cache: Path,
               tell: Callable[[str], None]) -> None:
    """`render_homes` to the end, with a line of progress now and then."""
    for done, seed in enumerate(render_homes(seeds, poses_per_home, cache), 1):
        if done % 20 == 0 or done == len(seeds):
            tell(f'rendered {done} of {len(seeds)} homes (now {seed}) into {cache}')
