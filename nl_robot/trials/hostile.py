"""Scans and velocities that no sane program sends, and what the gate makes of them.

A scan of 360 beams looks all around; beam 180 looks ahead.
"""

from __future__ import annotations

import array
import math
import random
import time
from dataclasses import dataclass, field

from sensor_msgs.msg import LaserScan
from std_msgs.msg import Empty

from nl_robot.trials.rig import NoZeroError, Rig, wait_for

INF, NAN = math.inf, math.nan
FREE = (INF,) * 360


def ahead(value: float, beams: int = 1) -> tuple[float, ...]:
    """A free scan but for some beams ahead."""
    ranges, first = list(FREE), 180 - beams // 2
    ranges[first:first + beams] = [value] * beams
    return tuple(ranges)


@dataclass(frozen=True)
class HostileScan:
    """A scan and what must follow: no motion ahead, or motion.

    :param change: other fields of the message
    """

    name: str
    ranges: tuple[float, ...]
    moves: bool = False
    change: dict[str, float] = field(default_factory=dict)


SCANS = (
    HostileScan('all NaN', (NAN,) * 360),
    HostileScan('60 % NaN', (NAN,) * 216 + (INF,) * 144),
    HostileScan('40 % NaN, behind', (NAN,) * 72 + (INF,) * 216 + (NAN,) * 72, moves=True),
    HostileScan('blind ahead', ahead(NAN, 71)),
    HostileScan('all +inf', FREE, moves=True),
    HostileScan('all -inf', (-INF,) * 360),
    HostileScan('-inf ahead', ahead(-INF)),
    HostileScan('zero ahead', ahead(0.0)),
    HostileScan('minus zero ahead', ahead(-0.0)),
    HostileScan('negative ahead', ahead(-3.0)),
    HostileScan('nearer than range_min ahead', ahead(0.119)),
    HostileScan('0.30 m before the hull', ahead(0.50)),
    HostileScan('just out of the stop zone', ahead(0.75, 3), moves=True),
    HostileScan('beyond range_max ahead', ahead(9.0), moves=True),
    HostileScan('empty', ()),
    HostileScan('one beam', (INF,)),
    HostileScan('fewer beams than angles', FREE[:200]),
    HostileScan('more beams than angles', FREE + FREE),
    HostileScan('angle_increment NaN', FREE, change={'angle_increment': NAN}),
    HostileScan('angle_increment zero', FREE, change={'angle_increment': 0.0}),
    HostileScan('angle_increment backwards', FREE, change={'angle_increment': -math.pi / 180}),
    HostileScan('angle_min infinite', FREE, change={'angle_min': -INF}),
    HostileScan('range_min beyond range_max', FREE, change={'range_min': 9.0}),
    HostileScan('range_max NaN', FREE, change={'range_max': NAN}),
)


def message_of(rig: Rig, scan: HostileScan) -> LaserScan:
    """The scan as a message, stamped now."""
    message = rig.robot.scan_message()
    message.ranges = array.array('f', scan.ranges)
    for name, value in scan.change.items():
        setattr(message, name, value)
    return message


def hostile_scans(rig: Rig, repeats: int) -> list[float]:
    """Each hostile scan in the place of the robot's own, ten times a second for a second.

    :return: seconds to the first zero ahead that no motion ahead follows, for those that must stop
    """
    latencies = []
    for _ in range(repeats):
        for scan in SCANS:
            wish(rig)
            began, rig.robot.scan_source = time.monotonic(), lambda s=scan: message_of(rig, s)
            time.sleep(1.0)
            speeds = [(t, v) for t, v, _ in rig.robot.since(began)]
            rig.robot.scan_source = None
            end_wish(rig)
            latencies += _judged(scan, speeds, began)
    return latencies


def wish(rig: Rig) -> None:
    """Velocities for the gate without a command, and the robot really moves."""
    wait_for(lambda: rig.gate.get('fault') == '', 10.0, 'all senses')
    rig.release()
    rig.wish(0.2)
    wait_for(lambda: rig.robot.record and rig.robot.record[-1][1] > 0.1, 10.0, 'moves')


def end_wish(rig: Rig) -> None:
    """Stopped, as before."""
    rig.wish(None)
    rig.stop.publish(Empty())
    wait_for(lambda: rig.gate.get('latched') == 'true', 10.0, 'latched')
    rig.wait_ready()


def _judged(scan: HostileScan, speeds: list[tuple[float, float]], began: float) -> list[float]:
    """The latency of a scan that must stop; an error for one that wrongly did or did not."""
    moving = [t for t, v in speeds if v]
    if scan.moves:
        if not moving or moving[-1] - began < 0.8:
            raise NoZeroError(f'{scan.name}: it must not stop')
        return []
    zeros = [t for t, v in speeds if not v and (not moving or t > moving[-1])]
    if not zeros:
        raise NoZeroError(f'{scan.name}: no zero')
    return [zeros[0] - began]


def hostile_velocities(rig: Rig, repeats: int, count: int = 10_000) -> list[float]:
    """Random velocities on the gate's own input, a thousand a second.

    :return: how many of the velocities that left the gate were illegal, for each repeat
    """
    return [_illegal(rig, count) for _ in range(repeats)]


def _illegal(rig: Rig, count: int) -> float:
    rng, wild = random.Random(0), [NAN, INF, -INF, 1e9, -1e9, -0.0, 5e-324, 1.8e308, 0.3, -0.3]
    wish(rig)
    rig.wish(None)
    known, began = len(rig.robot.complaints), time.monotonic()
    for index in range(count):
        values = [rng.choice(wild) if rng.random() < 0.3 else rng.uniform(-2.0, 2.0)
                  for _ in range(2)]
        rig.publish_raw(*values)
        while time.monotonic() - began < index / 1000.0:
            time.sleep(0.0005)
    end_wish(rig)
    moved = [r for r in rig.robot.since(began) if r[1] or r[2]]
    if not moved:
        raise NoZeroError('nothing moved, so nothing was tried')
    illegal = len(rig.robot.complaints) - known
    del rig.robot.complaints[known:]
    return float(illegal)
