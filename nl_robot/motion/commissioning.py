"""Does this base stop by itself when nobody commands it any more?  A pure state machine.

Several widely used bases go on with the last command for ever.  Then a gate that dies leaves a
driving robot, and only its standby is left.  So before a real robot is used, it drives 0.05 m/s
for one second, hears nothing more, and must have come to rest one second later.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

REASONS = {
    '': 'it stops by itself',
    'no_odometry': 'no odometry is heard; publish odom',
    'no_scan': 'no laser scan is heard; publish scan',
    'not_at_rest': 'the base moves before anything was commanded',
    'no_clear_way': 'there is less than 0.6 m of free space ahead; turn the robot around',
    'did_not_move': 'the base does not obey cmd_vel; is it enabled, and is the type of cmd_vel '
                    'right (--stamped)?',
    'kept_driving': 'the base keeps driving after its commands ended; set its own time-out of '
                    'cmd_vel to 0.5 s or less, or do not use it',
    'odometry_lost': 'odometry fell silent in between',
    'ended': 'it was ended before it was over',
}


@dataclass(frozen=True)
class CommissioningResult:
    """What was measured.

    :param stopped_after: seconds from the last command to rest; nan when it never came
    :param distance: metres driven from the first command to the end
    """

    robot: str
    passed: bool
    reason: str
    stopped_after: float
    distance: float


@dataclass(frozen=True)
class CommissioningSettings:
    """Metres, seconds, m/s; the first four are what SAFETY promises."""

    speed: float = 0.05
    drive_time: float = 1.0
    must_stop_within: float = 1.0
    rest_speed: float = 0.01
    clear_way: float = 0.6
    patience: float = 10.0
    settle: float = 0.5
    odom_timeout: float = 0.5
    window: float = 0.1
    brake_time: float = 0.5


class Commissioning:
    """Feed it odometry and clearances; `tick` gives the speed to command, or None: say nothing.

    Its phases are waiting, driving, listening, braking, done; then `result` is there.
    """

    def __init__(self, robot: str, now: float, settings: CommissioningSettings | None = None
                 ) -> None:
        self.settings = settings or CommissioningSettings()
        self.phase = 'waiting'
        self._robot, self._began, self._since = robot, now, now
        self._track: deque[tuple[float, float, float]] = deque(maxlen=400)
        self._speed, self._clear = math.inf, -1.0
        self._start: tuple[float, float] | None = None
        self.result: CommissioningResult | None = None

    def odometry(self, now: float, x: float, y: float, speed: float) -> None:
        """Take a pose and the speed that odometry tells, m/s.

        The speed counts that is larger: the one told, or the one that the poses show.
        """
        self._track.append((now, x, y))
        older = [p for p in self._track if now - p[0] >= self.settings.window]
        if older:
            seconds, x0, y0 = older[-1]
            speed = max(abs(speed), math.hypot(x - x0, y - y0) / (now - seconds))
        self._speed = abs(speed)

    def clearance(self, metres: float) -> None:
        """Take the free way ahead."""
        self._clear = metres

    def tick(self, now: float) -> float | None:
        """The speed to command now; call it at 20 Hz or more."""
        if self.phase in ('driving', 'listening') and self._silent(now):
            self._finish(now, 'odometry_lost', math.nan)
        if self.phase == 'waiting':
            self._wait(now)
        elif self.phase == 'driving':
            return self._drive(now)
        elif self.phase == 'listening':
            self._listen(now)
        if self.phase == 'braking':
            if now - self._since > self.settings.brake_time:
                self.phase = 'done'
            return 0.0
        return self.settings.speed if self.phase == 'driving' else None

    def abandon(self, now: float) -> None:
        """End it before it is over."""
        if self.result is None:
            self._finish(now, 'ended', math.nan)

    def _silent(self, now: float) -> bool:
        return not self._track or now - self._track[-1][0] > self.settings.odom_timeout

    def _wait(self, now: float) -> None:
        """Until the robot was heard, at rest and with room ahead, for a while."""
        trouble = ('no_odometry' if self._silent(now) else
                   'no_scan' if self._clear < 0 else
                   'not_at_rest' if self._speed > self.settings.rest_speed else
                   'no_clear_way' if self._clear < self.settings.clear_way else '')
        if trouble:
            self._since = now
            if now - self._began > self.settings.patience:
                self._finish(now, trouble, math.nan)
        elif now - self._since >= self.settings.settle:
            self.phase, self._since, self._start = 'driving', now, self._track[-1][1:]

    def _drive(self, now: float) -> float | None:
        if now - self._since < self.settings.drive_time:
            return self.settings.speed
        if self._driven() < 0.2 * self.settings.speed * self.settings.drive_time:
            self._finish(now, 'did_not_move', math.nan)
            return 0.0
        self.phase, self._since = 'listening', now
        return None

    def _listen(self, now: float) -> None:
        waited = now - self._since
        if self._speed <= self.settings.rest_speed:
            self._finish(now, '', waited)
        elif waited > self.settings.must_stop_within:
            self._finish(now, 'kept_driving', math.nan)

    def _driven(self) -> float:
        if self._start is None:
            return 0.0
        return math.hypot(self._track[-1][1] - self._start[0], self._track[-1][2] - self._start[1])

    def _finish(self, now: float, reason: str, stopped_after: float) -> None:
        self.phase, self._since = 'braking', now
        self.result = CommissioningResult(self._robot, not reason, reason,
                                          round(stopped_after, 3), round(self._driven(), 3))


def result_path(robot: str) -> Path:
    """Where the result of a robot is kept.

    :raises ValueError: the name would not be a file's name
    """
    if not re.fullmatch(r'[A-Za-z0-9_.-]{1,64}', robot) or robot.startswith('.'):
        raise ValueError(f'robot must be letters, digits, _, - and ., got {robot!r}')
    home = Path(os.environ.get('ROS_HOME') or Path.home() / '.ros')
    return home / 'nl_robot' / f'commissioned-{robot}.json'


def write_result(path: Path, result: CommissioningResult) -> None:
    """Replace the file as a whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {key: None if isinstance(value, float) and math.isnan(value) else value
              for key, value in asdict(result).items()}
    temporary = path.with_suffix('.tmp')
    temporary.write_text(json.dumps(values, indent=1) + '\n', encoding='utf-8')
    os.replace(temporary, path)


def check_commissioned(path: str, robot: str) -> None:
    """Return when the file says that this robot passed.

    :raises ValueError: says why real_robot cannot be used, and what to do
    """
    again = f'run `nl_robot commission --robot {robot}` beside it, with 0.6 m free ahead'
    try:
        values = json.loads(Path(path).read_text(encoding='utf-8'))
        named, passed, reason = values['robot'], values['passed'], values['reason']
    except FileNotFoundError:
        raise ValueError(f'real_robot needs a commissioned base, and there is no {path}: '
                         f'{again}') from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f'real_robot needs a commissioned base, and {path} cannot be read '
                         f'({error}): {again}') from error
    if named != robot:
        raise ValueError(f'real_robot: {path} is about the robot {named!r}, not {robot!r}: '
                         f'{again}')
    if passed is not True:
        raise ValueError(f'real_robot: this base failed: {REASONS.get(reason, reason)}; '
                         f'then {again}')
