"""One errand of the bridge: a waypoint that is driven to as long as everybody is alive.

Pure: monotonic seconds in, speeds and a state out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from nl_robot.datatypes import Pose
from nl_robot.motion.driver import Driver
from nl_robot.motion.velocity import LaserScan


@dataclass(frozen=True)
class ErrandSettings:
    """Seconds, but for `rest_speed` (m/s and rad/s).

    :param explore_linear, explore_angular: m/s and rad/s that an exploring robot may drive

    :param policy_pause: without a heartbeat the robot slows down after this, so that braking
        from full speed, 0.33 s, ends within the 0.6 s that are promised
    :param policy_timeout: without a heartbeat the errand is dropped after this
    :param grace: heartbeats from before the waypoint may still arrive for this long; those of a
        policy that knows nothing of it end it thereafter
    :param odom_timeout, scan_timeout: without news there is no motion
    :param sense_patience: without news for this long the way counts as blocked
    :param rest_time: the robot has come to rest when it was this long at zero speed
    :param goodbye: zeros go on for this long after an errand
    """

    policy_pause: float = 0.22
    policy_timeout: float = 0.5
    grace: float = 0.3
    odom_timeout: float = 0.5
    scan_timeout: float = 0.5
    sense_patience: float = 5.0
    rest_speed: float = 0.02
    rest_time: float = 0.2
    goodbye: float = 1.0
    explore_linear: float = 0.15
    explore_angular: float = 0.5


class Errand:
    """Holds at most one waypoint, by number.

    `state` is idle, driving, arrived, blocked, dropped or failed; with the last, `reason` says why
    no waypoint can be driven to.

    :param off: names of protections that a test switches off
    """

    def __init__(self, driver: Driver, settings: ErrandSettings | None = None,
                 off: frozenset[str] = frozenset()) -> None:
        self.settings = settings or ErrandSettings()
        self.state, self.number, self.reason, self.text = 'idle', 0, '', ''
        self._slow = False
        self._driver, self._off = driver, off
        self._pose: Pose | None = None
        self._scan: LaserScan | None = None
        self._moved_at = self._pose_at = self._scan_at = self._heard_at = -math.inf
        self._began = self._ended = -math.inf

    def begin(self, number: int, target: Pose, now: float) -> None:
        """Drive to `target`; a waypoint where the robot already stands asks for its heading."""
        turn_only = self._pose is not None and math.hypot(
            target.x - self._pose.x, target.y - self._pose.y) <= self._driver.tolerance
        self._driver.set_target(target, now, target.yaw if turn_only else None)
        self.state, self.number, self.reason, self.text = 'driving', number, '', ''
        self._began = self._heard_at = now

    def drop(self, now: float) -> None:
        """Give the waypoint up."""
        if self.state == 'driving':
            self._finish('dropped', now)

    def ready(self, now: float) -> bool:
        """True while odometry, laser and policy are heard."""
        return (now - self._heard_at <= self.settings.policy_timeout
                and not self._senses_are_old(now))

    def heartbeat(self, number: int, now: float, slow: bool = False, newest: int = 0) -> None:
        """Hear which waypoint the policy pursues; another than ours, or 0, ends ours.

        :param slow: nobody asked for this drive: not faster than one explores
        :param newest: the newest waypoint that the policy has sent: when it is ours, this
            heartbeat is not from before it
        """
        self._heard_at, self._slow = now, slow
        if (self.state == 'driving' and number != self.number
                and (newest >= self.number or now - self._began > self.settings.grace)):
            self._finish('dropped', now)

    def odometry(self, pose: Pose, speed: float, now: float) -> None:
        """Take a pose; `speed` is the larger of m/s and rad/s."""
        self._pose, self._pose_at = pose, now
        if abs(speed) > self.settings.rest_speed:
            self._moved_at = now

    def scan(self, scan: LaserScan, now: float) -> None:
        """Take a laser scan."""
        self._scan, self._scan_at = scan, now

    def passes(self, now: float) -> bool:
        """Whether velocities of a driver that moves the robot itself may go on to the gate."""
        if 'relay' in self._off:
            return True
        return (self.state == 'driving' and self._driver.passes and not self._policy_is_late(now)
                and not self._senses_are_old(now))

    def tick(self, now: float) -> tuple[float, float] | None:
        """The speeds to ask for now; None: say nothing."""
        if self.state != 'driving':
            return (0.0, 0.0) if now - self._ended < self.settings.goodbye else None
        if self._policy_is_late(now):
            if now - self._heard_at > self.settings.policy_timeout:
                self._finish('dropped', now)
            return 0.0, 0.0
        if self._pose is None or self._scan is None or self._senses_are_old(now):
            return self._wait_for_senses(now)
        speeds = self._driver.update(now, self._pose, self._scan)
        if self._driver.state == 'driving':
            return None if speeds is None else self.paced(*speeds)
        if self._driver.state == 'failed':
            self._finish('failed', now)
            return 0.0, 0.0
        if now - self._moved_at >= self.settings.rest_time:
            self._finish(self._driver.state, now)
        return 0.0, 0.0

    def _policy_is_late(self, now: float) -> bool:
        return ('heartbeat' not in self._off
                and now - self._heard_at > self.settings.policy_pause)

    def paced(self, linear: float, angular: float) -> tuple[float, float]:
        """The same curve; where nobody asked for the drive, no faster than one explores."""
        if not self._slow:
            return linear, angular
        share = min(1.0, self.settings.explore_linear / max(abs(linear), 1e-9),
                    self.settings.explore_angular / max(abs(angular), 1e-9))
        return linear * share, angular * share

    def _senses_are_old(self, now: float) -> bool:
        return (now - self._pose_at > self.settings.odom_timeout
                or now - self._scan_at > self.settings.scan_timeout)

    def _wait_for_senses(self, now: float) -> tuple[float, float]:
        """Stand still; without any senses for long the way counts as blocked."""
        since = max(self._began, min(self._pose_at, self._scan_at))
        if now - since > self.settings.sense_patience:
            self._finish('blocked', now)
        return 0.0, 0.0

    def _finish(self, state: str, now: float) -> None:
        self.state, self._ended = state, now
        self.reason, self.text = self._driver.reason, self._driver.text
        self._driver.cancel()
