"""Where in its home the robot is, once somebody has said which home this is."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from rclpy.node import Node
from std_msgs.msg import String

from nl_robot.datatypes import Observation, Pose
from nl_robot.homes.odometry_watch import OdometryWatch
from nl_robot.nodes.looking import Look, Scene
from nl_robot.nodes.qos import STATE
from nl_robot.nodes.senses import Senses
from nl_robot.nodes.thinking import Thinker

AGAIN_METRES = 1.0      # from where nothing was recognised to where it is tried again


class HomeEntering:
    """Hears `home`, looks around, and puts the odometry's frame where it lies in the map."""

    def __init__(self, node: Node, senses: Senses, thinker: Thinker, watch: OdometryWatch,
                 scene: Callable[[tuple[Look, ...], Pose], Scene]) -> None:
        self._node, self._senses, self._thinker = node, senses, thinker
        self._watch, self._scene = watch, scene
        self._folder = ''
        self._lost_at: Pose | None = None
        node.create_subscription(String, 'home', self._on_home, STATE)

    @property
    def waits(self) -> bool:
        """Whether a home was named and nobody has looked yet."""
        return bool(self._folder) and self._lost_at is None

    def tick(self) -> None:
        """Look where this is; and again further on, where it was not recognised."""
        look, lost = self._senses.look(at_rest=False), self._lost_at
        if not self._folder or look is None or not self._thinker.ready:
            return
        if lost is not None and math.hypot(look.pose.x - lost.x,
                                           look.pose.y - lost.y) < AGAIN_METRES:
            return
        folder, self._folder, self._lost_at = self._folder, '', None
        self._thinker.observe(self._scene((look,), look.pose),
                              lambda seen: self._enter(folder, seen))

    def _on_home(self, message: String) -> None:
        self._folder, self._lost_at = message.data, None

    def _enter(self, folder: str, seen: Observation) -> None:
        """In the thread of the thinker."""
        frame = self._thinker.enter(Path(folder), seen)
        if frame is not None:
            self._watch.map_from_odom = frame
        elif not self._folder:      # nobody has named another one meanwhile
            self._folder, self._lost_at = folder, seen.pose
            self._node.get_logger().warning(
                f'this should be {Path(folder).name}, but nothing here is recognised of it: it '
                'goes on as in a home that is not known')
