"""A building of six viewpoints, written in the official formats of Room-to-Room and REVERIE.

    d  (2, 5), three metres up            f  (-50, 3.1)
    |                                     |
    b (0, 2) -- c (2, 2)   lamp (3.5, 2)  |   x is not included
    |                                     |
    a (0, 0)                              e  (-50, 0), another component

The boxes come from a camera written for this file alone: a rotation of its own, and a pinhole.
"""

from __future__ import annotations

import json
import math
import zipfile
from pathlib import Path

import numpy as np

EYES = {'a': (0.0, 0.0, 1.5), 'b': (0.0, 2.0, 1.5), 'x': (0.0, 1.0, 1.5), 'c': (2.0, 2.0, 1.5),
        'd': (2.0, 5.0, 4.5), 'e': (-50.0, 0.0, 1.5), 'f': (-50.0, 3.1, 1.5)}
OPEN = ('ab', 'bc', 'cd', 'ef', 'ax', 'bx')
VISIBLE = ('ab', 'ba', 'bc', 'cb', 'ac', 'cd', 'ax', 'xa')      # the first sees the second
# official number: name, position of a cube of 20 cm, viewpoints that list it in their views
OBJECTS = {11: ('sofa', (1.0, 1.0, 1.0), 'abc'), 12: ('table#lamp', (3.5, 2.0, 1.5), 'c'),
           13: ('unknown#/#remove', (2.0, 6.0, 4.5), 'd'),
           14: ('c;lothes#hangers', (-50.0, 1.0, 2.3), 'ef')}
HIDDEN = {'b': (12,), 'd': (12,), 'f': (15,)}       # listed, but in none of the views
R2R = [{'scan': 'tiny', 'path_id': 7, 'path': ['a', 'b', 'c', 'd'], 'heading': 0.0,
        'instructions': ['Walk past the sofa and go  up. ', 'Up the stairs.'], 'distance': 8.2},
       {'scan': 'tiny', 'path_id': 8, 'path': ['b', 'c'], 'heading': math.pi / 2,
        'instructions': ['Go to the lamp.'], 'distance': 2.0},
       {'scan': 'tiny', 'path_id': 9, 'path': ['e', 'f'], 'heading': 0.0,
        'instructions': ['Straight on.'], 'distance': 3.1}]
REVERIE = [{'scan': 'tiny', 'path_id': 7, 'objId': 11, 'id': '7_11', 'path': ['d', 'c', 'b'],
            'heading': math.pi, 'instructions': ['Clean the sofa.']},
           {'scan': 'tiny', 'path_id': 9, 'objId': 12, 'id': '9_12', 'path': ['a', 'b'],
            'heading': 4.0, 'instructions': ['Switch the lamp on.']}]


def camera_box(view: int, offset: np.ndarray) -> list[int] | None:
    """x, y, width, height of a cube of 20 cm in a view, or None where it is not in it."""
    heading, pitch = math.radians(30 * (view % 12)), math.radians(30 * (view // 12 - 1))
    forward = np.array([math.sin(heading) * math.cos(pitch),
                        math.cos(heading) * math.cos(pitch), math.sin(pitch)])
    right = np.array([math.cos(heading), -math.sin(heading), 0.0])
    axes = np.stack([right, np.cross(forward, right), forward])     # right, down, forward
    corners = offset + 0.1 * np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1)
                                       for k in (-1, 1)])
    x, y, depth = axes @ corners.T
    if depth.min() < 0.1:
        return None
    focal = 240 / math.tan(math.radians(30))
    across = np.clip(320 + focal * x / depth, 0, 640)
    down = np.clip(240 + focal * y / depth, 0, 480)
    left, top = round(across.min()), round(down.min())
    width, height = round(across.max()) - left, round(down.max()) - top
    return [left, top, width, height] if width > 0 and height > 0 else None


def connectivity() -> list[dict]:
    names = list(EYES)
    records = []
    for name, (x, y, z) in EYES.items():
        pose = [1, 0, 0, x, 0, 1, 0, y, 0, 0, 1, z, 0, 0, 0, 1]
        records.append({'image_id': name, 'pose': pose, 'included': name != 'x', 'height': 1.5,
                        'unobstructed': [name + o in OPEN or o + name in OPEN for o in names],
                        'visible': [name + o in VISIBLE for o in names]})
    return records


def boxes(viewpoint: str) -> dict:
    """The content of the file of a viewpoint."""
    things = {}
    for number, (name, position, listed) in OBJECTS.items():
        if viewpoint in listed:
            offset = np.array(position) - EYES[viewpoint]
            found = {view: box for view in range(36) if (box := camera_box(view, offset))}
            things[str(number)] = {'name': name, 'visible_pos': list(found),
                                   'bbox2d': list(found.values())}
    for number in HIDDEN.get(viewpoint, ()):
        things[str(number)] = {'name': 'table#lamp', 'visible_pos': [], 'bbox2d': []}
    return {viewpoint: things}


def write(folder: Path) -> Path:
    """Write the building and its instructions under their official names."""
    for name in ('connectivity', 'BBox'):
        (folder / name).mkdir(parents=True)
    (folder / 'connectivity' / 'tiny_connectivity.json').write_text(json.dumps(connectivity()))
    (folder / 'connectivity' / 'scans.txt').write_text('tiny\n')
    for viewpoint in EYES:
        if viewpoint != 'x':
            file = folder / 'BBox' / f'tiny_{viewpoint}.json'
            file.write_text(json.dumps(boxes(viewpoint)))
    (folder / 'R2R_train.json').write_text(json.dumps(R2R))
    (folder / 'REVERIE_mine.json').write_text(json.dumps(REVERIE))
    return folder


def pack(folder: Path, inner: str = '') -> None:
    """Replace the two folders by zip files."""
    for name in ('connectivity', 'BBox'):
        with zipfile.ZipFile(folder / f'{name}.zip', 'w') as packed:
            for file in sorted((folder / name).iterdir()):
                packed.write(file, f'{inner}{file.name}')
                file.unlink()
        (folder / name).rmdir()
