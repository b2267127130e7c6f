"""Command, policy, bridge and gate together over real DDS, with a scripted agent."""

from __future__ import annotations

import signal
import statistics
import time

import pytest
from node_rig import TERMINAL, Rig, wait_for
from std_msgs.msg import Empty


def begin(road: Rig, words: str) -> tuple[str, float]:
    """Say a command and wait for its acceptance; gives its id and the moment it was said."""
    said = road.say(words)
    return road.wait_state('accepted', said)['id'], said


def test_a_command_drives_and_succeeds_once(road: Rig) -> None:
    x, y = road.robot.x, road.robot.y
    id_, said = begin(road, 'please drive 1 time')
    wait_for(lambda: [e for e in road.events(said, id_) if e['state'] in TERMINAL], 40, 'the end')
    time.sleep(0.7)
    events = road.events(said, id_)
    assert [e['state'] for e in events] == ['accepted', 'running', 'running', 'succeeded']
    assert 'sees' in events[1]['text'] and 'chose' in events[1]['text']
    assert ((road.robot.x - x) ** 2 + (road.robot.y - y) ** 2) ** 0.5 > 2.0
    assert sum(v['state'] in TERMINAL for _, v in road.heard(said)) == 1


def test_accepted_within_50_ms(road: Rig) -> None:
    waits = []
    for _ in range(9):
        said = road.say('drive on')
        road.wait_state('accepted', said)
        waits.append(next(t for t, v in road.heard(said) if v['state'] == 'accepted') - said)
        time.sleep(0.15)
    print(f'accepted after: median {statistics.median(waits) * 1e3:.1f} ms, '
          f'worst {max(waits) * 1e3:.1f} ms of {len(waits)}')
    assert statistics.median(waits) <= 0.05  # the worst also holds what others do on the machine
    road.call('cancel')


def test_already_there_and_unsure(road: Rig) -> None:
    id_, said = begin(road, 'drive 0 times')
    assert road.wait_state('succeeded', said)['reason'] == 'already_there'
    x, y = road.robot.x, road.robot.y
    id_, said = begin(road, 'drive 0 times in doubt')
    assert road.wait_state('unsure', said, 40)['id'] == id_
    events = road.events(said, id_)     # it looked on once before it said so
    assert [e['state'] for e in events] == ['accepted', 'running', 'running', 'unsure']
    assert 'chose stop, but looks on' in events[1]['text'] and 'looks on' not in events[2]['text']
    assert ((road.robot.x - x) ** 2 + (road.robot.y - y) ** 2) ** 0.5 > 0.3


def test_a_new_command_supersedes_the_old_one(road: Rig) -> None:
    first, said = begin(road, 'drive on')
    road.wait_moving()
    again = road.say('drive further')
    second = road.wait_state('accepted', again)['id']
    order = [(e['id'], e['state']) for e in road.events(again) if e['state'] != 'running']
    assert order[:2] == [(first, 'superseded'), (second, 'accepted')]
    road.wait_moving()
    road.call('cancel')
    road.wait_state('cancelled', again)
    wait_for(lambda: not road.robot.moving, 3.0, 'comes to rest')


def test_cancel_in_words_and_by_service(road: Rig) -> None:
    _, said = begin(road, 'drive on')
    road.wait_moving()
    road.say('cancel')
    assert road.wait_state('cancelled', said)['reason'] == 'by_command'
    wait_for(lambda: not road.robot.moving, 3.0, 'comes to rest')
    assert not road.call('cancel').success


WAYS = {'topic': lambda road: road.stop.publish(Empty()),
        'words': lambda road: road.say('STOP!!'),
        'zero-width words': lambda road: road.say('st\u200bop'),
        'service': lambda road: road.call('stop')}


@pytest.mark.parametrize('way', WAYS)
def test_stop_while_moving(road: Rig, way: str) -> None:
    latencies = []
    for _ in range(4):
        id_, said = begin(road, 'drive on')
        road.wait_moving()
        latencies.append(road.stop_latency(lambda: WAYS[way](road), hold=0.5, exact=True))
        assert road.wait_state('stopped', said)['id'] == id_
    print(f'stop by {way}: worst {max(latencies) * 1e3:.1f} ms of {len(latencies)}')
    assert max(latencies) <= 0.1


def test_stop_during_inference_worst_of_20(road: Rig) -> None:
    latencies = []
    for _ in range(20):
        _, said = begin(road, 'drive on and ponder 0.3')
        time.sleep(0.15)  # in the middle of the first decision
        began = time.monotonic()
        road.stop.publish(Empty())
        wait_for(lambda b=began: road.gate.get('latched') == 'true' and road.robot.since(b), 2.0,
                 'zero')
        latencies.append(road.robot.since(began)[0][0] - began)
        road.wait_state('stopped', said)
        assert not road.robot.moving
    print(f'stop during inference: worst {max(latencies) * 1e3:.1f} ms of {len(latencies)}')
    assert max(latencies) <= 0.1 + road.slack(time.monotonic() - 30.0)


def test_after_a_stop_only_a_new_command_moves(road: Rig) -> None:
    _, said = begin(road, 'drive on')
    road.wait_moving()
    road.stop.publish(Empty())
    road.wait_state('stopped', said)
    stopped = time.monotonic()
    time.sleep(2.0)
    assert not any(v or w for _, v, w in road.robot.since(stopped + 0.1 + road.slack(stopped)))
    begin(road, 'drive on')
    road.wait_moving()
    road.call('stop')


REJECTED = {'': 'empty', '   ': 'empty', '\x1b[31m\x07\x01': 'empty', 'x' * 3000: 'too_long',
            'go ' * 1000: 'too_long', '?!…': 'unreadable', 'louder': 'unsupported:louder'}


@pytest.mark.parametrize('words', REJECTED, ids=lambda w: repr(w[:12]))
def test_one_clear_rejection_within_50_ms(road: Rig, words: str) -> None:
    time.sleep(0.15)  # the bucket of the rate fills
    waits = []
    for _ in range(3):
        said = road.say(words)
        rejected = road.wait_state('rejected', said, 2.0)
        waits.append(next(t for t, v in road.heard(said) if v['state'] == 'rejected') - said)
        assert rejected['reason'] == REJECTED[words] and rejected['text'].endswith('.')
        time.sleep(0.2)
        assert len([1 for _, v in road.heard(said) if v['state'] in TERMINAL]) == 1
    assert min(waits) <= 0.05 + road.slack(time.monotonic() - 2.0)


def test_a_thousand_commands_a_second_and_a_stop_among_them(road: Rig) -> None:
    _, said = begin(road, 'drive on')
    road.wait_moving()
    time.sleep(0.5)
    before, count = len(road.statuses), 1500
    began = time.monotonic()
    for index in range(count):
        road.say('go to the kitchen' if index % 2 else '')
        while time.monotonic() - began < index / 1000.0:
            time.sleep(0.0005)
        if index == 1000:
            stopped = time.monotonic()
            road.stop.publish(Empty())
    wait_for(lambda: len({v['id'] for _, v in road.statuses[before:] if v['state'] in TERMINAL
                          or v['state'] == 'accepted'}) >= count, 10.0, 'an answer to each')
    zero = next(t for t, v, w in road.robot.since(stopped) if v == w == 0.0)
    print(f'stop in the flood: {(zero - stopped) * 1e3:.1f} ms')
    assert zero - stopped <= 0.1 + road.slack(stopped)
    terminal = [v['id'] for _, v in road.statuses[before:] if v['state'] in TERMINAL]
    assert len(terminal) == len(set(terminal))
    reasons = [v['reason'] for _, v in road.statuses[before:] if v['state'] == 'rejected']
    assert 'rate_limited' in reasons and 'empty' in reasons
    road.say('stop')
    assert road.processes['command'].poll() is None
    time.sleep(2.2)  # the bucket fills


def test_every_node_tells_its_health(road: Rig) -> None:
    names = {'/safety_gate', '/bridge', '/command', '/policy'}
    wait_for(lambda: {n for n, text in road.health.items() if text == 'running'} >= names - {
        '/safety_gate'} and '/safety_gate' in road.health, 5.0, 'health of all')


def test_commands_that_wait_while_a_stop_overtakes_them_never_begin(road: Rig) -> None:
    road.wait_ready()
    command = road.processes['command']
    command.send_signal(signal.SIGSTOP)
    said = time.monotonic()
    for _ in range(30):     # they wait in the queue, and the stop in another
        road.say('drive on')
    time.sleep(0.2)
    road.stop.publish(Empty())
    time.sleep(0.2)
    command.send_signal(signal.SIGCONT)

    def ends() -> dict[str, str]:
        return {v['id']: v['state'] for _, v in road.heard(said) if v['state'] in TERMINAL}
    wait_for(lambda: len(ends()) == 30, 10.0, 'an end of each')
    time.sleep(1.0)
    assert not any(v or w for _, v, w in road.robot.since(said)), road.events(said)[-3:]
    assert len(ends()) == 30
    assert 'stopped' in ends().values()
    begin(road, 'drive on')
    road.call('cancel')
