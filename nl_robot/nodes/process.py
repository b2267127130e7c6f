"""How every node lives and ends: its own signal flag, finite spins, a farewell, an exit status.

rclpy's own handler shuts the context down before Python runs again, so that no final zero could
be published; therefore `SignalHandlerOptions.NO` and a flag (rclpy issues 532, 1077, 1287).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Protocol

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import ParameterException
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from nl_robot.nodes.alone import SecondCopyError, hold_alone
from nl_robot.nodes.injection import arm
from nl_robot.nodes.qos import EVENTS
from nl_robot.nodes.transport import use_udp


class Living(Protocol):
    """A node that has last words."""

    node: Node

    def farewell(self) -> None:
        """Publish what must be the last; the context is still valid."""

    def trouble(self) -> str:
        """What is wrong just now, for /diagnostics; '' when all is well."""


def run(make: Callable[[], Living], arguments: list[str] | None = None) -> int:
    """Run one node until SIGINT or SIGTERM; gives the exit status.

    0: asked to end · 1: a callback raised · 2: the parameters make no sense · 3: it runs already
    """
    # networks as small as ours gain nothing from more threads, and starve the gate of cores
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    use_udp(os.environ)
    ended = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    try:
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:    # a parameter file that cannot be read, a broken argument
        print(f'{sys.argv[0]}: {error}', file=sys.stderr)
        return 2
    try:
        shell = make()
        _report_health(shell)
        arm(shell.node)
        lock = hold_alone(shell.node)
    except (ValueError, ParameterException, SecondCopyError) as error:
        print(f'{sys.argv[0]}: {error}', file=sys.stderr)
        rclpy.try_shutdown()
        return 3 if isinstance(error, SecondCopyError) else 2
    try:
        return _spin(shell, ended)
    finally:
        shell.farewell()
        shell.node.destroy_node()
        lock.close()
        rclpy.try_shutdown()
        for number in (signal.SIGINT, signal.SIGTERM):     # a second one must not kill the rest
            signal.signal(number, signal.SIG_IGN)


def leave(status: int) -> int:
    """Give the exit status; at once where a thread is still inside a library it cannot leave.

    A model that is being loaded cannot be interrupted, and the interpreter's orderly end would
    pull its library from under it.
    """
    if any(thread.daemon and thread.is_alive() for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _spin(shell: Living, ended: threading.Event) -> int:
    """Spin until asked to end; an exception in a callback is told once and ends the node."""
    executor = SingleThreadedExecutor()
    executor.add_node(shell.node)
    try:
        while not ended.is_set():
            executor.spin_once(timeout_sec=0.1)
    except Exception:  # noqa: BLE001 - whatever it was: zero, log, exit status 1
        if ended.is_set():
            return 0
        import traceback
        shell.node.get_logger().error(f'ends after an exception:\n{traceback.format_exc()}')
        return 1
    finally:
        executor.shutdown(timeout_sec=0.0)
    return 0


def _report_health(shell: Living) -> None:
    """Tell /diagnostics once a second how the node is."""
    node = shell.node
    publisher = node.create_publisher(DiagnosticArray, '/diagnostics', EVENTS)

    def tell() -> None:
        trouble = shell.trouble()
        message = DiagnosticArray(status=[DiagnosticStatus(
            name=node.get_fully_qualified_name(), message=trouble or 'running',
            level=DiagnosticStatus.WARN if trouble else DiagnosticStatus.OK)])
        message.header.stamp = node.get_clock().now().to_msg()
        publisher.publish(message)

    every(node, 1.0, tell)


def every(node: Node, seconds: float, callback: Callable[[], None]) -> None:
    """Call back at that period by the steady clock, which no clock step and no /clock stalls."""
    node.create_timer(seconds, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))
