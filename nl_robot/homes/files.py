"""Files of a home: written whole, on the disk when the call returns, or not at all."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

MAX_JSON = 32 * 1024 * 1024     # bytes; a larger file is none of ours


def write_bytes(path: Path, content: bytes) -> None:
    """Write a temporary file beside it, sync it, put it in its place, and sync the folder.

    :raises OSError: the disk is full or may not be written; what stood there still stands
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.tmp')
    try:
        with open(temporary, 'wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let what was renamed in a folder be on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, data: Any) -> None:
    """As `write_bytes`, of plain data; numbers that are none are refused."""
    write_bytes(path, json.dumps(data, indent=1, allow_nan=False).encode())


def read_json(path: Path) -> Any:
    """Plain data; ValueError names the file that is not what was written."""
    try:
        if path.stat().st_size > MAX_JSON:
            raise ValueError(f'{path} has {path.stat().st_size} bytes, more than {MAX_JSON}')
        return json.loads(path.read_bytes())
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f'{path} is damaged: {error}') from error


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """As `write_bytes`, of named arrays in one npz file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_bytes(path, buffer.getvalue())


def sweep(folder: Path) -> list[Path]:
    """Remove what writers that were killed left in a folder; what was removed.

    What a process that lives is writing just now stays.
    """
    left = [path for path in folder.glob('.*.tmp') if path.is_file() and not _lives(path)]
    for path in left:
        path.unlink(missing_ok=True)
    return left


def _lives(path: Path) -> bool:
    """Whether the process that a temporary file is named after still runs."""
    number = path.name.split('.')[-2]
    try:
        os.kill(int(number), 0)
    except (ValueError, ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
