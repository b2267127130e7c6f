"""A trigram model of words, smoothed as Witten and Bell (1991), kept as ARPA back-off weights.

P(w|h) = (c(hw) + T(h) P(w|h')) / (c(h) + T(h)), where T(h) is how many different words were seen
after h and h' is h without its first word.  Below the bigrams lies a mixture of the corpus' own
frequencies and given ones, so that words of everyday English are possible, but unlikely.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

BEGIN, END = '<s>', '</s>'
ORDER = 3
Gram = tuple[str, ...]


class Trigrams:
    """Log-probabilities (base 10) and back-off weights of all n-grams up to three words.

    :param corpus: sentences as lists of words
    :param others: word → probability (they sum to 1) of words outside the corpus
    :param share: how much of the lowest level is given to `others`
    """

    def __init__(self, corpus: Iterable[Sequence[str]],
                 others: Mapping[str, float] | None = None, share: float = 0.0) -> None:
        counts: Counter[Gram] = Counter()
        for sentence in corpus:
            padded = (BEGIN, *sentence, END)
            for size in range(1, ORDER + 1):
                counts.update(padded[at:at + size] for at in range(len(padded) - size + 1))
        total = sum(n for gram, n in counts.items() if len(gram) == 1) - counts[BEGIN,]
        lowest = {gram[0]: (1 - share) * n / total for gram, n in counts.items()
                  if len(gram) == 1 and gram[0] != BEGIN}
        for word, probability in (others or {}).items():
            lowest[word] = lowest.get(word, 0.0) + share * probability
        follow: dict[Gram, int] = defaultdict(int)      # T(h)
        seen: dict[Gram, int] = defaultdict(int)        # c(h), as a history
        for gram, n in counts.items():
            if len(gram) > 1:
                follow[gram[:-1]] += 1
                seen[gram[:-1]] += n
        self.backoff: dict[Gram, float] = {}
        self.probability: dict[Gram, float] = {(w,): math.log10(p) for w, p in lowest.items()}
        self.probability[BEGIN,] = -99.0     # the custom of ARPA files: it is never predicted
        self.backoff = {past: math.log10(kinds / (seen[past] + kinds))
                        for past, kinds in follow.items()}
        for size in range(2, ORDER + 1):
            for gram, n in counts.items():
                if len(gram) == size:
                    past, kinds = gram[:-1], follow[gram[:-1]]
                    lower = 10 ** self._log10(gram[1:])
                    self.probability[gram] = math.log10((n + kinds * lower)
                                                        / (seen[past] + kinds))

    @classmethod
    def read_arpa(cls, path: Path) -> Trigrams:
        """The model that `write_arpa` wrote.

        :raises ValueError: a line is not one of an ARPA file
        """
        model = cls.__new__(cls)
        model.probability, model.backoff = {}, {}
        with path.open(encoding='ascii') as file:
            for line in file:
                score, tab, rest = line.rstrip('\n').partition('\t')
                if not tab:
                    continue
                words, _, weight = rest.partition('\t')
                gram = tuple(words.split(' '))
                try:
                    model.probability[gram] = float(score)
                    if weight and float(weight):
                        model.backoff[gram] = float(weight)
                except ValueError:
                    raise ValueError(f'{path} is no ARPA file: {line.strip()!r}') from None
        return model

    @property
    def vocabulary(self) -> list[str]:
        """All words, without the marks of beginning and end."""
        return sorted(gram[0] for gram in self.probability
                      if len(gram) == 1 and gram[0] not in (BEGIN, END))

    def _log10(self, gram: Gram) -> float:
        """log10 P(last word | the words before), backed off as far as needed."""
        weight = 0.0
        while gram not in self.probability:
            if len(gram) == 1:
                return -7.0 + weight     # about the rarest word that is known
            weight += self.backoff.get(gram[:-1], 0.0)
            gram = gram[1:]
        return weight + self.probability[gram]

    def log_probability(self, sentence: Sequence[str]) -> float:
        """Natural logarithm of the probability of a whole sentence."""
        return math.log(10) * sum(self.each(sentence))

    def each(self, sentence: Sequence[str]) -> list[float]:
        """log10 of the probability of every word and of the end."""
        padded = (BEGIN, *sentence, END)
        return [self._log10(padded[max(0, at - ORDER + 1):at + 1])
                for at in range(1, len(padded))]

    def write_arpa(self, path: Path) -> None:
        """Write the model as an ARPA file, which pocketsphinx reads."""
        levels: list[list[Gram]] = [[] for _ in range(ORDER)]
        for gram in sorted(self.probability):
            levels[len(gram) - 1].append(gram)
        with path.open('w', encoding='ascii') as file:
            file.write('\\data\\\n')
            file.writelines(f'ngram {n}={len(level)}\n' for n, level in enumerate(levels, 1))
            for n, level in enumerate(levels, 1):
                file.write(f'\n\\{n}-grams:\n')
                for gram in level:
                    weight = f'\t{self.backoff.get(gram, 0.0):.4f}' if n < ORDER else ''
                    file.write(f'{self.probability[gram]:.4f}\t{" ".join(gram)}{weight}\n')
            file.write('\n\\end\\\n')
