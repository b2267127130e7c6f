"""The real buildings and instructions, where NL_ROBOT_R2R names the folder that holds them."""

from __future__ import annotations

import math
import os
import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from nl_robot.worlds.instructions import InstructionTasks, instruction_tasks, read_instructions
from nl_robot.worlds.matterport import load_buildings, read_connectivity
from nl_robot.worlds.official_files import DATASETS, DataFolder
from nl_robot.worlds.sightings_by_boxes import Listings, gather_boxes, list_objects, locate, rays

VARIABLE = 'NL_ROBOT_R2R'
pytestmark = pytest.mark.skipif(
    not os.environ.get(VARIABLE),
    reason=f'{VARIABLE} does not name a folder with the files of Room-to-Room and REVERIE')
HALF_VIEW = math.atan(320 / (240 / math.tan(math.radians(30))))     # 37.6 degrees


@pytest.fixture(scope='module')
def folder():
    return DataFolder(Path(os.environ[VARIABLE]))


@pytest.fixture(scope='module')
def near(folder):
    return load_buildings(folder, folder.scans(), far_sightings=False)


@pytest.fixture(scope='module')
def far(folder):
    return load_buildings(folder, folder.scans())


@pytest.fixture(scope='module')
def told(folder):
    """Every instruction in the folder by data set and split."""
    return {(name, split): read_instructions(folder, name, split)
            for name in DATASETS for split in folder.splits(name)}


def turned(angles):
    return (angles + math.pi) % (2 * math.pi) - math.pi


def test_all_viewpoints_are_there(near):
    assert len(near) == 90
    assert sum(len(building.viewpoints) for building in near.values()) == 10567
    parted = {name for name, building in near.items()
              if np.isinf(building.graph.distances_between).any()}
    assert parted == {'B6ByNegPMKs', 'JF19kD82Mey', 'PuKPg4mmafe', 'SN83YJsR3w2', 'q9vSo1VnCiC',
                      'r1Q1Z4BcV1o'}


@pytest.mark.parametrize(('reach', 'per_place', 'ways'), [('near', 2.65, 0.22),
                                                          ('far', 15.5, 0.82)])
def test_how_much_is_seen(request, reach, per_place, ways):
    """Objects per viewpoint, and the share of ways that have one in the camera's view."""
    graphs = [building.graph for building in request.getfixturevalue(reach).values()]
    places = sum(len(graph.points) for graph in graphs)
    assert sum(len(g.labels) for g in graphs) / places == pytest.approx(per_place, abs=0.1)
    hits = []
    for graph in graphs:
        for seen, on in zip(graph.sighting_rows, graph.way_rows):
            apart = np.abs(turned(graph.sightings[seen, 1][None] - graph.ways[on, 1][:, None]))
            hits += (apart.min(axis=1, initial=np.inf) < HALF_VIEW).tolist()
    assert np.mean(hits) == pytest.approx(ways, abs=0.02)


def residuals(folder, scan, mirrored):
    """Degrees between where objects are seen and where they then are; three viewpoints at least.

    Only boxes that no edge of a view cuts.
    """
    inside = [r for r in read_connectivity(folder, scan) if r['included']]
    boxes = gather_boxes([folder.boxes.read(f'{scan}_{r["image_id"]}.json')[r['image_id']]
                          for r in inside])
    eyes = np.array([[r['pose'][k] for k in (3, 7, 11)] for r in inside])
    x, y, width, height = boxes.corners.T
    whole = (x > 0) & (y > 0) & (x + width < 640) & (y + height < 480)
    boxes = replace(boxes, **{name: getattr(boxes, name)[whole]
                              for name in ('places', 'objects', 'views', 'corners')})
    listed = list_objects(boxes)
    often = np.bincount(listed.objects, minlength=1)[listed.objects] >= 3
    listed = Listings(*(getattr(listed, field.name)[often] for field in fields(Listings)))
    kinds, objects = np.unique(listed.objects, return_inverse=True)
    listed = replace(listed, objects=objects)
    if mirrored:        # as if headings were counter-clockwise
        listed = replace(listed, bearings=math.pi - listed.bearings)
    offsets = locate(listed, eyes, len(kinds))[objects] - eyes[listed.places]
    cosines = (rays(listed) * offsets).sum(axis=1) / np.linalg.norm(offsets, axis=1)
    return np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def test_headings_of_the_views_agree_with_the_graph(folder):
    """Objects seen from several viewpoints are where the rays meet; mirrored, they do not."""
    def median(mirrored):
        return np.median(np.concatenate([residuals(folder, scan, mirrored)
                                         for scan in folder.scans()]))
    assert median(mirrored=False) < 0.8 and median(mirrored=True) > 30


def test_headings_of_the_instructions_agree_with_the_graph(told, near):
    """Who is told to turn around, left or right has the first way behind, left or right."""
    maker, first = InstructionTasks(near), {'turn around': [], 'turn left': [], 'turn right': []}
    for instruction in told['r2r', 'train']:
        for words, bearings in first.items():
            if instruction.goal.lower().startswith(words):
                task, path = maker.task(instruction), maker.path(instruction)
                (way,) = [r for r in task.graph.way_rows[path[0]]
                          if task.graph.leads_to[r] == path[1]]
                bearings.append(task.graph.ways[way, 1] - task.yaw)
    assert np.cos(first['turn around']).mean() < -0.6
    assert np.sin(first['turn left']).mean() > 0.4
    assert np.sin(first['turn right']).mean() < -0.4


def test_every_instruction_is_a_task(told, near):
    for (name, _), instructions in told.items():
        tasks = instruction_tasks(instructions, near)
        assert len(tasks) == len(instructions) > 0
        assert all(math.isfinite(task.shortest) for task in tasks)
        assert all(task.fulfilled[task.best].all() for task in tasks)
        starts = np.mean([task.fulfilled[task.place] for task in tasks])
        assert starts == 0 if name == 'r2r' else starts < 0.01


def test_loading_is_quick(folder, told, tmp_path):
    """All buildings that have instructions: seconds of one core, without and with the cache."""
    scans = sorted({i.scan for instructions in told.values() for i in instructions})
    for limit in (60, 5):
        start = time.process_time()
        load_buildings(DataFolder(folder.path), scans, tmp_path)
        assert time.process_time() - start < limit
