"""Where to go next in a home that is not known: what is new first, the nearest of it, then back.

The frontier rule of Yamauchi (CIRA 1997) over ways instead of grid cells; between frontiers that
are about as near, the goal-agnostic explorer policy decides, where there is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nl_robot.datatypes import Observation, Pose
from nl_robot.geometry import wrap_angle
from nl_robot.homes.home_map import (
    BLOCKED,
    LANDING_METRES,
    UNKNOWN,
    Frontier,
    HomeMap,
    Point,
)
from nl_robot.homes.trajectories import Recorder

IN_VAIN_METRES = 0.3        # ends of ways that are nearer than this are one end

Opinion = Callable[[Observation], Sequence[float]]


@dataclass(frozen=True)
class ExploringSettings:
    """Metres, but for `max_places`.

    :param cover: of a way's end to the nearest place known: what is farther is explored first
    :param fill: what is farther than this is explored when nothing else is left: a doorway is
        often near to a place from which one does not see what lies behind it
    :param about: frontiers whose ways differ by less are about as near
    :param stuck: a drive that ends this near to where it began was blocked
    :param closer: a detour must bring it so much nearer to be taken
    """

    cover: float = 1.0
    fill: float = 0.7
    about: float = 1.0
    stuck: float = 0.25
    closer: float = 0.1
    max_places: int = 300


class Explorer:
    """One exploration: an observation in, the index of a way or None out.

    :param start: the place to come back to; None: the first that is seen
    :param opinion: probabilities of the ways of an observation, by the explorer policy
    """

    def __init__(self, home: HomeMap, recorder: Recorder | None = None,
                 settings: ExploringSettings | None = None, opinion: Opinion | None = None,
                 start: int | None = None) -> None:
        self.home, self.recorder = home, recorder or Recorder()
        self.settings, self.start = settings or ExploringSettings(), start
        self.returning, self.place, self.height = False, UNKNOWN, 0.0
        self._opinion = opinion
        self._drive: tuple[int, int, Pose, float, Point] | None = None
        self._closed: set[tuple[int, int]] = set()
        self._tried: set[tuple[int, int]] = set()
        self._in_vain: list[Point] = []     # ends of ways that led to their own place

    def interrupt(self, fault: str = '') -> None:
        """What comes next is not the continuation of what was: a command, a stop, a fault.

        :param fault: why what was recorded since the last interruption must not be learned from
        """
        self._drive = None
        self.recorder.cut(fault)

    def see(self, observation: Observation) -> int | None:
        """Take in what is seen here, in the frame of the map; the way to take, None at the end."""
        self._arrive(observation)
        if self.returning or len(self.home) >= self.settings.max_places:
            return self._leave(observation, self._home_again())
        frontier = self._next(observation)
        if frontier is None:
            self.returning = True
            return self._leave(observation, self._home_again())
        return self._leave(observation, frontier)

    def note(self, observation: Observation) -> int:
        """Take in what is seen here, and record nothing: somebody else drives."""
        self._drive = None
        self.place = self.home.add(observation, self.height)
        return self.place

    def _arrive(self, observation: Observation) -> None:
        """Put what is seen into the map, and what the last drive was found to lead to."""
        pose, drive = observation.pose, self._drive
        if drive is not None:
            place, way, begun, climb, _ = drive
            if math.hypot(pose.x - begun.x, pose.y - begun.y) < self.settings.stuck:
                self.home.block(place, way)
                climb = 0.0
            self.height += climb
        self.place = self.home.add(observation, self.height)
        if drive is not None:
            self._note_end(drive[0], drive[1], drive[4])
        if self.start is None:
            self.start = self.place
        self.recorder.at(self.place, pose.yaw)
        self._drive = None

    def _note_end(self, place: int, way: int, aim: Point) -> None:
        """The last drive ended here; after a merge the ways of its place may be others.

        Two spots so near to each other that they are one place lead to each other for ever.
        """
        if self.place == place:
            self._in_vain.append(aim)
            return
        if way < len(self.home.ways[place]):
            self.home.drove(place, way, self.place)

    def _leave(self, observation: Observation, way: int | None) -> int | None:
        """Remember the way that is taken now."""
        if way is not None:
            known = self.home.ways[self.place][way]
            climb = known.distance * math.tan(max(-1.2, min(1.2, known.elevation)))
            self._drive = (self.place, way, observation.pose, climb,
                           self.home.end(self.place, way))
        return way

    def _next(self, observation: Observation) -> int | None:
        """The way towards the nearest frontier; None where nothing new is within reach."""
        for gap in (self.settings.cover, self.settings.fill):
            way = self._next_of(self.home.frontiers(gap), observation)
            if way is not None:
                return way
        return None

    def _next_of(self, frontiers: list[Frontier], observation: Observation) -> int | None:
        """The way towards the nearest of these; None where none can be reached."""
        while True:
            metres, before = self.home.routes(self.place, self._closed)
            costs = {f: metres[f.place] + self.home.ways[f.place][f.way].distance
                     for f in frontiers if f.place in metres and not self._was_in_vain(f)}
            if not costs:
                return None
            least = min(costs.values())
            here = [f.way for f in costs if f.place == self.place
                    and costs[f] <= least + self.settings.about]
            if here:
                return self._preferred(observation, here)
            nearest = min(costs, key=lambda f: (costs[f], f.place, f.way))
            way = self._towards(nearest.place, before)
            if way is not None:
                return way

    def _was_in_vain(self, frontier: Frontier) -> bool:
        """Who drove there once was where it had been."""
        return any(math.dist(frontier.end, end) < IN_VAIN_METRES for end in self._in_vain)

    def _preferred(self, observation: Observation, ways: list[int]) -> int:
        """Of ways about as good, the one that the explorer policy likes most; else the nearest."""
        if self._opinion is None:
            return min(ways, key=lambda way: self.home.ways[self.place][way].distance)
        odds = self._opinion(observation)
        return max(ways, key=lambda way: odds[way] if way < len(odds) else 0.0)

    def _home_again(self) -> int | None:
        """The way back to the start; None at the start, or where no way leads any nearer."""
        while self.start is not None and not self.at_start:
            _, before = self.home.routes(self.place, self._closed)
            if self.start not in before:
                return self._nearer(self.start)
            way = self._towards(self.start, before)
            if way is not None:
                return way
        return None

    @property
    def at_start(self) -> bool:
        """Whether it stands where it began, as far as its odometry can tell."""
        return self.start is not None and self.place >= 0 and math.dist(
            self.home.points[self.place], self.home.points[self.start]) <= LANDING_METRES

    def _nearer(self, goal: int) -> int | None:
        """Where no way is known: the one that ends nearest to `goal`, if that is nearer."""
        home, target = self.home, self.home.points[goal]
        gap = math.dist(home.points[self.place], target)
        near = [(math.dist(home.end(self.place, way), target), way)
                for way, w in enumerate(home.ways[self.place])
                if w.offered and w.driven != BLOCKED and (self.place, way) not in self._tried]
        if not near or min(near)[0] > gap - self.settings.closer:
            return None
        self._tried.add((self.place, min(near)[1]))
        return min(near)[1]

    def _towards(self, goal: int, before: dict[int, int]) -> int | None:
        """The way to the first place on the route to `goal`.

        None where this place offers none: then nobody goes from here to there any more.
        """
        step = goal
        while before[step] != self.place:
            step = before[step]
        home = self.home
        ways = [way for way, w in enumerate(home.ways[self.place]) if w.offered]
        exact = [way for way in ways if home.landing(self.place, way) == step]
        if exact:
            return min(exact, key=lambda way: home.ways[self.place][way].distance)
        gap = math.dist(home.points[self.place], home.points[step])
        near = [(math.dist(home.end(self.place, way), home.points[step]), way) for way in ways
                if home.ways[self.place][way].driven == UNKNOWN]
        if near and min(near)[0] < gap - self.settings.closer:
            return min(near)[1]
        self._closed.add((self.place, step))
        return None


def in_map(observation: Observation, map_from_odom: Pose) -> Observation:
    """An observation with its pose in the frame of the map instead of the odometry's."""
    pose = observation.pose
    cos, sin = math.cos(map_from_odom.yaw), math.sin(map_from_odom.yaw)
    return Observation(observation.sightings, observation.waypoints, Pose(
        map_from_odom.x + cos * pose.x - sin * pose.y,
        map_from_odom.y + sin * pose.x + cos * pose.y,
        wrap_angle(pose.yaw + map_from_odom.yaw), 'map'))
