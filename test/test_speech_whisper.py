"""A whisper model of random weights, small enough to be made here, through the engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nl_robot.speech.sound import RATE


@pytest.fixture(scope='module')
def tiny(tmp_path_factory) -> Path:
    """A folder with a model of two layers of sixteen numbers, its features and its letters."""
    import torch
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )
    folder = tmp_path_factory.mktemp('whisper')
    letters = [chr(n) for n in range(33, 127)] + ['Ġ']
    special = ['<|endoftext|>', '<|startoftranscript|>', '<|notimestamps|>']
    vocabulary = {word: number for number, word in enumerate([*letters, *special])}
    (folder / 'vocab.json').write_text(json.dumps(vocabulary))
    (folder / 'merges.txt').write_text('#version: 0.2\n')
    tokenizer = WhisperTokenizer(str(folder / 'vocab.json'), str(folder / 'merges.txt'))
    torch.manual_seed(0)
    size, end = len(vocabulary), vocabulary['<|endoftext|>']
    begin = vocabulary['<|startoftranscript|>']
    model = WhisperForConditionalGeneration(WhisperConfig(
        vocab_size=size, d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
        decoder_ffn_dim=16, max_target_positions=100, bos_token_id=end, eos_token_id=end,
        pad_token_id=end, decoder_start_token_id=begin, suppress_tokens=[], begin_suppress_tokens=[
            end]))
    model.generation_config.is_multilingual = False
    model.generation_config.no_timestamps_token_id = vocabulary['<|notimestamps|>']
    model.save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(folder)
    return folder


def test_any_speech_model_of_transformers_is_an_engine(tiny):
    from nl_robot.speech.whisper import Whisper
    engine = Whisper(str(tiny), beam=3)
    sound = 0.1 * np.sin(np.arange(RATE) / 7).astype(np.float32)
    guesses = engine.hear(sound)
    assert 1 <= len(guesses) <= 3 and all(guess.text for guess in guesses)
    scores = [guess.log_probability for guess in guesses]
    assert scores == sorted(scores, reverse=True)
    assert guesses == engine.hear(sound)


def test_the_recogniser_reads_with_it(tiny):
    from nl_robot.speech.recogniser import load
    reader = load('whisper', str(tiny))
    assert reader.name == 'whisper'
    heard = reader.read(0.1 * np.ones(RATE, np.float32))
    assert heard.reading.verdict in ('ask', 'ignore')      # what it babbles is no command


def test_nothing_but_whisper_reaches_torch():
    code = ('import sys; from nl_robot.speech.recogniser import load; load("pocketsphinx"); '
            'import nl_robot.nodes.speech; assert "torch" not in sys.modules, "torch"')
    ended = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                           timeout=120)
    assert ended.returncode == 0, ended.stderr
