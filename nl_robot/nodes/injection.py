"""A fault that a test asks for: a named callback raises, once, after SIGUSR1.

It is armed by the parameter `test_raise` alone; without it the signal keeps its usual meaning.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from rclpy.node import Node

from nl_robot.nodes.parameters import declare


class InjectedError(RuntimeError):
    """What the callback raises."""


def arm(node: Node) -> None:
    """Let the callback that `test_raise` names raise after the next SIGUSR1.

    :raises ValueError: the node has no such callback
    """
    name = declare(node, 'test_raise', '', 'topic, service or timer:<number> whose callback '
                   'raises after SIGUSR1; for tests alone')
    if not name:
        return
    due = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        due.set()

    signal.signal(signal.SIGUSR1, note)
    found = callbacks(node)
    if name not in found:
        raise ValueError(f'test_raise must be one of {", ".join(sorted(found))}, got {name!r}')
    owner = found[name]
    owner.callback = _raising(name, owner.callback, due)


def callbacks(node: Node) -> dict[str, Any]:
    """Whatever of a node calls back, by name."""
    places = [*node.subscriptions, *node.services]
    named = {getattr(place, 'topic_name', getattr(place, 'srv_name', '')).lstrip('/'): place
             for place in places}
    return {**named, **{f'timer:{index}': timer for index, timer in enumerate(node.timers)}}


def _raising(name: str, callback: Callable[..., Any], due: threading.Event) -> Callable[..., Any]:
    """The callback, but for once when it is due."""
    def call(*arguments: Any) -> Any:
        if due.is_set():
            due.clear()
            raise InjectedError(f'a test asked {name} to raise')
        return callback(*arguments)
    return call
