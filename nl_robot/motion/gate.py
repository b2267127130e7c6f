"""The rules of the gate: what may become velocity, now.

A pure state machine.  Every time is monotonic seconds given by the caller; nothing here reads a
clock, and no numerical library is imported.  Whatever is doubtful becomes zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nl_robot.motion.echoes import Echoes
from nl_robot.motion.gate_settings import GateSettings
from nl_robot.motion.laser_mount import LaserMount
from nl_robot.motion.limits import clamp, ramp, stopping_speed
from nl_robot.motion.odometry_check import OdometryCheck, Reading
from nl_robot.motion.scan_check import BadScan, CheckedScan, check_scan
from nl_robot.motion.stamp_check import StampCheck

REASONS = ('open', 'idle', 'slow', 'obstacle', 'stopped', 'silent', 'loop_gap', 'conflict',
           'command_lost', 'held_at_zero', 'sensor_lost', 'localization_fault', 'qos_incompatible',
           'clock_skew')
"""Why the output is what it is; details follow a colon."""


@dataclass(frozen=True)
class GateOutput:
    """Velocity to publish, and why: `open`, `idle`, or what holds the robot back."""

    linear: float
    angular: float
    reason: str

    @property
    def is_zero(self) -> bool:
        """True when nothing moves."""
        return self.linear == 0.0 and self.angular == 0.0


@dataclass(frozen=True)
class _Wish:
    linear: float
    angular: float
    arrived: float


class Gate:
    """Commands, scans, odometry and stops in; one velocity a tick out.

    It starts latched, as after a stop: only `release` lets anything move, and only when it names
    the latest stop, so that a release on its way can never undo a newer stop.  What was wanted
    before a stop, or before the own loop stood still, is never executed afterwards: its stamp,
    by the steady clock that all processes of a machine share, tells.

    :param now: monotonic seconds
    :param off: names of protections that a test switches off, to see that its test fails
    :param mount: where the laser is on the robot
    """

    def __init__(self, settings: GateSettings, now: float, off: frozenset[str] = frozenset(),
                 mount: LaserMount | None = None) -> None:
        self.settings, self._mount = settings, mount or LaserMount()
        self._off = off
        self._latched = True
        self._stop_stamp = now
        self._wish: _Wish | None = None
        self._odometry = OdometryCheck(settings)
        self._stamps = {topic: StampCheck() for topic in ('scan', 'odom')}
        self._echoes = Echoes()
        self._conflict_until = self._held_until = -math.inf
        self._echo_quiet_until = self._resumed_at = -math.inf
        self._alive_at: float | None = None  # of whoever released; None: it never told
        self._unheard: set[str] = set()
        self._scan: CheckedScan | None = None
        self._scan_arrived = -math.inf
        self._scan_fault = 'none yet'
        self._good_scans = 0
        self._obstacle_until = -math.inf
        self._clear: dict[float, float] = {}
        self._last_tick: float | None = None
        self._linear = self._angular = 0.0

    @property
    def latched(self) -> bool:
        """True from a stop until its release."""
        return self._latched

    @property
    def stop_stamp(self) -> float:
        """When the latest stop came, monotonic seconds; `release` must name it."""
        return self._stop_stamp

    @property
    def velocity(self) -> tuple[float, float]:
        """The last output, (m/s, rad/s)."""
        return self._linear, self._angular

    def adopt(self, settings: GateSettings) -> None:
        """Use other limits from now on."""
        self.settings = self._odometry.settings = settings
        self._clear = {}

    def stop(self, now: float) -> None:
        """Latch: nothing moves until this very stop is released."""
        if 'stop' in self._off:
            return
        self._latched, self._stop_stamp, self._wish, self._alive_at = True, now, None, None
        self._linear = self._angular = 0.0

    def release(self, stop_stamp: float) -> bool:
        """Lift the stop of that stamp; False, and still latched, when a newer one came."""
        if abs(stop_stamp - self._stop_stamp) > 1e-6:
            return False
        self._latched, self._wish = False, None
        return True

    def alive(self, now: float) -> None:
        """Whoever released tells that it lives; from now on its silence is a stop."""
        if not self._latched:
            self._alive_at = now

    def command(self, now: float, stamp: float, linear: float, angular: float) -> bool:
        """Take a wanted velocity; False when it is refused.

        :param stamp: when it was made, in the same clock as `now`
        """
        age = now - stamp
        settings = self.settings
        fresh = -settings.max_stamp_lead <= age <= settings.max_stamp_age
        fresh = fresh and stamp > max(self._resumed_at, self._stop_stamp)
        finite = math.isfinite(linear) and math.isfinite(angular)
        if not (finite or 'finite' in self._off) or not (fresh or 'stamps' in self._off):
            return False
        if self._latched:
            return False
        self._wish = _Wish(linear, angular, now)
        return True

    def scan(self, now: float, ranges: Sequence[float], angle_min: float, angle_max: float,
             angle_increment: float, range_min: float, range_max: float,
             stamp: float | None = None) -> str:
        """Take a scan; the answer says what is wrong with it, '' when all is well.

        :param stamp: seconds of the robot's clock; None where that does not run like ours
        """
        try:
            if stale := self._stale('scan', now, stamp):
                raise BadScan(stale)
            checked = check_scan(ranges, angle_min, angle_max, angle_increment, range_min,
                                 range_max).seen_from_base(self._mount)
        except BadScan as error:
            self._scan_fault, self._good_scans = str(error), 0
            return self._scan_fault
        if now - self._scan_arrived > self.settings.scan_timeout:
            self._good_scans = 0
        self._scan, self._scan_arrived, self._scan_fault = checked, now, ''
        self._unheard.discard('scan')
        self._clear = {}
        self._good_scans += 1
        return ''

    def incompatible(self, topic: str) -> None:
        """Note that a publisher of `scan` or `odom` offers a quality that cannot fit."""
        self._unheard.add(topic)

    def odometry(self, now: float, reading: Reading, stamp: float | None = None) -> str:
        """Take a message of odometry; the answer says what is wrong with it, '' if nothing.

        :param stamp: as of a scan
        """
        self._unheard.discard('odom')
        return self._stale('odom', now, stamp) or self._odometry.take(now, reading)

    def _stale(self, topic: str, now: float, stamp: float | None) -> str:
        """Why a message is not of now, or ''."""
        if stamp is None or 'clock' in self._off:
            return ''
        settings = self.settings
        age = self._stamps[topic].take(now, stamp, settings)
        fresh = -settings.max_scan_lead <= age <= settings.max_scan_age
        return '' if fresh else f'its stamp says that it is {age:.1f} s old'

    def hold(self, until: float) -> None:
        """Let nothing move before a moment; a later call may bring it forward."""
        self._held_until = until

    def sent(self, now: float, linear: float, angular: float) -> None:
        """Note what was published on cmd_vel."""
        self._echoes.sent(now, linear, angular)

    def heard(self, now: float, linear: float, angular: float) -> bool:
        """Take what was heard on cmd_vel; True when somebody else moves the base.

        Somebody else's zero is obeyed: a standby's that has not heard of a new gate yet.
        """
        foreign = self._echoes.is_foreign(now, linear, angular)
        if not foreign or now < self._echo_quiet_until:
            return False
        if linear == 0.0 and angular == 0.0:
            self._held_until = now + self.settings.clear_time
            return False
        self._conflict_until = now + self.settings.conflict_time
        return True

    def clearance(self, heading: float) -> float:
        """Metres from the hull to the first obstacle in the corridor towards `heading`.

        0 where the scan does not watch that direction: what is not seen is not free.
        """
        if heading not in self._clear:
            self._clear[heading] = self._clearance(heading)
        return self._clear[heading]

    def _clearance(self, heading: float) -> float:
        if self._scan is None or self._scan.coverage(heading, math.radians(30)) < 0.5:
            return 0.0
        half = self.settings.robot_radius + self.settings.corridor_margin
        cos, sin = math.cos(heading), math.sin(heading)
        ahead = [x * cos + y * sin for x, y in self._scan.points if abs(y * cos - x * sin) < half]
        return min((a for a in ahead if a > 0), default=math.inf) - self.settings.robot_radius

    def tick(self, now: float) -> GateOutput:
        """The velocity of this moment; call it at 50 Hz."""
        settings = self.settings
        gap = now - self._last_tick if self._last_tick is not None else 0.0
        self._last_tick = now
        reason = self._held_back(now, gap)
        if reason or self._wish is None:
            self._linear = self._angular = 0.0
            return GateOutput(0.0, 0.0, reason or 'idle')
        duration = min(gap, settings.loop_gap)
        linear, reason = self._allowed(now, self._wish.linear)
        angular = clamp(self._wish.angular, -settings.max_angular, settings.max_angular)
        self._linear = 0.0 if reason == 'obstacle' else ramp(
            self._linear, linear, settings.accel, settings.decel, duration)
        self._angular = ramp(self._angular, angular, settings.angular_accel,
                             settings.angular_accel, duration)
        if 'limits' in self._off:
            self._linear, self._angular = self._wish.linear, self._wish.angular
        return GateOutput(self._linear, self._angular, reason)

    def _held_back(self, now: float, gap: float) -> str:
        """Why nothing at all may move, or ''."""
        settings = self.settings
        if gap > settings.loop_gap and 'loop_gap' not in self._off:
            self._wish, self._resumed_at = None, now  # made before the freeze
            self._echo_quiet_until = now + 2.0 * settings.loop_gap  # own echoes are late too
            return 'loop_gap'
        if self._latched:
            return 'stopped'
        if (self._alive_at is not None and now - self._alive_at > settings.release_lease
                and 'release' not in self._off):
            self.stop(now)
            return 'command_lost'
        if fault := self.fault(now):
            return fault
        if (self._wish is not None and now - self._wish.arrived > settings.command_timeout
                and 'silence' not in self._off):
            self._wish = None
            return 'silent'
        return ''

    def fault(self, now: float) -> str:
        """What is wrong around the gate, latched or not; '' when nothing is."""
        settings = self.settings
        if now < self._conflict_until and 'conflict' not in self._off:
            return 'conflict'
        if now < self._held_until and 'conflict' not in self._off:
            return 'held_at_zero'
        if 'scan' not in self._off and (now - self._scan_arrived > settings.scan_timeout
                                        or self._good_scans < settings.good_scans):
            return self._unbelieved('scan', now) or 'sensor_lost:scan'
        if (fault := self._odometry.fault(now)) and 'odometry' not in self._off:
            return ((self._unbelieved('odom', now) if fault == 'silent' else '')
                    or f'localization_fault:{fault}')
        return ''

    def _unbelieved(self, topic: str, now: float) -> str:
        """Why a sensor that publishes is not heard, or not believed; '' where it is silent."""
        if topic in self._unheard:
            return f'qos_incompatible:{topic}'
        return f'clock_skew:{topic}' if self._stamps[topic].is_wrong(now) else ''

    def _allowed(self, now: float, wanted: float) -> tuple[float, str]:
        """The wanted linear speed within limits and in front of obstacles, and the reason."""
        settings = self.settings
        wanted = clamp(wanted, -settings.max_reverse, settings.max_linear)
        if wanted == 0.0 or 'obstacle' in self._off:
            return wanted, 'open'
        clear = self.clearance(0.0 if wanted > 0 else math.pi)
        if clear <= settings.stop_distance:
            self._obstacle_until = now + settings.clear_time
        if now < self._obstacle_until:
            return 0.0, 'obstacle'
        top = settings.max_linear
        if clear < settings.slow_zone:
            top = min(top, stopping_speed(clear - settings.stop_distance, settings.decel))
        if clear < settings.slow_distance:
            top = min(top, settings.slow_speed)
        return (clamp(wanted, -top, top), 'slow' if abs(wanted) > top else 'open')
