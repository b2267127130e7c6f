"""The life of an adaptation: explore, come back, learn, use; what interrupts it, and restarts."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from nl_robot.homes.adapting import (
    REASONS,
    Adapting,
    AdaptingSettings,
    KillTrainer,
    Order,
    StartTrainer,
    Use,
)
from nl_robot.homes.caretaker import Caretaker
from nl_robot.homes.store import Home, Homes
from nl_robot.homes.trainer import Trainer
from nl_robot.language.commands import Rejected, caveat, clean, control_word
from nl_robot.mission.command import Language, Mission, Release, SetGoal, Status, StopRobot

HERE = Path(__file__).resolve().parent
SETTINGS = AdaptingSettings(minutes=1.0, way_back=0.5, learning_limit=2.0, silence=30.0)


@pytest.fixture()
def home(tmp_path) -> Home:
    return Homes(tmp_path).open('flat', make=True)


def life(home: Home, now: float = 0.0) -> Adapting:
    return Adapting(home, SETTINGS, now)


def returning(effects) -> list[bool]:
    return [json.loads(e.text)['returning'] for e in effects if isinstance(e, Order) and e.text]


def version(home: Home, name: str = 'v0001') -> None:
    (home.versions.folder / name).mkdir(parents=True)
    home.versions.activate(name, 'better')


def explored(adapting: Adapting, now: float = 10.0):
    adapting.start(0.0)
    return adapting.status('a-explore-1', 'succeeded', 'explored', now)


def test_it_explores_comes_back_learns_and_uses(home):
    adapting = life(home)
    assert adapting.wake() == [Use('')]
    assert returning(adapting.start(0.0)) == [False]
    assert adapting.start(0.5) == []        # it is at it already
    adapting.status('a-explore-1', 'running', '', 1.0)
    assert adapting.tick(30.0) == [] and adapting.progress.phase == 'exploring'
    assert returning(adapting.tick(70.0)) == [True]
    assert adapting.progress.phase == 'returning' and adapting.progress.reason == 'budget_spent'
    assert adapting.status('a-explore-1', 'succeeded', 'explored', 80.0) == [Order(''),
                                                                            StartTrainer()]
    adapting.trainer_said({'phase': 'learning', 'losses': 'imitation 1.0', 'left': 9}, 81.0)
    assert adapting.told()['losses'] == 'imitation 1.0' and adapting.told()['phase'] == 'learning'
    version(home)
    assert adapting.trainer_ended(0, '', 90.0) == [Use(str(home.folder / 'checkpoints/v0001'))]
    assert (adapting.progress.phase, adapting.progress.reason) == ('done', 'activated')


def test_only_time_that_was_really_driven_is_spent(home):
    adapting = life(home)
    adapting.start(0.0)
    adapting.tick(50.0)                     # it waits for its turn
    adapting.status('a-explore-1', 'running', '', 50.0)
    adapting.tick(80.0)
    adapting.status('a-explore-1', 'superseded', 'by_new_command', 80.0)
    assert adapting.tick(500.0) == []       # a person's command
    assert adapting.progress.spent == pytest.approx(0.5)
    assert adapting.progress.phase == 'exploring'


@pytest.mark.parametrize('state', ['stopped', 'cancelled'])
def test_a_person_s_stop_ends_it_until_it_is_started_again(home, state):
    adapting = life(home)
    adapting.start(0.0)
    assert adapting.status('a-explore-1', state, 'by_topic', 1.0) == [Order('')]
    assert adapting.progress.phase == 'stopped'
    assert life(home).wake() == [Use('')]       # nor does a restart begin it again
    assert returning(adapting.start(2.0)) == [False]


@pytest.mark.parametrize(('phase', 'kind'), [('exploring', Order), ('returning', Order),
                                             ('learning', StartTrainer)])
def test_it_goes_on_after_a_restart(home, phase, kind):
    adapting = life(home)
    adapting.start(0.0)
    home.keep_progress(replace(adapting.progress, phase=phase, spent=0.4))
    again = life(home, 1000.0)
    effects = again.wake()
    assert [type(e) for e in effects] == [Use, kind] and again.progress.spent == 0.4
    if phase != 'learning':
        assert json.loads(effects[1].text)['run'] == adapting.progress.run


def test_a_battery_that_runs_low_turns_it_back(home):
    adapting = life(home)
    adapting.start(0.0)
    adapting.battery(0.26)
    assert adapting.tick(1.0) == []
    adapting.battery(0.24)
    assert returning(adapting.tick(2.0)) == [True]
    assert 'battery is at 24%' in adapting.told()['text']


def test_without_a_way_back_it_learns_where_it_is(home):
    adapting = life(home)
    adapting.start(0.0)
    adapting.battery(0.0)
    adapting.tick(1.0)
    assert adapting.tick(20.0) == []
    assert adapting.tick(40.0) == [Order(''), Order(''), StartTrainer()]


@pytest.mark.parametrize(('status', 'last', 'phase', 'reason'), [
    (1, '', 'done', 'refused'), (2, 'nl_robot: learning diverged: it is nan', 'failed',
                                 'trainer_failed'),
    (2, 'nl_robot: /x: No space left on device', 'failed', 'disk_full'),
    (2, 'nl_robot: /x: File too large', 'failed', 'disk_full'),
    (-9, '', 'failed', 'trainer_failed')])
def test_a_trainer_that_finds_nothing_better_changes_nothing(home, status, last, phase, reason):
    adapting = life(home)
    explored(adapting)
    assert adapting.trainer_ended(status, last, 20.0) == []
    assert (adapting.progress.phase, adapting.progress.reason) == (phase, reason)
    assert adapting.told()['version'] == 'base' and adapting.progress.reason in REASONS
    assert returning(adapting.start(30.0)) == [False]       # one may try again


@pytest.mark.parametrize(('later', 'memory', 'reason'), [
    (45.0, 0, 'trainer_silent'), (15.0, 4096, 'trainer_too_large')])
def test_a_trainer_out_of_bounds_is_killed(home, later, memory, reason):
    adapting = life(home)
    explored(adapting)
    assert adapting.tick(12.0, 1000) == []
    assert adapting.tick(later, memory) == [KillTrainer()]
    assert (adapting.progress.phase, adapting.progress.reason) == ('failed', reason)


def test_a_trainer_that_talks_for_ever_is_killed(home):
    adapting = life(home)
    explored(adapting)
    for second in range(10, 140):
        adapting.trainer_said({'phase': 'learning'}, float(second))
        if adapting.tick(float(second)):
            break
    assert adapting.progress.reason == 'trainer_too_long' and 125 < second < 135


def test_rolled_back_by_a_person_and_by_failures(home):
    version(home)
    adapting = life(home)
    assert adapting.wake() == [Use(str(home.folder / 'checkpoints/v0001'))]
    assert adapting.roll_back(0.0) == [Use('')]
    assert adapting.told()['reason'] == 'model_rollback:v0001→base'
    with pytest.raises(ValueError, match='nothing to roll back'):
        adapting.roll_back(1.0)
    version(home, 'v0002')
    assert adapting.status('a-1', 'unsure', '', 2.0) == []
    assert adapting.status('a-2', 'timeout', 'too_long_a_time', 3.0) == []
    assert adapting.status('a-3', 'unsure', '', 4.0) == [Use('')]
    assert adapting.told()['reason'] == 'model_rollback:v0002→base'
    assert '3 of the first 3' in adapting.told()['text']


def test_what_the_policy_refuses_is_rolled_back(home):
    version(home)
    adapting = life(home)
    path = str(home.versions.path('v0001'))
    assert adapting.rejected('/elsewhere', 'model_rejected:it is damaged', 0.0) == []
    assert adapting.rejected(path, 'model_rejected:it is damaged', 1.0) == [Use('')]
    assert adapting.told()['reason'] == 'model_rejected:it is damaged'


# ---- the mission, while nobody wants anything

LANGUAGE = Language(clean, control_word, caveat, Rejected)
ORDER = '{"run": "a", "returning": false}'


def mission(now: float = 0.0) -> Mission:
    made = Mission(LANGUAGE, 'm', now)
    alive(made, now, latched=True, stamp=now)
    return made


def alive(made: Mission, now: float, latched: bool = False, stamp: float = 0.0) -> list:
    made.policy_alive(now, ())
    return made.gate_report(now, latched, stamp, '')


def goals(effects) -> list[tuple[str, str]]:
    return [(e.words, e.kind) for e in effects if isinstance(e, SetGoal)]


def exploring(made: Mission, now: float = 1.0) -> list:
    alive(made, now, latched=True)
    assert made.leisure(ORDER, now) == []
    effects = made.tick(now + 0.1)
    assert made.exploring
    return effects


def test_it_explores_when_asked_and_ready():
    made = mission()
    effects = exploring(made)
    assert goals(effects) == [(ORDER, 'explore')] and Release(0.0) in effects
    assert isinstance(effects[0], Status) and '-explore-' in effects[0].id


def test_nothing_begins_while_something_is_missing():
    made = mission()
    made.policy_alive(1.0, ('scan',))
    made.leisure(ORDER, 1.0)
    assert made.tick(1.1) == []


def test_a_command_comes_first_and_exploring_goes_on_afterwards():
    made = mission()
    exploring(made)
    alive(made, 1.9)
    effects = made.command('go to the kitchen', 2.0)
    assert [e.state for e in effects if isinstance(e, Status)] == ['superseded', 'accepted']
    assert goals(effects) == [('go to the kitchen', '')]
    alive(made, 2.5)
    made.tick(2.5)
    made.policy_report(made.current.id, 'succeeded', '', '')
    alive(made, 3.0)
    assert made.tick(3.0) == []             # it leaves people a moment
    alive(made, 5.0)
    assert goals(made.tick(5.0)) == [(ORDER, 'explore')]


@pytest.mark.parametrize('how', ['stop', 'gate', 'cancel', 'words'])
def test_no_stop_is_ever_released_for_exploring(how):
    made = mission()
    exploring(made)
    if how == 'stop':
        effects = made.stop(2.0, 'by_topic')
    elif how == 'gate':
        effects = alive(made, 2.0, latched=True, stamp=2.0)
    elif how == 'cancel':
        effects = made.cancel(2.0, 'by_service')
    else:
        effects = made.command('STOP!!', 2.0)
    assert goals(effects) == [('', '')] and not made.exploring
    for now in range(3, 40):
        assert not any(isinstance(e, Release) for e in alive(made, now, how != 'cancel', 2.0))
        assert made.tick(float(now)) == []
    made.leisure('', 40.0)
    made.leisure(ORDER.replace('a', 'b'), 41.0)     # somebody started it again
    alive(made, 41.0, how != 'cancel', 2.0)
    assert made.exploring or goals(made.tick(41.1))


def test_a_stop_between_two_explorations_holds():
    made = mission()
    exploring(made)
    alive(made, 1.9)
    alive(made, 1.9)
    made.command('go to the kitchen', 2.0)
    made.policy_report(made.current.id, 'succeeded', '', '')
    alive(made, 2.8)
    alive(made, 3.0, latched=True, stamp=2.9)       # at the gate itself, while nothing ran
    for now in range(6, 20):
        alive(made, float(now), latched=True, stamp=2.9)
        assert made.tick(float(now)) == []


def test_after_a_lost_policy_it_goes_on_by_itself():
    made = mission()
    exploring(made)
    alive(made, 1.5)
    made.gate_report(3.0, False, 0.0, '')
    effects = made.tick(3.0)
    assert StopRobot() in effects and not made.exploring
    alive(made, 9.0, latched=True, stamp=3.1)       # the mission's own stop
    effects = made.tick(9.0)
    assert goals(effects) == [(ORDER, 'explore')] and Release(3.1) in effects


def test_after_a_restarted_gate_it_goes_on_by_itself():
    made = mission()
    exploring(made)
    made.policy_alive(4.0, ())
    assert StopRobot() in made.tick(4.0)
    alive(made, 9.0, latched=True, stamp=8.5)       # a gate begins latched
    assert Release(8.5) in made.tick(9.0)


@pytest.mark.parametrize('fault', ['conflict', 'localization_fault:jump'])
def test_a_fault_of_the_gate_ends_it_and_it_waits_until_that_is_over(fault):
    made = mission()
    exploring(made)
    made.policy_alive(4.0, ())
    effects = made.gate_report(4.0, False, 0.0, fault)
    assert StopRobot() in effects and not made.exploring and made.last.reason == fault
    made.policy_alive(9.0, ())
    assert made.gate_report(9.0, True, 4.1, fault) == [] and made.tick(9.0) == []
    alive(made, 10.0, latched=True, stamp=4.1)      # the mission's own stop
    assert Release(4.1) in made.tick(10.0) and made.exploring


def test_what_the_bridge_lacks_is_waited_for():
    made = mission()
    alive(made, 1.0, latched=True)
    made.bridge_report(1.0, ('nav2',), '', '')
    made.leisure(ORDER, 1.0)
    assert made.tick(1.1) == []
    made.bridge_report(1.2, (), '', '')
    assert goals(made.tick(1.3)) == [(ORDER, 'explore')]


def test_after_a_restart_of_the_mission_itself_it_goes_on():
    before = Status('m-explore-1', 'running', words='explore')
    made = mission(now=20.0)
    ended = made.interrupted(before, 20.1)
    assert StopRobot() in ended and ended[-1].reason == 'interrupted'
    assert 'say it again' not in ended[-1].text
    made.leisure(ORDER, 20.15)                      # what was ordered is latched
    alive(made, 20.3, latched=True, stamp=20.2)     # the mission's own stop arrives after it
    assert Release(20.2) in made.tick(20.5)


def test_what_was_explored_is_not_explored_again():
    made = mission()
    exploring(made)
    made.policy_report(made.current.id, 'succeeded', 'explored', '')
    alive(made, 9.0)
    assert made.tick(9.0) == []
    back = ORDER.replace('false', 'true')
    made.leisure(back, 10.0)
    alive(made, 10.0)
    assert goals(made.tick(10.1)) == [(back, 'explore')]


def test_another_order_takes_its_place_and_none_ends_it():
    made = mission()
    exploring(made)
    back = ORDER.replace('false', 'true')
    assert goals(made.leisure(back, 2.0)) == [(back, 'explore')]
    assert made.leisure(back, 2.1) == []
    assert goals(made.leisure('', 3.0)) == [('', '')] and not made.exploring


# ---- the process that learns

def trainer(tmp_path, what: str) -> Trainer:
    return Trainer([what], tmp_path / 'log', 'fake_trainer')


@pytest.fixture()
def fake_module(monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(HERE))
    assert (HERE / 'fake_trainer.py').exists()


def ended(one: Trainer, seconds: float = 20.0) -> int:
    deadline = time.monotonic() + seconds
    while (status := one.ended()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return status


def test_facts_and_last_words(tmp_path, fake_module):
    one = trainer(tmp_path, 'talk')
    assert ended(one) == 2
    gives_way = min(19, os.nice(0) + 10)
    assert one.facts() == [{'phase': 'learning', 'nice': gives_way}, {'phase': 'done'}]
    assert one.last_words() == 'nl_robot: learning diverged'


def test_a_hanging_one_is_watched_and_killed(tmp_path, fake_module):
    one = trainer(tmp_path, 'hang')
    assert one.ended() is None and one.facts() == []
    deadline = time.monotonic() + 10
    while one.memory() < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert one.memory() >= 5
    one.kill()
    assert ended(one) == -9
    one.kill()


def test_the_caretaker_kills_a_trainer_that_hangs(tmp_path, fake_module, monkeypatch):
    care = Caretaker(Homes(tmp_path), replace(SETTINGS, silence=0.5), '', str(tmp_path),
                     'fake_trainer')
    monkeypatch.setattr(Caretaker, '_arguments', lambda self: ['hang'])
    said = care.enter('flat', 0.0, 0.0)
    assert ('home', str((tmp_path / 'flat').resolve())) in said and ('checkpoint', '') in said
    assert care.start(0.0)[:2] == (True, 'exploring')
    assert ('explore', '') in care.status({'id': 'a-explore-1', 'state': 'succeeded'}, 1.0)
    process = care._trainer
    assert process.ended() is None and care.tick(1.2) == []
    care.tick(2.0)
    assert ended(process) == -9 and care.life.progress.reason == 'trainer_silent'
    assert care.roll_back(3.0)[0] is False
    assert care.stop(4.0)[:2] == (False, 'nothing was going on')


def test_what_learns_is_asked_for_by_name(tmp_path):
    care = Caretaker(Homes(tmp_path), SETTINGS, '/my/agent', '/cache')
    care.enter('flat', 0.0, 0.0)
    assert care._arguments() == [
        'adapt', '--home', 'flat', '--homes', str(tmp_path), '--learn-only', '--json',
        '--learning', '6.0m', '--cache', '/cache', '--checkpoint', '/my/agent']
    assert sys.executable
