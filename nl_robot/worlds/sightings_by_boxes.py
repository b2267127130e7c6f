"""Sightings from the annotated boxes of REVERIE: which way, how large and how far an object is.

Every viewpoint has 36 views of 640 x 480 pixels, 12 headings 30 degrees apart at elevations of
-30, 0 and +30 degrees (Qi et al., CVPR 2020).  All boxes of one object at one viewpoint become
one direction, and the directions from several viewpoints one position.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nl_robot.worlds.object_names import clean_name

WIDTH, HEIGHT = 640, 480
FOCAL_PIXELS = HEIGHT / 2 / math.tan(math.radians(30))      # the views are 60 degrees high
HEADINGS, STEP = 12, math.radians(30)
TYPICAL_RANGE = 1.5     # metres, the median over all objects that several viewpoints see
RANGE_WEIGHT = 0.02     # of the typical range: it decides where one viewpoint alone sees a thing
FAR_METRES = 10.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def bearing_from_heading(heading: float | Floats) -> Any:
    """Matterport3D's heading (0 = +y, clockwise) as a bearing of REP-103 (0 = +x, to the left).

    Every heading of the data passes through here.  The result lies in (-pi, pi].
    """
    return _wrapped(math.pi / 2 - heading)


@dataclass(frozen=True)
class Boxes:
    """All boxes of a building.

    :param numbers: the official number of every object that is seen from somewhere
    :param names: and its cleaned name, empty where the annotation says nothing
    :param places: (b,) which viewpoint; :param objects: (b,) which of `numbers`
    :param views: (b,) view 0..35; :param corners: (b, 4) x, y, width, height in pixels
    :param hidden: (h, 2) place and object of what is near but in none of the place's views
    """

    numbers: tuple[int, ...]
    names: tuple[str, ...]
    places: Ints
    objects: Ints
    views: Ints
    corners: Floats
    hidden: Ints


@dataclass(frozen=True)
class Listings:
    """Which object is listed at which viewpoint, and where it is seen from there.

    :param places, objects: (l,); :param bearings, elevations, sizes: (l,) radians, map frame
    """

    places: Ints
    objects: Ints
    bearings: Floats
    elevations: Floats
    sizes: Floats


def gather_boxes(records: Sequence[Mapping[str, Mapping[str, Any]]]) -> Boxes:
    """The boxes of one building in arrays.

    :param records: per place, official object number → `name`, `visible_pos`, `bbox2d`
    """
    names: dict[int, str] = {}
    rows: list[tuple[float, ...]] = []
    hidden: list[tuple[int, int]] = []
    for place, things in enumerate(records):
        for key, thing in things.items():
            number, views = int(key), thing['visible_pos']
            if len(views) != len(thing['bbox2d']):
                raise ValueError(f'object {number} has {len(views)} views but '
                                 f'{len(thing["bbox2d"])} boxes')
            if views:
                names.setdefault(number, clean_name(thing['name']))
                rows += [(place, number, view, *box)
                         for view, box in zip(views, thing['bbox2d'])]
            else:
                hidden.append((place, number))
    index = {number: k for k, number in enumerate(names)}
    table = np.array(rows, np.float64).reshape(-1, 7)
    whole = table[:, :3].astype(np.int64)
    objects = np.array([index[number] for number in whole[:, 1].tolist()], np.int64)
    unseen = [(place, index[number]) for place, number in hidden if number in index]
    return Boxes(tuple(names), tuple(names.values()), whole[:, 0], objects, whole[:, 2],
                 table[:, 3:], np.array(unseen, np.int64).reshape(-1, 2))


def directions(views: Ints, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Bearing (map frame) and elevation, radians, of pixels of views.

    :param views: (n,) 12 * elevation + heading; :param x, y: (n,) pixels, y is down
    """
    right, up = (x - WIDTH / 2) / FOCAL_PIXELS, (HEIGHT / 2 - y) / FOCAL_PIXELS
    pitch = (views // HEADINGS - 1) * STEP
    ahead = np.cos(pitch) - np.sin(pitch) * up
    above = np.sin(pitch) + np.cos(pitch) * up
    heading = (views % HEADINGS) * STEP + np.arctan2(right, ahead)
    return bearing_from_heading(heading), np.arctan2(above, np.hypot(right, ahead))


def list_objects(boxes: Boxes) -> Listings:
    """One direction and size per object and viewpoint: the middle of all that its boxes cover.

    A box that ends at the edge of its view goes on in the next one, so the extent of the object
    is the union of the boxes.
    """
    count = max(len(boxes.names), 1)
    keys, group = np.unique(boxes.places * count + boxes.objects, return_inverse=True)
    x, y, width, height = boxes.corners.T
    middle, _ = directions(boxes.views, x + width / 2, y + height / 2)
    east = np.bincount(group, np.cos(middle), len(keys))
    north = np.bincount(group, np.sin(middle), len(keys))
    around = np.arctan2(north, east)
    low, high = np.full((2, len(keys)), np.inf), np.full((2, len(keys)), -np.inf)
    for across, down in ((0, .5), (1, .5), (.5, 0), (.5, 1)):
        bearing, elevation = directions(boxes.views, x + across * width, y + down * height)
        turned = (bearing - around[group] + math.pi) % (2 * math.pi) - math.pi
        for axis, values in enumerate((turned, elevation)):
            np.minimum.at(low[axis], group, values)
            np.maximum.at(high[axis], group, values)
    bearing, elevation = around + (low[0] + high[0]) / 2, (low[1] + high[1]) / 2
    wide, tall = high - low
    sizes = np.maximum(wide * np.cos(elevation), tall)
    return Listings(keys // count, keys % count, _wrapped(bearing), elevation,
                    np.minimum(sizes, math.pi))


def _wrapped(angles: Any) -> Any:
    """The same angles in (-pi, pi]."""
    return -((-angles + math.pi) % (2 * math.pi) - math.pi)


def rays(listings: Listings) -> Floats:
    """(l, 3) unit vectors from the viewpoints to what they list."""
    flat = np.cos(listings.elevations)
    return np.stack([flat * np.cos(listings.bearings), flat * np.sin(listings.bearings),
                     np.sin(listings.elevations)], axis=1)


def locate(listings: Listings, eyes: Floats, count: int) -> Floats:
    """(count, 3) positions of the objects, metres.

    The least squares of the distances to all rays, with a weak pull towards the typical range
    along each: where several viewpoints see an object the rays decide, and where one sees it the
    typical range does.  Every object must be listed somewhere.

    :param eyes: (p, 3) where the cameras of the viewpoints are
    """
    ray, eye = rays(listings), eyes[listings.places]
    along = ray[:, :, None] * ray[:, None, :]
    weights = np.eye(3) - (1 - RANGE_WEIGHT) * along                            # (l, 3, 3)
    pulls = (weights @ eye[:, :, None])[:, :, 0] + RANGE_WEIGHT * TYPICAL_RANGE * ray
    matrix, vector = np.zeros((count, 3, 3)), np.zeros((count, 3))
    np.add.at(matrix, listings.objects, weights)
    np.add.at(vector, listings.objects, pulls)
    return np.asarray(np.linalg.solve(matrix, vector[:, :, None])[:, :, 0], np.float64)


def taken_as_seen(listed: NDArray[np.bool_], hidden: Ints, visible: NDArray[np.bool_],
                  apart: Floats) -> NDArray[np.bool_]:
    """(p, n) bool: what may be taken as seen from further away than the annotation reaches.

    An object is listed within 3 m only, though a camera sees further.  One that is listed at a
    viewpoint flagged visible from here, and is at most 10 m away, is taken as seen from here,
    unless it is listed here itself, or known to be hidden from here.

    :param listed: (p, n); :param hidden: (h, 2) place, object
    :param visible: (p, p) whether the second viewpoint is seen from the first
    :param apart: (p, n) metres from viewpoint to object
    """
    reached = visible.astype(np.float32) @ listed.astype(np.float32) > 0
    reached[hidden[:, 0], hidden[:, 1]] = False
    return reached & ~listed & (apart <= FAR_METRES)


def sightings_of(boxes: Boxes, eyes: Floats, visible: NDArray[np.bool_], far_sightings: bool
                 ) -> tuple[tuple[str, ...], Floats]:
    """The labels and the rows of `PlaceGraph.sightings` of a building.

    What a viewpoint lists is where its boxes are, at the distance of the triangulated position;
    what is taken as seen from afar is where that position is.

    :param eyes: (p, 3) where the cameras of the viewpoints are, metres
    :param visible: (p, p) bool flags of the connectivity; used for far sightings alone
    """
    listings = list_objects(boxes)
    points = locate(listings, eyes, len(boxes.names))
    offsets = points[None] - eyes[:, None]                                      # (p, n, 3)
    flat, apart = np.hypot(offsets[..., 0], offsets[..., 1]), np.linalg.norm(offsets, axis=2)
    here = listings.places, listings.objects
    near = np.column_stack([listings.places, listings.bearings, listings.elevations,
                            listings.sizes, flat[here], np.ones(len(listings.places))])
    rows, objects = near, listings.objects
    if far_sightings:
        listed = np.zeros(apart.shape, bool)
        listed[here] = True
        places, far = np.nonzero(taken_as_seen(listed, boxes.hidden, visible, apart))
        x, y, z = offsets[places, far].T
        widths = _widths(listings, apart[here], len(boxes.names))[far]
        sizes = 2 * np.arcsin(np.minimum(widths / 2 / apart[places, far], 1))
        rows = np.concatenate([near, np.column_stack(
            [places, np.arctan2(y, x), np.arctan2(z, np.hypot(x, y)), sizes,
             flat[places, far], np.ones(len(far))])])
        objects = np.concatenate([objects, far])
    named = [k for k in np.argsort(rows[:, 0], kind='stable') if boxes.names[objects[k]]]
    return tuple(boxes.names[objects[k]] for k in named), rows[named]


def _widths(listings: Listings, ranges: Floats, count: int) -> Floats:
    """(count,) metres across each object, the mean over the viewpoints that list it."""
    chords = 2 * ranges * np.sin(listings.sizes / 2)
    return (np.bincount(listings.objects, chords, count)
            / np.maximum(np.bincount(listings.objects, minlength=count), 1))
