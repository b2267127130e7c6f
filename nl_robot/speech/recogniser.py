"""An utterance → a reading: engines, candidates, and whether to act, to ask or to be still."""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nl_robot.language.grammar import words
from nl_robot.speech import addressing, moonshine, sphinx, understanding
from nl_robot.speech.conversation import ACT, ASK, IGNORE, Reading, answer, is_stop
from nl_robot.speech.corpus import spoken
from nl_robot.speech.engines import Engine, Guess
from nl_robot.speech.english import English
from nl_robot.speech.meaning import Meaning, concepts, has_place, meaning
from nl_robot.speech.ngram import Trigrams
from nl_robot.speech.sound import Samples, noise_ratio
from nl_robot.speech.stopping import MARGIN, stop_margin
from nl_robot.speech.understanding import Candidate, Likely, Weights

ENGINES = ('auto', 'both', 'moonshine', 'pocketsphinx', 'whisper')
PYTHON = 'python:'
ORDINALS = frozenset(words('ordinals')[''])
COUNTED = frozenset(('door', 'room', 'one', 'opening'))      # the second what?
CONTROLS = tuple((f'control: {word}',) for word in ('cancel', 'come back', 'repeat', 'louder',
                                                  'quieter'))

DETERMINERS = ('the', 'a', 'an', 'my', 'your', 'our')
NAMED_WITHIN = 4    # words behind one of these, there should be a name of something
ENDINGS = ('s', 'd', 'ed', 'ing')


Listen = Callable[[Engine, Samples], Sequence[Guess]]


@dataclass(frozen=True)
class DecisionSettings:
    """Where acting ends and asking begins; chosen on the development commands.

    The limits `talk`, `doubt` and `doubt_alone` are probabilities that the words are for the
    robot, not said among people.

    :param act: the share of the likeliest meaning among the candidates that is acted on
    :param act_alone: the same where no second engine read this meaning
    :param doubt: below it the robot asks
    :param doubt_alone: the same where no second engine read this meaning
    :param talk: below it the words are talk, and nothing is made of them
    :param rare: natural log-improbability of the least likely word: above it the robot asks
    :param misfit: of the words given the sound, per word: above it the robot asks
    :param misfit_alone: the same where no second engine read this meaning
    :param misfit_noisy: and the same in a noisy place
    :param misfit_agreed: in a noisy place where a second engine read this meaning
    :param sure: the share that needs no second opinion, in a quiet place
    :param sure_misfit: and the misfit
    :param noisy: decibels from the quiet to the loud parts of an utterance, below which a place
        is noisy
    """

    act: float = 0.5
    act_alone: float = 0.85
    doubt: float = 0.62
    doubt_alone: float = 0.73
    talk: float = 0.27
    rare: float = 15.0
    misfit: float = 2.8
    misfit_alone: float = 1.0
    misfit_noisy: float = 0.35
    misfit_agreed: float = 1.2
    sure: float = 0.97
    sure_misfit: float = 0.35
    noisy: float = 25.0

    def __post_init__(self) -> None:
        if not 0 < self.act <= self.act_alone <= 1:
            raise ValueError('act and act_alone must rise between 0 and 1, got '
                             f'{self.act} and {self.act_alone}')
        if not 0 <= self.talk <= self.doubt <= self.doubt_alone <= 1:
            raise ValueError('talk, doubt and doubt_alone must rise between 0 and 1, got '
                             f'{self.talk}, {self.doubt} and {self.doubt_alone}')


@dataclass(frozen=True)
class Heard:
    """All that is known of an utterance.

    :param seconds: that reading it took
    :param guesses: of each engine
    :param scored: the candidates, best first
    """

    reading: Reading
    guesses: tuple[tuple[str, tuple[Guess, ...]], ...] = ()
    scored: tuple[Candidate, ...] = ()
    seconds: float = 0.0


class Recogniser:
    """Reads utterances.

    :param engines: the first one is asked for partial texts; one that can `judge` weighs the
        candidates of all
    :param commands: natural log-probability of words as a command
    :param addressed: natural log-odds that words are for the robot
    :param rarest: natural log-probability of the least likely of some words, by whichever model
        of language explains it better
    """

    def __init__(self, engines: Sequence[Engine], commands: Likely, addressed: Likely,
                 settings: DecisionSettings | None = None,
                 weights: Weights | None = None,
                 known: Callable[[str], bool] = lambda word: True,
                 rarest: Likely = lambda said: 0.0) -> None:
        if not engines:
            raise ValueError('a recogniser needs at least one engine')
        self.engines = tuple(engines)
        self.settings, self.weights = settings or DecisionSettings(), weights or Weights()
        self._commands, self._addressed = commands, addressed
        self._known, self._rarest = known, rarest
        judging = next((e for e in engines if hasattr(e, 'judge')), None)
        self._judge = getattr(judging, 'judge', None)
        self._judging = judging.name if judging else ''

    @property
    def name(self) -> str:
        """The engines, as `moonshine+pocketsphinx`."""
        return '+'.join(engine.name for engine in self.engines)

    def partial(self, samples: Samples) -> str:
        """What was said so far, quickly."""
        engine = self.engines[0]
        if hasattr(engine, 'first'):
            return str(engine.first(samples))
        guesses = engine.hear(samples)
        return guesses[0].text if guesses else ''

    def read(self, samples: Samples, hear: Listen | None = None) -> Heard:
        """The reading of a whole utterance; a further engine is asked only when one is not sure.

        :param hear: how an engine is asked, where its answers are kept for others
        """
        begun, guesses = time.perf_counter(), []
        noisy = noise_ratio(samples) < self.settings.noisy
        heard = Heard(Reading(IGNORE, why='no_words'))
        for engine in self.engines:
            some = hear(engine, samples) if hear else engine.hear(samples)
            guesses.append((engine.name, tuple(some)))
            found = understanding.candidates(guesses, self.weights)
            second = frozenset(concept for _, others in guesses[1:] for guess in others[:3]
                               for concept in meaning(guess.text))
            scored = understanding.weighed(found, self._judge, self._commands,
                                           self.weights, self._known, second)
            reading = self.decide(scored, guesses, noisy, second)
            sure = not noisy and self._sure(reading, scored)
            if not sure and (stop := self._stop(guesses, samples)):
                reading, sure = stop, True
            heard = Heard(reading, tuple(guesses), tuple(scored), time.perf_counter() - begun)
            if sure:
                break
        return heard

    def _sure(self, reading: Reading, scored: Sequence[Candidate]) -> bool:
        """True when no second opinion is needed; only a judge can be as sure."""
        best = next((c for c in scored if c.text == reading.text), None)
        if best is None or self._judge is None:
            return False
        settled = reading.verdict == ACT or reading.why == 'talk'
        return (settled and self._familiar(spoken(best.text))
                and reading.confidence >= self.settings.sure
                and _misfit(best) <= self.settings.sure_misfit)

    def decide(self, scored: Sequence[Candidate],
               guesses: Sequence[tuple[str, Sequence[Guess]]], noisy: bool = False,
               second: frozenset[str] = frozenset()) -> Reading:
        """Act, ask, or be still.

        :param second: concepts that a second engine heard
        """
        if not scored:
            return Reading(IGNORE, why='no_words')
        about, share = next(iter(understanding.shares(scored).items()))
        best = next(c for c in scored if c.about == about)
        if is_stop(best.text) or answer(best.text) is not None:
            return Reading(ACT, best.text, share)
        said = spoken(best.text)
        meant = 1 / (1 + math.exp(-self._addressed(said)))
        if meant < self.settings.talk:
            return Reading(IGNORE, best.text, share, 'talk')
        agreed = _agreed(about, guesses)
        why = self._doubt(best, share, meant, agreed, noisy)
        if not why and not agreed and second.intersection(about) and not second.issuperset(about):
            why = 'heard_apart'
        if not why and -self._rarest(said) > self.settings.rare:
            why = 'strange_word'
        if not why and not second.issuperset(about) and (
                not self._familiar(said) or noisy and _nameless(said)):
            why = 'strange_word'
        return Reading(ASK if why else ACT, best.text, share, why)

    def _familiar(self, said: Sequence[str]) -> bool:
        """True when people use all of these words, or what they come from, every day."""
        return all(self._known(word) or any(word.endswith(e) and self._known(word.removesuffix(e))
                                            for e in ENDINGS) for word in said)

    def _stop(self, guesses: Sequence[tuple[str, Sequence[Guess]]], samples: Samples
              ) -> Reading | None:
        """A stop, where a short utterance sounds enough like one; only a judge can tell."""
        if self._judge is None:
            return None
        own = next(some for name, some in guesses if name == self._judging)
        margin = stop_margin(self._judge, own, samples)
        if margin <= -MARGIN:
            return None
        return Reading(ACT, 'Stop.', 1 / (1 + math.exp(-margin)), 'sounds_like_it')

    def _doubt(self, best: Candidate, share: float, meant: float, agreed: bool, noisy: bool
               ) -> str:
        """Why the robot should rather ask; '' when it need not."""
        s = self.settings
        if not has_place(best.about) and best.about[:1] not in CONTROLS:
            return 'no_place'
        if ORDINALS.intersection(best.about) and not COUNTED.intersection(
                (*best.about, *spoken(best.text))):
            return 'counts_nothing'
        if noisy and self._judge is None:
            return 'noisy'
        if share < (s.act if agreed else s.act_alone):
            return 'unsure'
        if meant < (s.doubt if agreed else s.doubt_alone):
            return 'unlike_a_command'
        most = ((s.misfit_agreed if agreed else s.misfit_noisy) if noisy else
                s.misfit if agreed else s.misfit_alone)
        if self._judge and _misfit(best) > most:
            return 'unclear'
        return ''


def _misfit(candidate: Candidate) -> float:
    """How badly the words fit the sound: natural log-probability per word, the end counted."""
    return -candidate.acoustic / (len(spoken(candidate.text)) + 1)


def _agreed(about: Meaning, guesses: Sequence[tuple[str, Sequence[Guess]]]) -> bool:
    """True when there is a further engine, and it has this meaning among its first guesses."""
    return len(guesses) > 1 and all(about in [meaning(guess.text) for guess in some[:3]]
                                    for _, some in guesses[1:])


def _nameless(said: Sequence[str]) -> bool:
    """True when `the` or `my` stands before nothing that is known: a name may have been lost.

    >>> _nameless('drive to the window in the mountain'.split())
    True
    """
    begins = [found.begin for found in concepts(said)]
    return any(not any(at < begin <= at + NAMED_WITHIN for begin in begins)
               for at, word in enumerate(said) if word in DETERMINERS)


def check_engine(engine: str) -> None:
    """Raise ValueError for a name that is none."""
    if engine not in ENGINES and not engine.startswith(PYTHON):
        raise ValueError(f'engine must be one of {", ".join(ENGINES)}, got {engine!r}')


def load(engine: str, model: str = '', cache: Path | None = None,
         settings: DecisionSettings | None = None) -> Recogniser:
    """A recogniser by the name of its engine.

    :param engine: `auto`: moonshine and pocketsphinx, or as many of them as there are;
        `python:module:function` calls a function of yours that makes a recogniser
    :param model: folder of moonshine's files, or path or hub name of a whisper model
    :raises ValueError: what is missing, and how to get it
    """
    check_engine(engine)
    if engine.startswith(PYTHON):
        module, _, function = engine.removeprefix(PYTHON).partition(':')
        return getattr(importlib.import_module(module), function)()
    folder = Path(model) if model else moonshine.default_folder()
    if engine == 'auto':
        engine = ('both' if moonshine.is_there(folder) and sphinx.is_there() else
                  'moonshine' if moonshine.is_there(folder) else 'pocketsphinx')
    engines: list[Engine] = []
    if engine in ('both', 'moonshine'):
        engines.append(moonshine.Moonshine(folder))
    if engine in ('both', 'pocketsphinx'):
        engines.append(sphinx.Sphinx(cache, quick=engine == 'both'))
    if engine == 'whisper':
        from nl_robot.speech.whisper import Whisper
        engines.append(Whisper(model))
    return assemble(engines, cache, settings)


def assemble(engines: Sequence[Engine], cache: Path | None = None,
             settings: DecisionSettings | None = None) -> Recogniser:
    """A recogniser of engines that are loaded already.

    :raises ValueError: the models of language cannot be made
    """
    folder = cache or sphinx.default_cache()
    language, _ = sphinx.language_files(folder)
    model, english = Trigrams.read_arpa(language), English()

    def strange(said: Sequence[str]) -> float:
        return (english.log_probability(said) - model.log_probability(said)) / (len(said) + 1)
    def rarest(said: Sequence[str]) -> float:
        return min((max(one, other) for one, other in zip(
            english.each(said), (score * math.log(10) for score in model.each(said)))),
            default=0.0)
    return Recogniser(engines, model.log_probability, addressing.load(
        folder, strange, language.name), settings, rarest=rarest,
                      known=lambda word: (word,) in model.probability or bool(concepts([word])))
