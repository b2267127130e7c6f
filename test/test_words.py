"""Words as the networks read them: put together, embedded once, and held against labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from fake_encoder import FakeEncoder, word_vector

from nl_robot.nets.words import MAX_WORDS, GoalWords, Vocabulary, agreement, padded, whole_words


class PieceEncoder(FakeEncoder):
    """Splits every word after its third letter, as WordPiece does with rare words."""

    def tokens(self, text):
        return [piece for word in text.split()
                for piece in ([word[:3], '##' + word[3:]] if len(word) > 3 else [word])]

    def encode(self, texts):
        return [np.stack([word_vector(piece, self.dim) for piece in self.tokens(text)])
                for text in texts]


@pytest.mark.parametrize(('pieces', 'words', 'starts'), [
    (['go', 'to', 'fr', '##id', '##ge'], ['go', 'to', 'fridge'], [0, 1, 2]),
    (['fr', '##idge', 'on', 'left'], ['fridge', 'on', 'left'], [0, 2, 3]),
    (['##s', 'a'], ['##s', 'a'], [0, 1]),       # nothing that it could go on
    ([], [], [])])
def test_word_pieces_are_put_together(pieces, words, starts):
    assert whole_words(pieces) == (words, starts)


def test_agreement_by_hand():
    words = np.array([[1, 0], [0, 1]], np.float32)
    labels = np.array([[0, 0], [1, 0], [0.6, 0.8]], np.float32)      # the first is no label
    found = agreement(words, labels)
    assert found[..., 0] == pytest.approx(np.array([[0, 0.8, 0.4], [0, -0.2, 0.6]]), abs=1e-6)

    def match(cosine: float) -> float:
        return 1 / (1 + np.exp(-(cosine - 0.6) / 0.06))
    assert found[..., 1] == pytest.approx(np.array([[0, match(1), 0.5],
                                                    [0, match(0), match(0.8)]]), abs=1e-6)


def test_the_features_of_a_word_are_the_mean_of_its_pieces():
    vocabulary = Vocabulary(PieceEncoder())
    goal, = vocabulary.goals(['to fridge to'])
    assert vocabulary.words == ['to', 'fridge'] and goal.ids.tolist() == [0, 1, 0]
    both = (word_vector('fri', 16) + word_vector('##dge', 16)) / 2
    expected = np.stack([word_vector('to', 16), both, word_vector('to', 16)])
    assert goal.features.dtype == np.float16
    np.testing.assert_allclose(goal.features, expected, atol=1e-3)      # half precision


def test_long_goals_are_cut():
    goal, short = Vocabulary(FakeEncoder()).goals([' '.join(['on'] * (MAX_WORDS + 5)), 'on'])
    assert goal.features.shape == (MAX_WORDS, 16) and goal.ids.shape == (MAX_WORDS,)
    assert short.ids.shape == (1,)


def test_words_and_labels_are_embedded_once():
    encoder = FakeEncoder()
    vocabulary = Vocabulary(encoder)
    assert vocabulary.label_ids([]).tolist() == []
    assert vocabulary.label_ids(['sofa', 'bed', 'sofa', '']).tolist() == [1, 2, 1, 0]
    vocabulary.goals(['the bed', 'the sofa'])
    assert encoder.embedded == ['sofa', 'bed', 'the', 'bed', 'sofa']    # words are not labels
    assert vocabulary.label_ids(['tv', 'bed']).tolist() == [3, 2]
    vocabulary.goals(['the bed'])
    assert encoder.embedded[5:] == ['tv']
    assert vocabulary.labels == ['', 'sofa', 'bed', 'tv']


def test_a_vocabulary_grows_and_keeps_what_it_knew():
    vocabulary = Vocabulary(FakeEncoder())
    assert vocabulary.known().agreement.shape == (0, 1, 2)
    vocabulary.label_ids(['sofa'])
    vocabulary.goals(['the sofa'])
    before = vocabulary.known()
    assert vocabulary.known() is before
    assert before.agreement[1, 1, 0] == pytest.approx(0.8, abs=1e-6)     # sofa with sofa
    assert before.agreement[1, 1, 1] > 0.99 and before.agreement[0, 1, 1] < 0.5
    assert (before.agreement[:, 0] == 0).all()                          # none agrees with nothing
    vocabulary.label_ids(['red sofa'])
    vocabulary.goals(['red'])
    after = vocabulary.known()
    assert after.agreement.shape == (3, 3, 2)
    assert torch.allclose(after.agreement[:2, :2], before.agreement)
    assert torch.equal(after.words[:2], before.words)
    assert torch.equal(after.labels[:2], before.labels)


def test_goals_are_padded():
    two = GoalWords(np.array([[1, 2], [3, 4]], np.float16), np.array([5, 6]))
    one = GoalWords(np.array([[7, 8]], np.float16), np.array([9]))
    none = GoalWords(np.zeros((0, 2), np.float16), np.zeros(0, np.int64))
    features, ids, mask = padded([two, one, none])
    assert features.tolist() == [[[1, 2], [3, 4]], [[7, 8], [0, 0]], [[0, 0], [0, 0]]]
    assert features.dtype == torch.float32
    assert ids.tolist() == [[5, 6], [9, 0], [0, 0]]
    assert mask.tolist() == [[True, True], [True, False], [True, False]]
