"""Conversation, decisions, stops, voice, microphone and hearing: each on a clock of its own."""

from __future__ import annotations

import math
import sys
import threading
import time

import numpy as np
import pytest

from nl_robot.speech.conversation import (
    ACT,
    ASK,
    IGNORE,
    Conversation,
    Reading,
    Say,
    Send,
    Stop,
    Volume,
    answer,
    is_stop,
    question,
)
from nl_robot.speech.engines import Guess
from nl_robot.speech.hearing import Finished, Hearing
from nl_robot.speech.meaning import meaning
from nl_robot.speech.microphone import Backoff, Microphone
from nl_robot.speech.ngram import Trigrams
from nl_robot.speech.recogniser import DecisionSettings, Heard, Recogniser, check_engine, load
from nl_robot.speech.recording import Recording
from nl_robot.speech.reply import Voice
from nl_robot.speech.sound import RATE, Samples
from nl_robot.speech.stopping import stop_margin
from nl_robot.speech.understanding import Candidate
from nl_robot.speech.voice_activity import ActivitySettings, Speech

KITCHEN = Reading(ACT, 'Go to the kitchen.', 0.9)
UNSURE = Reading(ASK, 'Go to the kitchen.', 0.5, 'unsure')


def heard(talk: Conversation, text: str, now: float, verdict: str = ACT) -> list:
    return talk.heard(Reading(verdict, text), now)


def test_a_sure_reading_is_sent_and_talk_is_not():
    talk = Conversation()
    assert talk.heard(KITCHEN, 0.0) == [Send('Go to the kitchen.')]
    assert heard(talk, 'The soup was good.', 1.0, IGNORE) == []


def test_an_unsure_one_is_asked_back_and_settled_by_yes_or_no():
    talk = Conversation()
    assert talk.heard(UNSURE, 0.0) == [Say('Did you mean: go to the kitchen?')]
    assert heard(talk, 'Yes, please.', 5.0) == [Send('Go to the kitchen.')]
    assert heard(talk, 'Yes.', 6.0, IGNORE) == []              # once
    talk.heard(UNSURE, 10.0)
    assert heard(talk, 'No!', 12.0) == [Say('All right. Please say it again.')]
    talk.heard(UNSURE, 20.0)
    assert heard(talk, 'yes', 30.5, IGNORE) == []              # too late
    talk.heard(UNSURE, 40.0)
    assert heard(talk, 'Go to the sofa.', 41.0) == [Send('Go to the sofa.')]
    assert heard(talk, 'yes', 42.0, IGNORE) == []              # the new command took its place


def test_a_yes_that_nobody_asked_for_is_no_command():
    talk = Conversation()
    for text in ('Please.', 'No!', 'All right it is'):
        assert heard(talk, text, 0.0) == []


def test_stop_passes_everything_once_an_utterance():
    talk = Conversation('computer')
    talk.heard(UNSURE, 0.0)
    assert talk.partial('Stop', 1.0) == [Stop()]
    assert talk.partial('Stop, please', 1.2) == []
    assert heard(talk, 'Stop, please.', 1.4) == []             # the same utterance, at its end
    assert heard(talk, 'Stop!', 2.0) == [Stop()]               # another one
    assert heard(talk, 'Stop!', 3.0, IGNORE) == [Stop()]
    assert talk.partial('Wait', 9.0) == []                     # may go on: wait by the door
    assert heard(talk, 'Wait.', 9.5) == [Stop()]


def test_control_words():
    talk = Conversation()
    assert heard(talk, 'Repeat that.', 0.0) == [Say('I have not said anything yet.')]
    talk.told('On my way.')
    assert heard(talk, 'say that again', 1.0) == [Say('On my way.')]
    assert heard(talk, 'Louder!', 2.0)[0] == Volume(1.4)
    assert heard(talk, 'come back', 3.0, ASK) == [Send('come back')]
    assert heard(talk, 'Never mind.', 4.0, IGNORE) == [Send('Never mind.')]


def test_the_wake_word_is_needed_until_somebody_is_listened_to():
    talk = Conversation('hey robot')
    assert talk.heard(KITCHEN, 0.0) == []
    assert heard(talk, 'Hey robot, go to the sofa.', 1.0) == [Send('go to the sofa.')]
    assert talk.heard(KITCHEN, 8.0) == [Send('Go to the kitchen.')]      # within 8 seconds
    assert talk.heard(KITCHEN, 17.0) == []
    assert heard(talk, 'Hay, robot.', 20.0) == [Say('Yes?')]
    with pytest.raises(ValueError, match='must hold words'):
        Conversation('!!')


@pytest.mark.parametrize(('text', 'hard', 'stop'), [
    ('Stop', True, True), ('please stop now', True, True), ('Freeze!', True, True),
    ('wait', True, False), ('wait', False, True), ('para', False, False), ('di', False, False),
    ('stop by the sofa', False, False), ('nobody wanted to stop', False, False),
    ('', False, False),
])
def test_stops_as_they_are_heard(text, hard, stop):
    assert is_stop(text, hard) is stop


def test_questions_and_answers():
    assert question("I want you in the kitchen.") == 'Did you mean: I want you in the kitchen?'
    assert [answer(t) for t in ('yes', "That's right", 'nope', 'no thank you', 'not that')] == [
        True, True, False, False, False]
    assert answer('the kitchen') is None and answer('') is None


class Fixed:
    """An engine that always guesses the same."""

    def __init__(self, name: str, *texts: str) -> None:
        self.name = name
        self._guesses = [Guess(text, -float(rank)) for rank, text in enumerate(texts)]

    def hear(self, samples: Samples) -> list[Guess]:
        return self._guesses


class Fair(Fixed):
    """One that also judges: its own guesses fit, all else does not."""

    def judge(self, texts):
        mine = {guess.text: guess.log_probability for guess in self._guesses}
        return [mine.get(text, -20.0) for text in texts]


GRAMMAR = Trigrams([['go', 'to', 'the', place] for place in ('kitchen', 'sofa', 'garage')]
                   ).log_probability
LONG = np.ones(4 * RATE, np.float32)


def read(*engines, addressed=lambda words: 5.0, **settings) -> Reading:
    return Recogniser(engines, GRAMMAR, addressed, DecisionSettings(**settings)).read(LONG).reading


def test_what_both_engines_hear_is_acted_on():
    reading = read(Fair('free', 'Go to the kitchen.'), Fixed('grammar', 'go to the kitchen'))
    assert (reading.verdict, reading.text) == (ACT, 'Go to the kitchen.')


def test_what_one_engine_hears_alone_must_fit_better():
    second = Fixed('grammar', 'go to the sofa')
    assert read(Fair('free', 'Go to the kitchen.'), second, misfit_noisy=9.0).verdict == ACT
    # -6 over five words: worse than one a word, and nobody agrees
    poor = Fair('free', 'x', 'x', 'x', 'x', 'x', 'x', 'Go to the kitchen.')
    poor._guesses = poor._guesses[6:]
    reading = read(poor, second, misfit_noisy=1.0)
    assert (reading.verdict, reading.why) == (ASK, 'unclear')


def test_talk_is_ignored_and_what_names_no_place_is_asked():
    def addressed(words):
        return {'we': -3.0, 'go': 3.0}.get(words[0], 0.0)
    assert read(Fair('free', 'We had dinner in the kitchen.'), addressed=addressed).why == 'talk'
    reading = read(Fair('free', 'Perhaps the kitchen.'), addressed=addressed)
    assert (reading.verdict, reading.why) == (ASK, 'unlike_a_command')
    assert read(Fair('free', 'Go to the kitchen.'), addressed=addressed).verdict == ACT
    reading = read(Fair('free', 'Go to the saxophone.'), addressed=addressed)
    assert (reading.verdict, reading.why) == (ASK, 'no_place')
    assert read(Fair('free')).why == 'no_words'


def test_the_limit_is_higher_where_no_second_engine_agrees():
    first, second = Fair('a', 'Go to the kitchen.'), Fixed('b', 'go to the kitchen')
    settings = {'doubt': 0.6, 'doubt_alone': 0.7, 'misfit_noisy': 9.0}
    assert read(first, second, addressed=lambda words: 0.7, **settings).verdict == ACT
    assert read(first, addressed=lambda words: 0.7, **settings).why == 'unlike_a_command'


def test_a_second_engine_that_heard_only_some_of_the_places_makes_a_question():
    said = 'Go to the kitchen in the garage.'
    quiet = np.concatenate([np.full(RATE, 1e-4), np.full(RATE, 1.0)]).astype(np.float32)

    def reading(second):
        engines = [Fair('a', said), Fixed('b', second)]
        return Recogniser(engines, GRAMMAR, lambda words: 5.0,
                          DecisionSettings(sure_misfit=-1.0)).read(quiet).reading
    assert reading('go to the kitchen in the garage').verdict == ACT
    assert reading('go to the kitchen in the sofa').why == 'heard_apart'


def test_a_word_that_fits_in_nowhere_makes_a_question():
    reader = Recogniser([Fair('a', 'Go to the kitchen.')], GRAMMAR, lambda words: 5.0,
                        DecisionSettings(misfit_noisy=9.0), rarest=lambda said: -15.5)
    assert reader.read(LONG).reading.why == 'strange_word'


def reading_of(first: str, second: str = '', known: str = '', **settings) -> Reading:
    """What is made of the guesses of two engines, the words of `known` being used every day."""
    engines = [Fair('a', first), *([Fixed('b', second)] if second else [])]
    vocabulary = set(f'{known} go to the kitchen she he in mountain'.split())
    reader = Recogniser(engines, GRAMMAR, lambda words: 5.0, DecisionSettings(**settings),
                        known=vocabulary.__contains__)
    return reader.read(LONG).reading


def test_a_word_that_nobody_uses_may_have_been_a_name():
    assert reading_of('Go to the kitchen.').verdict == ACT
    assert reading_of('Go to the kitchen morgue.').why == 'strange_word'
    assert reading_of('Go to the kitchen morgue.', known='morgue').verdict == ACT
    assert reading_of('Go to the kitchen morgues.', known='morgue').verdict == ACT
    # a second engine that heard the same places settles it
    assert reading_of('Go to the kitchen morgue.', 'go to the kitchen more').verdict == ACT
    assert reading_of('Go to the kitchen morgue.', 'go to the sofa').verdict == ASK


def test_in_noise_a_name_must_stand_behind_each_the():
    said = 'Go to the kitchen in the mountain.'
    quiet = np.concatenate([np.full(RATE, 1e-4), np.ones(RATE)]).astype(np.float32)
    engines = [Fair('a', said), Fixed('b', 'go to the sofa', said)]
    reader = Recogniser(engines[:1], GRAMMAR, lambda words: 5.0, known=lambda word: True)
    assert reader.read(quiet).reading.verdict == ACT
    assert reader.read(LONG).reading.why == 'strange_word'


def test_settings_of_decisions_are_checked():
    with pytest.raises(ValueError, match='act and act_alone'):
        DecisionSettings(act=0.9, act_alone=0.5)
    with pytest.raises(ValueError, match='must rise between 0 and 1, got 0.9'):
        DecisionSettings(talk=0.9)
    with pytest.raises(ValueError, match='a verdict is'):
        Reading('perhaps')
    with pytest.raises(ValueError, match='at least one engine'):
        Recogniser([], GRAMMAR, lambda words: 0.0)


def test_the_fit_of_a_stop_counts_in_short_utterances_alone():
    short = np.zeros(RATE, np.float32)
    guesses = [Guess('Thank you.', -2.0), Guess('Top', -3.0)]

    def judge(texts):
        return [-5.0 if text == 'Stop now' else -30.0 for text in texts]
    assert stop_margin(judge, guesses, short) == pytest.approx(-2.0)      # against `Top` alone
    assert stop_margin(judge, guesses[:1], short) == pytest.approx(3.0)   # -5 against -8
    assert stop_margin(judge, guesses, LONG) == -math.inf


def test_engines_that_are_not_there_are_named(tmp_path):
    with pytest.raises(ValueError, match='engine must be one of auto'):
        check_engine('ears')
    with pytest.raises(ValueError, match='moonshine lacks encoder_model.onnx .*make speech'):
        load('moonshine', str(tmp_path))
    with pytest.raises(ValueError, match='needs a model'):
        load('whisper')
    with pytest.raises(ValueError, match='no speech model that transformers can load'):
        load('whisper', str(tmp_path))


def test_backoff_doubles_and_forgets():
    backoff = Backoff(1.0, 5.0)
    assert backoff.ready(0.0)
    assert [backoff.failed(0.0) for _ in range(4)] == [1.0, 2.0, 4.0, 5.0]
    assert not backoff.ready(4.9) and backoff.ready(5.0)
    backoff.worked()
    assert backoff.ready(0.0) and backoff.failed(0.0) == 1.0


class FakeStream:
    def __init__(self) -> None:
        self.active, self.closed = True, False

    def start(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True


def test_a_microphone_that_vanishes_is_opened_again():
    opened, blocks, callbacks = [], [], []

    def opener(device, callback):
        if len(opened) == 1:
            opened.append(None)
            raise OSError('Device unavailable')
        opened.append(FakeStream())
        callbacks.append(callback)
        return opened[-1]

    microphone = Microphone('usb', blocks.append, opener)
    now = time.monotonic()
    microphone.tend(now)
    assert 'not opened yet' in microphone.trouble
    callbacks[0](np.array([16384], np.int16).tobytes())
    assert microphone.trouble == '' and blocks[0].tolist() == [0.5]
    opened[0].active = False                                   # it is pulled out
    microphone.tend(now + 0.1)
    assert opened[0].closed and 'fell silent; tried again in 1 s' in microphone.trouble
    microphone.tend(now + 0.2)
    assert len(opened) == 1                                    # not yet
    microphone.tend(now + 1.2)
    assert 'Device unavailable; tried again in 2 s' in microphone.trouble
    microphone.tend(now + 3.3)
    callbacks[1](b'\0\0')
    assert microphone.trouble == ''


def test_a_microphone_that_says_nothing_is_given_up():
    stream = FakeStream()
    microphone = Microphone('', lambda block: None, lambda device, callback: stream)
    microphone.tend(0.0)
    microphone.tend(2.1)
    assert stream.closed and 'fell silent' in microphone.trouble


def test_the_voice_says_one_thing_after_another_and_knows_when(tmp_path):
    said = tmp_path / 'said'
    voice = Voice(f'{sys.executable} -c "import sys; open(sys.argv[1], \'a\').write(sys.argv[2]'
                  f' + sys.argv[3])" {said} {{volume}} {{text}}')
    assert not voice.speaking(time.monotonic())
    voice.say('one')
    voice.change_volume(1.4)
    voice.say('$(two); {text}')
    assert voice.speaking(time.monotonic())
    deadline = time.monotonic() + 20
    while voice.speaking(time.monotonic()) and time.monotonic() < deadline:
        time.sleep(0.02)
    voice.end()
    assert said.read_text().endswith('140$(two); {text}') and 'one' in said.read_text()
    assert voice.trouble == ''


def test_a_voice_without_program_or_words_is_refused():
    with pytest.raises(ValueError, match='must hold {text}'):
        Voice('cat')
    with pytest.raises(ValueError, match="needs the program 'no-such-program'"):
        Voice('no-such-program {text}')
    silent = Voice('')
    silent.say('nobody hears this')
    assert not silent.speaking(0.0)
    silent.end()


def test_nothing_is_recorded_unless_asked(tmp_path):
    assert Recording('').keep(LONG, 'x') is None
    path = Recording(str(tmp_path / 'kept')).keep(LONG, 'Go, to the kitchen!')
    assert path.name.endswith('-0001-go-to-the-kitchen.wav') and path.stat().st_size > 100_000
    (tmp_path / 'file').write_text('')
    with pytest.raises(ValueError, match='cannot be made'):
        Recording(str(tmp_path / 'file' / 'kept'))


class Reader:
    """Reads slowly or not at all; counts what it is asked."""

    name = 'reader'

    def __init__(self) -> None:
        self.read_lengths: list[int] = []

    def partial(self, samples: Samples) -> str:
        return 'go'

    def read(self, samples: Samples) -> Heard:
        self.read_lengths.append(len(samples))
        if samples.max() > 1.5:
            raise RuntimeError('too loud')
        return Heard(KITCHEN)


def collect(hearing: Hearing, woken: threading.Event, count: int) -> list:
    found, deadline = [], time.monotonic() + 20
    while len(found) < count and time.monotonic() < deadline:
        woken.wait(0.05)
        while (news := hearing.news()) is not None:
            found.append(news)
    return found


def test_hearing_begins_at_the_pause_and_recovers_from_a_crash():
    readers: list[Reader] = []
    woken = threading.Event()

    def make() -> Reader:
        readers.append(Reader())
        return readers[-1]
    settings = ActivitySettings(pause=0.064, end=0.128, shortest=0.032)
    hearing = Hearing(make, lambda: lambda chunk: float(min(chunk.max(), 1.0)), woken.set,
                      settings)
    speech, quiet = np.ones(RATE // 4, np.float32), np.zeros(RATE // 2, np.float32)
    try:
        hearing.give(np.concatenate([quiet, speech, quiet]))
        found = collect(hearing, woken, 2)
        assert isinstance(found[-1], Finished) and found[-1].heard.reading == KITCHEN
        assert len(readers[0].read_lengths) == 1               # at the pause, and not again
        hearing.deafen(True)
        hearing.give(np.concatenate([speech, quiet]))          # it speaks itself
        hearing.deafen(False)
        hearing.give(np.concatenate([2 * speech, quiet]))
        deadline = time.monotonic() + 10
        while 'too loud; tried again in 1 s' not in hearing.trouble:
            assert time.monotonic() < deadline, hearing.trouble
            time.sleep(0.01)
        assert not hearing.ready
        while not hearing.ready and time.monotonic() < deadline:
            time.sleep(0.01)
        hearing.give(np.concatenate([quiet, speech, quiet]))
        assert isinstance(collect(hearing, woken, 2)[-1], Finished)
        assert len(readers) == 2 and len(readers[1].read_lengths) == 1
    finally:
        hearing.end()


def test_records_hold_what_they_say():
    assert Speech('ended', LONG).silence == 0.0
    assert Candidate('a', 'b', 0).about == () and meaning('') == ()
