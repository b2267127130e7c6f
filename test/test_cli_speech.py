"""The benchmark of speech judged by hand, its commands held against the grammar, the doctor."""

from __future__ import annotations

import argparse
import re
import sys

import numpy as np
import pytest

from nl_robot.cli import benchmark_speech, doctor, doctor_audio, speech_table
from nl_robot.cli.speech_trials import (
    Ear,
    Listener,
    Outcome,
    Trial,
    command_trials,
    household_noise,
    judged,
    noisy,
    stop_trials,
    word_errors,
)
from nl_robot.cli.speech_voices import Voices, mixed, white
from nl_robot.language.grammar import frames_of, load_frames, words
from nl_robot.speech.benchmark_files import commands_of, stops_of, talk_of
from nl_robot.speech.conversation import ACT, Reading, Say, Send, Stop
from nl_robot.speech.corpus import HESITATIONS, PLACES, sentences, spoken
from nl_robot.speech.recogniser import Heard
from nl_robot.speech.sound import RATE, loudness, write_wav
from nl_robot.speech.voice_activity import Speech

ALL = {(which, kind): commands for which in ('development', 'report')
       for kind, commands in commands_of(which).items()}


def fake_voice(tmp_path, seconds: float = 0.5) -> str:
    """A program that says anything as the same tone."""
    tone = tmp_path / 'tone.wav'
    write_wav(tone, 0.3 * np.sin(np.arange(round(seconds * RATE)) / 5).astype(np.float32))
    copy = 'import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])'
    return f'{sys.executable} -c "{copy}" {tone} {{wav}} {{text}}'


def test_there_are_enough_commands_and_no_two_sets_share_one():
    report = [c for kind in ('short', 'long', 'filler') for c in ALL['report', kind]]
    development = [c for kind in ('short', 'long', 'filler') for c in ALL['development', kind]]
    assert len(set(report)) >= 120 and len(set(development)) >= 170
    assert not set(report) & set(development)
    assert not set(talk_of('report')) & set(talk_of('development'))
    assert all(len(spoken(c)) <= 7 for c in ALL['report', 'short'])
    assert all(len(spoken(c)) >= 10 for c in ALL['report', 'long'])


def test_no_command_is_in_the_corpus():
    heard = {' '.join(sentence) for sentence in sentences()}
    for commands in ALL.values():
        assert not {' '.join(spoken(c)) for c in commands} & heard


def frame_patterns():
    """What each sentence frame can say, placeholders being any few words."""
    kinds = '|'.join(f.text for kind in PLACES for f in frames_of(kind))
    for frame in load_frames():
        if not frame.sentence or 'steps' in frame.placeholders:
            continue
        text = re.sub(r'\[([^\]]*)\]', r'(\1)', frame.text.replace('{place}', f'({kinds})'))
        text = re.sub(r'\{\w+(?::[^}]*)?\}', 'PLACE', text)
        parts = re.split(r'(PLACE|[()|])', text)
        names = [' '.join(spoken(n)) for group in ('rooms', 'objects')
                 for some in words(group).values() for n in some]
        place = '(?:the )?(?:' + '|'.join(sorted(names, key=len, reverse=True)) + ')'
        yield re.compile(' ?'.join(place if part == 'PLACE' else part if part in ('(', ')', '|')
                                   else ' '.join(spoken(part)) for part in parts if part.strip()))


def test_no_command_is_a_filled_frame():
    patterns = list(frame_patterns())
    for said in ('go to the kitchen', 'the bike in the garage', 'bedroom mirror',
                 'i need you in the gym'):
        assert any(p.fullmatch(said) for p in patterns), said      # the rule itself works
    extra = {' '.join(spoken(w)) for w in (*words('openings')[''], *words('closings')[''],
                                           *HESITATIONS)}
    for commands in ALL.values():
        for command in commands:
            text, longer = ' '.join(spoken(command)), ''
            while text != longer:       # whichever comes first
                longer = text
                for word in extra:
                    text = text.removeprefix(word + ' ').removesuffix(' ' + word)
            assert not [p.pattern[:60] for p in patterns if p.fullmatch(text)], command


def trial(kind: str, said: str) -> Trial:
    return Trial(kind, 'clean', 'v', said, lambda: np.zeros(0, np.float32))


@pytest.mark.parametrize(('kind', 'said', 'effects', 'result'), [
    ('short', 'to the sofa', [Send('Drive to the couch.')], ('right', False)),
    ('short', 'to the sofa', [Send('To the soda.')], ('wrong', False)),
    ('short', 'to the sofa', [Send('The sofa.'), Send('The desk.')], ('wrong', False)),
    ('short', 'to the sofa', [Say('Did you mean: the sofa?')], ('asked', True)),
    ('short', 'to the sofa', [Say('Did you mean: the desk?')], ('asked', False)),
    ('short', 'to the sofa', [], ('missed', False)),
    ('short', 'to the sofa', [Stop()], ('stopped', False)),
    ('stop', 'stop now', [Stop()], ('stopped', False)),
    ('stop', 'stop now', [Say('Did you mean: top now?')], ('missed', False)),
    ('talk', 'the sofa is old', [], ('quiet', False)),
    ('talk', 'the sofa is old', [Send('The sofa.')], ('acted', False)),
    ('noise', '', [Stop()], ('stopped', False)),
])
def test_results_are_judged_by_meaning(kind, said, effects, result):
    assert judged(trial(kind, said), effects) == result


class Slow:
    """Everything takes three tenths of a second of the processor."""

    cpu = 0.3

    def partial(self, ear: object, piece: object) -> str:
        return 'go to'

    def read(self, ear: object, piece: object) -> Heard:
        return Heard(Reading(ACT, 'Go to the kitchen.', 0.9))


@pytest.mark.parametrize(('partial', 'delay'), [(False, 0.43), (True, 0.63)])
def test_the_delay_counts_what_keeps_the_processor_busy(partial, delay):
    nothing = np.zeros(0, np.float32)
    listener = Listener(Ear('both', None, ('a', 'b')))
    story = [('paused', 2.0, 0.13), ('resumed', 2.1, 0.0), ('paused', 3.0, 0.13),
             ('ended', 3.29, 0.42)]
    if partial:             # done at 3.2, so that the reading ends at 3.5 and not at 3.3
        story.insert(2, ('partial', 2.9, 0.0))
    for kind, at, silence in story:
        listener.hear(Speech(kind, nothing, silence), at, Slow())
    assert listener.effects == [Send('Go to the kitchen.')]
    assert listener.delay == pytest.approx(delay)
    assert listener.cpu == pytest.approx(0.9 if partial else 0.6)
    assert len(listener.heard) == 1         # what was thrown away is not heard


def test_word_errors_by_hand():
    said = 'go to the kitchen'.split()
    assert word_errors(said, said) == 0
    assert word_errors(said, 'go the kitten'.split()) == 2
    assert word_errors(said, []) == 4 and word_errors([], said) == 4


def outcome(kind: str, result: str, seconds: float = 10.0, **more) -> Outcome:
    values = {'engine': 'e', 'kind': kind, 'condition': 'clean', 'voice': 'v', 'said': '',
              'heard': '', 'result': result, 'asked_right': False, 'confidence': 0.5, 'why': '',
              'errors': 1, 'words': 4, 'seconds': seconds, 'cpu': 2.0, 'delay': 0.5}
    return Outcome(**{**values, **more})


def test_the_table_by_hand():
    some = [outcome('short', 'right'), outcome('short', 'right', delay=0.7),
            outcome('long', 'asked', asked_right=True), outcome('long', 'wrong'),
            outcome('stop', 'stopped'), outcome('stop', 'missed'),
            outcome('talk', 'acted', 50.0), outcome('talk', 'acted', 5.0),
            outcome('talk', 'quiet', 50.0), outcome('talk', 'stopped', 50.0)]
    rows = {row['kind']: row for row in speech_table.rows(some)}
    assert rows['short']['right'] == 1.0 and rows['all']['right'] == 0.5
    assert rows['long']['asked_right'] == 0.5 and rows['all']['word_error_rate'] == 0.25
    assert speech_table.speeds(some)[0]['real_time_factor'] == 0.2
    assert speech_table.stops(some)[0]['stop'] == 0.5
    aside = speech_table.asides(some)[0]
    # both commands fall into the first minute, the stop into the second
    assert (aside['minutes_with_a_command'], aside['minutes_with_a_stop']) == (1, 1)
    text = speech_table.text(some)
    assert '| e | clean | all | 4 | 50.0% | 25.0% | 25.0% | 0.0% | 25.0% | 25.0% |' in text
    assert '| v | 100.0% of 2 | 0.0% of 2 | nan% of 0 |' in speech_table.clean_by_voice(some)


def test_noise_is_as_loud_as_asked():
    speech = np.concatenate([np.zeros(RATE), np.full(RATE, 0.1)]).astype(np.float32)
    noise = white(2 * RATE, np.random.default_rng(0))
    added = mixed(speech, noise, 20.0) - speech
    assert loudness(added) == pytest.approx(0.01, rel=0.02)     # a tenth of the loud part
    assert np.abs(household_noise(2.0, 3)).max() <= 1.0


def test_every_voice_takes_its_turn(tmp_path):
    voices = Voices({name: fake_voice(tmp_path) for name in 'abcd'}, tmp_path / 'kept')
    commands = {'short': [f'number {n}' for n in range(4)]}
    trials = list(command_trials(commands, voices, 2, ('white 10 dB',), ['talk'], 0))
    clean = [t for t in trials if t.condition == 'clean']
    assert len(trials) == 8 + 2 and {v: sum(t.voice == v for t in clean) for v in 'abcd'} == {
        v: 2 for v in 'abcd'}
    assert len(list(stop_trials(['stop', 'halt'], voices, ('white 10 dB',), ['x'], 0))) == 4 + 2
    loud = noisy(voices, 'a', 'hello', 'babble 10 dB', ['one', 'two'], 0)
    assert np.array_equal(loud, noisy(voices, 'a', 'hello', 'babble 10 dB', ['one', 'two'], 0))


@pytest.mark.parametrize(('given', 'complaint'), [
    (['--voice', 'joe'], 'NAME=COMMAND'),
    (['--voice', 'joe=piper {text}'], 'must hold {text} and {wav}'),
    (['--voice', 'joe=no-such {text} {wav}', '--only-voices', 'joe'], 'needs the program no-such'),
    (['--only-voices', 'ann'], "no voice 'ann'"),
])
def test_voices_that_make_no_sense_are_refused(given, complaint):
    parser = argparse.ArgumentParser()
    benchmark_speech.add_arguments(parser)
    with pytest.raises(ValueError, match=complaint):
        benchmark_speech.make_trials(parser.parse_args(given))


def test_a_small_benchmark_runs_and_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('nl_robot.speech.benchmark_files.commands_of',
                        lambda which: {'short': ['over to the sofa']})
    monkeypatch.setattr('nl_robot.speech.benchmark_files.stops_of', lambda which: ['stop'])
    monkeypatch.setattr('nl_robot.speech.benchmark_files.talk_of', lambda which: ['it rains'])
    parser = argparse.ArgumentParser()
    benchmark_speech.add_arguments(parser)
    path = tmp_path / 'speech.json'
    argv = ['--engines', 'pocketsphinx', '--voice', f'tone={fake_voice(tmp_path)}',
            '--only-voices', 'tone', '--noises', 'white 10 dB', '--minutes', '0', '--takes', '1',
            '--cache', str(tmp_path / 'kept'), '--json', str(path)]
    assert benchmark_speech.run(parser.parse_args(argv)) == 0
    first = path.read_text()
    assert '| pocketsphinx | clean | short | 1 |' in capsys.readouterr().out
    assert benchmark_speech.run(parser.parse_args(argv)) == 0
    assert path.read_text() == first
    with pytest.raises(ValueError, match='results of other settings'):
        benchmark_speech.run(parser.parse_args([*argv, '--seed', '1']))
    assert len(stops_of('report')) > 10       # the module's own name was not replaced


def test_the_doctor_tells_what_is_there_and_what_it_understood(capsys):
    parser = argparse.ArgumentParser()
    doctor.add_arguments(parser)
    from pathlib import Path
    sounds = Path(__file__).parent / 'sounds'
    arguments = parser.parse_args(['--audio', '--wav', str(sounds / 'go_to_the_kitchen.wav'),
                                   '--engine', 'pocketsphinx'])
    assert doctor.run(arguments) == 0
    text = capsys.readouterr().out
    assert 'ok      pocketsphinx: is installed' in text
    assert "heard by pocketsphinx: 'Go to the kitchen.': act" in text
    assert {state for _, state, _, _ in doctor_audio.findings()} <= {'ok', 'note'}


def test_the_doctor_tells_what_is_wrong_with_a_sound(tmp_path):
    def look(samples):
        write_wav(tmp_path / 'a.wav', samples)
        arguments = argparse.Namespace(wav=tmp_path / 'a.wav', engine='auto')
        return doctor_audio.listen(arguments)
    found = look(np.zeros(RATE, np.float32))
    assert 'hardly anything' in found[0][2] and 'nobody spoke' in found[1][2]
    assert 'clipped' in look(np.ones(RATE, np.float32))[0][2]
    missing = argparse.Namespace(wav=tmp_path / 'none.wav', engine='auto')
    assert doctor_audio.listen(missing)[0][1] == 'missing'
