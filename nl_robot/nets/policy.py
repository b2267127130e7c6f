"""The language-conditioned policy: one scorer shared by every waypoint and stop.

A small transformer over the tokens of `inputs`: each layer lets tokens look at each other with a
bias made of their relative geometry, and at the words of the goal.  Words and labels enter both
through trainable projections of frozen text vectors and as their frozen agreement (scalar
products), which is what generalises to words never trained on.  The shape follows HAMT (Chen et
al., NeurIPS 2021); the relative bias follows Shaw et al. (NAACL 2018) with geometry for offsets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nl_robot.nets.inputs import FEATURES, FRONTIER, GoalWords, StepInputs
from nl_robot.nets.memory import Floats


@dataclass(frozen=True)
class PolicySettings:
    """The shape of the policy; stored in the checkpoint's config.json."""

    text_dim: int = 384
    width: int = 96
    heads: int = 4
    layers: int = 2
    dropout: float = 0.1


@dataclass(frozen=True)
class Batch:
    """Decisions side by side, padded.

    :param words: (b, t, text_dim); :param mask_word_is_valid: (b, t) bool
    :param tokens: (b, l, FEATURES); :param kinds: (b, l)
    :param labels: (b, l) rows of `label_vectors`; row 0 is for tokens without a label
    :param label_vectors: (u, text_dim) of the labels that occur in the batch
    :param mask_token_is_valid: (b, l) bool
    :param mask_choice_is_valid: (b, c) bool, c = 1 + most waypoints; column 0 is stop
    """

    words: Tensor
    mask_word_is_valid: Tensor
    tokens: Tensor
    kinds: Tensor
    labels: Tensor
    label_vectors: Tensor
    mask_token_is_valid: Tensor
    mask_choice_is_valid: Tensor


def collate(goals: Sequence[GoalWords], inputs: Sequence[StepInputs], label_vectors: Floats
            ) -> Batch:
    """Pad decisions into one batch: choices first, then all other tokens."""
    size = len(inputs)
    choices = 1 + max(step.choices for step in inputs)
    others = max(len(step.tokens) - step.choices - 1 for step in inputs)
    length, words = choices + others, max(len(goal.words) for goal in goals)
    dim = goals[0].words.shape[1]
    text = np.zeros((size, words, dim), np.float32)
    word_valid = np.zeros((size, words), bool)
    tokens = np.zeros((size, length, FEATURES), np.float32)
    kinds = np.zeros((size, length), np.int64)
    labels = np.full((size, length), -1, np.int64)
    valid = np.zeros((size, length), bool)
    for row, (goal, step) in enumerate(zip(goals, inputs)):
        text[row, :len(goal.words)] = goal.words
        word_valid[row, :len(goal.words)] = True
        own, rest = step.choices + 1, len(step.tokens) - step.choices - 1
        for start, part in ((0, slice(0, own)), (choices, slice(own, None))):
            width = own if start == 0 else rest
            tokens[row, start:start + width] = step.tokens[part]
            kinds[row, start:start + width] = step.kinds[part]
            labels[row, start:start + width] = step.labels[part]
            valid[row, start:start + width] = True
    used, places = np.unique(np.append(labels, -1), return_inverse=True)     # -1 comes first
    table = np.concatenate([np.zeros((1, dim), np.float32), label_vectors[used[1:]]])
    rows = places[:-1].reshape(labels.shape)
    return Batch(torch.from_numpy(text), torch.from_numpy(word_valid), torch.from_numpy(tokens),
                 torch.from_numpy(kinds), torch.from_numpy(rows), torch.from_numpy(table),
                 torch.from_numpy(valid), torch.from_numpy(valid[:, :choices]))


class GeometryBias(nn.Module):
    """(b, l, FEATURES) → (b, heads, q, l): how much token q should mind token l by place."""

    def __init__(self, heads: int, hidden: int = 12) -> None:
        super().__init__()
        self.inner = nn.Linear(5, hidden)
        self.outer = nn.Linear(hidden, heads)

    def forward(self, tokens: Tensor) -> Tensor:
        """Pairwise cosine and sine of the bearing difference, distance, and its two decays."""
        cosine, sine = tokens[..., 0], tokens[..., 1]
        x, y = tokens[..., 4], tokens[..., 5]
        same = cosine[:, :, None] * cosine[:, None] + sine[:, :, None] * sine[:, None]
        left = cosine[:, :, None] * sine[:, None] - sine[:, :, None] * cosine[:, None]
        apart = torch.sqrt((x[:, :, None] - x[:, None]) ** 2
                           + (y[:, :, None] - y[:, None]) ** 2 + 1e-6)
        pairs = torch.stack([same, left, apart, torch.exp(-4 * apart), torch.exp(-apart)], dim=-1)
        return self.outer(F.relu(self.inner(pairs))).permute(0, 3, 1, 2)


class Attention(nn.Module):
    """Multi-head attention of queries (b, q, width) to keys (b, k, width) with a bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)

    def forward(self, queries: Tensor, keys: Tensor, bias: Tensor) -> Tensor:
        """`bias` broadcasts to (b, heads, q, k) and holds -inf for keys that are padding."""
        def split(x: Tensor) -> Tensor:
            return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)     # (b, heads, n, dim)
        key, value = self.key_value(keys).chunk(2, dim=-1)
        mixed = F.scaled_dot_product_attention(split(self.query(queries)), split(key),
                                               split(value), attn_mask=bias)
        return self.out(mixed.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """Tokens look at tokens, then at words, then think (pre-norm)."""

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__()
        width = settings.width
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.to_tokens = Attention(width, settings.heads)
        self.to_words = Attention(width, settings.heads)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(),
                                  nn.Linear(2 * width, width))
        self.drop = nn.Dropout(settings.dropout)

    def forward(self, x: Tensor, words: Tensor, token_bias: Tensor, word_bias: Tensor,
                queries: int) -> Tensor:
        """(b, l, width) → (b, queries, width): only the first `queries` tokens are updated."""
        keys = self.norms[0](x)
        x = x[:, :queries]
        x = x + self.to_tokens(keys[:, :queries], keys, token_bias[:, :, :queries])
        x = x + self.to_words(self.norms[1](x), words, word_bias)
        return x + self.drop(self.feed(self.norms[2](x)))


class Policy(nn.Module):
    """π(choice | goal, memory, observation), and an opinion whether the goal is reached here."""

    def __init__(self, settings: PolicySettings = PolicySettings()) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width
        self.geometry = nn.Linear(FEATURES, width)
        self.kind = nn.Embedding(FRONTIER + 1, width)
        self.label = nn.Linear(settings.text_dim, width, bias=False)
        self.word = nn.Sequential(nn.LayerNorm(settings.text_dim),
                                  nn.Linear(settings.text_dim, width))
        self.order = nn.Embedding(128, width)
        self.word_norm = nn.LayerNorm(width)
        self.bias = GeometryBias(settings.heads)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(width)
        self.choice = nn.Linear(width, 1)
        self.stop = nn.Linear(width, 1)
        self.arrived = nn.Linear(width, 1)
        self.drop = nn.Dropout(settings.dropout)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits of the choices (b, c), -inf where padding, and of having arrived (b,)."""
        choices = batch.mask_choice_is_valid.shape[1]
        words = self.word(batch.words) + self.order.weight[:batch.words.shape[1]]
        words = self.drop(self.word_norm(words))
        labels = self.label(self.drop(batch.label_vectors))              # (u, width)
        x = self.geometry(batch.tokens) + self.kind(batch.kinds) + F.embedding(batch.labels,
                                                                               labels)
        token_bias = self.bias(batch.tokens).masked_fill(
            ~batch.mask_token_is_valid[:, None, None], -torch.inf)
        word_bias = torch.zeros_like(batch.mask_word_is_valid, dtype=x.dtype).masked_fill(
            ~batch.mask_word_is_valid, -torch.inf)[:, None, None]
        for index, layer in enumerate(self.layers):
            last = index == len(self.layers) - 1
            x = layer(x, words, token_bias, word_bias, choices if last else x.shape[1])
        x = self.norm(x)
        logits = torch.cat([self.stop(x[:, :1]), self.choice(x[:, 1:])], dim=1)[..., 0]
        return (logits.masked_fill(~batch.mask_choice_is_valid, -torch.inf),
                self.arrived(x[:, 0])[..., 0])
