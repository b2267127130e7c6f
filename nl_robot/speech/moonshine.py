"""Moonshine: a small encoder and decoder of speech on onnxruntime (Jeffries et al. 2024).

The decoder runs a beam of a few readings with its cache, and can judge any text given the sound,
all texts in one batch.  onnxruntime and tokenizers are imported when the engine is made.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nl_robot.speech.engines import Guess
from nl_robot.speech.sound import RATE, Samples, levelled, padded

FILES = ('encoder_model.onnx', 'decoder_model_merged.onnx', 'tokenizer.json')
LAYERS, HEADS, HEAD_DIM = 6, 8, 36           # of the tiny model
BEGIN, END = 1, 2
TOKENS_PER_SECOND = 6.5      # the paper's bound against endless repetition
MOST_TOKENS = 80
JUDGED_AT_ONCE = 6
WASTEFUL = ['ConstantFolding']
"""It would keep the words' vectors as 38 MB of floats, once more beside 9 MB of bytes."""


def default_folder() -> Path:
    """Where `make speech` puts the files: ~/.cache/nl_robot/moonshine, XDG_CACHE_HOME obeyed."""
    cache = os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache'
    return Path(cache) / 'nl_robot' / 'moonshine'


def is_there(folder: Path) -> bool:
    """True when all three files are in the folder, and what runs them is installed."""
    return (all((folder / name).is_file() for name in FILES)
            and all(find_spec(package) for package in ('onnxruntime', 'tokenizers')))


class Moonshine:
    """An engine and a judge.

    :param folder: with encoder_model.onnx, decoder_model_merged.onnx and tokenizer.json
    :param beam: how many readings are followed
    :raises ValueError: a file is missing, or does not hold what it should
    """

    name = 'moonshine'

    def __init__(self, folder: Path, beam: int = 4) -> None:
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise ValueError(f'moonshine lacks {missing[0]} in {folder}: fetch its files with '
                             '`make speech`, or choose another engine')
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ValueError(f'moonshine needs the Python package {error.name}: install it with '
                             '`pip install onnxruntime tokenizers`') from error
        _share_memory(onnxruntime)
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry('session.use_env_allocators', '1')
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._encoder, self._decoder = (
                onnxruntime.InferenceSession(str(folder / name), options,
                                             providers=['CPUExecutionProvider'],
                                             disabled_optimizers=WASTEFUL)
                for name in FILES[:2])
            self._tokenizer = Tokenizer.from_file(str(folder / FILES[2]))
        except Exception as error:     # both libraries raise bare exceptions of their own
            raise ValueError(f'moonshine cannot read its files in {folder}: {error}') from error
        self._giving_back = onnxruntime.RunOptions()
        self._giving_back.add_run_config_entry('memory.enable_memory_arena_shrinkage', 'cpu:0')
        self._outputs = [output.name for output in self._decoder.get_outputs()]
        self._beam, self._heard = beam, np.zeros((1, 1, 288), np.float32)
        self._judged: dict[str, float] = {}       # of the sound heard last

    def hear(self, samples: Samples) -> list[Guess]:
        """Up to `beam` readings, best first."""
        self._encode(samples)
        return self._search(self._beam, len(samples))

    def first(self, samples: Samples) -> str:
        """The one most probable reading, quickly: for text that is still being spoken."""
        self._encode(samples)
        found = self._search(1, len(samples))
        return found[0].text if found else ''

    def judge(self, texts: Sequence[str]) -> list[float]:
        """Log-probabilities of texts, given the sound heard last.

        A few at a time: the scores of 32 768 words at every place of a text take much memory.
        """
        rows = {text: [BEGIN, *self._tokenizer.encode(text, add_special_tokens=False).ids, END]
                for text in texts if text not in self._judged}
        order = sorted(rows, key=lambda text: len(rows[text]))    # little is padded then
        for start in range(0, len(order), JUDGED_AT_ONCE):
            part = order[start:start + JUDGED_AT_ONCE]
            self._judged |= zip(part, self._judge([rows[text] for text in part]))
        return [self._judged[text] for text in texts]

    def forget(self) -> None:
        """Judge every text anew, for who measures what that takes."""
        self._judged = {}

    def _judge(self, rows: list[list[int]]) -> list[float]:
        longest = max(map(len, rows))
        ids = np.array([row + [END] * (longest - len(row)) for row in rows], np.int64)
        logits = self._decode(ids[:, :-1], None)[0]       # (texts, tokens, words)
        each = np.take_along_axis(logits, ids[:, 1:, None], 2)[..., 0]
        top = logits.max(-1, keepdims=True)
        np.exp(np.subtract(logits, top, out=logits), out=logits)
        each = each - top[..., 0] - np.log(logits.sum(-1))
        return [float(each[k, :len(row) - 1].sum()) for k, row in enumerate(rows)]

    def _encode(self, samples: Samples) -> None:
        sound = padded(levelled(samples))[None]
        self._judged = {}
        # what the last sound took and this one does not need is given back to the system
        self._heard = self._encoder.run(None, {'input_values': sound}, self._giving_back)[0].copy()

    def _decode(self, ids: NDArray[np.int64], past: dict[str, Any] | None
                ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Logits (batch, tokens, words) and what the next step needs of the past."""
        many = len(ids)
        if past is None:
            empty = np.zeros((many, HEADS, 0, HEAD_DIM), np.float32)
            past = {f'past_key_values.{layer}.{part}.{kind}': empty for layer in range(LAYERS)
                    for part in ('decoder', 'encoder') for kind in ('key', 'value')}
            fresh = True
        else:
            fresh = False
        feed = {'input_ids': ids, 'use_cache_branch': np.array([not fresh]), **past,
                'encoder_hidden_states': np.repeat(self._heard, many, 0)}
        logits, *present = self._decoder.run(None, feed)
        kept = dict(past)
        for name, value in zip(self._outputs[1:], present):
            slot = name.replace('present', 'past_key_values')
            if fresh or '.decoder.' in name:     # the encoder's part is computed once
                kept[slot] = value
        return logits, kept

    def _search(self, beam: int, length: int) -> list[Guess]:
        """Beam search; finished readings are ranked by their probability as a whole."""
        most = min(MOST_TOKENS, int(max(length / RATE, 1.0) * TOKENS_PER_SECOND) + 2)
        rows, scores, past = [[BEGIN]], np.zeros(1, np.float32), None
        done: list[tuple[float, list[int]]] = []
        many = 2 * beam if beam > 1 else 1      # the one best goes on until it is the end itself
        for _ in range(most):
            logits, past = self._decode(np.array([row[-1:] for row in rows], np.int64), past)
            total = scores[:, None] + _log_softmax(logits[:, -1])     # (rows, words)
            flat = np.argpartition(total, -many, None)[-many:]
            best = flat[np.argsort(-total.ravel()[flat])]
            parents, words = np.unravel_index(best, total.shape)
            ended = words == END
            done += [(float(total[p, END]), rows[p]) for p in parents[ended]]
            keep = ~ended
            parents, words = parents[keep][:beam], words[keep][:beam]
            scores = total[parents, words]
            rows = [[*rows[p], int(w)] for p, w in zip(parents, words)]
            past = {name: value[parents] for name, value in past.items()}
            if not rows or (len(done) >= beam
                            and sorted(-d[0] for d in done)[beam - 1] <= -scores[0]):
                break
        if not done:
            done = [(float(score), row) for score, row in zip(scores, rows)]
        best_of: dict[str, float] = {}
        for score, row in sorted(done, reverse=True):
            best_of.setdefault(self._tokenizer.decode(row[1:]).strip(), score)
        return [Guess(text, score) for text, score in best_of.items() if text][:beam]


@cache
def _share_memory(onnxruntime: Any) -> None:
    """One arena for both networks, which grows by what is asked for and not to twice its size.

    Without any arena every step of the decoder takes four times as long.
    """
    settings = onnxruntime.OrtArenaCfg(0, 1, -1, -1)     # no limit; grow as requested
    where = onnxruntime.OrtMemoryInfo('Cpu', onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0,
                                      onnxruntime.OrtMemType.DEFAULT)
    onnxruntime.create_and_register_allocator(where, settings)


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
