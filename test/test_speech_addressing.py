"""Whether words are meant for the robot: learned by hand-made sentences, and by the real ones."""

from __future__ import annotations

import numpy as np
import pytest

from nl_robot.speech import addressing
from nl_robot.speech.addressing import SENTENCES, SIZE, Addressing, features, sentences_of
from nl_robot.speech.benchmark_files import SETS, commands_of, talk_of
from nl_robot.speech.corpus import spoken

COMMANDS = ['go to the kitchen', 'wait in the garage', 'could you drive to the sofa']
TALK = ['we ate in the kitchen', 'the garage is full', 'did you like the sofa']


def plain(said):
    return 1.2


def learned(**changes):
    return Addressing.learned(map(spoken, COMMANDS), map(spoken, TALK), plain, **changes)


def test_it_tells_what_it_learned_from_apart_and_what_names_other_places():
    made = learned()
    assert all(made(spoken(text)) > 1 for text in COMMANDS)
    assert all(made(spoken(text)) < -1 for text in TALK)
    assert made(spoken('go to the bathroom')) == pytest.approx(made(spoken('go to the kitchen')))
    assert made(spoken('wait in the bedroom')) > 0 > made(spoken('we ate in the bedroom'))


def test_the_log_odds_are_those_of_its_features():
    table = np.zeros(SIZE + 1, np.float32)
    rows = list(features(['go', 'on'], 0.0))
    table[rows[0]], table[-1] = 2.0, -0.5
    assert Addressing(table, lambda said: 0.0)(['go', 'on']) == pytest.approx(
        2.0 * addressing.STRENGTH / len(rows) ** 0.5 - 0.5)
    with pytest.raises(ValueError, match='shape'):
        Addressing(table[:-1], plain)


def test_strangeness_counts_in_steps():
    few, many = (set(features(['go'], strange)) for strange in (0.5, 3.2))
    assert few < many and len(many - few) == 5      # above 1, 1.5, 2, 2.5 and 3


def test_it_is_the_best_explanation_that_its_penalty_allows():
    """At the optimum the slope of the penalised likelihood is zero for every feature."""
    made = learned()
    slope = addressing.PENALTY * made.table.astype(float)
    for texts, goal in ((COMMANDS, 1.0), (TALK, 0.0)):
        for said in map(spoken, texts):
            rows = list(features(said, 1.2))
            wrong = 1 / (1 + np.exp(-made(said))) - goal
            slope[rows] += wrong * addressing.STRENGTH / len(rows) ** 0.5
    assert np.abs(slope[:-1]).max() < 0.02


def test_it_is_learned_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(addressing, 'ROUNDS', 20)
    first = addressing.load(tmp_path, plain, 'a')
    again = addressing.load(tmp_path, plain, 'a')
    assert np.array_equal(first.table, again.table) and len(list(tmp_path.iterdir())) == 1
    addressing.load(tmp_path, plain, 'b')       # another model of language, another table
    assert len(list(tmp_path.iterdir())) == 2
    (tmp_path / 'file').write_text('')
    with pytest.raises(ValueError, match='cannot be written'):
        addressing.load(tmp_path / 'file' / 'folder', plain, 'c')


def test_no_sentence_of_the_benchmark_is_learned_from():
    own = {tuple(said) for some in sentences_of(SENTENCES) for said in some}
    for which in SETS:
        told = [*(text for texts in commands_of(which).values() for text in texts),
                *talk_of(which)]
        assert not own.intersection(tuple(spoken(text)) for text in told)


def test_the_sentences_are_many_and_none_is_both():
    commands, talk = sentences_of(SENTENCES)
    assert min(len(commands), len(talk)) > 1000
    assert not set(map(tuple, commands)) & set(map(tuple, talk))
