"""Sound as numbers: 16 kHz, mono, float32 from -1 to 1, and its ways in and out."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 16000
Samples = NDArray[np.float32]
PADDED_SECONDS = 3.0
"""What a short clip is padded to: shorter ones make moonshine drop isolated words."""


def from_pcm(pcm: NDArray[np.int16] | bytes) -> Samples:
    """(n,) samples of 16-bit numbers, or of their little-endian bytes."""
    whole = np.frombuffer(pcm, '<i2') if isinstance(pcm, bytes) else pcm
    return np.asarray(whole, np.float32) / 32768.0


def to_pcm(samples: Samples) -> NDArray[np.int16]:
    """(n,) 16-bit numbers; what is too loud is clipped."""
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)


def resampled(samples: Samples, rate: int) -> Samples:
    """Samples taken at `rate` a second, at 16 kHz.

    :raises ValueError: the rate is not a positive number
    """
    if rate <= 0:
        raise ValueError(f'a sound has a positive number of samples a second, got {rate}')
    if rate == RATE or not len(samples):
        return samples
    from scipy.signal import resample_poly
    shared = int(np.gcd(RATE, rate))
    return resample_poly(samples, RATE // shared, rate // shared).astype(np.float32)


def read_wav(path: Path) -> Samples:
    """The sound of a WAV file of 16-bit PCM, channels averaged, at 16 kHz.

    :raises ValueError: it is no such file; the sentence says what it is
    """
    try:
        with wave.open(str(path), 'rb') as file:
            channels, width, rate = (file.getnchannels(), file.getsampwidth(),
                                     file.getframerate())
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f'{path} is not a WAV file of PCM: {error}') from error
    if width != 2:
        raise ValueError(f'{path} has {8 * width} bits a sample: convert it to 16 bits')
    return resampled(from_pcm(raw).reshape(-1, channels).mean(1), rate)


def write_wav(path: Path, samples: Samples) -> None:
    """Write 16 kHz, mono, 16 bits."""
    with wave.open(str(path), 'wb') as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(to_pcm(samples).astype('<i2').tobytes())


def padded(samples: Samples, seconds: float = PADDED_SECONDS) -> Samples:
    """The sound with silence behind it, at least `seconds` long."""
    missing = round(seconds * RATE) - len(samples)
    return np.pad(samples, (0, missing)) if missing > 0 else samples


def loudness(samples: Samples) -> float:
    """The root of the mean square, 0 for no samples."""
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0


def noise_ratio(samples: Samples) -> float:
    """How much louder the loud tenth of a sound is than its quiet tenth, in decibels, up to 90.

    With a little of the silence before and after, an utterance tells so how noisy a place is.
    """
    frames = samples[:len(samples) // 320 * 320].reshape(-1, 320)
    if not len(frames):
        return 0.0
    power = np.sort(np.square(frames).mean(1))
    tenth = max(1, len(power) // 10)
    floor = max(float(power[:tenth].mean()), 1e-9)
    return min(90.0, 10.0 * float(np.log10(max(float(power[-tenth:].mean()), 1e-9) / floor)))


def levelled(samples: Samples, to: float = 0.08) -> Samples:
    """The sound at one loudness, whoever is near or far; never louder than full scale."""
    peak = float(np.abs(samples).max(initial=0.0))
    gain = min(to / max(loudness(samples), 1e-5), 0.99 / max(peak, 1e-5))
    return (samples * np.float32(gain)).astype(np.float32)
