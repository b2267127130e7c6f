"""The slow part of the policy, in a thread of its own, so that no callback ever waits for it."""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from nl_robot.datatypes import Observation, Pose
from nl_robot.homes.exploring import in_map
from nl_robot.homes.keeper import Keeper
from nl_robot.nodes.agents import PYTHON, Agents, made_by, opinion_of
from nl_robot.nodes.guiding import begun, guided
from nl_robot.nodes.looking import Scene, Thought, look_around
from nl_robot.perception.detectors import load_detector


class Thinker:
    """Loads agent and detector, then decides, one job after the other, in its thread.

    `keeper` belongs to that thread: `later` is the only way to it.
    """

    def __init__(self, agent: str, detector: str) -> None:
        self.agents, self._detector_name = Agents(agent), detector
        self.keeper = Keeper()
        self._jobs: queue.Queue[Callable[[], Thought | None] | None] = queue.Queue()
        self._thoughts: queue.Queue[Thought] = queue.Queue()
        self._asked: tuple[Thought, Scene] | None = None
        self.ready = False
        self._error = ''
        self._detector: Any = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def decide(self, id_: str, words: str, scene: Scene, first: bool, explore: bool) -> None:
        """Ask for a decision; it comes out of `answer` some time later.

        :param first: of a new goal, so that what the agent remembers is forgotten
        :param explore: the words are an order to explore, no goal
        """
        def job() -> Thought:
            if explore and self.keeper.home is None:
                return Thought(id_, error='nobody has said yet which home this is, or nothing '
                               'here is recognised of it')
            observation = look_around(scene, self._detector)
            if explore:
                decision = self.keeper.explore(observation, scene.map_from_odom, words)
                return Thought(id_, observation, decision)
            if first:
                self.agents.next_goal().set_goal(words)
            decision = self.agents.agent.decide(observation)
            self.keeper.note(observation, scene.map_from_odom)
            arrived = self.agents.agent.arrived()
            plan, asking = begun(self.agents.guide, self.keeper.explored(), words, in_map(
                observation, scene.map_from_odom).pose) if first else ('', '')
            self._asked = Thought(id_, observation, decision, arrived, plan=plan), scene
            if not asking:
                decision = guided(self.agents, observation, scene.map_from_odom, decision)
            return Thought(id_, observation, decision, arrived, plan=plan, question=asking)
        self.later(id_, job)

    def resume(self, id_: str, second: bool) -> None:
        """Decide anew on what was seen last, since somebody said which of two places is meant.

        :param second: the one that seemed less likely
        """
        def job() -> Thought | None:
            if self._asked is None or self._asked[0].id != id_:
                return None
            before, scene = self._asked
            assert before.observation is not None and before.decision is not None
            if second and self.agents.guide is not None:
                self.agents.guide.take_the_other()
            return replace(before, decision=guided(
                self.agents, before.observation, scene.map_from_odom, before.decision))
        self.later(id_, job)

    def enter(self, folder: Path, seen: Observation) -> Pose | None:
        """The robot is in this home; in the thread of the jobs, as `Keeper.enter`."""
        self.later('', self.agents.home_known)
        return self.keeper.enter(folder, seen.pose, seen)

    def observe(self, scene: Scene, then: Callable[[Observation], Thought | None]) -> None:
        """Let the thread look and do something with what it sees."""
        self.later('', lambda: then(look_around(scene, self._detector)))

    def later(self, id_: str, job: Callable[[], Thought | None]) -> None:
        """Let the thread do something after all that it was asked for before."""
        self._jobs.put(lambda: self._guarded(id_, job))

    def complaint(self) -> str:
        """Why the agent could not be loaded, told once; '' otherwise."""
        error, self._error = self._error, ''
        return error

    def answer(self) -> Thought | None:
        """The next finished thought, or None; never waits."""
        try:
            return self._thoughts.get_nowait()
        except queue.Empty:
            return None

    def end(self) -> None:
        """Let the thread end; a thought under way is given a moment, no more."""
        self.agents.end()
        self._jobs.put(None)
        self._thread.join(timeout=0.5)

    @staticmethod
    def _guarded(id_: str, job: Callable[[], Thought | None]) -> Thought | None:
        try:
            return job()
        except Exception as error:  # noqa: BLE001 - a broken thought must end the command
            return Thought(id_, error=f'{type(error).__name__}: {error}\n{traceback.format_exc()}')

    def _work(self) -> None:
        try:
            self.agents.begin()
            name = self._detector_name
            self._detector = made_by(name) if name.startswith(PYTHON) else load_detector(name)
            self.keeper = Keeper(opinion_of(self.agents.base, self.agents.agent))
        except Exception as error:  # noqa: BLE001 - the node tells it and stays not ready
            self._error = f'{type(error).__name__}: {error}'
            return
        self.ready = True
        while (job := self._jobs.get()) is not None:
            if (thought := job()) is not None:
                self._thoughts.put(thought)
