"""A microphone through `sounddevice`: opened, watched, and opened again when it vanished."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from nl_robot.speech.sound import RATE, Samples, from_pcm

BLOCK = 512
SILENT_AFTER = 2.0           # seconds without a block: the device is gone


class Stream(Protocol):
    """What is used of a stream of sounddevice."""

    active: bool

    def start(self) -> None:
        """Begin to call back."""

    def close(self) -> None:
        """Give the device back."""


Opener = Callable[[str, Callable[[bytes], None]], Stream]


class Backoff:
    """How long to wait before the next try: 1, 2, 4 ... seconds, and from the start after luck."""

    def __init__(self, first: float = 1.0, longest: float = 30.0) -> None:
        self._first, self._longest = first, longest
        self._wait, self._at = first, float('-inf')

    def ready(self, now: float) -> bool:
        """True when it is time to try."""
        return now >= self._at

    def failed(self, now: float) -> float:
        """Note a failure; gives the seconds until the next try."""
        wait, self._at = self._wait, now + self._wait
        self._wait = min(2 * self._wait, self._longest)
        return wait

    def worked(self) -> None:
        """Forget the failures."""
        self._wait, self._at = self._first, float('-inf')


class Microphone:
    """Hands blocks of sound to a callback, from a thread of the library.

    :param device: name or number as `nl_robot doctor --audio` lists them; '' is the default
    :param deliver: gets (n,) samples
    :param opener: opens a device; that of sounddevice unless a test brings its own
    """

    def __init__(self, device: str, deliver: Callable[[Samples], None],
                 opener: Opener | None = None) -> None:
        self._device, self._deliver, self._open = device, deliver, opener or open_sounddevice
        self._stream: Stream | None = None
        self._heard_at, self._backoff = float('-inf'), Backoff()
        self.trouble = 'microphone: not opened yet'

    def tend(self, now: float) -> None:
        """Open the device when it is time, close it when it has fallen silent; call it often."""
        if self._stream is not None:
            lost = not self._stream.active or now - self._heard_at > SILENT_AFTER
            if lost:
                self.close()
                self._fail(now, 'it fell silent')
            return
        if not self._backoff.ready(now):
            return
        try:
            self._heard_at = now
            self._stream = self._open(self._device, self._on_block)
            self._stream.start()
        except Exception as error:  # noqa: BLE001 - PortAudio raises what it likes
            self.close()
            self._fail(now, ' '.join(str(error).split()) or type(error).__name__)

    def close(self) -> None:
        """Give the device back."""
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                stream.close()
            except Exception:  # noqa: BLE001 - a device that is gone cannot be closed
                pass

    def _fail(self, now: float, why: str) -> None:
        wait = self._backoff.failed(now)
        self.trouble = (f'microphone: {why}; tried again in {wait:g} s; `nl_robot doctor '
                        '--audio` lists what there is')

    def _on_block(self, block: bytes) -> None:
        self._heard_at = time.monotonic()
        if self.trouble:
            self.trouble = ''
            self._backoff.worked()
        self._deliver(from_pcm(block))


def open_sounddevice(device: str, callback: Callable[[bytes], None]) -> Stream:
    """A stream of 16 kHz mono from sounddevice.

    :raises ValueError: sounddevice or PortAudio is not installed
    """
    sounddevice = library()

    def on_block(data: Any, frames: int, when: Any, status: Any) -> None:
        callback(bytes(data))

    chosen = int(device) if device.isdigit() else device or None
    return sounddevice.RawInputStream(samplerate=RATE, blocksize=BLOCK, device=chosen, channels=1,
                                      dtype='int16', callback=on_block)


def library() -> Any:
    """The module sounddevice.

    :raises ValueError: it is not installed, or finds no PortAudio
    """
    try:
        import sounddevice
    except ImportError as error:
        raise ValueError('a microphone needs the Python package sounddevice: install it with '
                         '`pip install sounddevice`, or send sound on the topic `audio`'
                         ) from error
    except OSError as error:
        raise ValueError('a microphone needs PortAudio: type `sudo apt-get install libportaudio2`,'
                         ' or send sound on the topic `audio`') from error
    return sounddevice


def inputs() -> list[tuple[int, str, int]]:
    """Every device that can record: (number, name, channels)."""
    devices = library().query_devices()
    return [(number, str(device['name']), int(device['max_input_channels']))
            for number, device in enumerate(devices) if device['max_input_channels'] > 0]


def record(device: str, seconds: float) -> Samples:
    """Some seconds of sound.

    :raises ValueError: nothing came from the device
    """
    blocks: list[Samples] = []
    microphone = Microphone(device, blocks.append)
    begun = time.monotonic()
    try:
        while time.monotonic() - begun < seconds + 1.0:
            microphone.tend(time.monotonic())
            if sum(map(len, blocks)) >= seconds * RATE:
                break
            time.sleep(0.02)
    finally:
        microphone.close()
    if not blocks:
        raise ValueError(microphone.trouble)
    return np.concatenate(blocks)
