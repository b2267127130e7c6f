"""Training on several processors at once, each with a share of every batch.

Started by `torchrun` (`python -m torch.distributed.run --nproc-per-node N …`), every process runs
the same program.  Its updates are those of one process when

- all draw the same batch from the same seed, and each keeps the rows of `share`; batches need a
  generator of their own, since ranks that walk different episodes use up the common one unevenly;
- every loss is the sum over this rank's episodes divided by the size of the *whole* batch, never
  by its own share, which may be larger or smaller than another rank's.  The same holds for any
  other normaliser, such as the number of decisions: count it in the whole batch;
- gradients are clipped after `average_gradients`, not before;
- nothing is drawn per episode: with dropout or sampled ways, they are the same in expectation.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor, nn
from torch import distributed as dist


@dataclass(frozen=True)
class Rank:
    """Which of the processes this is; 0 of 1 where there is no other."""

    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.world:
            raise ValueError(f'rank must lie in 0..world - 1, got {self.rank} of {self.world}')


ALONE = Rank()


def join() -> Rank:
    """Meet the other processes that `torchrun` started; without it, and alone, nothing is done.

    Tensors on the CPU go by gloo.  Those on a GPU go by nccl, where every process of this machine
    has a GPU of its own; it becomes the present one, so that 'cuda' means it.
    """
    if 'RANK' not in os.environ or int(os.environ['WORLD_SIZE']) == 1:
        return Rank()
    here, beside = int(os.environ['LOCAL_RANK']), int(os.environ['LOCAL_WORLD_SIZE'])
    own_gpu = torch.cuda.is_available() and beside <= torch.cuda.device_count()
    if own_gpu:
        torch.cuda.set_device(here)
    dist.init_process_group('cpu:gloo,cuda:nccl' if own_gpu else 'gloo')
    return Rank(dist.get_rank(), dist.get_world_size())


def leave() -> None:
    """Part from the other processes; nothing where none were met."""
    if dist.is_initialized():
        dist.destroy_process_group()


def share(batch_size: int, rank: Rank) -> Tensor:
    """(n,) this rank's row numbers of a batch; those of all ranks are the whole batch, once.

    Shares differ by one row at most, and are empty where there are more ranks than rows.
    """
    return torch.arange(batch_size)[rank.rank::rank.world]


def same_start(module: nn.Module) -> None:
    """Give every rank the parameters and buffers of rank 0; nothing to do for one alone."""
    if dist.is_initialized():
        for tensor in chain(module.parameters(), module.buffers()):
            dist.broadcast(tensor.detach(), 0)


def portion(count: Tensor, rank: Rank) -> Tensor:
    """() this rank's share of what is counted over all: a mean times it can be summed.

    :param count: () how many of them (decisions, say) this rank has
    """
    if rank.world == 1:
        return torch.ones_like(count, dtype=torch.float32)
    whole = count.float().clone()
    dist.all_reduce(whole)
    return count.float() / whole.clamp(min=1.0)


def agreed(value: float, rank: Rank) -> float:
    """What rank 0 says, for all: clocks differ."""
    if rank.world == 1:
        return value
    said = torch.tensor([value], dtype=torch.float64)
    dist.broadcast(said, 0)
    return float(said)


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter], rank: Rank) -> None:
    """Put the gradients of the whole batch's mean loss where this rank's part of it was.

    Every rank's loss is already divided by the size of the whole batch (see the module), so that
    the mean over the batch is the *sum* over ranks; one message carries them all.  A parameter
    without a gradient counts as zeros; one that no rank has a gradient for keeps none, as in
    one process, where an optimizer passes it over instead of decaying it.
    """
    wanted = [p for p in parameters if p.requires_grad]
    if rank.world == 1 or not wanted:
        return
    has = torch.tensor([float(p.grad is not None) for p in wanted])
    parts = [(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in wanted]
    flat = torch.cat([*parts, has.to(parts[0])])
    dist.all_reduce(flat)
    *sums, anyone_has = flat.split([p.numel() for p in wanted] + [len(wanted)])
    for parameter, total, someone_has in zip(wanted, sums, anyone_has.tolist()):
        if someone_has:
            parameter.grad = total.view_as(parameter).to(parameter)
