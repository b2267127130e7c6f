"""One step of learning for one network."""

from __future__ import annotations

from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from nl_robot.learning import parallel
from nl_robot.learning.methods import LearningSettings

Net = TypeVar('Net', bound=nn.Module)


class Adam(Generic[Net]):
    """A network with its optimizer: one clipped step, the rate given from outside."""

    def __init__(self, net: Net, settings: LearningSettings) -> None:
        self.net = net
        self.optimizer = torch.optim.AdamW(net.parameters(), lr=settings.learning_rate,
                                           weight_decay=settings.weight_decay)

    def step(self, loss: Tensor, rate: float, rank: parallel.Rank = parallel.ALONE) -> None:
        """Descend, along the gradients of all processes together."""
        for group in self.optimizer.param_groups:
            group['lr'] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        parallel.average_gradients(self.net.parameters(), rank)
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
