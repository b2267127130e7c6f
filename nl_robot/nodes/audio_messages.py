"""Messages of sound: 16 kHz mono PCM as std_msgs/Int16MultiArray, or audio_common_msgs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from rclpy.node import Node

from nl_robot.nodes.qos import EVENTS
from nl_robot.speech.sound import Samples, from_pcm


def sound_of(message: Any) -> Samples:
    """(n,) samples of a message; an odd last byte of an AudioData is dropped."""
    data = message.audio.data if hasattr(message, 'audio') else message.data
    numbers = np.asarray(data)
    if numbers.dtype == np.uint8:
        return from_pcm(numbers.tobytes()[:len(numbers) // 2 * 2])
    return from_pcm(numbers.astype(np.int16))


def hear_audio_common(node: Node, topic: str, callback: Callable[[Any], None]) -> bool:
    """Also hear audio_common_msgs/AudioData on that topic; False where it is not installed.

    DDS carries one type a name, so it cannot share the name of the other one.
    """
    try:
        messages = importlib.import_module('audio_common_msgs.msg')
    except ImportError:
        return False
    node.create_subscription(messages.AudioData, topic, callback, EVENTS)
    return True
