"""Frames, words and how they are put together."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from nl_robot.cli import sentences
from nl_robot.language.commands import clean, control_word
from nl_robot.language.grammar import (
    Frame,
    fill,
    frames_of,
    joined,
    load_frames,
    polish,
    swap_left_right,
    vocabulary,
    words,
)
from nl_robot.sim.homes import KINDS, ROOM_KINDS

VALUES = {'room': 'kitchen', 'object': 'red sofa', 'place': 'the lamp by the desk', 'a': 'lamp',
          'b': 'desk', 'nth': 'second', 'side': 'left', 'thing': 'the towels',
          'activity': 'cook', 'steps': ['turn left', 'stop']}


def test_there_are_200_sentence_frames_and_a_fifth_of_every_kind_is_held_out():
    frames = load_frames()
    assert sum(frame.sentence for frame in frames) >= 200
    counts = Counter((frame.kind, frame.held_out) for frame in frames)
    for kind in {frame.kind for frame in frames}:
        assert counts[kind, False] == 4 * counts[kind, True], kind
    assert len({frame.id for frame in frames}) == len(frames)


def test_held_out_wordings_occur_nowhere_else():
    bare = {re.sub(r'\{.*?\}', '_', f.text) for f in load_frames() if not f.held_out}
    assert not [f.text for f in load_frames() if f.held_out and
                re.sub(r'\{.*?\}', '_', f.text) in bare]


def test_every_frame_can_be_filled_and_is_a_command():
    rng = np.random.default_rng(0)
    for frame in load_frames():
        text = fill(frame, VALUES, rng)
        assert not re.search(r'[\[\]{}|]|  ', text), frame.id
        assert clean(polish(text, rng)) and control_word(text) is None, text


def test_everything_in_a_home_has_its_words():
    assert set(words('objects')) == set(KINDS)
    for group in ('rooms', 'room_things', 'room_activities'):
        assert set(words(group)) == set(ROOM_KINDS)
    assert {kind for kinds in words('generics').values() for kind in kinds} <= set(KINDS)
    assert set(words('object_things')) - {'default'} <= set(KINDS)


def test_choices_placeholders_and_articles():
    rng = np.random.default_rng(0)
    frame = Frame('x', 'room', '[find|get] a {object} in the {room}', False, True)
    assert frame.placeholders == ('object', 'room')
    texts = {fill(frame, {'object': 'armchair', 'room': 'office'}, rng) for _ in range(20)}
    assert texts == {'find an armchair in the office', 'get an armchair in the office'}
    assert fill(frame, {'object': 'white dishes', 'room': 'office'}, rng).endswith(
        'some white dishes in the office')
    with pytest.raises(ValueError, match="x needs 'room'"):
        fill(frame, {'object': 'armchair'}, rng)


def test_steps_are_joined():
    assert joined(['a', 'b', 'c'], ', |, and ') == 'a, b, and c'
    assert joined(['a', 'b', 'c'], ', then ') == 'a, then b, then c'
    assert joined(['a'], ', |, and ') == 'a'


def test_polish_changes_courtesies_and_capitals_only():
    rng = np.random.default_rng(1)
    texts = [polish('i want you at the sofa. then stop', rng) for _ in range(60)]
    assert 'I want you at the sofa. Then stop.' in texts
    assert all('sofa' in text for text in texts) and len(set(texts)) > 8


@pytest.mark.parametrize('text, swapped', [
    ('Turn left, then RIGHT.', 'Turn right, then Left.'),
    ('go right now to the left door', 'go right now to the right door'),
    ('is it all right on the right?', 'is it all right on the left?'), ('leftovers', 'leftovers')])
def test_swap_left_right(text, swapped):
    assert swap_left_right(text) == swapped


def test_vocabulary_counts_words():
    assert vocabulary(["Go to the baby's room.", 'go!']) == {
        'go': 2, 'to': 1, 'the': 1, "baby's": 1, 'room': 1}


def test_unknown_kinds_and_splits_are_named():
    with pytest.raises(ValueError, match='no frames of kind'):
        frames_of('song')
    with pytest.raises(ValueError, match='train, held_out or all'):
        frames_of('room', 'test')


def test_sentences_command_prints_goals_and_numbers():
    drawn = sentences.draw_goals('train', 'train', 30, 0, ('room',), per_home=10)
    assert len(drawn) == 30 and {goal.kind for goal in drawn} == {'room'}
    text = sentences.statistics(drawn)
    assert 'goals drawn        30' in text and 'kinds              room 100%' in text
    with pytest.raises(ValueError, match='--count'):
        sentences.draw_goals('train', 'train', 0, 0)
