"""One function for each fault: it happens on purpose, and the answer is how long it mattered.

Each takes a rig whose nodes run, does its fault `repeats` times, and gives one number a time:
seconds from just before the fault to the first zero on cmd_vel that no motion follows, on one
steady clock, unless it says otherwise.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from functools import partial

from std_msgs.msg import Empty

from nl_robot.mission.command import TERMINAL
from nl_robot.trials.machine import Burners
from nl_robot.trials.rig import NoZeroError, Rig, wait_for

PATIENCE = 30.0    # seconds until the nodes must be ready again after a fault


def drive(rig: Rig, words: str = 'drive on') -> float:
    """A command is accepted and the robot really moves; gives the moment it was said.

    After a fault the nodes need a while to be ready again; a refusal is asked again.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        said = rig.say(words)
        if _answer(rig, said) == 'accepted':
            break
        if time.monotonic() > deadline:
            raise AssertionError(f'not accepted: {rig.events(said)}')
        time.sleep(0.2)
    wait_for(lambda: rig.robot.record and rig.robot.record[-1][1] > 0.1, PATIENCE,
             f'drives; gate: {rig.gate}; heard: {rig.events(said)}')
    return said


def _answer(rig: Rig, said: float) -> str:
    """Wait until the command of that moment is accepted or rejected."""
    def answers() -> list[str]:
        return [e['state'] for e in rig.events(said) if e['state'] in ('accepted', 'rejected')]
    wait_for(answers, PATIENCE, 'an answer')
    return answers()[0]


def _zero_after(rig: Rig, act: Callable[[], object], hold: float = 0.3) -> float:
    return rig.stop_latency(act, within=3.0, hold=hold, exact=True)


def _stop(rig: Rig) -> float:
    return _zero_after(rig, lambda: rig.stop.publish(Empty()), 0.15)


def _moving(rig: Rig) -> None:
    drive(rig)


def _accepted(rig: Rig) -> None:
    said = rig.say('drive on')
    rig.wait_state('accepted', said)


def _deciding(rig: Rig) -> None:
    _accepted_with(rig, 'drive on and ponder 0.4')
    time.sleep(0.15)


def _decided_in_python(rig: Rig) -> None:
    _accepted_with(rig, 'drive on and grind 0.4')
    time.sleep(0.15)


def _accepted_with(rig: Rig, words: str) -> None:
    said = rig.say(words)
    rig.wait_state('accepted', said)


def _cancelling(rig: Rig) -> None:
    drive(rig)
    rig.say('cancel')


def _idle(rig: Rig) -> None:
    rig.wait_ready()


def _blind(rig: Rig) -> None:
    drive(rig)
    rig.robot.scan_on = False
    time.sleep(0.2)


STATES = {'moving': _moving, 'accepted': _accepted, 'deciding': _deciding,
          'deciding, holding the interpreter': _decided_in_python, 'cancelling': _cancelling,
          'idle': _idle, 'blind': _blind}


def stop(rig: Rig, repeats: int) -> list[float]:
    """A protective stop by topic, in every state in turn."""
    latencies = []
    for index in range(repeats):
        list(STATES.values())[index % len(STATES)](rig)
        latencies.append(_stop(rig))
        rig.robot.scan_on = True
        rig.wait_ready()
    return latencies


def stop_overloaded(rig: Rig, repeats: int) -> list[float]:
    """A protective stop of a moving robot while every core is wanted by two endless loops more."""
    latencies: list[float] = []
    for _ in range(5 * repeats):
        drive(rig)
        with Burners(2):
            time.sleep(1.0)
            moving = rig.robot.moving    # a policy that starves stops by itself: try again
            latencies += [_stop(rig)] if moving else []
        rig.stop.publish(Empty())
        rig.wait_ready()
        if len(latencies) == repeats:
            return latencies
    raise AssertionError(f'moved only {len(latencies)} times under the load')


def _frozen(rig: Rig, name: str, repeats: int, thaw_after: float) -> list[float]:
    latencies = []
    for _ in range(repeats):
        drive(rig)
        latencies.append(_zero_after(rig, lambda: rig.signal(name, signal.SIGSTOP)))
        time.sleep(thaw_after)
        thawed = time.monotonic()
        rig.signal(name, signal.SIGCONT)
        time.sleep(0.5)
        rig.stop.publish(Empty())
        if name == 'safety_gate':
            moved = [r for r in rig.robot.since(thawed) if r[1] or r[2]]
            assert len(moved) <= 1, f'{len(moved)} velocities from before the freeze'
        rig.wait_ready()
    return latencies


def _killed(rig: Rig, name: str, repeats: int) -> list[float]:
    latencies = []
    for _ in range(repeats):
        drive(rig)
        latencies.append(_zero_after(rig, lambda: rig.signal(name, signal.SIGKILL), 0.6))
        rig.gate = {} if name == 'safety_gate' else rig.gate
        began = time.monotonic()
        rig.restart(name)
        rig.wait_ready()
        assert not any(v or w for _, v, w in rig.robot.since(began)), 'it moved by itself'
    return latencies


def bridge_frozen(rig: Rig, repeats: int) -> list[float]:
    """Whoever wants velocities falls silent."""
    return _frozen(rig, 'bridge', repeats, 0.0)


def bridge_killed(rig: Rig, repeats: int) -> list[float]:
    """Whoever wants velocities is killed, and started again."""
    return _killed(rig, 'bridge', repeats)


def gate_killed(rig: Rig, repeats: int) -> list[float]:
    """The gate is killed; the standby says zero, and a new gate starts stopped."""
    return _killed(rig, 'safety_gate', repeats)


def gate_frozen(rig: Rig, repeats: int) -> list[float]:
    """The gate is frozen, and thawed; nothing from before is executed."""
    return _frozen(rig, 'safety_gate', repeats, 1.0)


def policy_killed(rig: Rig, repeats: int) -> list[float]:
    """The policy is killed, and started again."""
    return _killed(rig, 'policy', repeats)


def command_killed(rig: Rig, repeats: int) -> list[float]:
    """The command node is killed, and started again: nobody could be heard any more."""
    latencies = []
    for _ in range(repeats):
        said = drive(rig)
        id_ = rig.events(said)[0]['id']
        latencies.append(_zero_after(rig, lambda: rig.signal('command', signal.SIGKILL), 0.6))
        rig.restart('command')
        rig.wait_ready()
        ends = [(e['state'], e['reason']) for e in rig.events(said, id_) if e['state'] in TERMINAL]
        assert ends == [('failed', 'interrupted')], f'it ended as {ends}'
    return latencies


def policy_frozen(rig: Rig, repeats: int) -> list[float]:
    """The policy is frozen for more than a second, and thawed; nothing moves by itself after."""
    latencies = []
    for _ in range(repeats):
        said = drive(rig)
        latencies.append(_zero_after(rig, lambda: rig.signal('policy', signal.SIGSTOP), 0.6))
        rig.wait_state('failed', said)
        thawed = time.monotonic()
        rig.signal('policy', signal.SIGCONT)
        time.sleep(2.0)
        assert not any(v or w for _, v, w in rig.robot.since(thawed)), 'moved by what was before'
        rig.wait_ready()
    return latencies


def scan_lost(rig: Rig, repeats: int) -> list[float]:
    """The laser falls silent, and comes back."""
    latencies = []
    for _ in range(repeats):
        drive(rig)
        latencies.append(_zero_after(rig, lambda: setattr(rig.robot, 'scan_on', False)))
        rig.robot.scan_on = True
        rig.stop.publish(Empty())
        wait_for(lambda: rig.gate.get('fault') == '', PATIENCE, 'the scan again')
        rig.wait_ready()
    return latencies


SHIFTS = (-1.0, -3600.0, 10.0, -1e12)     # seconds; the last makes stamps of zero


def stamps_shift(rig: Rig, repeats: int) -> list[float]:
    """The stamps of the laser shift while its scans arrive at the usual rate."""
    latencies = []
    for index in range(repeats):
        said = drive(rig)
        shift = SHIFTS[index % len(SHIFTS)]
        latencies.append(_zero_after(rig, partial(setattr, rig.robot, 'scan_shift', shift)))
        wait_for(partial(_tells, rig, 'clock_skew:scan'), 2.0, f'a name for it; gate: {rig.gate}')
        assert rig.wait_state('failed', said)['state'] == 'failed'
        rig.robot.scan_shift = 0.0
        rig.wait_ready(60.0)
    return latencies


def _tells(rig: Rig, fault: str) -> bool:
    return rig.gate.get('fault', '').startswith(fault)


def odometry_jumps(rig: Rig, repeats: int) -> list[float]:
    """Odometry jumps by five metres."""
    latencies = []
    for _ in range(repeats):
        said = drive(rig)
        latencies.append(_zero_after(rig, lambda: setattr(rig.robot, 'jump', 5.0)))
        assert rig.wait_state('failed', said)['reason'] == 'localization_fault:jump'
        rig.robot.jump = 0.0
        rig.wait_ready()
    return latencies


def odometry_lost(rig: Rig, repeats: int) -> list[float]:
    """Odometry falls silent, and comes back."""
    latencies = []
    for _ in range(repeats):
        drive(rig)
        latencies.append(_zero_after(rig, lambda: setattr(rig.robot, 'odom_on', False)))
        rig.robot.odom_on = True
        rig.wait_ready()
    return latencies


def obstacle(rig: Rig, repeats: int) -> list[float]:
    """Something appears 0.30 m ahead of the hull; zero linear speed counts."""
    latencies = []
    for _ in range(repeats):
        drive(rig)
        began = time.monotonic()
        rig.robot.obstacle(0.50)
        time.sleep(0.6)
        slow = [t for t, v, _ in rig.robot.since(began) if v == 0.0]
        if not slow or any(v for t, v, _ in rig.robot.since(slow[0])):
            raise NoZeroError('it drives on towards the obstacle')
        latencies.append(slow[0] - began)
        rig.robot.obstacle(float('inf'))
        rig.stop.publish(Empty())
        rig.wait_ready()
    return latencies


def cancel(rig: Rig, repeats: int) -> list[float]:
    """Cancelled 0 to 200 ms after it was said, by words and by service in turn.

    :return: 0 for each that ended as `cancelled` and stayed so, 1 for each other
    """
    failures: list[float] = []
    while len(failures) < repeats:
        index = len(failures)
        rig.wait_ready()
        said = rig.say('drive 1 time')
        time.sleep(0.2 * index / max(1, repeats - 1))
        if index % 2:
            rig.call_async('cancel')
        else:
            rig.say('cancel')
        if _answer(rig, said) == 'rejected':
            continue    # it was not ready any more, so there was nothing to cancel
        wait_for(partial(_ends, rig, said), 60.0, f'an end of {rig.events(said)}')
        time.sleep(0.3)
        failures.append(float(_ends(rig, said) != ['cancelled']))
    return failures


def _ends(rig: Rig, said: float) -> list[str]:
    """The terminal states of the first command since a moment."""
    events = rig.events(said)
    first = next((e['id'] for e in events if e['state'] == 'accepted'), None)
    return [e['state'] for e in events if e['id'] == first and e['state'] in TERMINAL]


def _answered(rig: Rig, before: int, count: int) -> bool:
    """True when that many commands have got an answer since so many statuses before."""
    return len({v['id'] for _, v in rig.statuses[before:]
                if v['state'] in ('accepted', *TERMINAL)}) >= count


def flood(rig: Rig, repeats: int, count: int = 10_000, rate: float = 1000.0) -> list[float]:
    """Ten thousand commands in ten seconds, and one stop at a random place among them."""
    latencies = []
    for _ in range(repeats):
        drive(rig)
        before, place = len(rig.statuses), random.Random(repeats).randrange(count // 2, count)
        began = time.monotonic()
        for index in range(count):
            rig.say('go to the kitchen' if index % 2 else '')
            if index == place:
                stopped = time.monotonic()
                rig.stop.publish(Empty())
            while time.monotonic() - began < index / rate:
                time.sleep(0.0005)
        wait_for(partial(_answered, rig, before, count), PATIENCE, 'an answer to each')
        zero = next(t for t, v, w in rig.robot.since(stopped) if v == w == 0.0)
        latencies.append(zero - stopped)
        ends = [v['id'] for _, v in rig.statuses[before:] if v['state'] in TERMINAL]
        assert len(ends) == len(set(ends)), 'a command ended twice'
        rig.stop.publish(Empty())
        time.sleep(2.5)
        rig.wait_ready()
    return latencies
