"""Sound as numbers, and how a stream is cut into utterances, by chunks counted by hand."""

from __future__ import annotations

import math
import wave
from pathlib import Path

import numpy as np
import pytest

from nl_robot.speech.sound import (
    RATE,
    Samples,
    from_pcm,
    levelled,
    loudness,
    noise_ratio,
    padded,
    read_wav,
    resampled,
    to_pcm,
    write_wav,
)
from nl_robot.speech.voice_activity import (
    CHUNK,
    ActivitySettings,
    Background,
    Utterances,
    silero,
)

CHUNKS = ActivitySettings(pause=0.064, end=0.128, end_in_babble=0.128, before=0.064,
                          partial=0.096, shortest=0.064, longest=0.64, above=0.0,
                          stays_above=0.0)
# 2 chunks of pause, 4 to the end, 2 before, 3 to a partial, 2 at least, 20 at most
KNOWN = 10      # chunks after which a place is known, before which nothing begins


def test_pcm_there_and_back():
    samples = np.array([0.0, 0.5, -1.0, 2.0], np.float32)
    assert to_pcm(samples).tolist() == [0, 16384, -32768, 32767]
    assert from_pcm(np.array([16384, -32768], np.int16)).tolist() == [0.5, -1.0]
    assert from_pcm(b'\x00\x40\x00\x80').tolist() == [0.5, -1.0]


def test_another_rate_keeps_pitch_and_length():
    seconds = np.arange(44100) / 44100
    sound = resampled(np.sin(2 * np.pi * 440 * seconds).astype(np.float32), 44100)
    assert len(sound) == RATE
    assert np.argmax(np.abs(np.fft.rfft(sound))) == 440
    with pytest.raises(ValueError, match='positive number'):
        resampled(sound, 0)


def test_wav_files(tmp_path):
    path = tmp_path / 'a.wav'
    write_wav(path, np.array([0.25, -0.25], np.float32))
    assert read_wav(path).tolist() == [0.25, -0.25]
    with wave.open(str(path), 'wb') as file:       # stereo: channels are averaged
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.array([8192, 0, 0, 16384], '<i2').tobytes())
    assert read_wav(path).tolist() == [0.125, 0.25]
    path.write_bytes(b'RIFF no wave')
    with pytest.raises(ValueError, match='is not a WAV file'):
        read_wav(path)


def test_padding_levels_and_noise():
    sound = np.full(RATE, 0.01, np.float32)
    assert len(padded(sound)) == 3 * RATE and len(padded(np.zeros(4 * RATE))) == 4 * RATE
    assert loudness(levelled(sound)) == pytest.approx(0.08)
    assert loudness(np.zeros(0, np.float32)) == 0.0
    spiky = np.zeros(RATE, np.float32)
    spiky[0] = 0.5                                  # its peak, not its mean, is the limit
    assert np.abs(levelled(spiky)).max() == pytest.approx(0.99)
    # half at a tenth of the amplitude: 20 dB
    both = np.concatenate([np.full(RATE, 0.01), np.full(RATE, 0.1)]).astype(np.float32)
    assert noise_ratio(both) == pytest.approx(20.0, abs=0.1)
    assert noise_ratio(np.zeros(10, np.float32)) == 0.0


def cut(pattern: str) -> list[tuple[str, int]]:
    """What comes of a stream of chunks, `s` of speech and `.` of silence: kinds and chunks."""
    marks = iter('.' * KNOWN + pattern)
    utterances = Utterances(lambda chunk: 0.9 if next(marks) == 's' else 0.1, CHUNKS)
    stream = np.zeros(CHUNK * (KNOWN + len(pattern)), np.float32)
    return [(speech.kind, len(speech.samples) // CHUNK) for speech in utterances.feed(stream)]


def test_an_utterance_is_handed_over_at_a_pause_and_at_its_end():
    # one chunk before the first of speech, of which there are three, then two or four of silence
    assert cut('....sss....') == [('paused', 6), ('ended', 8)]
    # the speaker goes on in the third chunk of silence; the tenth chunk is the third since then
    assert cut('....sss..s....') == [('paused', 6), ('resumed', 0), ('partial', 7),
                                     ('paused', 9), ('ended', 11)]


def test_clicks_are_no_utterances_and_long_ones_are_cut():
    assert cut('....s.......') == []
    # the 20th chunk is the last; what goes on is another utterance
    assert cut('s' * 21)[-1] == ('ended', 20)
    assert cut('s' * 24 + '....')[-2:] == [('paused', 8), ('ended', 10)]


def test_partial_sound_grows():
    assert cut('..ssssssss')[:2] == [('partial', 5), ('partial', 8)]


def test_samples_may_come_in_any_pieces():
    utterances = Utterances(lambda chunk: float(chunk.max()), CHUNKS)
    stream = np.concatenate([np.zeros(KNOWN * CHUNK), np.ones(3 * CHUNK), np.zeros(5 * CHUNK)])
    found = [s.kind for piece in np.array_split(stream.astype(np.float32), 37)
             for s in utterances.feed(piece)]
    assert found == ['paused', 'ended'] and not utterances.speaking


def test_in_babble_only_who_is_louder_speaks_to_the_robot():
    def chunk(level: float) -> Samples:
        return np.full(CHUNK, level, np.float32)
    quiet_room, babble = Background(), Background()
    for _ in range(KNOWN - 1):
        assert quiet_room.above(chunk(0.01), 0.0) == -math.inf
        babble.above(chunk(0.01), 1.0)
    assert quiet_room.above(chunk(0.01), 0.0) == math.inf
    for _ in range(20):
        still = babble.above(chunk(0.01), 1.0)
    assert still == pytest.approx(0.0, abs=0.1)
    babble.above(chunk(0.1), 1.0)
    # 20 dB louder, smoothed: 20 - 20/4 after two chunks
    assert babble.above(chunk(0.1), 1.0) == pytest.approx(15.0, abs=0.1)


@pytest.mark.parametrize('wrong', [{'begins_at': 0.2}, {'pause': 0.9}, {'partial': 0.0}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match='must'):
        ActivitySettings(**wrong)


def test_silero_hears_speech_and_no_noise():
    detector = silero()
    speech = read_wav(Path(__file__).parent / 'sounds' / 'talk.wav')
    chunks = len(speech) // CHUNK
    heard = [detector(speech[k * CHUNK:(k + 1) * CHUNK]) for k in range(chunks)]
    assert np.mean(np.array(heard) > 0.5) > 0.6
    noise = 0.1 * np.random.default_rng(0).standard_normal(60 * CHUNK).astype(np.float32)
    detector = silero()
    heard = [detector(noise[k * CHUNK:(k + 1) * CHUNK]) for k in range(60)]
    assert np.mean(np.array(heard) > 0.5) < 0.05
