"""A training run on disk: its state, written whole or not at all, and its curves."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

STATE, CURVES = 'training.safetensors', 'curves.csv'


def module_state(name: str, module: nn.Module) -> dict[str, Tensor]:
    """The tensors of a module under `name.`."""
    return {f'{name}.{key}': value.detach().clone().contiguous()
            for key, value in module.state_dict().items()}


def load_module(name: str, module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `module_state` took."""
    module.load_state_dict({key.removeprefix(f'{name}.'): value for key, value in tensors.items()
                            if key.startswith(f'{name}.')})


def optimizer_state(name: str, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The moments of an optimizer, by parameter number, under `name.`."""
    return {f'{name}.{number}.{key}': torch.as_tensor(value).clone()
            for number, state in optimizer.state_dict()['state'].items()
            for key, value in state.items()}


def load_optimizer(name: str, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]
                   ) -> None:
    """Put back what `optimizer_state` took."""
    moments: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(f'{name}.'):
            number, part = key.removeprefix(f'{name}.').split('.', 1)
            moments.setdefault(int(number), {})[part] = value
    groups = optimizer.state_dict()['param_groups']
    optimizer.load_state_dict({'state': moments, 'param_groups': groups})


def save_state(directory: Path, tensors: Mapping[str, Tensor], settings: Mapping[str, Any],
               notes: Mapping[str, Any]) -> None:
    """Write a run's tensors, its settings, and notes such as the updates done.

    It replaces the last state, and is on the disk when the call returns.
    """
    directory.mkdir(parents=True, exist_ok=True)
    temporary = directory / f'{STATE}.tmp'
    save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, temporary,
              metadata={
                  'settings': json.dumps(settings, sort_keys=True), 'notes': json.dumps(notes)})
    with open(temporary, 'rb') as file:
        os.fsync(file.fileno())
    os.replace(temporary, directory / STATE)


def load_state(directory: Path, settings: Mapping[str, Any]
               ) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """The tensors and notes of the run in a directory; None where there is none.

    :raises ValueError: as `notes_of`
    """
    notes = notes_of(directory, settings)
    return None if notes is None else (load_file(directory / STATE), notes)


def notes_of(directory: Path, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """The notes of the run in a directory; None where there is none.

    :raises ValueError: the run there has other settings
    """
    path = directory / STATE
    if not path.exists():
        return None
    with safe_open(path, 'pt') as file:
        metadata = file.metadata()
    if json.loads(metadata['settings']) != json.loads(json.dumps(settings)):
        raise ValueError(f'{directory} holds a run with other settings: choose another --out, '
                         'or delete it to begin anew')
    return dict(json.loads(metadata['notes']))


def append_curves(directory: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Add rows to curves.csv; columns that are new are added to all rows before."""
    if not rows:
        return
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / CURVES
    known = list(csv.DictReader(open_text(path))) if path.exists() else []
    names = list(known[0]) if known else []
    fresh = [name for name in dict.fromkeys(key for row in rows for key in row)
             if name not in names]
    everything = [*known, *rows] if fresh or not known else rows
    with open(path, 'w' if everything is not rows else 'a', newline='',
              encoding='utf-8') as file:
        writer = csv.DictWriter(file, fieldnames=[*names, *fresh], restval='')
        if everything is not rows or not known:
            writer.writeheader()
        writer.writerows(everything)


def open_text(path: Path) -> list[str]:
    """The lines of a text file."""
    return path.read_text(encoding='utf-8').splitlines(keepends=True)


def draw_curves(directory: Path) -> None:
    """curves.png: every column of curves.csv over the updates."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    rows = list(csv.DictReader(open_text(directory / CURVES)))
    names = [name for name in rows[0] if name != 'update']
    across = min(4, len(names))
    down = -(-len(names) // across)
    figure, axes = pyplot.subplots(down, across, figsize=(3.2 * across, 2.6 * down),
                                   squeeze=False)
    for axis in axes.flat[len(names):]:
        axis.set_axis_off()
    for axis, name in zip(axes.flat, names):
        points = [(int(row['update']), float(row[name])) for row in rows if row[name]]
        axis.plot(*zip(*points), linewidth=1)
        axis.set_title(name.replace('_', ' '), fontsize=9)
        axis.set_xlabel('update', fontsize=8)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(directory / 'curves.png', dpi=110)
    pyplot.close(figure)
