"""What is played in the benchmark of speech, and what each engine made of it.

A trial is a sound with what was meant by it.  It goes the way that the speech node takes: voice
activity cuts it into utterances, engines guess, candidates are weighed, a conversation acts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from nl_robot.cli.speech_voices import Voices, babble, mixed, music, white
from nl_robot.speech.conversation import (
    IGNORE,
    Conversation,
    Effect,
    Reading,
    Say,
    Send,
    Stop,
)
from nl_robot.speech.corpus import spoken
from nl_robot.speech.engines import Engine, Guess
from nl_robot.speech.hearing import BEHIND, PARTIALS
from nl_robot.speech.meaning import meaning
from nl_robot.speech.recogniser import Heard, Recogniser
from nl_robot.speech.sound import RATE, Samples
from nl_robot.speech.voice_activity import (
    CHUNK,
    ActivitySettings,
    Detector,
    Speech,
    Utterances,
)

CLEAN = 'clean'
NOISES = ('white 20 dB', 'white 10 dB', 'babble 20 dB', 'babble 10 dB')
BEFORE, AFTER = 1.2, 0.9         # seconds of silence or noise around what is said
ASIDE = ('talk', 'noise', 'music')       # what is not for the robot
T = TypeVar('T')


@dataclass(frozen=True)
class Trial:
    """A sound to be played.

    :param kind: `short`, `long` or `filler` commands, `stop`, or one of ASIDE
    :param said: the words, '' for none
    :param sound: made when it is needed
    """

    kind: str
    condition: str
    voice: str
    said: str
    sound: Callable[[], Samples]


@dataclass(frozen=True)
class Outcome:
    """What one engine made of one trial.

    :param result: of a command: `right`, `asked`, `missed` or `wrong`; of a stop: `stopped` or
        `missed`; of anything else: `acted`, `stopped`, `asked` or `quiet`
    :param asked_right: the question back held what was meant
    :param confidence: of the last utterance, and why it was not acted on
    :param errors: word errors of the first guesses
    :param words: spoken ones
    :param cpu: seconds of one processor that reading took
    :param delay: seconds from the end of speech to the command on a processor of its own; 0 where
        nothing came of it
    """

    engine: str
    kind: str
    condition: str
    voice: str
    said: str
    heard: str
    result: str
    asked_right: bool
    confidence: float
    why: str
    errors: int
    words: int
    seconds: float
    cpu: float
    delay: float


@dataclass(frozen=True)
class Ear:
    """A recogniser under a name, and which of the engines it listens to."""

    name: str
    recogniser: Recogniser
    parts: tuple[str, ...]


def command_trials(commands: Mapping[str, Sequence[str]], voices: Voices, takes: int,
                   noises: Sequence[str], talk: Sequence[str], seed: int) -> Iterator[Trial]:
    """Every command in `takes` voices when it is clean, in one voice in each other noise.

    The voices take turns, so that each speaks as many commands of every kind as any other.
    """
    names, number = list(voices.commands), 0
    for kind, lines in commands.items():
        for index, words in enumerate(lines):
            for take in range(takes):
                name = names[(index + take * max(1, len(names) // takes)) % len(names)]
                yield Trial(kind, CLEAN, name, words, partial(framed, voices, name, words))
            for turn, noise in enumerate(noises):
                number += 1
                if (index + turn + turn // 2) % 2:
                    continue
                name = names[(index // 2 + 3 * turn + 1) % len(names)]
                yield Trial(kind, noise, name, words, partial(
                    noisy, voices, name, words, noise, talk, seed + number))


def stop_trials(phrases: Sequence[str], voices: Voices, noises: Sequence[str],
                talk: Sequence[str], seed: int) -> Iterator[Trial]:
    """Every stop in half of the voices when clean, and in a quarter of them in each noise."""
    names = list(voices.commands)
    for index, words in enumerate(phrases):
        kind = 'stop' if 'stop' in words else 'halt'
        for turn, name in enumerate(names):
            if (index + turn) % 2 == 0:
                yield Trial(kind, CLEAN, name, words, partial(framed, voices, name, words))
            for number, noise in enumerate(noises):
                if (index + turn + number) % 4 == 0:
                    yield Trial(kind, noise, name, words, partial(
                        noisy, voices, name, words, noise, talk, seed + 97 * index + turn))


def other_trials(talk: Sequence[str], voices: Voices, minutes: float, seed: int
                 ) -> Iterator[Trial]:
    """Talk that is not for the robot, sentence by sentence, and minutes of noise and music."""
    names = list(voices.commands)
    for index, words in enumerate(talk):
        name = names[index % len(names)]
        yield Trial('talk', CLEAN, name, words, partial(framed, voices, name, words))
    for minute in range(round(minutes)):
        yield Trial('noise', CLEAN, '', '', partial(household_noise, 60.0, seed + minute))
        yield Trial('music', CLEAN, '', '', partial(loud_music, 60.0, seed + minute))


def framed(voices: Voices, name: str, words: str) -> Samples:
    """A clean sound with silence around it."""
    return np.pad(voices.say(name, words), (round(BEFORE * RATE), round(AFTER * RATE)))


def noisy(voices: Voices, name: str, words: str, noise: str, talk: Sequence[str], seed: int
          ) -> Samples:
    """The same in noise, which also fills the silence around it."""
    sound, rng = framed(voices, name, words), np.random.default_rng(seed)
    kind, decibels = noise.split()[:2]
    if kind == 'white':
        return mixed(sound, white(len(sound), rng), float(decibels))
    names = list(voices.commands)
    people = [voices.say(names[k % len(names)], talk[k]) for k in
              rng.choice(len(talk), min(12, len(talk)), replace=False)]
    return mixed(sound, babble(len(sound), people, rng), float(decibels))


def household_noise(seconds: float, seed: int) -> Samples:
    """Noise of a fan that swells, with knocks and clatter."""
    rng, length = np.random.default_rng(seed), round(seconds * RATE)
    spectrum = np.fft.rfft(white(length, rng))
    hum = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), length)
    swell = 1 + 0.6 * np.sin(2 * np.pi * np.arange(length) / RATE / 7)
    sound = (0.05 * hum / np.abs(hum).std() * swell).astype(np.float32)
    for at in rng.integers(0, length - RATE, round(seconds / 1.5)):
        knock = np.exp(-np.arange(RATE // 4) / (RATE * rng.uniform(0.005, 0.05)))
        burst = white(len(knock), rng) * knock * rng.uniform(0.1, 0.6)
        sound[at:at + len(burst)] += burst.astype(np.float32)
    return np.clip(sound, -1, 1)


def loud_music(seconds: float, seed: int) -> Samples:
    """Something like music, as loud as speech."""
    sound = music(round(seconds * RATE), np.random.default_rng(seed))
    return (0.3 * sound / max(float(np.abs(sound).max()), 1e-6)).astype(np.float32)


def played(trial: Trial, ears: Sequence[Ear], detector: Detector, settings: ActivitySettings
           ) -> list[Outcome]:
    """One trial through all ears, moment by moment; the engines listen once for all of them."""
    sound = trial.sound()
    utterances, listeners = Utterances(detector, settings), [Listener(ear) for ear in ears]
    for begin in range(0, len(sound) - CHUNK + 1, CHUNK):
        for speech in utterances.feed(sound[begin:begin + CHUNK]):
            shared = Shared()
            for listener in listeners:
                listener.hear(speech, (begin + CHUNK) / RATE, shared)
    return [_outcome(trial, listener, len(sound) / RATE) for listener in listeners]


class Listener:
    """An ear that hears as the speech node does, on a processor of its own.

    What a reading or a partial text takes of the processor keeps it from what comes next, as in
    the node's one thread; a reading that began at a pause is thrown away when the speaker goes on.
    """

    def __init__(self, ear: Ear) -> None:
        self.ear, self.talk = ear, Conversation()
        self.effects: list[Effect] = []
        self.heard: list[Heard] = []
        self.words, self.cpu, self.delay = '', 0.0, 0.0
        self._free, self._partials = 0.0, 0         # when the processor is free again
        self._ahead: Heard | None = None

    def hear(self, speech: Speech, at: float, shared: Shared) -> None:
        """A piece of the stream that the detector hands over at that second."""
        if speech.kind == 'partial':
            if self._partials < PARTIALS and self._free - at < BEHIND:
                self._partials += 1
                text = self._busy(at, shared, lambda: shared.partial(self.ear, speech.samples))
                self._act(self.talk.partial(text, self._free), speech, at)
        elif speech.kind == 'paused':
            self._ahead = self._busy(at, shared, lambda: shared.read(self.ear, speech.samples))
            if self._ahead.reading.verdict != IGNORE:
                self._act(self.talk.partial(self._ahead.reading.text, self._free), speech, at)
        elif speech.kind == 'resumed':
            self._ahead = None
        else:
            self._finish(self._ahead or self._busy(
                at, shared, lambda: shared.read(self.ear, speech.samples)), speech, at)

    def _busy(self, at: float, shared: Shared, work: Callable[[], T]) -> T:
        """Does the work, and knows when it would be done."""
        done = work()
        self.cpu += shared.cpu
        self._free = max(at, self._free) + shared.cpu
        return done

    def _finish(self, heard: Heard, speech: Speech, at: float) -> None:
        self._ahead, self._partials = None, 0
        self.heard.append(heard)
        raw = heard.guesses[0][1] if heard.guesses else ()
        self.words += ' ' + (heard.reading.text if len(self.ear.parts) > 1 else
                             raw[0].text if raw else '')
        self._act(self.talk.heard(heard.reading, max(at, self._free)), speech, at)

    def _act(self, effects: list[Effect], speech: Speech, at: float) -> None:
        if effects:
            self.delay = max(0.0, self._free - at) + speech.silence
        self.effects += effects


class Shared:
    """What the engines made of one piece, kept for all ears, and what each of them took."""

    def __init__(self) -> None:
        self.cpu = 0.0
        self._made: dict[str, Any] = {}
        self._taken: dict[str, float] = {}

    def partial(self, ear: Ear, piece: Samples) -> str:
        """Text of what is still being spoken; `cpu` is then what it took."""
        engine = ear.recogniser.engines[0]
        text = self._once(engine.name, lambda: ear.recogniser.partial(piece))
        self.cpu = self._taken[engine.name]
        return str(text)

    def read(self, ear: Ear, piece: Samples) -> Heard:
        """The reading of one ear; `cpu` is then what it would have taken alone."""
        for engine in ear.recogniser.engines:
            getattr(engine, 'forget', lambda: None)()
        used: list[str] = []
        inside = 0.0

        def hear(engine: Engine, samples: Samples) -> Sequence[Guess]:
            nonlocal inside
            begun = time.process_time()
            guesses = self._once(engine.name, lambda: engine.hear(samples))
            inside += time.process_time() - begun
            used.append(engine.name)
            return list(guesses)

        begun = time.process_time()
        heard = ear.recogniser.read(piece, hear)
        own = time.process_time() - begun - inside
        self.cpu = own + sum(self._taken[name] for name in used)
        return heard

    def _once(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self._made:
            begun = time.process_time()
            self._made[name] = make()
            self._taken[name] = time.process_time() - begun
        return self._made[name]


def _outcome(trial: Trial, listener: Listener, seconds: float) -> Outcome:
    result, asked_right = judged(trial, listener.effects)
    said, words = spoken(trial.said), listener.words.strip()
    last = listener.heard[-1].reading if listener.heard else Reading(IGNORE)
    return Outcome(listener.ear.name, trial.kind, trial.condition, trial.voice, trial.said, words,
                   result, asked_right, last.confidence, last.why,
                   word_errors(said, spoken(words)), len(said), seconds, listener.cpu,
                   listener.delay)


def judged(trial: Trial, effects: Sequence[Effect]) -> tuple[str, bool]:
    """The result of a trial, and whether a question back held what was meant."""
    sent = [effect.text for effect in effects if isinstance(effect, Send)]
    questions = [effect.text.partition(': ')[2].rstrip('?') for effect in effects
                 if isinstance(effect, Say) and effect.text.startswith('Did you mean')]
    stopped = any(isinstance(effect, Stop) for effect in effects)
    meant = meaning(trial.said)
    if trial.kind in ASIDE:
        return ('stopped' if stopped else 'acted' if sent else 'asked' if questions else 'quiet',
                False)
    if trial.kind in ('stop', 'halt'):
        return ('stopped' if stopped else 'wrong' if sent else 'missed', False)
    if any(meaning(text) != meant for text in sent):
        return 'wrong', False
    if sent:
        return 'right', False
    asked_right = any(meaning(text) == meant for text in questions)
    return ('asked' if questions else 'stopped' if stopped else 'missed'), asked_right


def word_errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Words put in, left out or changed, at least (Levenshtein 1966).

    >>> word_errors(['go', 'to', 'the', 'kitchen'], ['go', 'the', 'kitten'])
    2
    """
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]
