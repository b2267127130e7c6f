"""The slow part of hearing, in a thread of its own: sound in, what it means out.

Recognition begins at a short pause, before it is certain that the speaker has finished; when the
speaker goes on, what was found is thrown away.
"""

from __future__ import annotations

import ctypes
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nl_robot.speech.conversation import IGNORE, Reading
from nl_robot.speech.microphone import Backoff
from nl_robot.speech.recogniser import Heard
from nl_robot.speech.sound import RATE, Samples
from nl_robot.speech.voice_activity import ActivitySettings, Detector, Speech, Utterances

MOST_WAITING = 20.0      # seconds of sound that may wait for a busy machine; older is dropped
PARTIALS = 4             # how many times text is made of what is still being spoken
BEHIND = 0.3             # seconds of waiting sound above which no time is spent on that
FORGET: Samples = np.zeros(0, np.float32)       # stands in the queue for: forget what you heard


class Reader(Protocol):
    """What reads utterances."""

    @property
    def name(self) -> str:
        """Of its engines."""

    def partial(self, samples: Samples) -> str:
        """What was said so far."""

    def read(self, samples: Samples) -> Heard:
        """What was said."""


@dataclass(frozen=True)
class Partial:
    """Text of what is still being spoken."""

    text: str


@dataclass(frozen=True)
class Finished:
    """An utterance that is over.

    :param samples: its sound, for whoever may keep it
    :param delay: seconds from the last word to now
    """

    heard: Heard
    samples: Samples
    delay: float


News = Partial | Finished


class Hearing:
    """Listens, reads, and recovers when the engine breaks.

    :param make_reader: loads the engine; called in the thread, and again after a failure
    :param make_detector: makes the detector of speech
    :param wake: called from the thread whenever there is news
    """

    def __init__(self, make_reader: Callable[[], Reader], make_detector: Callable[[], Detector],
                 wake: Callable[[], None], settings: ActivitySettings | None = None) -> None:
        self._make_reader, self._make_detector = make_reader, make_detector
        self._wake, self._settings = wake, settings or ActivitySettings()
        self._sound: queue.Queue[Samples | None] = queue.Queue()
        self._news: queue.Queue[News] = queue.Queue()
        self._waiting, self._deaf = 0, False
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._backoff, self._partials = Backoff(), 0
        self._ahead: Heard | None = None
        self.trouble, self.engine = 'speech: the engine is loading', ''
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        """True when an engine is loaded."""
        return bool(self.engine)

    def give(self, samples: Samples) -> None:
        """New sound; dropped while the robot speaks, or when far too much waits."""
        with self._lock:
            if self._deaf or self._waiting > MOST_WAITING * RATE:
                return
            self._waiting += len(samples)
        self._sound.put(samples)

    def deafen(self, deaf: bool) -> None:
        """Ignore all sound from now on, or no longer."""
        with self._lock:
            changed, self._deaf = deaf != self._deaf, deaf
        if changed:
            self._sound.put(FORGET)

    def news(self) -> News | None:
        """The next news, or None; never waits."""
        try:
            return self._news.get_nowait()
        except queue.Empty:
            return None

    def end(self) -> None:
        """Let the thread end; what it reads just now is given a moment."""
        self._ended.set()
        self._sound.put(None)
        self._thread.join(timeout=1.0)

    def _work(self) -> None:
        _keep_memory_small()
        while not self._ended.is_set():
            try:
                reader = self._make_reader()
                utterances = Utterances(self._make_detector(), self._settings)
                self.engine, self.trouble = reader.name, ''
                self._listen(reader, utterances)
            except Exception as error:  # noqa: BLE001 - whatever an engine raises, text goes on
                self.engine = ''
                wait = self._backoff.failed(time.monotonic())
                self.trouble = (f'speech: {" ".join(str(error).split()) or type(error).__name__}; '
                                f'tried again in {wait:g} s')
                self._wake()
                self._ended.wait(wait)
                self._forget()

    def _listen(self, reader: Reader, utterances: Utterances) -> None:
        while (samples := self._sound.get()) is not None:
            if samples is FORGET:
                utterances.reset()
                self._ahead = None
                continue
            with self._lock:
                self._waiting -= len(samples)
                behind = self._waiting / RATE
            for speech in utterances.feed(samples):
                self._on_speech(reader, speech, behind)

    def _on_speech(self, reader: Reader, speech: Speech, behind: float) -> None:
        if speech.kind == 'partial':
            if self._partials < PARTIALS and behind < BEHIND:
                self._partials += 1
                self._tell(Partial(reader.partial(speech.samples)))
        elif speech.kind == 'paused':
            self._ahead = reader.read(speech.samples)
            if self._ahead.reading.verdict != IGNORE:
                self._tell(Partial(self._ahead.reading.text))
        elif speech.kind == 'resumed':
            self._ahead = None
        else:
            heard, self._ahead = self._ahead or reader.read(speech.samples), None
            self._partials = 0
            self._backoff.worked()
            self._tell(Finished(heard, speech.samples, speech.silence + behind))

    def _tell(self, news: News) -> None:
        self._news.put(news)
        self._wake()

    def _forget(self) -> None:
        """Drop the sound that came while there was no engine."""
        try:
            while True:
                if self._sound.get_nowait() is None:
                    self._sound.put(None)
                    break
        except queue.Empty:
            pass
        with self._lock:
            self._waiting = 0


def _keep_memory_small() -> None:
    """Let glibc give back what a network no longer needs: its own way keeps 25 MB more.

    The numbers are those of mallopt(3): M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, 'mallopt'):
        for parameter, value in ((-1, 131072), (-3, 131072), (-8, 1)):
            library.mallopt(parameter, value)


def described(heard: Heard) -> dict[str, str]:
    """What people may want to know of an utterance, as text."""
    reading: Reading = heard.reading
    others = [c.text for c in heard.scored[1:4]]
    return {'text': reading.text, 'verdict': reading.verdict, 'why': reading.why,
            'confidence': f'{reading.confidence:.2f}', 'seconds': f'{heard.seconds:.2f}',
            'others': ' | '.join(others),
            **{f'heard by {name}': guesses[0].text if guesses else ''
               for name, guesses in heard.guesses}}
