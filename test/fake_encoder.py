"""A text encoder for tests: every word has a vector of its own, drawn from its hash."""

from __future__ import annotations

import hashlib

import numpy as np


def word_vector(word: str, dim: int) -> np.ndarray:
    """A vector of length 1 that only this word has."""
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], 'little')
    vector = np.random.default_rng(seed).normal(size=dim)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class FakeEncoder:
    """As `nl_robot.language.encoder.TextEncoder`, without a model; counts what it embeds."""

    name, sha256 = 'fake', 'f' * 64

    def __init__(self, dim: int = 16) -> None:
        self.dim = dim
        self.embedded: list[str] = []

    def encode(self, texts):
        return [np.stack([word_vector(word, self.dim) for word in text.split() or ['']])
                for text in texts]

    def tokens(self, text):
        return text.split() or ['']

    def embed(self, texts):
        self.embedded += texts
        means = [words.mean(axis=0) for words in self.encode(texts)]
        return np.stack([mean / np.linalg.norm(mean) for mean in means])
