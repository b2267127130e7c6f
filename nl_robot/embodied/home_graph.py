"""Graph worlds out of generated homes: the robot's own scan and eyes, at places all over it.

A place's waypoints come from the very code that cuts them out of the laser scan on the robot;
each leads to the place that stands where a robot driving there would end up.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np

from nl_robot.datatypes import Pose, Sighting, Waypoint
from nl_robot.geometry import FloorGrid
from nl_robot.perception.waypoints import waypoints_from_scan
from nl_robot.sim.homes import floor_grid, generate_home
from nl_robot.sim.records import Home
from nl_robot.sim.simulator import Simulator
from nl_robot.worlds.graph import PlaceGraph

Look = Callable[[Pose], tuple[tuple[Sighting, ...], tuple[Waypoint, ...]]]

SNAP_METRES = 0.50      # two places closer than this would look the same
MAX_PLACES = 300        # a large home has about 200


def straight_is_free(grid: FloorGrid, start: tuple[float, float], end: tuple[float, float]
                     ) -> bool:
    """True when the robot's middle can slide straight from one point to the other."""
    steps = max(2, int(math.dist(start, end) / (grid.resolution / 2)))
    xs = np.linspace(start[0], end[0], steps)
    ys = np.linspace(start[1], end[1], steps)
    return all(grid.free[grid.cell(x, y)] for x, y in zip(xs, ys))


def _landing(grid: FloorGrid, points: list[tuple[float, float]], here: tuple[float, float],
             end: tuple[float, float]) -> int | None:
    """The known place at which a drive towards `end` may be said to arrive, or None."""
    near = sorted((math.dist(point, end), index) for index, point in enumerate(points))
    for distance, index in near:
        if distance > SNAP_METRES:
            return None
        if points[index] != here and straight_is_free(grid, here, points[index]):
            return index
    return None


def build_graph(name: str, grid: FloorGrid, seeds: list[tuple[float, float]], look: Look
                ) -> PlaceGraph:
    """Grow a graph over all that can be reached by waypoints from the seed points.

    :param look: what the robot sees and where it may go, standing at a pose with yaw 0
    """
    points = [grid.point(*grid.nearest_free(*seed)) for seed in seeds]
    points = [p for i, p in enumerate(points)
              if all(math.dist(p, q) > SNAP_METRES for q in points[:i])]
    queue = deque(range(len(points)))
    labels: list[str] = []
    sightings: list[tuple[float, ...]] = []
    ways: list[tuple[float, ...]] = []
    leads_to: list[int] = []
    while queue:
        place = queue.popleft()
        here = points[place]
        seen, waypoints = look(Pose(*here, 0.0, 'map'))
        labels += [s.label for s in seen]
        sightings += [(place, s.bearing, s.elevation, s.size,
                       math.nan if s.distance is None else s.distance, s.score) for s in seen]
        for way in waypoints:
            end = (here[0] + way.distance * math.cos(way.bearing),
                   here[1] + way.distance * math.sin(way.bearing))
            landing = _landing(grid, points, here, end)
            if landing is None:
                landing = _new_place(grid, points, here, end)
                if landing is None:
                    continue
                queue.append(landing)
            ways.append((place, way.bearing, way.elevation, way.distance))
            leads_to.append(landing)
    return PlaceGraph(name, np.array(points), tuple(labels),
                      np.array(sightings, float).reshape(-1, 6),
                      np.array(ways, float).reshape(-1, 4), np.array(leads_to, np.int64))


def _new_place(grid: FloorGrid, points: list[tuple[float, float]], here: tuple[float, float],
               end: tuple[float, float]) -> int | None:
    """Add a place where a drive to `end` ends on free floor; None where it would not."""
    cell = grid.nearest_free(*end)
    point = grid.point(*cell)
    if len(points) >= MAX_PLACES or math.dist(point, end) > 0.3 or math.dist(point, here) < 0.3:
        return None
    points.append(point)
    return len(points) - 1


def simulated_look(simulator: Simulator) -> Look:
    """What the simulated robot truly sees and where its scan lets it go."""
    def look(pose: Pose) -> tuple[tuple[Sighting, ...], tuple[Waypoint, ...]]:
        scan = simulator.scan_at(pose)
        return simulator.look(pose), waypoints_from_scan(
            scan.ranges, scan.angle_min, scan.angle_increment)
    return look


def seed_points(home: Home) -> list[tuple[float, float]]:
    """Where growing begins: the middle of every room and of every doorway."""
    return [room.centre for room in home.rooms] + [(door.x, door.y) for door in home.doors]


def home_graph(seed: int, cache: Path) -> PlaceGraph:
    """The graph of a generated home, from the cache directory or built now (seconds)."""
    path = cache / f'home-{seed:04d}.npz'
    if path.exists():
        return PlaceGraph.load(path)
    home = generate_home(seed)
    simulator = Simulator(home, Pose(*home.rooms[0].centre, 0.0, 'map'), seed=seed)
    try:
        graph = build_graph(home.name, floor_grid(home), seed_points(home),
                            simulated_look(simulator))
    finally:
        simulator.close()
    graph.save(path)
    return graph
