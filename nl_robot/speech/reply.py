"""The robot's voice: espeak-ng, or any command of the user's, one sentence after the other."""

from __future__ import annotations

import queue
import shlex
import shutil
import subprocess
import threading
import time

PRESETS = {'espeak-ng': 'espeak-ng -a {volume} -- {text}'}
LOUDEST, USUAL = 200, 100       # of espeak-ng's amplitude
LONGEST = 300        # characters of a sentence that are spoken
ECHO = 0.35          # seconds after the last word in which a room still sounds


class Voice:
    """Speaks in a thread of its own, and tells whether it is speaking.

    :param command: a program with `{text}` and, if it likes, `{volume}` (0 to 200) among its
        arguments; `espeak-ng`; or '' to be silent
    :raises ValueError: the program is not there, or `{text}` is missing
    """

    def __init__(self, command: str, patience: float = 30.0) -> None:
        command = PRESETS.get(command, command)
        self._words = shlex.split(command)
        if self._words and '{text}' not in command:
            raise ValueError(f'reply must hold {{text}}, for example {PRESETS["espeak-ng"]!r}; '
                             f'got {command!r}')
        if self._words and shutil.which(self._words[0]) is None:
            raise ValueError(f'reply needs the program {self._words[0]!r}: install it, or leave '
                             'reply empty')
        self._patience, self._volume = patience, USUAL
        self._queue: queue.Queue[str | None] = queue.Queue(maxsize=8)
        self._quiet_at, self._busy, self.trouble = float('-inf'), 0, ''
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        if self._words:
            self._thread.start()

    def say(self, text: str) -> None:
        """Speak after what is being spoken; dropped when far too much waits already."""
        if not self._words or not text.strip():
            return
        with self._lock:
            try:
                self._queue.put_nowait(text[:LONGEST])
                self._busy += 1
            except queue.Full:
                self.trouble = 'more to say than time to say it'

    def speaking(self, now: float) -> bool:
        """True while it speaks and shortly after: what is heard then is itself."""
        with self._lock:
            return self._busy > 0 or now - self._quiet_at < ECHO

    def change_volume(self, factor: float) -> None:
        """Louder or quieter, within what is possible."""
        self._volume = min(LOUDEST, max(10, round(self._volume * factor)))

    def end(self) -> None:
        """Fall silent, also in the middle of a word."""
        if not self._words:
            return
        with self._lock:
            if self._process is not None:
                self._process.kill()
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            pass
        self._thread.join(timeout=0.5)

    def _work(self) -> None:
        while (text := self._queue.get()) is not None:
            self._speak(text)
            with self._lock:
                self._busy -= 1
                self._quiet_at = time.monotonic()

    def _speak(self, text: str) -> None:
        arguments = [word.replace('{volume}', str(self._volume)).replace('{text}', text)
                     for word in self._words]
        try:
            process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except OSError as error:
            self.trouble = f'{self._words[0]} cannot be started: {error.strerror}'
            return
        with self._lock:
            self._process = process
        try:
            status = process.wait(self._patience)
            self.trouble = f'{self._words[0]} ended with status {status}' if status else ''
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            self.trouble = f'{self._words[0]} spoke for more than {self._patience:g} s'
        with self._lock:
            self._process = None
