"""How well spoken commands are understood: engines, voices and noises side by side.

Synthetic voices speak commands that stand in no grammar and in no corpus of the models
(nl_robot/speech/benchmark_commands.yaml), in silence and in noise.  What an engine makes of them
is right, wrong, asked back or missed by its meaning: places, sides and ordinals in their order.
The delay is that of a processor of its own, from processor time, so that a busy machine does not
spoil it.  Needs espeak-ng and flite (`sudo apt-get install espeak-ng flite`).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from pathlib import Path
from typing import Any

from nl_robot.cli.arguments import natural, output_file, positive
from nl_robot.cli.speech_voices import VOICES, Voices


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot benchmark speech`."""
    from nl_robot.cli.speech_trials import NOISES
    parser.add_argument('--set', choices=('report', 'development'), default='report',
                        help='which commands; all choices are made on development alone')
    parser.add_argument('--engines', nargs='+', default=[],
                        choices=('both', 'moonshine', 'pocketsphinx', 'whisper'),
                        help='default: all whose files are there but whisper')
    parser.add_argument('--model', default='', help='folder of moonshine, or a whisper model')
    parser.add_argument('--voice', action='append', default=[], metavar='NAME=COMMAND',
                        help='one more voice: a command with {text} and {wav} in it')
    parser.add_argument('--only-voices', nargs='+', default=[], metavar='NAME')
    parser.add_argument('--noises', nargs='*', choices=NOISES, default=list(NOISES))
    parser.add_argument('--takes', type=positive, default=2,
                        help='voices that speak each command when it is clean '
                             '(default: %(default)s)')
    parser.add_argument('--minutes', type=natural, default=10,
                        help='of noise, and of music (default: %(default)s)')
    parser.add_argument('--seed', type=natural, default=0, help='of the noises')
    parser.add_argument('--cache', type=Path, default=Path('.cache/speech'),
                        help='keeps what the voices said (default: %(default)s)')
    parser.add_argument('--footprint', type=natural, default=0, metavar='SECONDS',
                        help='also start the node with each engine, let it hear a quiet room for '
                             'so long, and tell its memory and its idle cost (default: 0, not)')
    parser.add_argument('--misses', action='store_true', help='list what was not understood')
    parser.add_argument('--json', type=output_file, help='results; a second run goes on from it')


def run(args: argparse.Namespace) -> int:
    """Play what is not in the results yet, then print the tables."""
    from tqdm import tqdm

    from nl_robot.cli import speech_table
    from nl_robot.cli.speech_trials import Outcome, played
    from nl_robot.speech.voice_activity import ActivitySettings, silero
    ears = make_ears(args.engines, args.model)
    trials, voices = make_trials(args)
    plan = {'set': args.set, 'engines': [ear.name for ear in ears], 'takes': args.takes,
            'voices': voices.commands, 'noises': args.noises, 'seed': args.seed,
            'minutes': args.minutes}
    outcomes, done = _earlier(args.json, plan), 0
    done = len(outcomes) // len(ears)
    detector, settings, saved = silero(), ActivitySettings(), time.monotonic()
    for trial in tqdm(trials[done:], initial=done, total=len(trials), unit='sound'):
        outcomes += played(trial, ears, detector, settings)
        if time.monotonic() - saved > 20:
            _save(args.json, plan, outcomes)
            saved = time.monotonic()
    _save(args.json, plan, outcomes)
    prints = footprints(ears, voices, args.footprint) if args.footprint else []
    print(speech_table.text(outcomes, {p.engine: p.most_megabytes for p in prints}))
    for p in prints:
        print(f'\nthe node with {p.engine}: {p.megabytes:.0f} MB, {p.most_megabytes:.0f} MB at '
              f'most; {p.idle:.1%} of a core in a quiet room')
    print(f'\n{len(voices.commands)} voices, {len(trials)} sounds; clean, by voice:\n')
    print(speech_table.clean_by_voice(outcomes))
    if args.misses:
        _print_misses([o for o in outcomes if isinstance(o, Outcome)])
    return 0


def make_ears(names: list[str], model: str) -> list[Any]:
    """The ears by name, the best first; they share their engines.

    :raises ValueError: an engine that was asked for is not there
    """
    from nl_robot.cli.speech_trials import Ear
    from nl_robot.speech import moonshine, recogniser, sphinx
    folder = Path(model) if model and 'whisper' not in names else moonshine.default_folder()
    if not names:
        names = (['both', 'moonshine', 'pocketsphinx'] if moonshine.is_there(folder)
                 else ['pocketsphinx'])
    engines: dict[str, Any] = {}
    if {'both', 'moonshine'} & set(names):
        engines['moonshine'] = moonshine.Moonshine(folder)
    if {'both', 'pocketsphinx'} & set(names):
        engines['pocketsphinx'] = sphinx.Sphinx(quick='both' in names)
    if 'whisper' in names:
        from nl_robot.speech.whisper import Whisper
        engines['whisper'] = Whisper(model)
    ears = []
    for name in names:
        parts = ('moonshine', 'pocketsphinx') if name == 'both' else (name,)
        ears.append(Ear(name, recogniser.assemble([engines[part] for part in parts]), parts))
    return ears


def footprints(ears: list[Any], voices: Voices, seconds: int) -> list[Any]:
    """What the node costs with each of the engines that need no model by name."""
    from nl_robot.cli.speech_footprint import measure
    sounds = [voices.say(name, 'drive over to the kitchen and wait near the window, please')
              for name in list(voices.commands)[:4]]
    return [measure(ear.name, sounds, seconds, 10 + (os.getpid() + k) % 90)
            for k, ear in enumerate(ears) if ear.name != 'whisper']


def make_trials(args: argparse.Namespace) -> tuple[list[Any], Voices]:
    """All that will be played, fainter noises last, and by which voices.

    :raises ValueError: a voice that makes no sense, or whose program is missing
    """
    from nl_robot.cli import speech_trials
    from nl_robot.speech.benchmark_files import commands_of, stops_of, talk_of
    commands = dict(VOICES)
    for given in args.voice:
        name, equals, command = given.partition('=')
        if not equals:
            raise ValueError(f'--voice takes NAME=COMMAND, got {given!r}')
        commands[name] = command
    if args.only_voices:
        unknown = set(args.only_voices) - set(commands)
        if unknown:
            raise ValueError(f'there is no voice {sorted(unknown)[0]!r}; voices: '
                             + ', '.join(commands))
        commands = {name: commands[name] for name in args.only_voices}
    voices = Voices(commands, args.cache)
    # who babbles says what is in the other set, so that nothing is spoken over itself
    babbled = talk_of('development' if args.set == 'report' else 'report')
    trials = [*speech_trials.command_trials(commands_of(args.set), voices, args.takes,
                                            args.noises, babbled, args.seed),
              *speech_trials.stop_trials(stops_of(args.set), voices, args.noises, babbled,
                                         args.seed + 100_000),
              *speech_trials.other_trials(talk_of(args.set), voices, args.minutes,
                                          args.seed + 200_000)]
    return sorted(trials, key=lambda trial: '20 dB' in trial.condition), voices


def _earlier(path: Path | None, plan: dict[str, Any]) -> list[Any]:
    """What an earlier run of the same plan left.

    :raises ValueError: the file is of another plan
    """
    from nl_robot.cli.speech_trials import Outcome
    if path is None or not path.is_file():
        return []
    kept = json.loads(path.read_text('utf-8'))
    if kept.get('plan') != json.loads(json.dumps(plan)):
        raise ValueError(f'{path} holds the results of other settings: give another file')
    return [Outcome(**row) for row in kept['outcomes']]


def _save(path: Path | None, plan: dict[str, Any], outcomes: list[Any]) -> None:
    if path is None:
        return
    from nl_robot.cli import speech_table
    fresh = path.with_suffix('.part')
    fresh.write_text(json.dumps({
        'plan': plan, 'commands': speech_table.rows(outcomes),
        'speed': speech_table.speeds(outcomes), 'stops': speech_table.stops(outcomes),
        'asides': speech_table.asides(outcomes),
        'outcomes': [dataclasses.asdict(o) for o in outcomes]}, indent=1), 'utf-8')
    fresh.replace(path)


def _print_misses(outcomes: list[Any]) -> None:
    good = ('right', 'quiet')
    for o in outcomes:
        fine = o.result in good or (o.kind in ('stop', 'halt') and o.result == 'stopped')
        if o.engine == outcomes[0].engine and not fine:
            print(f'{o.result:8} {o.kind:7} {o.condition:13} {o.voice:13} {o.said!r} → '
                  f'{o.heard!r}')
