"""PocketSphinx with a word model of our own command grammar: nothing to download.

What the model is made of is written once into a cache folder: an ARPA file of trigrams and a
dictionary of their words.  pocketsphinx is imported when the engine is made.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nl_robot.language import grammar
from nl_robot.speech import corpus, lexicon, ngram
from nl_robot.speech.corpus import sentences
from nl_robot.speech.engines import Guess
from nl_robot.speech.english import English
from nl_robot.speech.lexicon import known_words, model_folder, pronunciations
from nl_robot.speech.ngram import Trigrams
from nl_robot.speech.sound import RATE, Samples, levelled, to_pcm

COMMON_WORDS = 3000     # of everyday English, beside the words of the grammar
COMMON_SHARE = 0.12     # of the probability of single words that goes to them
DITHER = 0.003          # of full scale, where speech has 0.08


def default_cache() -> Path:
    """Where models of language are kept: ~/.cache/nl_robot/speech, XDG_CACHE_HOME obeyed."""
    cache = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(cache) / 'nl_robot' / 'speech'


def is_there() -> bool:
    """True when pocketsphinx is installed."""
    try:
        return model_folder().is_dir()
    except ValueError:
        return False


class Sphinx:
    """An engine.

    :param quick: one pass of search and two Gaussians of each mixture, for a second opinion: as
        many words as with two passes, in half the time; alone, it takes talk for commands
    :param cache: folder for the model of language, which is made there when it is missing
    :raises ValueError: pocketsphinx is not installed, or the folder cannot be written
    """

    name = 'pocketsphinx'

    def __init__(self, cache: Path | None = None, guesses: int = 8, quick: bool = False
                 ) -> None:
        model, dictionary = language_files(cache or default_cache())
        import pocketsphinx
        pocketsphinx.set_loglevel('FATAL')
        self._guesses = guesses
        self._decoder = pocketsphinx.Decoder(
            hmm=str(model_folder() / 'en-us'), lm=str(model), dict=str(dictionary),
            remove_noise=False, lw=5.0, maxhmmpf=6000, fwdflat=not quick,
            topn=2 if quick else 4)

    def hear(self, samples: Samples) -> list[Guess]:
        """The best guesses, best first; their scores are the search's, without fillers."""
        decoder = self._decoder
        decoder.start_utt()
        decoder.process_raw(to_pcm(self._dithered(levelled(samples))).tobytes(), False, True)
        decoder.end_utt()
        first = decoder.hyp()
        if first is None or not first.hypstr:
            return []
        found = {first.hypstr: first.best_score}
        for number, other in enumerate(decoder.nbest()):
            if other is None or number >= 4 * self._guesses or len(found) >= self._guesses:
                break
            if other.hypstr:
                found.setdefault(other.hypstr, other.best_score)
        return [Guess(text, score) for text, score in found.items()]

    def _dithered(self, samples: Samples) -> Samples:
        """With faint noise, and some of it before and after, as every microphone has.

        Without it, digital silence throws the acoustic model off: half of all words are lost.
        """
        around = np.zeros(RATE // 4, np.float32)
        framed = np.concatenate([around, samples, around])
        noise = np.random.default_rng(0).standard_normal(len(framed))
        return framed + np.float32(DITHER) * noise.astype(np.float32)


def language_files(cache: Path) -> tuple[Path, Path]:
    """The ARPA file and the dictionary, made when they are not there for this grammar.

    :raises ValueError: the folder cannot be written
    """
    key = _fingerprint()
    model, dictionary = cache / f'commands-{key}.lm', cache / f'commands-{key}.dict'
    if model.is_file() and dictionary.is_file():
        return model, dictionary
    trigrams = command_model()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        mine = cache / f'.{os.getpid()}'
        mine.write_text(''.join(_dictionary_lines(trigrams.vocabulary)), encoding='ascii')
        mine.replace(dictionary)
        trigrams.write_arpa(mine)
        mine.replace(model)
    except OSError as error:
        raise ValueError(f'the model of language cannot be written to {cache}: '
                         f'{error.strerror}') from error
    return model, dictionary


def command_model() -> Trigrams:
    """Trigrams of the command grammar over words that can be spoken, and everyday English."""
    known = set(known_words())
    common = common_words(known)
    said = [words for words in sentences()
            if all(word in known or pronunciations(word) for word in words)]
    return Trigrams(said, common, COMMON_SHARE)


def common_words(known: set[str], count: int = COMMON_WORDS) -> dict[str, float]:
    """The commonest words of everyday English with probabilities that sum to 1."""
    english = English()
    rated = sorted(((english.word(word), word) for word in known), reverse=True)[:count]
    total = sum(math.exp(score) for score, _ in rated)
    return {word: math.exp(score) / total for score, word in rated}


def _dictionary_lines(vocabulary: Sequence[str]) -> list[str]:
    """Each word and its pronunciations as pocketsphinx wants them: `word(2) W ER D`."""
    return [f'{word}{f"({number})" if number > 1 else ""} {" ".join(phones)}\n'
            for word in vocabulary
            for number, phones in enumerate(dict.fromkeys(pronunciations(word)), 1)]


def _fingerprint() -> str:
    """Changes with the grammar and with the code that makes the model."""
    digest = hashlib.sha256()
    folder = Path(grammar.__file__).parent
    for path in (folder / 'frames.yaml', folder / 'words.yaml', Path(corpus.__file__),
                 Path(ngram.__file__), Path(lexicon.__file__), Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
