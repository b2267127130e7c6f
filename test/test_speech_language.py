"""Models of language, sounds of words, meanings: small cases worked by hand."""

from __future__ import annotations

import math

import pytest

from nl_robot.speech.corpus import sentences, spoken
from nl_robot.speech.engines import Guess
from nl_robot.speech.lexicon import phones_of, pronunciations
from nl_robot.speech.meaning import has_place, meaning
from nl_robot.speech.ngram import Trigrams
from nl_robot.speech.phonetics import distance, repairs
from nl_robot.speech.understanding import (
    Candidate,
    Weights,
    candidates,
    crossed,
    repaired,
    shares,
    weighed,
)

TINY = [['go', 'home'], ['go', 'home'], ['go', 'out']]


def test_witten_bell_by_hand():
    model = Trigrams(TINY)
    # unigrams of nine tokens: go 3, home 2, out 1, </s> 3
    assert 10 ** model.probability['go',] == pytest.approx(3 / 9)
    # after go: home twice, out once, so T = 2: (2 + 2 * 2/9) / (3 + 2)
    home = (2 + 2 * 2 / 9) / 5
    assert 10 ** model.probability['go', 'home'] == pytest.approx(home)
    # after <s> go the same counts: (2 + 2 * home) / 5
    assert 10 ** model.probability['<s>', 'go', 'home'] == pytest.approx((2 + 2 * home) / 5)
    # what was never seen after `home` backs off: 1 / (2 + 1) of P(out)
    assert model.each(['home', 'out'])[1] == pytest.approx(math.log10(1 / 3 * 1 / 9))
    whole = math.log(10) * sum(model.each(['go', 'home']))
    assert model.log_probability(['go', 'home']) == pytest.approx(whole)


@pytest.mark.parametrize('history', [('<s>', 'go'), ('go', 'home'), ('out', 'out')])
def test_probabilities_sum_to_one(history):
    model = Trigrams(TINY, {'hello': 0.5, 'go': 0.5}, 0.1)
    words = [*model.vocabulary, '</s>']
    total = sum(10 ** model._log10((*history, word)) for word in words)
    assert total == pytest.approx(1.0)
    assert 10 ** model.probability['hello',] == pytest.approx(0.05)


def test_a_model_survives_its_file(tmp_path):
    model, path = Trigrams(TINY), tmp_path / 'tiny.lm'
    model.write_arpa(path)
    again = Trigrams.read_arpa(path)
    assert again.log_probability(['go', 'out']) == pytest.approx(
        model.log_probability(['go', 'out']), abs=1e-3)
    path.write_text('-0.5\tgo\n-x\tgo home\n')
    with pytest.raises(ValueError, match='is no ARPA file'):
        Trigrams.read_arpa(path)


def test_the_corpus_speaks_commands():
    said = list(sentences(500))
    assert ['stop'] in said and all(said)
    assert all(word == word.lower() for sentence in said for word in sentence)
    assert said[:500] == list(sentences(500))[:500]
    assert spoken("Hey, to the Baby's room!") == ['hey', 'to', 'the', "baby's", 'room']


def test_words_sound_as_in_the_dictionary_or_as_their_parts():
    assert pronunciations('kitchen') == [('K', 'IH', 'CH', 'AH', 'N')]
    assert pronunciations('houseplant')[0] == ('HH', 'AW', 'S', 'P', 'L', 'AE', 'N', 'T')
    assert pronunciations('pyjamas') and not pronunciations('qqq')
    assert phones_of(['qqx']) == ('K', 'K', 'K', 'S')


def test_distances_of_sounds():
    # T for CH: both voiceless, nothing else in common: 0.75; over five phones
    assert distance(phones_of(['kitten']), phones_of(['kitchen'])) == pytest.approx(0.75 / 5)
    assert distance(('T',), ('D',)) == pytest.approx(0.5)      # manner and place are shared
    assert distance(('T',), ('T', 'AH')) == pytest.approx(0.6 / 2)
    assert distance(('T',), ()) == pytest.approx(0.8)
    assert distance(('K', 'AE', 'T'), ('K', 'AE', 'T')) == 0.0


def test_a_misheard_name_is_repaired_and_a_known_one_is_left():
    best = repairs(spoken('go to the kitten'))[0]
    assert (best.begin, best.end, best.name) == (3, 4, ('kitchen',))
    assert repaired('Walk past the tiding table, please.')[0][0] == (
        'Walk past the dining table, please.')
    assert repairs(spoken('go to the kitchen')) == []
    assert repaired('') == []


@pytest.mark.parametrize(('text', 'about'), [
    ('Over to the couch, please!', ('sofa',)),
    ('drive to the sofa', ('sofa',)),
    ('the second door on the left', ('second', 'door', 'left')),
    ('right then, off to the garage', ('garage',)),
    ('turn right now', ('right',)),
    ('drive there right now', ()),
    ('right now go to the sofa', ('sofa',)),
    ('go past the book shelf into the lounge', ('past', 'bookshelf', 'living room')),
    ('all the windows', ('window',)),
    ('never mind', ('control: cancel',)),
    ('Stop!', ('control: stop',)),
    ('good morning', ()),
])
def test_meanings(text, about):
    assert meaning(text) == about


def test_what_is_a_place():
    assert has_place(('red', 'sofa')) and has_place(('left',))
    assert not has_place(()) and not has_place(('red',)) and not has_place(('control: stop',))


def test_candidates_share_their_probability_by_meaning():
    heard = [('free', [Guess('Go to the kitten.', -1.0)]),
             ('grammar', [Guess('go to the kitchen', 0.0)])]
    found = candidates(heard)
    texts = [c.text for c in found]
    assert texts[:2] == ['Go to the kitten.', 'Go to the kitchen.']
    fits = {'Go to the kitten.': -1.0, 'Go to the kitchen.': -2.0}
    likely = {'kitten': -9.0, 'kitchen': -3.0}
    scored = weighed(found, lambda some: [fits.get(t, -50.0) for t in some],
                     lambda said: likely.get(said[-1], -30.0), Weights(language=0.5, word=0.0))
    assert scored[0].text == 'Go to the kitchen.' and scored[0].total == pytest.approx(-3.5)
    assert next(iter(shares(scored))) == ('kitchen',)
    # -3.5 against -5.5: 1 / (1 + e^-2)
    assert shares(scored)['kitchen',] == pytest.approx(1 / (1 + math.exp(-2)), abs=1e-3)


def test_words_of_a_second_engine_are_put_in_where_they_change_the_meaning():
    assert crossed('Go left at the mime work shelf.', 'go left at the bookshelf') == [
        'Go left at the bookshelf.']
    assert crossed('Drive to the sofa.', 'try to the sofa') == []         # the same place
    both = crossed('The desk by the sulphur.', 'the disk by the sofa')
    assert both == ['The disk by the sulphur.', 'The desk by the sofa.', 'The disk by the sofa.']
    heard = [('a', [Guess('Go to the sulphur.', 0.0), Guess('Go to the sulphur', -1.0)]),
             ('b', [Guess('go to the sofa', 0.0)])]
    texts = [c.text for c in candidates(heard)]
    assert texts[0] == 'Go to the sulphur.' and 'Go to the sofa.' in texts
    assert 'Go to the sulphur' not in texts         # one way to write the same words is enough


def test_strange_words_cost_and_seconded_places_count():
    found = [Candidate('Go to the sulphur.', 'a', 0), Candidate('Go to the sofa.', 'b', 0)]
    weights = Weights(language=0.0, word=0.0, strange=2.0, seconded=3.0)
    scored = weighed(found, lambda some: [-1.0 for _ in some], lambda said: 0.0, weights,
                     lambda word: word != 'sulphur', frozenset({'sofa'}))
    assert [(c.text, c.total) for c in scored] == [
        ('Go to the sofa.', 2.0), ('Go to the sulphur.', -3.0)]


def test_shares_by_hand():
    def candidate(text: str, total: float) -> Candidate:
        return Candidate(text, 'x', 0, total=total, about=meaning(text))
    some = [candidate('the sofa', 0.0), candidate('the couch', 0.0), candidate('the desk', 0.0)]
    assert shares(some) == {('sofa',): pytest.approx(2 / 3), ('desk',): pytest.approx(1 / 3)}
    assert shares([]) == {}
