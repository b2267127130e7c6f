"""The cameras of a robot, as its parameters describe them."""

from __future__ import annotations

import math
from dataclasses import replace

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

from nl_robot.nodes.parameters import declare
from nl_robot.perception.panorama import Camera

FOUR = ('front', 'left', 'back', 'right')


def declare_cameras(node: Node) -> tuple[tuple[Camera, ...], list[str]]:
    """The cameras that the parameters describe, and their image topics.

    :raises ValueError: the lists do not have one entry for each camera
    """
    names = declare(node, 'cameras', list(FOUR), 'names of the cameras')
    topics = declare(node, 'image_topics', [f'camera/{name}/image_raw' for name in FOUR],
                     'one image topic for each camera; camera_info is beside it')
    yaws = declare(node, 'camera_yaws', [0.0, 90.0, 180.0, -90.0],
                   'where each camera looks, degrees, left is positive')
    height = declare(node, 'camera_height', 1.0, 'of the cameras above the floor, m', 0.0, 3.0)
    pitch = declare(node, 'camera_pitch', 8.0, 'degrees, positive looks down', -90.0, 90.0)
    hfov = declare(node, 'camera_hfov', 92.0, 'horizontal angle of view, degrees, until a '
                   'camera_info tells better', 10.0, 170.0)
    if not len(names) == len(topics) == len(yaws):
        raise ValueError(f'cameras, image_topics and camera_yaws need one entry for each camera, '
                         f'got {len(names)}, {len(topics)} and {len(yaws)}')
    cameras = tuple(Camera(name, math.radians(yaw), height, math.radians(pitch),
                           math.radians(hfov), 160, 120) for name, yaw in zip(names, yaws))
    return cameras, list(topics)


def calibrated(camera: Camera, message: CameraInfo) -> Camera:
    """The camera as its camera_info tells; as it was when that tells nothing.

    Where pictures come turned upright, as from a camera that stands on its side, the camera_info
    beside them is that of the sensor: then its height is their width.
    """
    upright = (message.width != message.height
               and (camera.width, camera.image_height) == (message.height, message.width))
    width, height = ((message.height, message.width) if upright else
                     (message.width, message.height))
    focal = float(message.k[4] if upright else message.k[0])
    if not width or not math.isfinite(focal) or focal <= 0:
        return camera
    return replace(camera, hfov=2.0 * math.atan(width / 2.0 / focal), width=int(width),
                   image_height=int(height))
