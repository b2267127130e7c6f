"""Two real processes train as one does; run as a program, this file is one of the two."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from nl_robot.learning.parallel import Rank, average_gradients, join, leave, same_start, share
from nl_robot.nets.looking import ACTION_FEATURES, KERNELS, WAY_FEATURES, AgreeingLook
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.recurrent import RecurrentNavigator
from nl_robot.nets.words import CHANNELS

TREE = Path(__file__).resolve().parents[1]
TINY = NavigatorSettings(text_dim=8, width=12, state=10, heads=2, dropout=0.0)
UPDATES, STEPS = 4, 2
EPISODES = 5                    # shares of 3 and 2: unequal, so that a wrong normaliser shows
WORDS, SIGHTINGS, WAYS = 6, 4, 3
OPTIMIZERS = {'sgd': lambda p: torch.optim.SGD(p, lr=0.3),
              'adamw': lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1)}


def some_look(generator: torch.Generator) -> AgreeingLook:
    def draw(*shape: int) -> Tensor:
        return torch.randn(EPISODES, *shape, generator=generator)
    valid = torch.ones(EPISODES, 1 + WAYS, dtype=torch.bool)
    valid[1, -1] = False
    return AgreeingLook(draw(WORDS, SIGHTINGS, CHANNELS), draw(WAYS, SIGHTINGS, KERNELS),
                draw(SIGHTINGS, 2), draw(WAYS, WAY_FEATURES), valid, draw(ACTION_FEATURES))


def summed_loss(net: RecurrentNavigator, update: int, rows: Tensor) -> Tensor:
    """Imitation of fixed choices, summed over the chosen episodes of the update's batch."""
    generator = torch.Generator().manual_seed(update)
    features = torch.randn(EPISODES, WORDS, TINY.text_dim, generator=generator)[rows]
    words = net.read(features, torch.zeros(len(rows), WORDS, dtype=torch.long),
                     torch.ones(len(rows), WORDS, dtype=torch.bool))
    state, loss = net.start(words), features.new_zeros(())
    for _ in range(STEPS):
        look = some_look(generator)
        right = torch.randint(WAYS, (EPISODES,), generator=generator)[rows]
        look = AgreeingLook(*(getattr(look, field.name)[rows] for field in fields(AgreeingLook)))
        outputs, state = net(words, state, look)
        logits = outputs[..., 0].masked_fill(~look.mask_is_valid, -1e9)
        loss = loss + nn.functional.cross_entropy(logits, right, reduction='sum')
    return loss


def trained(rank: Rank, optimizer: str, averaged: bool = True, own_size: bool = False) -> Tensor:
    """All weights after a few updates; every rank begins with a seed of its own.

    :param own_size: the mistake of dividing by this rank's share instead of the whole batch
    """
    torch.manual_seed(rank.rank)
    net = RecurrentNavigator(TINY)
    same_start(net)
    steps = OPTIMIZERS[optimizer](net.parameters())
    for update in range(UPDATES):
        rows = share(EPISODES, rank)
        size = len(rows) * rank.world if own_size else EPISODES
        steps.zero_grad()
        (summed_loss(net, update, rows) / size).backward()
        if averaged:
            average_gradients(net.parameters(), rank)
        steps.step()
    return nn.utils.parameters_to_vector(net.parameters()).detach()


def start_of(rank: Rank) -> Tensor:
    """A module's parameters and a buffer, which rank 0 alone decides: 7, 7, 7 and 70."""
    module = nn.Linear(2, 1)
    for parameter in module.parameters():
        nn.init.constant_(parameter, 7.0 + rank.rank)
    module.register_buffer('number', torch.tensor([70 + rank.rank]))
    same_start(module)
    return torch.cat([*(p.detach().flatten() for p in module.parameters()), module.number])


def gradients_by_hand(rank: Rank) -> dict[str, Tensor]:
    """Gradients 1, 2 of rank 0 alone; 3 and 4; none of either; and a frozen parameter."""
    one_has, both_have, none_has = (nn.Parameter(torch.zeros(n)) for n in (2, 1, 3))
    frozen = nn.Parameter(torch.zeros(1), requires_grad=False)
    if rank.rank == 0:
        one_has.grad = torch.tensor([1.0, 2.0])
    both_have.grad = torch.tensor([3.0 + rank.rank])
    average_gradients([one_has, none_has, frozen, both_have], rank)
    left_alone = none_has.grad is None and frozen.grad is None
    return {'one has': one_has.grad, 'both have': both_have.grad,
            'none has': torch.tensor([float(left_alone)])}


def work(folder: Path) -> None:
    """What each of the two processes does."""
    torch.set_default_dtype(torch.float64)
    rank = join()
    found = {name: trained(rank, name) for name in OPTIMIZERS}
    found['not averaged'] = trained(rank, 'sgd', averaged=False)
    found['own size'] = trained(rank, 'sgd', own_size=True)
    found['start'] = start_of(rank)
    found |= gradients_by_hand(rank)
    found['rank'] = torch.tensor([rank.rank, rank.world])
    save_file(found, folder / f'{rank.rank}.safetensors')
    leave()
    assert not torch.distributed.is_initialized()


@pytest.fixture(scope='module')
def ranks(tmp_path_factory) -> list[dict[str, Tensor]]:
    """What two processes came to."""
    folder = tmp_path_factory.mktemp('ranks')
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--local-addr',
               '127.0.0.1', '--nproc-per-node', '2', __file__, str(folder)]
    path = os.pathsep.join(filter(None, [str(TREE), os.environ.get('PYTHONPATH')]))
    process = subprocess.Popen(command, env={**os.environ, 'PYTHONPATH': path,
                                             'OMP_NUM_THREADS': '1'},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               start_new_session=True)
    try:
        output, _ = process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode == 0, output
    return [load_file(folder / f'{rank}.safetensors') for rank in range(2)]


@pytest.fixture
def exact():
    """Double precision: Adam blows rounding of gradients that are zero up to whole steps."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def gap(a: Tensor, b: Tensor) -> float:
    return (a - b).abs().max().item()


def test_they_met(ranks):
    assert [found['rank'].tolist() for found in ranks] == [[0, 2], [1, 2]]


@pytest.mark.parametrize('optimizer', OPTIMIZERS)
def test_two_train_as_one(ranks, exact, optimizer):
    alone = trained(Rank(), optimizer)
    torch.manual_seed(0)
    untrained = nn.utils.parameters_to_vector(RecurrentNavigator(TINY).parameters()).detach()
    assert gap(alone, untrained) > 0.01
    assert gap(ranks[0][optimizer], alone) < 1e-9
    assert gap(ranks[1][optimizer], alone) < 1e-9


def test_they_part_ways_where_gradients_are_not_averaged(ranks, exact):
    alone = trained(Rank(), 'sgd')
    assert gap(ranks[0]['not averaged'], ranks[1]['not averaged']) > 1e-3
    assert min(gap(found['not averaged'], alone) for found in ranks) > 1e-3


def test_dividing_by_the_own_share_is_another_training(ranks, exact):
    assert gap(ranks[0]['own size'], ranks[1]['own size']) < 1e-9
    assert gap(ranks[0]['own size'], trained(Rank(), 'sgd')) > 1e-3


def test_all_start_as_the_first(ranks):
    assert [found['start'].tolist() for found in ranks] == [[7, 7, 7, 70]] * 2


def test_gradients_by_hand(ranks):
    for found in ranks:
        assert found['one has'].tolist() == [1, 2]
        assert found['both have'].tolist() == [7]
        assert found['none has'].item() == 1


def test_shares_by_hand():
    assert [share(5, Rank(r, 2)).tolist() for r in range(2)] == [[0, 2, 4], [1, 3]]
    assert [share(2, Rank(r, 4)).tolist() for r in range(4)] == [[0], [1], [], []]
    assert share(3, Rank()).tolist() == [0, 1, 2]


@pytest.mark.parametrize(('size', 'world'), [(64, 3), (64, 8), (7, 7), (1, 2)])
def test_shares_make_the_batch(size, world):
    shares = [share(size, Rank(r, world)).tolist() for r in range(world)]
    assert sorted(sum(shares, [])) == list(range(size))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize('environment', [
    {}, {'RANK': '0', 'WORLD_SIZE': '1', 'LOCAL_RANK': '0', 'LOCAL_WORLD_SIZE': '1'}])
def test_one_alone_meets_nobody(monkeypatch, environment):
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'LOCAL_WORLD_SIZE'):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert join() == Rank(0, 1)
    assert not torch.distributed.is_initialized()
    module = nn.Linear(1, 1)
    module(torch.ones(1)).backward()
    before = [p.grad.clone() for p in module.parameters()]
    same_start(module)
    average_gradients(module.parameters(), Rank())
    assert [p.grad.tolist() for p in module.parameters()] == [g.tolist() for g in before]
    leave()


@pytest.mark.parametrize(('rank', 'world'), [(2, 2), (-1, 2), (0, 0)])
def test_a_rank_is_one_of_the_world(rank, world):
    with pytest.raises(ValueError, match=f'got {rank} of {world}'):
        Rank(rank, world)


if __name__ == '__main__':
    work(Path(sys.argv[1]))
