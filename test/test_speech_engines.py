"""The engines on recorded speech: pocketsphinx always, moonshine where `make speech` put it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nl_robot.speech import moonshine
from nl_robot.speech.conversation import ACT, IGNORE
from nl_robot.speech.recogniser import load
from nl_robot.speech.sound import read_wav
from nl_robot.speech.sphinx import Sphinx, language_files

SOUNDS = Path(__file__).parent / 'sounds'
needs_moonshine = pytest.mark.skipif(not moonshine.is_there(moonshine.default_folder()),
                                     reason='moonshine is not here: make speech')


def test_the_model_of_language_is_made_once(tmp_path):
    model, dictionary = language_files(tmp_path)
    assert dictionary.read_text().count('\n') > 3000
    made = model.stat().st_mtime_ns
    assert language_files(tmp_path)[0].stat().st_mtime_ns == made
    guesses = Sphinx(tmp_path).hear(read_wav(SOUNDS / 'go_to_the_kitchen.wav'))
    assert guesses[0].text == 'go to the kitchen' and len(guesses) > 1
    file = tmp_path / 'file'
    file.write_text('')
    with pytest.raises(ValueError, match='cannot be written'):
        language_files(file / 'folder')


def test_silence_says_nothing():
    assert load('pocketsphinx').read(np.zeros(8000, np.float32)).reading.verdict == IGNORE


@needs_moonshine
def test_moonshine_hears_and_judges():
    engine = moonshine.Moonshine(moonshine.default_folder())
    sound = read_wav(SOUNDS / 'go_to_the_kitchen.wav')
    guesses = engine.hear(sound)
    assert guesses[0].text.lower().rstrip('.') == 'go to the kitchen'
    kitchen, garage = engine.judge([guesses[0].text, 'Go to the garage.'])
    # teacher forcing and the search agree but for the rounding of int8 kernels
    assert kitchen == pytest.approx(guesses[0].log_probability, abs=0.3)
    assert garage < kitchen - 5
    assert engine.first(sound) == guesses[0].text


@needs_moonshine
@pytest.mark.parametrize('engine', ['moonshine', 'both', 'auto'])
def test_the_better_ears_act_on_a_command_and_not_on_talk(engine):
    reader = load(engine)
    reading = reader.read(read_wav(SOUNDS / 'go_to_the_kitchen.wav')).reading
    assert reading.verdict == ACT and 'kitchen' in reading.text
    assert reader.read(read_wav(SOUNDS / 'stop.wav')).reading.text.startswith('Stop')
    assert reader.read(read_wav(SOUNDS / 'talk.wav')).reading.verdict == IGNORE


def test_moonshine_is_there_when_its_files_and_what_runs_them_are(tmp_path, monkeypatch):
    for name in moonshine.FILES:
        assert not moonshine.is_there(tmp_path)
        (tmp_path / name).write_bytes(b'')
    monkeypatch.setattr(moonshine, 'find_spec', lambda package: package == 'tokenizers')
    assert not moonshine.is_there(tmp_path)
    assert load('auto', str(tmp_path), tmp_path).name == 'pocketsphinx'
    monkeypatch.setattr(moonshine, 'find_spec', lambda package: package)
    assert moonshine.is_there(tmp_path)
