"""The real buildings of Room-to-Room and REVERIE as graph worlds.

A viewpoint is a place, an unobstructed pair of viewpoints a way in both directions (Anderson et
al., CVPR 2018).  Viewpoints that are not `included` are left out.  A graph may have several
components.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nl_robot.worlds.graph import PlaceGraph, save_arrays
from nl_robot.worlds.official_files import DataFolder
from nl_robot.worlds.sightings_by_boxes import gather_boxes, list_objects, sightings_of

CACHE_FORMAT = 2        # raised whenever what is cached is computed in another way
SHORTEST_METRES = 0.05  # of a way on the plan: two viewpoints may stand above each other


@dataclass(frozen=True)
class Building:
    """A building as a graph, with its official names.

    :param graph: places in the order of `viewpoints`
    :param viewpoints: the official id of every place
    :param listings: (l, 2) official number of an object, place that sees it in one of its views
    """

    graph: PlaceGraph
    viewpoints: tuple[str, ...]
    listings: NDArray[np.int64]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {viewpoint: place for place, viewpoint in enumerate(self.viewpoints)}

    def place(self, viewpoint: str) -> int:
        """The place of a viewpoint; ValueError where the graph has none of that id."""
        if viewpoint not in self._places:
            raise ValueError(f'unknown viewpoint {viewpoint!r}: the graph of {self.graph.name} '
                             f'has {len(self.viewpoints)} included viewpoints and not this one')
        return self._places[viewpoint]

    def sees(self, number: int) -> NDArray[np.bool_]:
        """(p,) bool: the places that have the object of this number in one of their views."""
        seen = np.zeros(len(self.viewpoints), bool)
        seen[self.listings[self.listings[:, 0] == number, 1]] = True
        return seen

    def is_way(self, start: int, end: int) -> bool:
        """True where one can walk from one place to the other directly."""
        return bool((self.graph.leads_to[self.graph.way_rows[start]] == end).any())


def load_buildings(folder: DataFolder, scans: Iterable[str], cache: Path | None = None,
                   far_sightings: bool = True) -> dict[str, Building]:
    """The buildings of these scans by their names; see `load_building`."""
    return {scan: load_building(folder, scan, cache, far_sightings) for scan in scans}


def load_building(folder: DataFolder, scan: str, cache: Path | None = None,
                  far_sightings: bool = True) -> Building:
    """A building from its official files, or from the cache if they have not changed.

    :param cache: a directory that keeps what was computed, one file per building
    :param far_sightings: take as seen what is listed at viewpoints visible from a place, within
        10 m, and not only what the annotation lists within 3 m
    :raises FileNotFoundError: where the scan or a viewpoint's boxes are missing
    :raises ValueError: where a file is not what the format says
    """
    records = read_connectivity(folder, scan)
    included = [record['image_id'] for record in records if record['included']]
    names = [f'{scan}_{viewpoint}.json' for viewpoint in included]
    path = None
    if cache is not None:
        told = repr((records, CACHE_FORMAT)).encode()
        source = zlib.crc32(told, folder.boxes.fingerprint(names))
        reach = 'far' if far_sightings else 'near'
        path = cache / f'{scan}-{reach}-{source:08x}.npz'
        if path.exists():
            return _load(path)
    building = build(scan, records, [_boxes_at(folder, scan, v) for v in included], far_sightings)
    if path is not None:
        save_arrays(path, {**building.graph.arrays(), 'listings': building.listings,
                           'viewpoints': np.array(building.viewpoints, dtype=str)})
    return building


def _load(path: Path) -> Building:
    """A building from its file in the cache."""
    with np.load(path, allow_pickle=False) as data:
        return Building(PlaceGraph.from_arrays(data), tuple(data['viewpoints'].tolist()),
                        data['listings'])


def read_connectivity(folder: DataFolder, scan: str) -> list[dict[str, Any]]:
    """The records of the viewpoints of a scan; errors say what is wrong with which."""
    name = f'{scan}_connectivity.json'
    if name not in folder.connectivity.sizes:
        raise FileNotFoundError(f'missing scan {scan!r}: there is no {name} in '
                                f'{folder.connectivity.where}, which has '
                                f'{len(folder.scans())} scans')
    records = folder.connectivity.read(name)
    for record in records:
        lengths = [len(record.get(key, ())) for key in ('pose', 'unobstructed', 'visible')]
        if lengths != [16, len(records), len(records)] or 'included' not in record:
            raise ValueError(f'{name}: viewpoint {record.get("image_id")!r} must have a pose of '
                             f'16 numbers and {len(records)} flags of unobstructed and visible')
    return records


def _boxes_at(folder: DataFolder, scan: str, viewpoint: str) -> dict[str, Any]:
    """Official object number → name and boxes, of one viewpoint."""
    name = f'{scan}_{viewpoint}.json'
    content = folder.boxes.read(name)
    if viewpoint not in content:
        raise ValueError(f'{name} in {folder.boxes.where} does not tell of its own viewpoint')
    return content[viewpoint]


def build(scan: str, records: list[dict[str, Any]], boxes: list[dict[str, Any]],
          far_sightings: bool) -> Building:
    """A building from the records of its viewpoints and the boxes at the included ones."""
    kept = np.array([bool(record['included']) for record in records], bool)
    inside = [record for record in records if record['included']]
    eyes = np.array([[record['pose'][k] for k in (3, 7, 11)] for record in inside]).reshape(-1, 3)
    visible, open_ways = (
        np.array([record[key] for record in inside], bool).reshape(len(inside), -1)[:, kept]
        for key in ('visible', 'unobstructed'))
    try:
        gathered = gather_boxes(boxes)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f'{scan}: the boxes are not in the format of REVERIE: {error}') from error
    labels, sightings = sightings_of(gathered, eyes, visible, far_sightings)
    start, end = np.nonzero(open_ways)
    east, north, up = (eyes[end] - eyes[start]).T
    flat = np.maximum(np.hypot(east, north), SHORTEST_METRES)
    ways = np.column_stack([start, np.arctan2(north, east), np.arctan2(up, flat), flat])
    graph = PlaceGraph(scan, eyes[:, :2], labels, sightings, ways, end, eyes[:, 2])
    listed = list_objects(gathered)
    numbers = np.array(gathered.numbers, np.int64)[listed.objects]
    return Building(graph, tuple(record['image_id'] for record in inside),
                    np.column_stack([numbers, listed.places]))
