"""Any zero-shot detection model of transformers (OWL-ViT, OWLv2, Grounding DINO) as a detector.

transformers and torch are imported when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nl_robot.perception.detectors import Detection, Image, require_frames


class ZeroShotDetector:
    """Finds what it is given words for."""

    def __init__(self, model: Any, processor: Any, labels: Sequence[str],
                 threshold: float = 0.2) -> None:
        """Use a model and its processor.

        :param labels: what to look for, in plain words; never empty
        :param threshold: detections with a lower score are dropped
        """
        self.labels = tuple(label.strip() for label in labels)
        if not self.labels or not all(self.labels):
            raise ValueError('a zero-shot detector needs words to look for: pass labels=[...] '
                             f'without empty ones, got {list(labels)!r}')
        self.threshold = threshold
        self._model, self._processor = model.eval(), processor
        self._speaks_sentences = 'grounding' in str(model.config.model_type)

    @classmethod
    def load(cls, name: str, labels: Sequence[str] | None = None,
             threshold: float = 0.2) -> ZeroShotDetector:
        """The model of a local path or hub name.

        :param labels: what to look for; by default the kinds that the embedded detector knows
        :raises ValueError: where no such model can be read
        """
        try:
            from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor
        except ImportError as error:
            raise ValueError('the zero-shot detector needs transformers: '
                             f'pip install transformers ({error})') from error
        try:
            processor = AutoProcessor.from_pretrained(name)
            model = AutoModelForZeroShotObjectDetection.from_pretrained(name)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f'no zero-shot detection model could be read from {name!r}; give a '
                             f'directory or a hub name such as google/owlv2-base-patch16: {error}'
                             ) from error
        if labels is None:
            from nl_robot.perception.embedded import known_labels
            labels = known_labels()
        return cls(model, processor, labels, threshold)

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """The detections of each (height, width, 3) RGB frame; distances are not known."""
        require_frames(images)
        return [self._detect_one(image) for image in images]

    def _detect_one(self, image: Image) -> list[Detection]:
        """The detections of one frame."""
        import torch
        words = '. '.join(self.labels) + '.' if self._speaks_sentences else [list(self.labels)]
        inputs = self._processor(images=image, text=words, return_tensors='pt')
        with torch.inference_mode():
            outputs = self._model(**inputs)
        height, width = image.shape[:2]
        found = self._read(outputs, inputs, (height, width))
        detections = []
        for label, score, box in found:
            x0, y0, x1, y1 = (min(max(value, 0.0), limit)
                              for value, limit in zip(box, (width, height, width, height)))
            if label and x1 > x0 and y1 > y0:
                detections.append(Detection(label, min(max(score, 0.0), 1.0), (x0, y0, x1, y1)))
        return detections

    def _read(self, outputs: Any, inputs: Any, size: tuple[int, int],
              ) -> list[tuple[str, float, tuple[float, ...]]]:
        """(label, score, box) of what the model put out for one frame of `size`."""
        process = self._processor.post_process_grounded_object_detection
        if self._speaks_sentences:
            result = process(outputs, inputs['input_ids'], threshold=self.threshold,
                             text_threshold=self.threshold, target_sizes=[size])[0]
            labels = [self._known(phrase) for phrase in result['text_labels']]
        else:
            result = process(outputs, threshold=self.threshold, target_sizes=[size],
                             text_labels=[list(self.labels)])[0]
            labels = result['text_labels']
        return [(label, float(score), tuple(map(float, box))) for label, score, box
                in zip(labels, result['scores'], result['boxes'])]

    def _known(self, phrase: str) -> str:
        """The label that a found phrase stands for, the phrase itself when it is none of them."""
        phrase = phrase.strip()
        fitting = [label for label in self.labels if label in phrase or phrase and phrase in label]
        return max(fitting, key=lambda label: (label == phrase, len(label)), default=phrase)
