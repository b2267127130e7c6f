"""Which agent acts, and how another takes its place while the robot may be moving.

Another one is loaded in a thread of its own and takes over with the next goal: whoever began a
command ends it.  One that cannot act is refused, and the old one goes on.
"""

from __future__ import annotations

import importlib
import queue
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PYTHON = 'python:'


def made_by(name: str) -> Any:
    """The result of the function that `python:package.module:function` names."""
    module, _, function = name.removeprefix(PYTHON).partition(':')
    return getattr(importlib.import_module(module), function)()


def load_agent(name: str) -> Any:
    """The agent of a checkpoint directory; '' is the one that comes with the package."""
    if name.startswith(PYTHON):
        return made_by(name)
    from nl_robot.agent import Agent  # takes seconds, so it happens in a thread
    return Agent.load(folder_of(name))


def folder_of(name: str) -> Path:
    """The checkpoint directory of a name."""
    from nl_robot.settings import shared_dir
    return Path(name) if name else shared_dir('models') / 'agent'


def opinion_of(name: str, agent: Any) -> Any:
    """What the explorer of a checkpoint thinks of ways; None where it has none."""
    if name.startswith(PYTHON):
        return None
    from nl_robot.wanderer import Wanderer
    found = Wanderer.of_checkpoint(folder_of(name), agent.encoder)
    return None if found is None else found.opinion


def guide_of(name: str, agent: Any) -> Any:
    """Who plans routes in a home that is known: the checkpoint itself; None where it cannot.

    An agent that a function makes may bring its own.
    """
    if name.startswith(PYTHON):
        return getattr(agent, 'guide', None)
    from nl_robot.planning.guide import Guide
    return Guide.load(folder_of(name), agent)


@dataclass(frozen=True)
class News:
    """What became of a checkpoint that was asked for; `refused` is '' where it will act."""

    name: str
    refused: str = ''


class Agents:
    """The agent that acts, and at most one that waits to.

    :param name: of the one to begin with, and to go back to when asked for ''
    """

    def __init__(self, name: str) -> None:
        self.base = self.serving = name
        self.agent: Any = None
        self.guide: Any = None
        self._pending: tuple[str, Any, Any] | None = None
        self._asked: queue.Queue[str | None] = queue.Queue()
        self._news: queue.Queue[News] = queue.Queue()
        self._loader: threading.Thread | None = None
        self._begun = threading.Event()

    def begin(self) -> None:
        """Load the first one, in the calling thread; others wait until then."""
        self.agent = load_agent(self.base)
        self._begun.set()

    def home_known(self) -> None:
        """There is a home now: who can plan is loaded, in the thread of `begin`."""
        if self.guide is None:
            self.guide = guide_of(self.serving, self.agent)

    def ask(self, name: str) -> None:
        """Let another one act from the next goal on; '' asks for the one it began with."""
        self._asked.put(name or self.base)
        if self._loader is None:
            self._loader = threading.Thread(target=self._load, daemon=True)
            self._loader.start()

    def next_goal(self) -> Any:
        """The agent for a goal that begins now."""
        pending, self._pending = self._pending, None
        if pending is not None:
            self.serving, self.agent, self.guide = pending
        return self.agent

    def news(self) -> News | None:
        """What became of the next one that was asked for, or None; never waits."""
        try:
            return self._news.get_nowait()
        except queue.Empty:
            return None

    def end(self) -> None:
        """Load no more."""
        self._asked.put(None)

    def _load(self) -> None:
        while (name := self._asked.get()) is not None:
            if not self._asked.empty():     # somebody wants another one already
                continue
            self._begun.wait()              # libraries cannot be imported by two threads at once
            try:
                agent = None if name == self.serving else load_agent(name)
                self._pending = agent and (name, agent, guide_of(name, agent))
                self._news.put(News(name))
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is refused
                self._news.put(News(name, f'model_rejected:{" ".join(str(error).split())[:300]}'))
