"""Detections that another node made, as vision_msgs describes them.

Nothing here imports vision_msgs: any message of the same shape will do, so that the conversion
is tested wherever the package is not installed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nl_robot.perception.detectors import Detection


class DetectionTopic:
    """The detector of a robot that has one of its own: its frames are detections already."""

    def detect(self, images: Sequence[Any]) -> list[list[Detection]]:
        """The lists of `Detection` that came in the place of images."""
        return [list(found) for found in images]


def detections_from_message(message: Any, names: Mapping[str, str] | None = None,
                            threshold: float = 0.0) -> list[Detection]:
    """The detections of a `vision_msgs/Detection2DArray`, each with its best hypothesis.

    A detection without hypothesis, with a box that is not finite or below the threshold is left
    out: a robot cannot act on it.

    :param names: what to call a `class_id`, for detectors that publish numbers
    """
    found = []
    for detection in message.detections:
        best = max((result.hypothesis for result in detection.results),
                   key=lambda hypothesis: hypothesis.score, default=None)
        box = _box(detection.bbox)
        if best is None or not threshold <= best.score <= 1.0 or box is None:
            continue
        label = (names or {}).get(best.class_id, best.class_id).replace('_', ' ').strip()
        if label:
            found.append(Detection(label, float(best.score), box))
    return found


def _box(bounds: Any) -> tuple[float, float, float, float] | None:
    """(x0, y0, x1, y1) of a vision_msgs/BoundingBox2D; None when it is no box.

    The centre is a pose with `position` since vision_msgs 4; before that it had x and y itself.
    """
    centre = getattr(bounds.center, 'position', bounds.center)
    x, y, width, height = (float(v) for v in (centre.x, centre.y, bounds.size_x, bounds.size_y))
    if not all(map(math.isfinite, (x, y, width, height))) or width < 0 or height < 0:
        return None
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2
