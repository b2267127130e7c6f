"""The messages of the gate, without the numerical library that their packages pull in.

Importing one message of geometry_msgs or sensor_msgs imports all of them, and those with a
covariance import numpy.  The gate needs none of them, so its packages are opened without their
`__init__` and give each message when it is asked for.  Odometry, which has a covariance, is taken
as the bytes that came over the wire.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import struct
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rosidl_generator_py import import_type_support

from nl_robot.motion.odometry_check import Reading

SECOND = 1_000_000_000
C_NAMES = ('create_ros_message', 'convert_from_py', 'convert_to_py', 'destroy_ros_message',
           'type_support')


class LightPackage(ModuleType):
    """A `<package>.msg` that imports a message when it is first asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith('_'):
            raise AttributeError(name)
        found = getattr(importlib.import_module(f'{self.__name__}._{snake_case(name)}'), name)
        setattr(self, name, found)
        return found


def snake_case(name: str) -> str:
    """How the generator of messages names the module of a message."""
    return re.sub(r'(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])', '_', name).lower()


def light_package(package: str) -> ModuleType:
    """`<package>.msg`: as it is where it was imported before, else opened without its `__init__`.

    :raises ModuleNotFoundError: the package is not installed
    """
    name = f'{package}.msg'
    if name not in sys.modules:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.submodule_search_locations is None:
            raise ModuleNotFoundError(f'No module named {name!r}', name=package)
        light = LightPackage(name)
        light.__spec__, light.__path__ = spec, list(spec.submodule_search_locations)
        sys.modules[name] = light
    return sys.modules[name]


def raw_message(package: str, name: str) -> Any:
    """The class of a message that is never made here: rclpy finds its C functions, no more."""
    kind: Any = type(f'Raw{name}', (type,), {f'_{function.upper()}': None for function in C_NAMES})

    def import_type_support_(cls: type) -> None:
        module = import_type_support(package)
        for function in C_NAMES:
            setattr(kind, f'_{function.upper()}',
                    getattr(module, f'{function}_msg__msg__{snake_case(name)}'))

    kind.__import_type_support__ = classmethod(import_type_support_)
    return kind(name, (), {'__doc__': f'{package}/{name}, for subscriptions that take bytes.'})


def reading_of_bytes(data: bytes) -> Reading:
    """Stamp and pose of a serialized nav_msgs/Odometry.

    In CDR (OMG XTypes 1.3, 7.4): four bytes tell the order of bytes, then follow the fields, each
    aligned to its size from there on.  A string is its length with the closing zero, and itself.

    :raises ValueError: the bytes are no such message
    """
    try:
        order = '<' if data[1] & 1 else '>'
        seconds, nanoseconds = struct.unpack_from(f'{order}iI', data, 4)
        place = 12
        for _ in ('frame_id', 'child_frame_id'):
            place += -place % 4
            place += 4 + struct.unpack_from(f'{order}I', data, place)[0]
        place += -(place - 4) % 8
        x, y, _, *quaternion = struct.unpack_from(f'{order}7d', data, place)
    except (IndexError, struct.error) as error:
        raise ValueError(f'{len(data)} bytes are no odometry: {error}') from error
    qx, qy, qz, qw = quaternion
    return Reading(seconds * SECOND + nanoseconds, x, y, (qx, qy, qz, qw))


if TYPE_CHECKING:
    from geometry_msgs.msg import Twist, TwistStamped
    from sensor_msgs.msg import LaserScan
else:
    Twist = light_package('geometry_msgs').Twist
    TwistStamped = light_package('geometry_msgs').TwistStamped
    LaserScan = light_package('sensor_msgs').LaserScan

RawOdometry = raw_message('nav_msgs', 'Odometry')
# Every service names the first, for introspection, and every action the second; nothing here makes
# either. rclpy of Kilted asks for both when it is imported, so this module comes before it.
for _package, _name in (('service_msgs', 'ServiceEventInfo'), ('unique_identifier_msgs', 'UUID')):
    if isinstance(light_package(_package), LightPackage):
        setattr(light_package(_package), _name, raw_message(_package, _name))
