"""Any speech model of transformers as an engine, by its path or hub name.

torch and transformers are imported when the engine is made: they take far more memory than the
rest of speech together, so nothing else in this room reaches them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nl_robot.speech.engines import Guess
from nl_robot.speech.sound import RATE, Samples, levelled

MOST_TOKENS = 80


class Whisper:
    """An engine.

    :param model: path of a folder, or a name in the Hugging Face cache or hub
    :param beam: how many readings are followed, and given back
    :raises ValueError: there is no such model, or it is none of speech
    """

    name = 'whisper'

    def __init__(self, model: str, beam: int = 4) -> None:
        if not model:
            raise ValueError('the engine whisper needs a model: give the path or hub name of a '
                             'speech model of transformers')
        try:
            import torch
            from transformers import AutoModelForSpeechSeq2Seq, AutoProcessor
        except ImportError as error:
            raise ValueError(f'whisper needs the Python package {error.name}: install it with '
                             '`pip install torch transformers`') from error
        try:
            self._processor: Any = AutoProcessor.from_pretrained(model)
            self._model: Any = AutoModelForSpeechSeq2Seq.from_pretrained(model).eval()
        except (OSError, ValueError) as error:
            first = str(error).strip().split('\n')[0]
            raise ValueError(f'{model!r} is no speech model that transformers can load: {first}'
                             ) from error
        self._torch, self._beam = torch, beam

    def hear(self, samples: Samples) -> list[Guess]:
        """Up to `beam` readings, best first; scores are per token, as transformers ranks them."""
        features = self._processor(np.asarray(levelled(samples)), sampling_rate=RATE,
                                   return_tensors='pt')
        with self._torch.inference_mode():
            made = self._model.generate(
                **features, num_beams=self._beam, num_return_sequences=self._beam,
                max_new_tokens=MOST_TOKENS, output_scores=True, return_dict_in_generate=True)
        texts = self._processor.batch_decode(made.sequences, skip_special_tokens=True)
        scores = made.sequences_scores.tolist() if self._beam > 1 else [0.0]
        found: dict[str, float] = {}
        for text, score in zip(texts, scores):
            if text.strip():
                found.setdefault(text.strip(), float(score))
        return [Guess(text, score) for text, score in found.items()]
