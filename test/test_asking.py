"""Which of two places is meant: the question, its answer, and what becomes of it without one."""

from __future__ import annotations

import pytest
from test_mission import LANGUAGE, states, thinking

from nl_robot.datatypes import Decision, Pose
from nl_robot.language.commands import which_one
from nl_robot.mission.command import Mission, SetGoal
from nl_robot.mission.pursuit import Drive, PursuitSettings, Report, Resume
from nl_robot.speech.conversation import IGNORE, Conversation, Reading, Send

ENDS = [Pose(2.0, 0.0, 0.0)]


@pytest.mark.parametrize(('text', 'which'), [
    ('The first one, please!', 'first'), ('yes', 'first'), ('1', 'first'),
    ('that is right', None), ('no, the other one', 'second'), ('NUMBER 2', 'second'),
    ('the second', 'second'), ('the first, no, the second', None), ('please', None), ('', None),
    ('the first door on the left', None), ('go to the other room', None), ('\x00\u200b', None)])
def test_answers_are_told_from_commands(text, which):
    assert which_one(text) == which


def asking_mission() -> Mission:
    mission = Mission(type(LANGUAGE)(**{**vars(LANGUAGE), 'which_one': which_one}), 'c', 0.0)
    mission.policy_alive(10.0, ())
    mission.gate_report(10.0, False, 1.0, 'idle')
    mission.command('to the bed', 10.0)
    mission.policy_report('c-1', 'running', 'asking', 'Which one?')
    return mission


def test_an_answer_goes_to_the_policy_and_the_command_goes_on():
    mission = asking_mission()
    assert mission.heard(10.1).reason == 'asking'
    effects = mission.command('the second one', 10.2)
    assert states(effects) == [('c-1', 'running', '')]
    assert effects[1] == SetGoal('c-1', 'second', 'answer') and mission.current.id == 'c-1'
    # it is answered: the same words are a command now
    assert states(mission.command('the second one', 10.3)) == [
        ('c-1', 'superseded', 'by_new_command'), ('c-3', 'accepted', '')]


def test_a_question_bars_neither_another_command_nor_a_stop():
    effects = asking_mission().command('to the sofa', 10.2)
    assert states(effects)[0] == ('c-1', 'superseded', 'by_new_command')
    assert states(asking_mission().command('stop', 10.2))[0][:2] == ('c-1', 'stopped')


def test_it_stands_still_until_somebody_says_which():
    pursuit = thinking()
    report = pursuit.asked('Which one?', 2.0)
    assert report == Report('c-1', 'running', 'asking', 'Which one?')
    assert pursuit.phase == 'asking' and pursuit.tick(11.9) is None
    assert pursuit.answered('c-0', 'second', 3.0) is None
    assert pursuit.answered('c-1', 'second', 3.0) == Resume(True)
    assert pursuit.answered('c-1', 'first', 3.0) is None and pursuit.phase == 'thinking'
    assert isinstance(pursuit.decided(Decision(0, 1.0), ENDS, 0.9, 3.0), Drive)


def test_without_an_answer_it_takes_the_likelier_place():
    pursuit = thinking()
    pursuit.asked('Which one?', 2.0)
    assert pursuit.tick(12.1) == Resume(False) and pursuit.phase == 'thinking'


def test_a_robot_that_is_not_to_ask_goes_on_at_once():
    pursuit = thinking(PursuitSettings(answer_patience=0.0))
    assert pursuit.asked('Which one?', 2.0) == Resume(False)


def test_a_spoken_answer_is_passed_on_while_the_robot_asks():
    talk = Conversation()
    heard = Reading(IGNORE, 'The other one.')
    assert talk.heard(heard, 0.0) == []
    assert talk.follow({'state': 'running', 'reason': 'asking'}) == 'asking'
    assert talk.heard(heard, 1.0) == [Send('The other one.')]
    assert talk.follow({'state': 'running', 'reason': ''}) == 'running'
    assert talk.heard(heard, 2.0) == []
