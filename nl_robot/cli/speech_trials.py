"""What is played in the benchmark of speech, and what each engine made of it.

A trial is a sound with what was meant by it.  It goes the way that the speech node takes: voice
activity cuts it into utterances, engines guess, candidates are weighed, a conversation acts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

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
from nl_robot.speech.meaning import meaning
from nl_robot.speech.recogniser import Heard, Recogniser
from nl_robot.speech.sound import RATE, Samples
from nl_robot.speech.voice_activity import ActivitySettings, Detector, Utterances

CLEAN = 'clean'
NOISES = ('white 20 dB', 'white 10 dB', 'babble 20 dB', 'babble 10 dB')
BEFORE, AFTER = 1.2, 0.9         # seconds of silence or noise around what is said
ASIDE = ('talk', 'noise', 'music')       # what is not for the robot


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
    """One trial through all ears; the engines listen once for all of them."""
    sound = trial.sound()
    utterances = Utterances(detector, settings)
    pieces = [speech.samples for speech in utterances.feed(sound) if speech.kind == 'ended']
    talks = {ear.name: Conversation() for ear in ears}
    effects: dict[str, list[Effect]] = {ear.name: [] for ear in ears}
    heard: dict[str, list[Heard]] = {ear.name: [] for ear in ears}
    cpu = dict.fromkeys(effects, 0.0)
    first = {ear.name: '' for ear in ears}
    for number, piece in enumerate(pieces):
        shared = Shared()
        for ear in ears:
            for engine in ear.recogniser.engines:
                getattr(engine, 'forget', lambda: None)()
            result = shared.read(ear, piece)
            cpu[ear.name] += shared.cpu
            heard[ear.name].append(result)
            effects[ear.name] += talks[ear.name].heard(result.reading, float(number))
            raw = result.guesses[0][1] if result.guesses else ()
            first[ear.name] += ' ' + (result.reading.text if len(ear.parts) > 1 else
                                      raw[0].text if raw else '')
    return [_outcome(trial, ear.name, effects[ear.name], heard[ear.name], first[ear.name],
                     len(sound) / RATE, cpu[ear.name], settings) for ear in ears]


class Shared:
    """What the engines guessed of one utterance, kept for all ears, and what each guess took."""

    def __init__(self) -> None:
        self.cpu = 0.0
        self._guesses: dict[str, list[Guess]] = {}
        self._taken: dict[str, float] = {}

    def read(self, ear: Ear, piece: Samples) -> Heard:
        """The reading of one ear; `cpu` is then what it would have taken alone."""
        self._used: list[str] = []
        self._inside = 0.0
        begun = time.process_time()
        heard = ear.recogniser.read(piece, self._hear)
        own = time.process_time() - begun - self._inside
        self.cpu = own + sum(self._taken[name] for name in self._used)
        return heard

    def _hear(self, engine: Engine, piece: Samples) -> list[Guess]:
        if engine.name not in self._guesses:
            begun = time.process_time()
            self._guesses[engine.name] = engine.hear(piece)
            self._taken[engine.name] = time.process_time() - begun
            self._inside += self._taken[engine.name]
        self._used.append(engine.name)
        return self._guesses[engine.name]


def _outcome(trial: Trial, engine: str, effects: Sequence[Effect], heard: Sequence[Heard],
             words: str, seconds: float, cpu: float, settings: ActivitySettings) -> Outcome:
    result, asked_right = judged(trial, effects)
    said, last = spoken(trial.said), heard[-1].reading if heard else Reading(IGNORE)
    delay = max(settings.end, settings.pause + cpu / len(heard)) if effects else 0.0
    return Outcome(engine, trial.kind, trial.condition, trial.voice, trial.said, words.strip(),
                   result, asked_right, last.confidence, last.why,
                   word_errors(said, spoken(words)), len(said), seconds, cpu, delay)


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
