"""YAML files become frozen dataclasses; a key that nobody asked for is an error that names it."""

from __future__ import annotations

import dataclasses
import os
import sys
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

import yaml

T = TypeVar('T')


def from_mapping(cls: type[T], mapping: dict[str, Any], where: str = 'settings') -> T:
    """Build the dataclass `cls` from `mapping`.

    :raises ValueError: names the unknown key, the missing key or the value of the wrong type
    """
    if not isinstance(mapping, dict):
        raise ValueError(f'{where}: expected a mapping for {cls.__name__}, got {mapping!r}')
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    for key in mapping:
        if key not in fields:
            raise ValueError(f'{where}: unknown key {key!r}; known keys: {", ".join(fields)}')
    values = {key: _convert(hints[key], value, f'{where}.{key}')
              for key, value in mapping.items()}
    missing = [f.name for f in fields.values() if f.name not in values
               and f.default is dataclasses.MISSING
               and f.default_factory is dataclasses.MISSING]
    if missing:
        raise ValueError(f'{where}: missing key {missing[0]!r}')
    return cls(**values)


def _convert(hint: Any, value: Any, where: str) -> Any:
    """`value` as the type `hint` asks for, or ValueError."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_mapping(hint, value, where)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _convert(next(a for a in arguments if a is not type(None)), value, where)
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise ValueError(f'{where}: expected a list, got {value!r}')
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        if len(kinds) != len(value):
            raise ValueError(f'{where}: expected {len(kinds)} values, got {value!r}')
        return tuple(_convert(kind, item, where) for kind, item in zip(kinds, value))
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and (not isinstance(value, hint)
                                   or (hint is int and isinstance(value, bool))):
        raise ValueError(f'{where}: expected {hint.__name__}, got {value!r}')
    return value


def load_yaml(path: Path) -> Any:
    """The content of a YAML file; ValueError names the file when it is not YAML."""
    try:
        return yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f'{path} is not valid YAML: {error}') from error


def load_settings(cls: type[T], path: Path) -> T:
    """The dataclass `cls` read from the YAML file `path`; an empty file gives the defaults."""
    return from_mapping(cls, load_yaml(path) or {}, where=str(path))


def to_mapping(settings: Any) -> dict[str, Any]:
    """The plain dictionary of a settings dataclass, for config.json and origin.json."""
    return dataclasses.asdict(settings)


def shared_dir(name: str) -> Path:
    """The folder models/ or config/: in the source tree, or in share/nl_robot of an installation.

    :raises ValueError: the package is not installed
    """
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) + [sys.prefix]
    places = [Path(__file__).resolve().parent.parent]
    places += [Path(prefix) / 'share' / 'nl_robot' for prefix in prefixes if prefix]
    for place in places:
        if (place / name).is_dir():
            return place / name
    raise ValueError(f'the {name}/ folder of nl_robot was not found: install the package with '
                     'pip or colcon, and source the workspace')
