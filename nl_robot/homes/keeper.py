"""Keeps the map of the home that a robot is in, while it drives: exploring, or for a person.

All of it happens in one thread, that of the decisions; a disk that is full is told, and driving
goes on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from nl_robot.datatypes import Decision, Observation, Pose
from nl_robot.homes.exploring import Explorer, Opinion, in_map
from nl_robot.homes.localising import located
from nl_robot.homes.odometry_watch import shifted
from nl_robot.homes.store import Home
from nl_robot.homes.trajectories import Recorder
from nl_robot.worlds.graph import PlaceGraph

Write = Callable[[Home], None]
LOST_METRES = 1.0       # odometry that goes on this near to where it was is still the same


class Keeper:
    """The home that the robot is in, if it was told of one.

    `trouble` is what kept something from being written, '' when all is well.
    """

    def __init__(self, opinion: Opinion | None = None) -> None:
        self.home: Home | None = None
        self.trouble, self.run = '', ''
        self._opinion = opinion
        self._explorer: Explorer | None = None
        self._demonstration: Recorder | None = None

    def enter(self, folder: Path, odometry: Pose | None, seen: Observation | None = None
              ) -> Pose | None:
        """The robot is in this home now; map_from_odom as far as it is known.

        Where the odometry began anew, the robot may have been carried: what it sees tells where
        it is.  None where that is nowhere it knows: then the home stays as if it were unknown.

        :param odometry: where the robot is by its odometry; None where that is not known
        :param seen: from there
        """
        home = Home(folder)
        notes, known = home.notes(), home.map()
        frame: Pose | None = Pose(0.0, 0.0, 0.0, 'map')
        if notes.pose and odometry is not None:
            at, was = _pose(notes.pose, 'map'), _pose(notes.odometry, 'odom')
            if math.hypot(odometry.x - was.x, odometry.y - was.y) < LOST_METRES:
                frame = shifted(at, was)
            else:
                here = at if seen is None else located(known, seen, at)
                frame = None if here is None else shifted(here, odometry)
        self.home = None if frame is None else home
        self._explorer = None if frame is None else Explorer(known, start=notes.start,
                                                             opinion=self._opinion)
        return frame

    def explore(self, observation: Observation, map_from_odom: Pose, order: str) -> Decision:
        """Where to go next to see something new; stop when there is nothing, or it is back.

        :param order: JSON: `run` names the exploration, `returning` asks to come back
        :raises ValueError: nobody said which home this is
        """
        explorer = self._entered()
        wanted = json.loads(order)
        if wanted['run'] != self.run:
            self.run = wanted['run']
            explorer.returning = False
        explorer.returning = explorer.returning or bool(wanted['returning'])
        way = explorer.see(in_map(observation, map_from_odom))
        self._keep(observation.pose, map_from_odom)
        if way is None:
            explorer.interrupt()
            self._keep(observation.pose, map_from_odom, explored=not wanted['returning'])
        return Decision(way)

    def note(self, observation: Observation, map_from_odom: Pose) -> None:
        """Look at the home while the robot drives for a person; nothing where none is known."""
        if self._explorer is not None:
            self._explorer.interrupt()
            self._explorer.note(in_map(observation, map_from_odom))
            self._keep(observation.pose, map_from_odom)

    def explored(self) -> tuple[PlaceGraph, int] | None:
        """The map and the place of the last note, where the home was explored to its end."""
        explorer, home = self._explorer, self.home
        if explorer is None or home is None or not home.notes().explored:
            return None
        return explorer.home.graph(), explorer.place

    def fault(self, reason: str) -> None:
        """What was recorded since the last interruption must not be learned from."""
        if self._explorer is not None:
            self._explorer.interrupt(reason)
        if self._demonstration is not None:
            self._demonstration.cut(reason)

    def demonstrate(self, goal: str) -> None:
        """A person drives to a goal from now on."""
        self._entered().interrupt()
        self._demonstration = Recorder('demonstration', goal, longest=0)

    def shown(self, observation: Observation, map_from_odom: Pose) -> int:
        """A place of the demonstration; how many it has."""
        explorer, recorder = self._entered(), self._demonstration
        if recorder is None:
            raise ValueError('nobody demonstrates anything just now')
        place = explorer.note(in_map(observation, map_from_odom))
        recorder.at(place, in_map(observation, map_from_odom).pose.yaw)
        self._link(recorder.places())
        return len(recorder.places())

    def _link(self, places: list[int]) -> None:
        """A person drove from the place before to the last one: a way leads there."""
        if len(places) > 1:
            self._entered().home.join(places[-2], places[-1])

    def end_demonstration(self, odometry: Pose, map_from_odom: Pose) -> int:
        """Keep it; how many places it has, 0 where it went nowhere or something was wrong."""
        recorder, self._demonstration = self._demonstration, None
        if recorder is None or self.home is None:
            return 0
        recorder.cut()
        done = recorder.take()
        self._write(lambda home: home.add(done))
        self._keep(odometry, map_from_odom)
        return len(done[0].places) if len(done) == 1 and done[0].usable else 0

    def _entered(self) -> Explorer:
        if self._explorer is None:
            raise ValueError('nobody said which home this is: start the adaptation node, or '
                             'publish its folder on `home`')
        return self._explorer

    def _keep(self, odometry: Pose, map_from_odom: Pose, explored: bool | None = None) -> None:
        """Write what is known now."""
        explorer = self._entered()
        fresh = explorer.recorder.take()
        here = in_map(Observation((), (), odometry), map_from_odom).pose

        def write(home: Home) -> None:
            home.add(fresh)
            home.save_map(explorer.home)
            before = home.notes()
            notes = replace(before, start=explorer.start, pose=(here.x, here.y, here.yaw),
                            odometry=(odometry.x, odometry.y, odometry.yaw),
                            places=len(explorer.home), driven=before.driven + len(fresh))
            home.keep(notes if explored is None else replace(notes, explored=explored))
        self._write(write)

    def _write(self, write: Write) -> None:
        """Do it, or remember why it could not be done."""
        assert self.home is not None
        try:
            write(self.home)
            self.trouble = ''
        except OSError as error:
            self.trouble = f'disk_full: {error.strerror or error}'


def _pose(numbers: Sequence[float], frame: str) -> Pose:
    """x, y, yaw as a pose."""
    x, y, yaw = numbers
    return Pose(x, y, yaw, frame)
