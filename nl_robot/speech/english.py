"""The trigrams of everyday English that pocketsphinx brings: how likely people say some words."""

from __future__ import annotations

from collections.abc import Sequence

from nl_robot.speech.lexicon import model_folder

UNKNOWN = -16.0        # natural log-probability of a word that the model does not know


class English:
    """A model of language.

    :raises ValueError: pocketsphinx is not installed
    """

    def __init__(self) -> None:
        path = model_folder() / 'en-us.lm.bin'
        import pocketsphinx
        pocketsphinx.set_loglevel('FATAL')
        self._logarithms = pocketsphinx.LogMath()
        self._model = pocketsphinx.NGramModel(pocketsphinx.Config(), self._logarithms, str(path))

    def word(self, *words: str) -> float:
        """Natural log-probability of the last word after the (up to two) before it."""
        score = self._logarithms.log_to_ln(self._model.prob(list(words[::-1])))
        return max(float(score), UNKNOWN)

    def log_probability(self, sentence: Sequence[str]) -> float:
        """Natural log-probability of a whole sentence."""
        return sum(self.each(sentence))

    def each(self, sentence: Sequence[str]) -> list[float]:
        """The same of every word and of the end."""
        framed = ('<s>', *sentence, '</s>')
        return [self.word(*framed[max(0, at - 2):at + 1]) for at in range(1, len(framed))]
