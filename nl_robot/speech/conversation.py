"""What comes of an utterance: a command, a question back and its answer, a stop, or nothing.

A pure state machine: it takes readings and monotonic seconds and gives back effects, which a node
turns into messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nl_robot.language import control_words
from nl_robot.language.commands import control_word, which_one
from nl_robot.speech.corpus import spoken
from nl_robot.speech.lexicon import phones_of
from nl_robot.speech.phonetics import distance

ACT, ASK, IGNORE = 'act', 'ask', 'ignore'
YES = frozenset('yes yeah yep yup sure right correct exactly okay ok affirmative please'.split())
NO = frozenset('no nope nah wrong not never negative'.split())
ANSWER_WORDS = YES | NO | frozenset("that that's is it i mean thanks thank you do robot go on "
                                    "ahead then of course definitely all was indeed".split())
MINE = ('repeat', 'louder', 'quieter')      # control words that speech itself answers to
LOUDER, QUIETER = 1.4, 1 / 1.4
HARD_STOPS = ('stop', 'halt', 'freeze')


@dataclass(frozen=True)
class Reading:
    """What an utterance was understood as.

    :param verdict: `act`, `ask` or `ignore`
    :param text: the likeliest words
    :param confidence: 0 to 1, that the meaning of `text` was meant
    :param why: of `ignore` and `ask`, in a word: `unlike_a_command`, `unsure`, `no_place`, ...
    """

    verdict: str
    text: str = ''
    confidence: float = 0.0
    why: str = ''

    def __post_init__(self) -> None:
        if self.verdict not in (ACT, ASK, IGNORE):
            raise ValueError(f'a verdict is act, ask or ignore, got {self.verdict!r}')


@dataclass(frozen=True)
class Send:
    """Words for the `command` topic."""

    text: str


@dataclass(frozen=True)
class Say:
    """A sentence for the person."""

    text: str


@dataclass(frozen=True)
class Stop:
    """Stop, at once."""


@dataclass(frozen=True)
class Volume:
    """Speak louder or more quietly by this factor."""

    factor: float


Effect = Send | Say | Stop | Volume


@dataclass(frozen=True)
class TalkSettings:
    """Seconds.

    :param answer: how long a question waits for yes or no
    :param attention: how long one may speak without the wake word after it, or after an answer
    :param stop_again: within it a second stop out of the same utterance is not sent
    """

    answer: float = 10.0
    attention: float = 8.0
    stop_again: float = 5.0

    def __post_init__(self) -> None:
        if self.answer <= 0 or self.attention <= 0 or self.stop_again < 0:
            raise ValueError('answer and attention must be above 0, stop_again not below: '
                             f'{self}')


class Conversation:
    """Remembers an open question, what was said last, and whether somebody said the wake word.

    :param wake_word: words that every utterance must begin with; '' for none
    """

    def __init__(self, wake_word: str = '', settings: TalkSettings | None = None) -> None:
        self.settings = settings or TalkSettings()
        self._wake = tuple(spoken(wake_word))
        if wake_word and not self._wake:
            raise ValueError(f'the wake word must hold words, got {wake_word!r}')
        self._question, self._asked_at = '', float('-inf')
        self._attentive_until = float('-inf')
        self._choosing = False
        self._said, self._stopped_at = '', float('-inf')
        self._stopped_within = False        # the utterance that is still being spoken

    def partial(self, text: str, now: float) -> list[Effect]:
        """A stop that opens what is still being spoken."""
        if not is_stop(text, hard=True):
            return []
        effects, self._stopped_within = self._stop(now), True
        return effects

    def heard(self, reading: Reading, now: float) -> list[Effect]:
        """What a finished utterance leads to."""
        if is_stop(reading.text):
            effects, self._stopped_within = self._stop(now), False
            return effects
        self._stopped_within = False
        text, called = self._without_wake_word(reading.text)
        if not called and now > self._attentive_until:
            return []
        self._attentive_until = now + self.settings.attention if self._wake else float('inf')
        if called and not text:
            return [self._say('Yes?')]
        if word := control_word(text):
            return self._control(word, text)
        if now - self._asked_at <= self.settings.answer and self._question:
            if (yes := answer(text)) is not None:
                return self._answered(yes)
        if self._choosing and which_one(text) is not None:
            return [Send(text)]
        if answer(text) is not None:        # nobody asked
            return []
        if reading.verdict == ACT:
            self._question = ''
            return [Send(text)]
        if reading.verdict == ASK:
            self._question, self._asked_at = text, now
            return [self._say(question(text))]
        return []

    def follow(self, status: Mapping[str, str]) -> str:
        """Hear a status of the mission; its state, or `asking` while it waits for which of two
        places is meant."""
        self._choosing = status.get('reason') == 'asking'
        return 'asking' if self._choosing else status.get('state', '')

    def told(self, sentence: str) -> Say:
        """A sentence of somebody else, said by the robot and remembered for `repeat`."""
        return self._say(sentence)

    def _stop(self, now: float) -> list[Effect]:
        self._question = ''
        if self._stopped_within and now - self._stopped_at < self.settings.stop_again:
            return []
        self._stopped_at = now
        return [Stop()]

    def _control(self, word: str, text: str) -> list[Effect]:
        if word == 'repeat':
            return [Say(self._said or 'I have not said anything yet.')]
        if word in MINE:
            factor = LOUDER if word == 'louder' else QUIETER
            return [Volume(factor), self._say(f'I speak {word} now.')]
        self._question = ''
        return [Send(text)]

    def _answered(self, yes: bool) -> list[Effect]:
        asked, self._question = self._question, ''
        return [Send(asked)] if yes else [self._say('All right. Please say it again.')]

    def _say(self, text: str) -> Say:
        self._said = text
        return Say(text)

    def _without_wake_word(self, text: str) -> tuple[str, bool]:
        """The text behind the wake word, and whether it was there; true without a wake word."""
        if not self._wake:
            return text, True
        places = list(re.finditer(r"[A-Za-z0-9]+(?:['’][A-Za-z]+)*", text))
        said, size = spoken(text), len(self._wake)
        for skip in (0, 1):         # one filler may come before it: `um, robot, ...`
            if len(said) == len(places) and said[skip:skip + size] and distance(
                    phones_of(said[skip:skip + size]), phones_of(self._wake)) < 0.25:
                rest = text[places[min(skip + size, len(places)) - 1].end():]
                return rest.lstrip(' ,.!?;:'), True
        return text, False


def question(text: str) -> str:
    """The question back.

    >>> question('Go to the kitchen.')
    'Did you mean: go to the kitchen?'
    """
    text = text.strip().rstrip('.!?,')
    if not text.startswith(('I ', "I'", 'TV')):
        text = text[:1].lower() + text[1:]
    return f'Did you mean: {text}?'


def answer(text: str) -> bool | None:
    """True for yes, False for no, None for anything else.

    >>> answer('No, thank you.'), answer('Yes!'), answer('go to the sofa')
    (False, True, None)
    """
    said = spoken(text)
    if not said or not ANSWER_WORDS.issuperset(said):
        return None
    if NO.intersection(said):
        return False
    return True if YES.intersection(said) else None


def is_stop(text: str, hard: bool = False) -> bool:
    """True for a stop in English, as it may be heard; foreign ones are too short to be told apart.

    :param hard: only what opens with stop, halt or freeze, for text that may go on
    """
    if not text or control_word(text) != 'stop':
        return False
    said = [word for word in spoken(text) if word not in _FILLERS]
    opens = bool(said) and said[0] in HARD_STOPS
    return opens or (not hard and bool(said) and _ENGLISH.issuperset(said))


def _words_of(table: Sequence[str]) -> frozenset[str]:
    return frozenset(word for phrase in table for word in spoken(phrase))


_FILLERS = _words_of([phrase for phrase in control_words.FILLERS.split('|')
                      if ' ' not in phrase])
_ENGLISH = _words_of(control_words.STOP_PHRASES['en'].split('|')) | _FILLERS
