"""From what the reward says of stopping to a probability: by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from fake_encoder import FakeEncoder
from tiny_graph import star, task_in

from nl_robot.learning.arena import Arena
from nl_robot.learning.calibration import auc, false_successes, logistic, stops
from nl_robot.learning.replay import replay
from nl_robot.learning.walks import Choosing, walk
from nl_robot.nets.navigator import NavigatorSettings
from nl_robot.nets.recurrent import RecurrentNavigator
from nl_robot.nets.words import Vocabulary

TINY = NavigatorSettings(text_dim=16, width=16, state=12, heads=2, dropout=0.5)


def truth(text: str) -> np.ndarray:
    return np.array([letter == 'y' for letter in text])


@pytest.mark.parametrize(('numbers', 'fulfilled', 'area'), [
    ([1, 2, 3, 4], 'nyny', 0.75),       # of four pairs only 2 and 3 stand wrong
    ([1, 2, 3, 4], 'nnyy', 1.0),
    ([1, 2, 3, 4], 'yynn', 0.0),
    ([5, 5, 5], 'yny', 0.5),            # a tie counts half
    ([1, 1, 2], 'nyy', 0.75)])
def test_area_under_the_curve_by_hand(numbers, fulfilled, area):
    assert auc(np.array(numbers, float), truth(fulfilled)) == pytest.approx(area)


@pytest.mark.parametrize('fulfilled', ['yyy', 'nnn'])
def test_with_one_kind_there_is_no_area(fulfilled):
    assert math.isnan(auc(np.arange(3.0), truth(fulfilled)))


@pytest.mark.parametrize(('numbers', 'fulfilled', 'slope', 'offset'), [
    # a third of those at -1 and two thirds of those at 1: sigmoid(log 2) = 2 / 3
    ([-1] * 30 + [1] * 30, 'ynn' * 10 + 'yyn' * 10, math.log(2), 0.0),
    # the same one to the right: the middle between them is 1
    ([0] * 30 + [2] * 30, 'ynn' * 10 + 'yyn' * 10, math.log(2), -math.log(2)),
    # the number says nothing; three of four are fulfilled
    ([-1] * 40 + [1] * 40, 'yyyn' * 20, 0.0, math.log(3))])
def test_a_logistic_curve_by_hand(numbers, fulfilled, slope, offset):
    found = logistic(np.array(numbers, float), truth(fulfilled))
    assert found == pytest.approx((slope, offset), abs=1e-3)


def test_where_nothing_overlaps_the_slope_is_finite():
    slope, offset = logistic(np.array([-1.0, 1.0]), truth('ny'))
    assert 1 < slope < 100 and offset == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(('fulfilled', 'complaint'), [
    ('yyy', '3 of 3 stops'), ('nn', '0 of 2 stops'), ('', '0 of 0 stops')])
def test_one_kind_cannot_be_calibrated(fulfilled, complaint):
    with pytest.raises(ValueError, match=f'{complaint} fulfil their goal'):
        logistic(np.arange(len(fulfilled), dtype=float), truth(fulfilled))


def test_false_successes_by_hand():
    said = false_successes(np.array([0.1, 0.9, 0.5, 0.2]), truth('nyny'), 0.5)
    assert said == {'false_before': 0.5, 'false_after': 0.25, 'true_kept': 0.5}
    none = false_successes(np.array([0.1, 0.9]), truth('nn'), 0.5)
    assert none['false_after'] == 0.5 and math.isnan(none['true_kept'])


# ---- what the reward says of stops

THINGS = ['sofa', 'fridge', 'bed', 'plant']
SCRIPT = [[0], [2, 0], [1, 0], [3, 1, 3]]       # stops at once; right; wrong; never


def scripted(now: Choosing) -> torch.Tensor:
    return torch.tensor([SCRIPT[int(row)][now.step] for row in now.rows])


@pytest.fixture()
def arena() -> Arena:
    graph = star(THINGS)
    return Arena([task_in(graph, 0, f'go to the {thing}', [k + 1])
                  for k, thing in enumerate(THINGS)], Vocabulary(FakeEncoder()))


@pytest.mark.parametrize('width', [1, 2, 256])
def test_of_every_stop_what_the_reward_says(arena, width):
    torch.manual_seed(0)
    reward = RecurrentNavigator(TINY)
    walks = walk(reward.eval(), arena, torch.arange(4), scripted, max_steps=3).walks
    found = stops(reward.train(), arena, walks, width)
    assert found.fulfilled.tolist() == [False, True, False]
    with torch.no_grad():
        said = replay(reward.eval(), arena, walks).outputs[..., 0]     # (4, 3, 5)
    assert found.numbers == pytest.approx(said[[0, 1, 2], [0, 1, 1], 0].numpy(), abs=1e-5)


def test_nobody_stopped(arena):
    reward = RecurrentNavigator(TINY)
    walks = walk(reward, arena, torch.tensor([3]), lambda now: torch.tensor([SCRIPT[3][now.step]]),
                 max_steps=3).walks
    found = stops(reward, arena, walks)
    assert found.numbers.shape == found.fulfilled.shape == (0,)
