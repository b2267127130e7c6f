"""Messages from and to the records of the core."""

from __future__ import annotations

import array
import time
from collections.abc import Mapping

import numpy as np
from action_msgs.msg import GoalStatus
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image, LaserScan

from nl_robot.datatypes import Pose
from nl_robot.geometry import quaternion_from_yaw, yaw_from_quaternion

SECOND = 1_000_000_000
MAX_SIDE = 8192
LONGEST_WAIT = 5.0  # seconds: a message that seems to have been on its way for longer has not
DRIVES = {GoalStatus.STATUS_EXECUTING: 'driving', GoalStatus.STATUS_SUCCEEDED: 'arrived',
          GoalStatus.STATUS_ABORTED: 'blocked', GoalStatus.STATUS_CANCELED: 'blocked'}
"""What the bridge says of a waypoint, in the words of a pursuit."""


def nanoseconds(stamp: Time) -> int:
    """A stamp as one number that can be compared."""
    return int(stamp.sec) * SECOND + int(stamp.nanosec)


def stamp_of(number: int) -> Time:
    """The stamp of that many nanoseconds."""
    return Time(sec=int(number // SECOND), nanosec=int(number % SECOND))


def pose_of_odometry(message: Odometry) -> Pose:
    """The pose of an odometry message; ValueError when it is none."""
    place, turn = message.pose.pose.position, message.pose.pose.orientation
    return Pose(place.x, place.y, yaw_from_quaternion(turn.x, turn.y, turn.z, turn.w),
                message.header.frame_id or 'odom')


def pose_of_waypoint(message: PoseStamped) -> Pose:
    """The pose that a waypoint message asks for; ValueError when it is none."""
    place, turn = message.pose.position, message.pose.orientation
    return Pose(place.x, place.y, yaw_from_quaternion(turn.x, turn.y, turn.z, turn.w),
                message.header.frame_id or 'odom')


def fill_pose(target: object, pose: Pose) -> None:
    """Write a pose into a geometry_msgs/Pose."""
    target.position.x, target.position.y = float(pose.x), float(pose.y)  # type: ignore[attr-defined]
    target.orientation.z, target.orientation.w = map(  # type: ignore[attr-defined]
        float, quaternion_from_yaw(pose.yaw)[2:])


def waypoint_message(pose: Pose, stamp: int) -> PoseStamped:
    """A waypoint as a message; `stamp` in nanoseconds names it."""
    message = PoseStamped()
    message.header.frame_id, message.header.stamp = pose.frame, stamp_of(stamp)
    fill_pose(message.pose, pose)
    return message


def picture_of(message: Image) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 RGB of an image message.

    :raises ValueError: says what is wrong with a message that is no such image
    """
    height, width, step = message.height, message.width, message.step
    if message.encoding not in ('rgb8', 'bgr8'):
        raise ValueError(f'encoding {message.encoding!r}; publish rgb8 or bgr8')
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise ValueError(f'an image of {width} x {height} pixels')
    if step < 3 * width or step * height != len(message.data):
        raise ValueError(f'{len(message.data)} bytes do not fit {width} x {height}, step {step}')
    rows = np.frombuffer(message.data, np.uint8).reshape(height, step)
    picture = rows[:, :3 * width].reshape(height, width, 3)
    return picture if message.encoding == 'rgb8' else picture[..., ::-1].copy()


def image_message(picture: NDArray[np.uint8], frame: str, stamp: Time) -> Image:
    """An rgb8 message of a (height, width, 3) picture; array.array is what rclpy takes fast."""
    data = array.array('B')
    data.frombytes(np.ascontiguousarray(picture).tobytes())
    message = Image(height=int(picture.shape[0]), width=int(picture.shape[1]), encoding='rgb8',
                    step=int(3 * picture.shape[1]), data=data)
    message.header.frame_id, message.header.stamp = frame, stamp
    return message


def camera_info_message(width: int, height: int, focal: float, frame: str, stamp: Time
                        ) -> CameraInfo:
    """The calibration of a camera with square pixels, its middle in the middle, undistorted.

    :param focal: pixels
    """
    f, u, v = float(focal), width / 2, height / 2
    message = CameraInfo(width=int(width), height=int(height), distortion_model='plumb_bob',
                         d=[0.0] * 5, k=[f, 0.0, u, 0.0, f, v, 0.0, 0.0, 1.0],
                         r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
                         p=[f, 0.0, u, 0.0, 0.0, f, v, 0.0, 0.0, 0.0, 1.0, 0.0])
    message.header.frame_id, message.header.stamp = frame, stamp
    return message


def scan_message(ranges: NDArray[np.floating], angle_min: float, angle_increment: float,
                 range_min: float, range_max: float, stamp: Time) -> LaserScan:
    """A scan as a message."""
    message = LaserScan(
        angle_min=float(angle_min), angle_increment=float(angle_increment),
        angle_max=float(angle_min + (len(ranges) - 1) * angle_increment),
        range_min=float(range_min), range_max=float(range_max),
        ranges=array.array('f', np.asarray(ranges, np.float32).tobytes()))
    message.header.frame_id, message.header.stamp = 'laser', stamp
    return message


def said_at(info: Mapping[str, int]) -> float:
    """When a message was said, in seconds of the steady clock.

    The clock of who said it counts if it seems to go like ours, else the moment of its arrival
    here, from which on it may have waited for its turn.

    :param info: of rclpy, nanoseconds of the system's clock
    """
    sent, came = ((time.time_ns() - info[f'{name}_timestamp']) / SECOND
                  for name in ('source', 'received'))
    return time.monotonic() - (sent if 0.0 <= sent <= LONGEST_WAIT
                               else min(max(came, 0.0), LONGEST_WAIT))
