"""One small interface for everything that finds objects in camera frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Detection:
    """One object found in one frame.

    :param label: what it is, in words (`red armchair`)
    :param score: 0 to 1
    :param box: (x0, y0, x1, y1) in pixels, x to the right and y down
    :param distance: metres along the floor, or None where the detector cannot tell
    :param kind: the label without its attributes (`armchair`); the label itself when left out
    """

    label: str
    score: float
    box: tuple[float, float, float, float]
    distance: float | None = None
    kind: str = ''

    def __post_init__(self) -> None:
        x0, y0, x1, y1 = self.box
        if not self.label.strip():
            raise ValueError('Detection.label must name the object, got an empty label')
        if not all(map(math.isfinite, self.box)) or x1 < x0 or y1 < y0:
            raise ValueError('Detection.box must be finite with x0 <= x1 and y0 <= y1, '
                             f'got {self.box!r}')
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f'Detection.score must lie in 0..1, got {self.score!r}')
        object.__setattr__(self, 'kind', self.kind or self.label)


class Detector(Protocol):
    """Finds objects in frames; what it does not know it does not report."""

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """The detections of each (height, width, 3) RGB frame, in the order of the frames."""


def load_detector(name: str = 'embedded', **options: Any) -> Detector:
    """The detector of that name; its libraries are imported here and not before.

    :param name: `embedded`, `embedded:<directory>`, `zero-shot:<path or hub name>`, or `topic`
        where frames are lists of detections already
    :param options: handed to the detector (`threshold`, `labels`, ...)
    :raises ValueError: for a name that no detector answers to
    """
    family, _, argument = name.partition(':')
    if family == 'embedded':
        from nl_robot.perception.embedded import EmbeddedDetector
        return EmbeddedDetector.load(argument or None, **options)
    if family == 'zero-shot' and argument:
        from nl_robot.perception.zero_shot import ZeroShotDetector
        return ZeroShotDetector.load(argument, **options)
    if name == 'topic':
        from nl_robot.perception.detection_topic import DetectionTopic
        return DetectionTopic()
    raise ValueError(f"unknown detector {name!r}; use 'embedded', 'embedded:<directory>', "
                     "'zero-shot:<path or hub name>' or 'topic'")


def require_frames(images: Sequence[Image]) -> None:
    """Raise ValueError naming the first frame that is not (height, width, 3) uint8 RGB."""
    for index, image in enumerate(images):
        if getattr(image, 'ndim', 0) != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f'frame {index} must be (height, width, 3) uint8 RGB, got shape '
                             f"{getattr(image, 'shape', None)} of "
                             f"{getattr(image, 'dtype', type(image).__name__)}")
