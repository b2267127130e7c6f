"""The text encoder on the real model, which is loaded once."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from nl_robot.language import encoder as encoder_module
from nl_robot.language.encoder import DEFAULT_SHA256, TextEncoder, load_text_encoder


@pytest.fixture(scope='module')
def encoder() -> TextEncoder:
    return load_text_encoder()


def test_shapes_and_pieces(encoder):
    assert (encoder.name, encoder.sha256, encoder.dim) == ('all-MiniLM-L6-v2', DEFAULT_SHA256, 384)
    features = encoder.encode(['kitchen', 'washing machine', '', 'word ' * 500])
    assert [rows.shape for rows in features] == [(1, 384), (2, 384), (1, 384), (126, 384)]
    assert all(rows.dtype == np.float32 and np.isfinite(rows).all() for rows in features)
    assert encoder.tokens('washing machine') == ['washing', 'machine']


def test_the_answer_does_not_depend_on_the_batch(encoder):
    alone = encoder._run(['red sofa'])[0]
    together = encoder._run(['red sofa', 'the second door on the left of the hallway'])[0]
    np.testing.assert_allclose(alone[0], together[0], atol=1e-5)
    np.testing.assert_allclose(alone[1], together[1], atol=1e-5)


def test_sentence_vectors_have_length_one_and_know_what_is_alike(encoder):
    sofa, couch, fridge = encoder.embed(['sofa', 'couch', 'fridge'])
    assert np.linalg.norm(sofa) == pytest.approx(1, abs=1e-5)
    assert sofa @ couch > 0.8 > 0.5 > sofa @ fridge
    assert encoder.embed([]).shape == (0, 384)


def test_one_text_instead_of_a_list_is_refused(encoder):
    with pytest.raises(ValueError, match='list of texts'):
        encoder.encode('kitchen')


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_a_command_is_encoded_quickly(encoder, one_thread):
    seconds = []
    for number in range(15):
        text = f'walk past sofa {number}, turn left into the hallway and stop by the second door'
        start = time.thread_time()
        encoder.encode([text])
        seconds.append(time.thread_time() - start)
    # 10 ms on an idle core; the quickest of many is what a busy machine can still tell.
    assert min(seconds) < 0.02


def test_the_cache_answers_and_survives_on_disk(encoder, tmp_path):
    path = tmp_path / 'cache.npz'
    first = TextEncoder('m', 'hash', encoder._tokenizer, encoder._model, cache_path=path)
    features, vectors = first.encode(['red sofa', 'lamp']), first.embed(['lamp'])
    assert first.encode(['lamp'])[0] is features[1]
    first.save_cache()
    again = TextEncoder('m', 'hash', encoder._tokenizer, None or encoder._model, cache_path=path)
    again._run = None  # whatever is computed from here on fails
    np.testing.assert_allclose(again.encode(['lamp', 'red sofa'])[1], features[0], atol=2e-3)
    np.testing.assert_allclose(again.embed(['lamp']), vectors, atol=1e-3)
    other = TextEncoder('m', 'other', encoder._tokenizer, encoder._model, cache_path=path)
    assert not other._tokens


def test_a_small_cache_forgets_the_oldest(encoder):
    small = TextEncoder('m', 'hash', encoder._tokenizer, encoder._model, cache_size=2)
    small.encode(['a', 'b', 'c'])
    assert list(small._tokens) == ['b', 'c']


def test_wrong_weights_are_refused(tmp_path, monkeypatch):
    (tmp_path / 'model.safetensors').write_bytes(b'not the weights')
    monkeypatch.setattr(encoder_module, 'model_folder', lambda name: tmp_path)
    with pytest.raises(ValueError, match='SHA-256'):
        load_text_encoder()


def test_missing_models_are_named(tmp_path):
    with pytest.raises(ValueError, match='is missing'):
        load_text_encoder(str(tmp_path))
    with pytest.raises(ValueError, match='not on this machine'):
        load_text_encoder('no-such/encoder')
