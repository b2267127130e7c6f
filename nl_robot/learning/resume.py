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

from nl_robot.learning.cloning import Cloning

STATE, CURVES = 'training.safetensors', 'curves.csv'


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The optimizer's tensors by parameter number and name."""
    return {f'optimizer.{number}.{name}': torch.as_tensor(value)
            for number, state in optimizer.state_dict()['state'].items()
            for name, value in state.items()}


def save_state(cloning: Cloning, settings: Mapping[str, Any], directory: Path) -> None:
    """Write policy, optimizer and the number of updates done; replaces the last state."""
    tensors = {f'policy.{name}': value.contiguous()
               for name, value in cloning.policy.state_dict().items()}
    tensors |= {name: value.clone().contiguous()
                for name, value in _moments(cloning.optimizer).items()}
    directory.mkdir(parents=True, exist_ok=True)
    temporary = directory / f'{STATE}.tmp'
    save_file(tensors, temporary, metadata={'update': str(cloning.update),
                                            'settings': json.dumps(settings, sort_keys=True)})
    with open(temporary, 'rb') as file:
        os.fsync(file.fileno())
    os.replace(temporary, directory / STATE)


def load_state(cloning: Cloning, settings: Mapping[str, Any], directory: Path) -> bool:
    """Continue where `save_state` left off; False where nothing was saved.

    :raises ValueError: as `updates_done`
    """
    update = updates_done(settings, directory)
    if update is None:
        return False
    tensors = load_file(directory / STATE)
    cloning.policy.load_state_dict({name.removeprefix('policy.'): value
                                    for name, value in tensors.items()
                                    if name.startswith('policy.')})
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith('optimizer.'):
            _, number, name = key.split('.', 2)
            moments.setdefault(int(number), {})[name] = value
    groups = cloning.optimizer.state_dict()['param_groups']
    cloning.optimizer.load_state_dict({'state': moments, 'param_groups': groups})
    cloning.update = update
    return True


def updates_done(settings: Mapping[str, Any], directory: Path) -> int | None:
    """How far the run in a directory has come; None where there is none.

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
    return int(metadata['update'])


def append_curves(directory: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Add rows to curves.csv; the header is written with the first."""
    if not rows:
        return
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / CURVES
    new = not path.exists()
    with open(path, 'a', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        if new:
            writer.writeheader()
        writer.writerows(rows)


def draw_curves(directory: Path) -> None:
    """curves.png: every column of curves.csv over the updates."""
    import matplotlib
    matplotlib.use('Agg')
    from matplotlib import pyplot
    with open(directory / CURVES, newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != 'update']
    figure, axes = pyplot.subplots(1, len(names), figsize=(3.2 * len(names), 2.8),
                                   squeeze=False)
    for axis, name in zip(axes[0], names):
        points = [(int(row['update']), float(row[name])) for row in rows if row[name]]
        axis.plot(*zip(*points), linewidth=1)
        axis.set_title(name.replace('_', ' '), fontsize=9)
        axis.set_xlabel('update', fontsize=8)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(directory / 'curves.png', dpi=110)
    pyplot.close(figure)
