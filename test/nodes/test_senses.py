"""The policy's senses with the robot's own detections in the place of images."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import pytest
import rclpy
from sensor_msgs.msg import CameraInfo

from nl_robot.nodes import senses as room
from nl_robot.perception.detectors import load_detector


def message(stamp: int, label: str) -> SimpleNamespace:
    """A vision_msgs/Detection2DArray with one detection in the middle of the view."""
    hypothesis = SimpleNamespace(class_id=label, score=0.9)
    box = SimpleNamespace(center=SimpleNamespace(position=SimpleNamespace(x=320.0, y=240.0)),
                          size_x=64.0, size_y=48.0)
    return SimpleNamespace(
        header=SimpleNamespace(stamp=SimpleNamespace(sec=stamp, nanosec=0)),
        detections=[SimpleNamespace(results=[SimpleNamespace(hypothesis=hypothesis)], bbox=box)])


@pytest.fixture
def node():
    rclpy.init()
    made = rclpy.create_node('senses_test')
    yield made
    made.destroy_node()
    rclpy.shutdown()


@pytest.mark.skipif(importlib.util.find_spec('vision_msgs') is not None,
                    reason='vision_msgs is installed: nothing is missing')
def test_detections_without_vision_msgs_are_refused_with_what_to_install(node):
    with pytest.raises(ValueError, match='apt install ros-.*vision-msgs'):
        room.Senses(node, detections=True)


def test_detections_take_the_place_of_frames(node, monkeypatch):
    # any type that DDS can carry: what counts is what the callback makes of such a message
    monkeypatch.setattr(room, 'detections_type', lambda: CameraInfo)
    senses = room.Senses(node, detections=True)
    assert 'camera/front' in senses.lacks()
    for name in ('front', 'left', 'back', 'right'):
        senses._on_detections(name, message(3, f'{name}_chair'))
    assert not any(lack.startswith('camera') for lack in senses.lacks())
    assert senses.frames_after(3_000_000_000) is None
    frames = senses.frames_after(2_000_000_000)
    assert frames is not None
    found, = load_detector('topic').detect([frames['left']])
    assert [(d.label, d.box) for d in found] == [('left chair', (288.0, 216.0, 352.0, 264.0))]


def test_camera_info_tells_size_and_angle_of_view(node, monkeypatch):
    monkeypatch.setattr(room, 'detections_type', lambda: CameraInfo)
    senses = room.Senses(node, detections=True)
    info = CameraInfo(width=640, height=480)
    info.k[0] = 320.0     # 640 pixels at 320 pixels focal length: 90 degrees
    senses._on_info('front', info)
    front = senses.cameras[0]
    assert (front.width, front.image_height) == (640, 480)
    assert front.hfov == pytest.approx(1.5708, abs=1e-4)
