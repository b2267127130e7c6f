"""The message type of a robot's own detections, where it is installed."""

from __future__ import annotations

from typing import Any


def detections_type() -> Any:
    """vision_msgs/Detection2DArray.

    :raises ValueError: vision_msgs is not installed
    """
    try:
        from vision_msgs.msg import Detection2DArray
    except ImportError as error:
        raise ValueError('detector:=topic needs vision_msgs, which is not installed: type sudo '
                         'apt install ros-$ROS_DISTRO-vision-msgs, or choose detector:=embedded'
                         ) from error
    return Detection2DArray
