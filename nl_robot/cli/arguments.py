"""What several commands take as arguments: numbers with a least value, files to be written.

Each function is a `type=` of argparse, so that wrong input is told before any long work begins.
"""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path


def natural(text: str) -> int:
    """A whole number, 0 or more."""
    return _whole(text, 0)


def positive(text: str) -> int:
    """A whole number, 1 or more."""
    return _whole(text, 1)


def _whole(text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f'must be a whole number, {least} or more, got {text!r}')
    return number


def _real(text: str) -> float:
    """A number; nan, which no range holds, for what is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def positive_number(text: str) -> float:
    """A number above 0."""
    number = _real(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f'must be a number above 0, got {text!r}')
    return number


def probability(text: str) -> float:
    """A number from 0 to 1."""
    number = _real(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f'must be a number from 0 to 1, got {text!r}')
    return number


def output_file(text: str) -> Path:
    """The path of a file that can be written; its folder is made."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f'must be a file, but {text!r} is a folder')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f'no folder {path.parent} can be made: {error.strerror}') from error
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f'{text!r} may not be written')
    return path


def output_folder(text: str) -> Path:
    """The path of a folder that can be written into; it is made."""
    path = Path(text)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f'no folder {path} can be made: {error.strerror}') from error
    if not os.access(path, os.W_OK):
        raise argparse.ArgumentTypeError(f'{text!r} may not be written into')
    return path


def minutes(text: str) -> float:
    """A time such as `10m`, `90s`, `1.5h`; a bare number is minutes."""
    unit = {'s': 1 / 60, 'm': 1.0, 'h': 60.0}.get(text[-1:], 0.0)
    number = _real(text[:-1] if unit else text) * (unit or 1.0)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f'must be a time such as 10m or 90s, got {text!r}')
    return number
