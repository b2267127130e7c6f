"""Ground truth of the cameras: which item fills which pixels, and in which direction it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nl_robot.datatypes import Pose, Sighting
from nl_robot.geometry import polar_in_base, wrap_angle
from nl_robot.sim.doorways import Doorway
from nl_robot.sim.records import Home, Item
from nl_robot.sim.renderer import Renderer
from nl_robot.sim.rig import CameraMount, Rig
from nl_robot.sim.senses import RayCaster


@dataclass(frozen=True)
class TrueBox:
    """What one camera truly shows of one item or doorway.

    :param kind: kind of the item, or `door`
    :param colour: colour word of the item, '' for a door
    :param box: (x0, y0, x1, y1) pixels, x1 and y1 exclusive: around the visible pixels of an
        item; around the whole opening with its frame, clipped to the image, for a door
    :param pixels: visible pixels; of a door, those of its frame and an estimate for its opening
    :param distance: metres along the floor, in a straight line from the middle of the robot to
        the nearest point of the item's footprint (0 on it); to the middle of a door's opening
    :param bearing, elevation: of the middle of what is visible, of the opening for a door; radians
    :param size: the wider of the angles that the visible part fills, radians
    :param span: bearings of the right and left edge of the visible part, radians, unwrapped
    :param rise: elevations of its lower and upper edge, radians
    """

    camera: str
    item: str
    kind: str
    colour: str
    box: tuple[int, int, int, int]
    pixels: int
    distance: float
    bearing: float
    elevation: float
    size: float
    span: tuple[float, float]
    rise: tuple[float, float]

    @property
    def label(self) -> str:
        """What a detector should call it (`red armchair`, `door`)."""
        return f'{self.colour} {self.kind}'.strip()


def footprint_distance(item: Item, x: float, y: float) -> float:
    """Metres in the floor plan from a point to an item's turned rectangle, 0 inside."""
    c, s = math.cos(item.yaw), math.sin(item.yaw)
    dx, dy = x - item.x, y - item.y
    along = max(abs(c * dx + s * dy) - item.extent[0] / 2, 0.0)
    across = max(abs(c * dy - s * dx) - item.extent[1] / 2, 0.0)
    return math.hypot(along, across)


def pixel_angles(mount: CameraMount) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(H, W) bearing relative to the camera's yaw, and elevation, of every pixel's middle."""
    right = (np.arange(mount.width) + 0.5 - mount.width / 2) / mount.focal
    up = (mount.image_height / 2 - np.arange(mount.image_height) - 0.5) / mount.focal
    ahead = math.cos(mount.pitch) + up * math.sin(mount.pitch)
    above = up * math.cos(mount.pitch) - math.sin(mount.pitch)
    bearing = np.arctan2(-right[None, :], ahead[:, None])
    elevation = np.arctan2(above[:, None], np.hypot(ahead[:, None], right[None, :]))
    return bearing.astype(np.float32), elevation.astype(np.float32)


class Truth:
    """Finds the true boxes and sightings at any pose of a home."""

    def __init__(self, model: Any, home: Home, rig: Rig, renderer: Renderer,
                 caster: RayCaster) -> None:
        self._home, self._rig, self._renderer, self._caster = home, rig, renderer, caster
        self._doorways = [Doorway.of(door, home) for door in home.doors]
        names = [f'item/{item.name}' for item in home.items]
        names += [f'door/{door.name}' for door in home.doors]
        thing_of_body = np.full(model.nbody, -1, np.int16)
        for index, name in enumerate(names):
            thing_of_body[model.body(name).id] = index
        self._thing_of_geom = np.append(thing_of_body[model.geom_bodyid], np.int16(-1))
        self._angles = [pixel_angles(mount) for mount in rig.cameras]

    def boxes(self, pose: Pose, min_pixels: int = 4) -> list[TrueBox]:
        """The true boxes in all cameras of the robot at `pose`."""
        cameras = self._rig.cameras
        geoms = self._renderer.draw([(mount, pose) for mount in cameras], segment=True)
        boxes: list[TrueBox] = []
        for mount, angles, things in zip(cameras, self._angles, self._thing_of_geom[geoms]):
            frames = self._item_boxes(mount, angles, things, pose, min_pixels, boxes)
            for index, doorway in enumerate(self._doorways):
                box = self._door_box(mount, doorway, frames.get(index, 0), pose)
                if box is not None and box.pixels >= min_pixels:
                    boxes.append(box)
        return boxes

    def _item_boxes(self, mount: CameraMount,
                    angles: tuple[NDArray[np.float32], NDArray[np.float32]],
                    things: NDArray[np.int16], pose: Pose, min_pixels: int,
                    boxes: list[TrueBox]) -> dict[int, int]:
        """Append the boxes of items; returns the visible pixels of frames by doorway index."""
        flat = np.flatnonzero(things >= 0)
        order = np.argsort(things.ravel()[flat], kind='stable')
        flat, ids = flat[order], things.ravel()[flat][order]
        starts = np.flatnonzero(np.diff(ids, prepend=-1))
        frames: dict[int, int] = {}
        if not starts.size:
            return frames
        rows, columns = np.divmod(flat, mount.width)
        values = [rows, columns, angles[0].ravel()[flat], angles[1].ravel()[flat]]
        lows = [np.minimum.reduceat(value, starts) for value in values]
        highs = [np.maximum.reduceat(value, starts) for value in values]
        for k, count in enumerate(np.diff(starts, append=len(flat)).tolist()):
            thing = int(ids[starts[k]])
            if thing >= len(self._home.items):
                frames[thing - len(self._home.items)] = count
            elif count >= min_pixels:
                low, high = [float(v[k]) for v in lows], [float(v[k]) for v in highs]
                boxes.append(_item_box(mount, self._home.items[thing], pose, count, low, high))
        return frames

    def _door_box(self, mount: CameraMount, doorway: Doorway, frame_pixels: int,
                  pose: Pose) -> TrueBox | None:
        """The box of a doorway, or None where too little of it can be seen."""
        bearing, distance = polar_in_base(pose, doorway.door.x, doorway.door.y)
        box = doorway.box(mount, pose) if distance < 15.0 else None
        if box is None:
            return None
        clear = doorway.clear_share(mount, pose, self._caster)
        area = (box[2] - box[0]) * (box[3] - box[1])
        if clear < 0.15 and frame_pixels < 0.15 * area:
            return None
        span, rise = doorway.span(pose), doorway.rise(mount.height, distance)
        pixels = frame_pixels + int(clear * max(area - frame_pixels, 0))
        return TrueBox(mount.name, doorway.door.name, 'door', '', box, pixels, distance, bearing,
                       sum(rise) / 2, max(span[1] - span[0], rise[1] - rise[0]), span, rise)


def _item_box(mount: CameraMount, item: Item, pose: Pose, count: int, low: list[float],
              high: list[float]) -> TrueBox:
    """A box from the extremes of (row, column, bearing, elevation) over the visible pixels."""
    half = 0.5 / mount.focal
    span = (mount.yaw + low[2] - half, mount.yaw + high[2] + half)
    rise = (low[3] - half, high[3] + half)
    return TrueBox(
        mount.name, item.name, item.kind, item.colour,
        (int(low[1]), int(low[0]), int(high[1]) + 1, int(high[0]) + 1), count,
        footprint_distance(item, pose.x, pose.y), wrap_angle(sum(span) / 2), sum(rise) / 2,
        max(span[1] - span[0], rise[1] - rise[0]), span, rise)


def merge_boxes(boxes: Sequence[TrueBox], max_distance: float,
                min_pixels: int) -> tuple[Sighting, ...]:
    """One sighting per item: what neighbouring cameras each show a part of is joined.

    :param min_pixels: an item with fewer visible pixels over all cameras is not a sighting
    """
    by_item: dict[tuple[str, str], list[TrueBox]] = {}
    for box in boxes:
        by_item.setdefault((box.kind, box.item), []).append(box)
    return tuple(_joined(parts) for parts in by_item.values()
                 if parts[0].distance <= max_distance
                 and sum(part.pixels for part in parts) >= min_pixels)


def _joined(parts: list[TrueBox]) -> Sighting:
    """The sighting of one item from its boxes in all cameras."""
    main = max(parts, key=lambda part: part.pixels)
    if main.kind == 'door':
        return Sighting('door', main.bearing, main.elevation, main.size, main.distance)
    middle = sum(main.span) / 2
    edges = [middle + wrap_angle(edge - middle) for part in parts for edge in part.span]
    low, high = min(part.rise[0] for part in parts), max(part.rise[1] for part in parts)
    left, right = max(edges), min(edges)
    return Sighting(main.label, wrap_angle((left + right) / 2), (low + high) / 2,
                    max(left - right, high - low), main.distance)
