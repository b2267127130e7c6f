"""The whole simulated robot without ROS: eyes, driver, gate and physics behind the World contract.

It runs the same pure code as the nodes do, at the same rates, on simulated time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from nl_robot.datatypes import Observation, Pose
from nl_robot.embodied.cameras import cameras_of
from nl_robot.geometry import waypoint_pose
from nl_robot.motion.gate import Gate, GateSettings
from nl_robot.motion.odometry_check import Reading
from nl_robot.motion.velocity import DriverSettings, VelocityDriver
from nl_robot.perception.detectors import Detector
from nl_robot.perception.panorama import observe
from nl_robot.perception.waypoints import waypoints_from_scan
from nl_robot.sim.records import Home
from nl_robot.sim.simulator import Scan, Simulator
from nl_robot.worlds.world import require_waypoint


@dataclass(frozen=True)
class LoopSettings:
    """Rates in Hz: of the gate and the driver, and of the laser."""

    control_rate: float = 50.0
    driver_rate: float = 25.0
    scan_rate: float = 10.0


class PhysicsWorld:
    """One robot in one home, closed loop; implements `worlds.world.World`.

    :param detector: what turns camera frames into detections; None sees the simulator's truth,
        to tell apart what perception costs
    """

    def __init__(self, home: Home, detector: Detector | None, seed: int = 0,
                 settings: LoopSettings = LoopSettings()) -> None:
        self.name = home.name
        self.home = home
        self._detector = detector
        self._settings = settings
        self._simulator = Simulator(home, Pose(*home.rooms[0].centre, 0.0, 'map'), seed=seed)
        self._cameras = cameras_of(self._simulator.rig)
        self._driver = VelocityDriver(DriverSettings())
        self._gate = Gate(GateSettings(), 0.0)
        self._observation: Observation | None = None
        self._collisions_before = 0
        self.trail: list[tuple[float, float]] = []

    def reset(self, x: float, y: float, yaw: float) -> Observation:
        """Set the robot down at rest."""
        simulator = self._simulator
        simulator.teleport(Pose(x, y, yaw, 'map'))
        self._collisions_before = simulator.collisions
        self._gate = Gate(GateSettings(), simulator.time)
        self._gate.release(self._gate.stop_stamp)
        self.trail = [self.position]
        self._wait(1.0)
        return self._look()

    def step(self, waypoint_index: int) -> Observation:
        """Drive to a waypoint of the last observation until arrived or blocked, and look."""
        if self._observation is None:
            raise RuntimeError('reset the world before the first step')
        waypoints = self._observation.waypoints
        require_waypoint(waypoint_index, len(waypoints))
        target = waypoint_pose(self._simulator.odometry, waypoints[waypoint_index])
        self._drive(target)
        self._wait(0.5)
        return self._look()

    def _drive(self, target: Pose) -> None:
        """Run the control loop until the driver says that it is over."""
        self._driver.set_target(target, self._simulator.time)
        scan = self._scan()
        ticks = 0
        while self._driver.state == 'driving':
            scan = self._tick(ticks, scan, drive=True)
            ticks += 1
        self._driver.cancel()

    def _wait(self, seconds: float) -> None:
        """Stand still while scans come in."""
        scan = self._scan()
        for tick in range(int(seconds * self._settings.control_rate)):
            scan = self._tick(tick, scan, drive=False)

    def _tick(self, tick: int, scan: Scan, drive: bool) -> Scan:
        """One period of the gate; the newest scan."""
        settings, simulator = self._settings, self._simulator
        now, odometry = simulator.time, simulator.odometry
        self._gate.odometry(now, Reading(round(now * 1e9), odometry.x, odometry.y, (
            0.0, 0.0, math.sin(odometry.yaw / 2), math.cos(odometry.yaw / 2))))
        if tick % round(settings.control_rate / settings.scan_rate) == 0:
            scan = self._scan()
            self._gate.scan(now, scan.ranges.tolist(), scan.angle_min,
                            scan.angle_min + scan.angle_increment * (len(scan.ranges) - 1),
                            scan.angle_increment, scan.range_min, scan.range_max)
        if tick % round(settings.control_rate / settings.driver_rate) == 0:
            linear, angular = (self._driver.update(now, odometry, scan) if drive
                               else (0.0, 0.0))
            self._gate.command(now, now, linear, angular)
        output = self._gate.tick(now)
        simulator.step(output.linear, output.angular, 1.0 / settings.control_rate)
        if math.dist(self.trail[-1], self.position) > 0.05:
            self.trail.append(self.position)
        return scan

    def _scan(self) -> Scan:
        return self._simulator.scan()

    def _look(self) -> Observation:
        """What the robot sees here, by its own eyes or by the simulator's truth."""
        simulator, scan = self._simulator, self._scan()
        if self._detector is None:
            self._observation = Observation(
                simulator.true_sightings(),
                waypoints_from_scan(np.asarray(scan.ranges), scan.angle_min,
                                    scan.angle_increment), simulator.odometry)
        else:
            self._observation = observe(simulator.images(), scan, simulator.odometry,
                                        self._cameras, self._detector)
        return self._observation

    @property
    def position(self) -> tuple[float, float]:
        """Where the robot truly is."""
        return self._simulator.pose.x, self._simulator.pose.y

    @property
    def heading(self) -> float:
        """Which way it truly faces, radians in the map."""
        return self._simulator.pose.yaw

    @property
    def travelled(self) -> float:
        """Metres driven since `reset`."""
        return float(sum(math.dist(a, b) for a, b in zip(self.trail, self.trail[1:])))

    @property
    def collisions(self) -> int:
        """Separate contacts since `reset`."""
        return self._simulator.collisions - self._collisions_before

    def close(self) -> None:
        """Free the renderer."""
        self._simulator.close()
