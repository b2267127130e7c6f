"""`torchrun` with two processes and the loop of the method; run as a program, one of the two."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from test_lang_goal_irl import AT_ONCE, TINY, learner, stars
from torch import nn

from nl_robot.learning.lang_goal_irl import LangGoalIRL
from nl_robot.learning.methods import METHODS
from nl_robot.learning.parallel import ALONE, Rank, join, leave

TREE = Path(__file__).resolve().parents[1]
UPDATES = 5


def trained(rank: Rank) -> torch.Tensor:
    """All weights of the policy after a few updates of cloning; dropout is off in `TINY`."""
    made = LangGoalIRL(stars([['sofa', 'fridge', 'bed', 'plant']]), METHODS['cloning'], TINY,
                       AT_ONCE, seed=3, rank=rank)
    for update in range(UPDATES):
        made.advance(update / UPDATES)
    return nn.utils.parameters_to_vector(made.policy.net.parameters()).detach()


def test_two_processes_learn_what_one_learns(tmp_path):
    run = subprocess.run(
        [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--local-addr',
         '127.0.0.1', '--nproc-per-node', '2', __file__, str(tmp_path)], cwd=TREE / 'test',
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': os.pathsep.join(
            [str(TREE), str(TREE / 'test')])}, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-3000:]
    first, second = (load_file(tmp_path / f'{rank}.safetensors')['weights'] for rank in (0, 1))
    assert torch.equal(first, second)
    alone = trained(ALONE)
    assert torch.allclose(first, alone, atol=1e-3)      # Adam makes much of little gradients
    begun = nn.utils.parameters_to_vector(learner('cloning').policy.net.parameters())
    assert not torch.allclose(alone, begun, atol=2e-2)       # it did learn something


if __name__ == '__main__':
    torch.set_num_threads(1)
    place = join()
    assert place.world == 2
    save_file({'weights': trained(place)}, Path(sys.argv[1]) / f'{place.rank}.safetensors')
    leave()
