"""The instructions of Room-to-Room and REVERIE as tasks in graph worlds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nl_robot.worlds.matterport import Building, load_buildings
from nl_robot.worlds.official_files import DataFolder
from nl_robot.worlds.sightings_by_boxes import bearing_from_heading
from nl_robot.worlds.tasks import GraphTask

SUCCESS_METRES = 3.0    # along the graph (Anderson et al., 2018)


@dataclass(frozen=True)
class Instruction:
    """One instruction: the words, the way that was meant, and how it began.

    :param id: as in official submissions: `{path_id}_{n}`, REVERIE `{path_id}_{objId}_{n}`
    :param path: viewpoint ids from the start to the goal
    :param heading: at the start, radians clockwise from +y as in the files
    :param target: REVERIE's official number of the object that is meant, or None
    """

    id: str
    scan: str
    goal: str
    path: tuple[str, ...]
    heading: float
    target: int | None = None


def read_instructions(folder: DataFolder, dataset: str, split: str) -> list[Instruction]:
    """The instructions of a split, in the order of the file.

    :param dataset: `r2r` or `reverie`; :param split: any that the folder has
    :raises FileNotFoundError: where the folder has no such split
    :raises ValueError: where a record lacks something, its path has no goal, or words are empty
    """
    return [instruction for record in folder.records(dataset, split)
            for instruction in _of_record(record, dataset, f'{dataset} {split}')]


def _of_record(record: Mapping[str, Any], dataset: str, source: str) -> list[Instruction]:
    """All instructions of one record, checked."""
    needed = {'scan', 'path', 'heading', 'instructions', 'path_id'}
    missing = sorted((needed | ({'objId'} if dataset == 'reverie' else set())) - set(record))
    if missing:
        raise ValueError(f'{source}: the record of path {record.get("path_id")!r} lacks '
                         f'{", ".join(missing)}')
    number, path = record['path_id'], tuple(record['path'])
    if len(path) < 2:
        raise ValueError(f'{source}: path {number} has {len(path)} viewpoint(s) and so no goal; '
                         'a split without goals can neither be learned from nor measured')
    if not math.isfinite(record['heading']):
        raise ValueError(f'{source}: path {number} starts with heading {record["heading"]!r}')
    target = int(record['objId']) if dataset == 'reverie' else None
    name = str(number) if target is None else f'{number}_{target}'
    found = []
    for n, words in enumerate(record['instructions']):
        goal = ' '.join(str(words).split())
        if not goal:
            raise ValueError(f'{source}: instruction {n} of path {number} is empty')
        found.append(Instruction(f'{name}_{n}', record['scan'], goal, path,
                                 float(record['heading']), target))
    return found


class InstructionTasks:
    """Makes tasks of instructions; what depends on the goal alone is made once.

    :param buildings: by scan
    """

    def __init__(self, buildings: Mapping[str, Building]) -> None:
        self.buildings = buildings
        self._kept: dict[tuple[str, int, int | None], tuple[NDArray, NDArray, NDArray]] = {}

    def task(self, instruction: Instruction, tags: tuple[str, ...] = ()) -> GraphTask:
        """The instruction as a task; ValueError where its path is not one in the graph."""
        path = self.path(instruction)
        fulfilled, best, cost = self._places(instruction, path[-1])
        yaw = float(bearing_from_heading(instruction.heading))
        return GraphTask(self.buildings[instruction.scan].graph, path[0], yaw, instruction.goal,
                         fulfilled, best, cost, tags)

    def path(self, instruction: Instruction) -> list[int]:
        """The places of the path that was meant; ValueError where it leaves the graph."""
        if instruction.scan not in self.buildings:
            raise ValueError(f'instruction {instruction.id} is in the scan {instruction.scan!r}, '
                             'which was not loaded')
        building = self.buildings[instruction.scan]
        try:
            places = [building.place(viewpoint) for viewpoint in instruction.path]
        except ValueError as error:
            raise ValueError(f'instruction {instruction.id}: {error}') from error
        for n, (start, end) in enumerate(zip(places, places[1:])):
            if not building.is_way(start, end):
                raise ValueError(
                    f'instruction {instruction.id}: its path is off the graph of '
                    f'{instruction.scan}, where no way leads from {instruction.path[n]} '
                    f'to {instruction.path[n + 1]}')
        return places

    def _places(self, instruction: Instruction, goal: int) -> tuple[NDArray, NDArray, NDArray]:
        """(p,) arrays: fulfilled, best, and cost along the ways to the best.

        Room-to-Room: within 3 m of the goal along the graph.  REVERIE (Qi et al., CVPR 2020):
        where the target is in one of the views; the expert goes to the end of the path, or, where
        that does not show the target (1 % of the records), to the nearest place that does.
        """
        key = instruction.scan, goal, instruction.target
        if key not in self._kept:
            building = self.buildings[instruction.scan]
            between = building.graph.distances_between
            best = np.arange(len(between)) == goal
            if instruction.target is None:
                fulfilled = between[:, goal] < SUCCESS_METRES
            else:
                fulfilled = building.sees(instruction.target)
                if not fulfilled.any():
                    raise ValueError(f'instruction {instruction.id}: no viewpoint of '
                                     f'{instruction.scan} shows object {instruction.target}')
                best = best if fulfilled[goal] else fulfilled
            self._kept[key] = fulfilled, best, between[:, best].min(axis=1)
        return self._kept[key]


def instruction_tasks(instructions: Iterable[Instruction], buildings: Mapping[str, Building],
                      tags: tuple[str, ...] = ()) -> list[GraphTask]:
    """One task per instruction, in their order; see `InstructionTasks` for the errors."""
    maker = InstructionTasks(buildings)
    return [maker.task(instruction, tags) for instruction in instructions]


def split_tasks(data: Path, dataset: str, split: str, cache: Path | None = None,
                far_sightings: bool = True) -> tuple[list[Instruction], Sequence[GraphTask]]:
    """The instructions of a split and their tasks, buildings loaded as `load_building` does.

    :param data: the folder with the official files
    """
    folder = DataFolder(data)
    instructions = read_instructions(folder, dataset, split)
    scans = sorted({instruction.scan for instruction in instructions})
    buildings = load_buildings(folder, scans, cache, far_sightings)
    return instructions, instruction_tasks(instructions, buildings, (dataset,))
