"""Synthetic voices and noises for the benchmark of speech: espeak-ng, flite, and any command."""

from __future__ import annotations

import hashlib
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nl_robot.speech.sound import RATE, Samples, loudness, read_wav

VOICES = {
    'espeak-us': 'espeak-ng -v en-us -s 150 -w {wav} {text}',
    'espeak-gb-f2': 'espeak-ng -v en-gb+f2 -s 140 -w {wav} {text}',
    'espeak-rp-m3': 'espeak-ng -v en-gb-x-rp+m3 -s 165 -w {wav} {text}',
    'espeak-us-f5': 'espeak-ng -v en-us+f5 -s 175 -w {wav} {text}',
    'flite-slt': 'flite -voice slt -t {text} -o {wav}',
    'flite-rms': 'flite -voice rms -t {text} -o {wav}',
    'flite-awb': 'flite -voice awb -t {text} -o {wav}',
    'flite-kal16': 'flite -voice kal16 --setf duration_stretch=1.1 -t {text} -o {wav}',
}
"""Name → the program that writes `{text}` as speech into `{wav}`."""


@dataclass(frozen=True)
class Voices:
    """Voices by name, and a folder that keeps what they said."""

    commands: dict[str, str]
    cache: Path

    def __post_init__(self) -> None:
        for name, command in self.commands.items():
            program = shlex.split(command)[0]
            if '{wav}' not in command or '{text}' not in command:
                raise ValueError(f'the voice {name} must hold {{text}} and {{wav}}: {command}')
            if shutil.which(program) is None:
                raise ValueError(f'the voice {name} needs the program {program}; type: sudo '
                                 'apt-get install espeak-ng flite')

    def say(self, name: str, text: str) -> Samples:
        """The sound of `text` in that voice.

        :raises ValueError: the program failed
        """
        command = self.commands[name]
        key = hashlib.sha256(f'{command}\n{text}'.encode()).hexdigest()[:24]
        path = self.cache / f'{key}.wav'
        if not path.is_file():
            self.cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.cache) as folder:
                fresh = Path(folder) / 'said.wav'
                words = [part.format(text=text, wav=fresh) for part in shlex.split(command)]
                ended = subprocess.run(words, capture_output=True, text=True, timeout=120)
                if ended.returncode or not fresh.is_file():
                    raise ValueError(f'the voice {name} failed: {ended.stderr.strip()[-200:]}')
                fresh.replace(path)
        return read_wav(path)


def white(length: int, rng: np.random.Generator) -> Samples:
    """White noise."""
    return rng.standard_normal(length).astype(np.float32)


def babble(length: int, talk: Sequence[Samples], rng: np.random.Generator,
           talkers: int = 6) -> Samples:
    """Several people talking at once, each from a random place in `talk`, at one loudness."""
    total = np.zeros(length, np.float32)
    for _ in range(talkers):
        order = rng.permutation(len(talk))
        stream = np.concatenate([talk[k] for k in order[:1 + length // (RATE * 2)]])
        stream = np.resize(stream, length + RATE)
        begin = int(rng.integers(RATE))
        total += stream[begin:begin + length] / max(loudness(stream), 1e-6)
    return total


def mixed(speech: Samples, noise: Samples, decibels: float) -> Samples:
    """Speech with noise of the same length, the ratio of their powers in decibels.

    The power of the speech is that of its loud parts, so that pauses do not count.
    """
    frames = speech[:len(speech) // 160 * 160].reshape(-1, 160)
    power = np.square(frames).mean(1)
    power = float(power[power > 0.05 * power.max(initial=0.0)].mean()) if len(frames) else 0.0
    gain = np.sqrt(power / 10 ** (decibels / 10)) / max(loudness(noise), 1e-9)
    both = speech + np.float32(gain) * noise
    return (both / max(1.0, float(np.abs(both).max(initial=0.0)))).astype(np.float32)


def music(length: int, rng: np.random.Generator) -> Samples:
    """Something like music: chords of decaying harmonics, four to the bar."""
    total, beat = np.zeros(length + RATE, np.float32), RATE // 2
    for begin in range(0, length, beat):
        root = 110.0 * 2 ** (rng.integers(0, 24) / 12)
        seconds = np.arange(RATE) / RATE
        for interval in (0, 4, 7):
            for harmonic in range(1, 6):
                pitch = root * 2 ** (interval / 12) * harmonic
                tone = np.sin(2 * np.pi * pitch * seconds) * np.exp(-3 * seconds) / harmonic
                total[begin:begin + RATE] += tone.astype(np.float32)
    return total[:length]
