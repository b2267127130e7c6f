"""Parameters with a description and a range, and settings dataclasses as parameters."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

T = TypeVar('T')


def declare(node: Node, name: str, default: Any, description: str, low: float | None = None,
            high: float | None = None, fixed: bool = True) -> Any:
    """Declare a parameter and give its value.

    :param low: with `high`, the range of a number
    :param fixed: it cannot be changed while the node runs
    :raises ValueError: an empty list was given
    """
    descriptor = ParameterDescriptor(description=description, read_only=fixed)
    if low is not None and high is not None and isinstance(default, float):
        descriptor.floating_point_range = [FloatingPointRange(
            from_value=float(low), to_value=float(high), step=0.0)]
    elif low is not None and high is not None:
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    value = node.declare_parameter(name, default, descriptor).value
    if value is None:    # what rclpy makes of []
        raise ValueError(f'{name} must not be empty')
    return value


def declare_settings(node: Node, cls: type[T], skip: frozenset[str] = frozenset(),
                     fixed: bool = True) -> T:
    """Declare a parameter for each number of a settings dataclass and build the dataclass.

    :param fixed: the parameters cannot be changed while the node runs
    :raises ValueError: what the dataclass itself refuses, named
    """
    values = {}
    for item in dataclasses.fields(cls):  # type: ignore[arg-type]
        if item.name in skip or not isinstance(item.default, (int, float)):
            continue
        top = max(1000.0 * abs(item.default), 10.0)
        values[item.name] = declare(
            node, item.name, item.default, f'{item.name.replace("_", " ")}, SI units; see '
            f'{cls.__module__}.{cls.__name__}', 0, top, fixed)
    return cls(**values)


def refuse_unknown(node: Node) -> None:
    """Refuse parameters that were given but that the node does not have.

    :raises ValueError: names them
    """
    given = getattr(node, '_parameter_overrides', {})
    unknown = sorted(name for name in given if not node.has_parameter(name)
                     and not name.startswith(('qos_overrides.', 'test_raise')))
    if unknown:
        raise ValueError(f'{node.get_name()} has no parameter {", ".join(unknown)}; '
                         f'`ros2 param list` names all it has')
