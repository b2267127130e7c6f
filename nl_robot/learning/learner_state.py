"""Everything that a learner needs to go on, as tensors and notes: what a run keeps on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nl_robot.learning.lang_goal_irl import LangGoalIRL
from nl_robot.learning.resume import (
    load_module,
    load_optimizer,
    module_state,
    optimizer_state,
)
from nl_robot.learning.walks import Walks


def state_of(learner: LangGoalIRL) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Everything that a run needs to go on as if it had never stopped."""
    tensors: dict[str, Tensor] = {}
    for name, part in learner.parts().items():
        tensors |= module_state(name, part.net)
        tensors |= optimizer_state(f'{name}_optimizer', part.optimizer)
    if learner.critics is not None:
        tensors |= module_state('targets', learner.targets)
        tensors['log_temperature'] = learner.log_temperature.detach().clone()
        tensors |= optimizer_state('temperature_optimizer', learner.warmth)
    kept = {'sampled': learner.sampled, 'ahead': learner.ahead,
            'written': None if learner.writer is None else learner.writer.walks}
    for name, walks in kept.items():
        if walks is not None:
            tensors |= {f'{name}.{key}': value.clone() for key, value in vars(walks).items()}
    notes = {'update': learner.update, 'episodes': learner.episodes,
             'texts': [] if learner.writer is None else learner.writer.texts,
             'rephrased': learner.rephrased, 'relabelled': learner.relabelled,
             'inherited': learner.inherited}
    return tensors, notes


def put_back(learner: LangGoalIRL, tensors: Mapping[str, Tensor], notes: Mapping[str, Any]
             ) -> None:
    """Put back what `state_of` took."""
    for name, part in learner.parts().items():
        load_module(name, part.net, tensors)
        load_optimizer(f'{name}_optimizer', part.optimizer, tensors)
    if learner.critics is not None:
        load_module('targets', learner.targets, tensors)
        learner.log_temperature.data.copy_(tensors['log_temperature'])
        load_optimizer('temperature_optimizer', learner.warmth, tensors)
    learner.sampled = _walks_of('sampled', tensors, learner.arena.device)
    learner.ahead = _walks_of('ahead', tensors, learner.arena.device)
    written = _walks_of('written', tensors, learner.arena.device)
    if learner.writer is not None and written is not None:
        learner.writer.restore(list(notes['texts']), written)
    learner.rephrased, learner.relabelled = bool(notes['rephrased']), bool(notes['relabelled'])
    learner.inherited = bool(notes['inherited'])
    learner.update, learner.episodes = int(notes['update']), int(notes['episodes'])


def _walks_of(name: str, tensors: Mapping[str, Tensor], device: torch.device) -> Walks | None:
    """The walks under `name.`; None where there are none."""
    found = {key.removeprefix(f'{name}.'): value.to(device)
             for key, value in tensors.items() if key.startswith(f'{name}.')}
    return Walks(**found) if found else None
