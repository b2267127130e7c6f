"""A checkpoint is a directory that can act: saved atomically, loaded only when it holds.

    <name>/config.json  policy.safetensors  manifest.json  origin.json

Nothing in it is ever unpickled; every file is checked against the SHA-256 in the manifest.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

MAX_BYTES = 128 * 1024 * 1024   # a weight file larger than this is not one of ours
MAX_TEXT = 8 * 1024 * 1024      # nor is a JSON file larger than this
MAX_FILES = 16


class CheckpointError(ValueError):
    """A checkpoint that must not be used; the text says which file and why."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint directory holds, in memory.

    :param config: what each network is, the text encoder's name and hash
    :param weights: network name (`policy`) → its state
    :param origin: parent, home, data, seed, commit, metrics
    """

    config: dict[str, Any]
    weights: Mapping[str, Mapping[str, torch.Tensor]]
    origin: dict[str, Any] = field(default_factory=dict)


def sha256(content: bytes) -> str:
    """The SHA-256 of bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _write_synced(path: Path, content: bytes) -> None:
    """Write a file so that it is on the disk when the call returns."""
    with open(path, 'wb') as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def save_checkpoint(checkpoint: Checkpoint, directory: Path) -> None:
    """Write to a temporary sibling, sync, and rename; an old checkpoint there is replaced."""
    directory = Path(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f'.{directory.name}.', suffix='.tmp',
                                      dir=directory.parent))
    temporary.chmod(0o755)
    files = {'config.json': json.dumps(checkpoint.config, indent=1).encode(),
             'origin.json': json.dumps(checkpoint.origin, indent=1).encode()}
    for name, state in checkpoint.weights.items():
        files[f'{name}.safetensors'] = save_tensors(
            {key: value.detach().contiguous().cpu() for key, value in state.items()})
    files['manifest.json'] = json.dumps(
        {name: sha256(content) for name, content in sorted(files.items())}, indent=1).encode()
    try:
        for name, content in files.items():
            _write_synced(temporary / name, content)
        for card in directory.glob('README.md'):
            shutil.copy(card, temporary / card.name)
        _swap(temporary, directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _old(directory: Path) -> Path:
    """Where the checkpoint of a directory is kept while another one takes its place."""
    return directory.with_name(f'.{directory.name}.old')


def _swap(temporary: Path, directory: Path) -> None:
    """Put `temporary` in the place of `directory`, keeping the old one until the new stands.

    Between the two renames nothing stands there: `load_checkpoint` then takes the old one.
    """
    old = _old(directory)
    if directory.exists():
        shutil.rmtree(old, ignore_errors=True)
        os.replace(directory, old)
    os.replace(temporary, directory)
    descriptor = os.open(directory.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    shutil.rmtree(old, ignore_errors=True)


def _read(directory: Path, name: str) -> bytes:
    """One file of a checkpoint; CheckpointError where it is missing, a link or too large."""
    path = directory / name
    if path.is_symlink() or not path.is_file():
        raise CheckpointError(f'{path} is missing or not a plain file: '
                              'train a checkpoint or name another directory')
    most = MAX_BYTES if name.endswith('.safetensors') else MAX_TEXT
    if path.stat().st_size > most:
        raise CheckpointError(f'{path} has {path.stat().st_size} bytes, more than {most}')
    return path.read_bytes()


def _manifest(directory: Path) -> dict[str, str]:
    """What the manifest says: file name → SHA-256."""
    manifest = json.loads(_read(directory, 'manifest.json'))
    if not isinstance(manifest, dict) or not 0 < len(manifest) <= MAX_FILES:
        raise CheckpointError(f'{directory} is not a checkpoint: its manifest.json '
                              f'does not name 1 to {MAX_FILES} files')
    for name in manifest:
        if Path(name).name != name:
            raise CheckpointError(f'{directory}/manifest.json names a path: {name!r}')
    return manifest


def load_checkpoint(directory: Path) -> Checkpoint:
    """Read a checkpoint whose manifest holds and whose weights are all finite.

    :raises CheckpointError: names the file and what is wrong with it
    """
    directory = Path(directory)
    if not directory.exists() and _old(directory).is_dir():
        directory = _old(directory)
    if not directory.is_dir():
        raise CheckpointError(f'no checkpoint at {directory}: train one with '
                              '`nl_robot train`, or name another directory')
    contents: dict[str, bytes] = {}
    try:
        for name, expected in _manifest(directory).items():
            contents[name] = _read(directory, name)
            if sha256(contents[name]) != expected:
                raise CheckpointError(f'{directory}/{name} does not match its SHA-256 in '
                                      'manifest.json: it is damaged or was changed')
        config, origin = (json.loads(contents[name]) for name in ('config.json', 'origin.json'))
        weights = {name.removesuffix('.safetensors'): load_tensors(content)
                   for name, content in contents.items() if name.endswith('.safetensors')}
    except (json.JSONDecodeError, UnicodeDecodeError, AttributeError, KeyError, OSError,
            RecursionError, SafetensorError) as error:
        raise CheckpointError(f'{directory} is not a checkpoint: {error}') from error
    if not isinstance(origin, dict):
        raise CheckpointError(f'{directory} is not a checkpoint: its origin.json is no mapping')
    _check_weights(directory, weights)
    return Checkpoint(config, weights, origin)


def _check_weights(directory: Path, weights: Mapping[str, Mapping[str, torch.Tensor]]) -> None:
    """CheckpointError where a tensor is of a kind that no network here has, or not finite."""
    for name, state in weights.items():
        for key, value in state.items():
            if value.dtype not in (torch.float32, torch.int64, torch.bool):
                raise CheckpointError(f'{directory}/{name}.safetensors: {key} is of type '
                                      f'{value.dtype}, which no network here has')
            if not torch.isfinite(value).all():
                raise CheckpointError(f'{directory}/{name}.safetensors: {key} is not finite')
