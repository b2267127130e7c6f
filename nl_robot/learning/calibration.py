"""How sure to be of having arrived: the reward's number for stopping, made a probability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nl_robot.learning.arena import Arena
from nl_robot.learning.replay import replay
from nl_robot.learning.walks import Walks
from nl_robot.nets.looking import Calibration
from nl_robot.nets.navigator import Navigator

RIDGE = 1e-3    # keeps the slope finite where the two kinds do not overlap


@dataclass(frozen=True)
class Stops:
    """Episodes that stopped: what the reward says of it, and whether it was right.

    :param numbers: (n,) the reward of stopping there; :param fulfilled: (n,) bool
    """

    numbers: NDArray[np.float64]
    fulfilled: NDArray[np.bool_]


def stops(reward: Navigator, arena: Arena, walks: Walks, width: int = 256) -> Stops:
    """What the reward says of the last decision of every walk that stopped."""
    reward.eval()
    chosen = walks.rows(torch.nonzero(walks.stopped)[:, 0])
    if not len(chosen):
        return Stops(np.zeros(0), np.zeros(0, bool))
    numbers = []
    with torch.inference_mode():
        for rows in torch.arange(len(chosen), device=arena.device).split(width):
            passage = replay(reward, arena, chosen.rows(rows))
            last = passage.walks.mask_is_valid.sum(dim=1) - 1
            numbers.append(passage.outputs[torch.arange(len(rows)), last, 0, 0])
    return Stops(torch.cat(numbers).double().cpu().numpy(), chosen.success.cpu().numpy())


def logistic(numbers: NDArray[np.float64], fulfilled: NDArray[np.bool_], steps: int = 50
             ) -> tuple[float, float]:
    """Slope and offset of sigmoid(slope x + offset) by Newton's method (Platt 1999).

    :raises ValueError: only one kind is there, so that nothing can be told apart
    """
    if not fulfilled.any() or fulfilled.all():
        raise ValueError(f'{int(fulfilled.sum())} of {len(fulfilled)} stops fulfil their goal: '
                         'calibration needs some that do and some that do not')
    rows = np.column_stack([numbers, np.ones_like(numbers)])
    weights = np.zeros(2)
    for _ in range(steps):
        odds = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        gradient = rows.T @ (odds - fulfilled) + RIDGE * weights
        hessian = (rows * (odds * (1 - odds))[:, None]).T @ rows + RIDGE * np.eye(2)
        weights = weights - np.linalg.solve(hessian, gradient)
    return float(weights[0]), float(weights[1])


def auc(numbers: NDArray[np.float64], fulfilled: NDArray[np.bool_]) -> float:
    """The probability that a fulfilled one has the higher number; ties count half; nan if none.

    Mann & Whitney 1947, the area under the ROC curve.
    """
    high, low = numbers[fulfilled], np.sort(numbers[~fulfilled])
    if not len(high) or not len(low):
        return float('nan')
    below = np.searchsorted(low, high, side='left')
    upto = np.searchsorted(low, high, side='right')
    return float((below + upto).mean() / 2 / len(low))


def false_successes(numbers: NDArray[np.float64], fulfilled: NDArray[np.bool_],
                    threshold: float) -> dict[str, float]:
    """What is said of the stops when only those at or above the threshold are called successes.

    :returns: shares of all stops: `false_before` and `false_after`, said to be successes though
        they are not, without and with the threshold; and `true_kept`, of the true ones
    """
    sure = numbers >= threshold
    wrong = ~fulfilled
    return {'false_before': float(wrong.mean()), 'false_after': float((wrong & sure).mean()),
            'true_kept': float(sure[fulfilled].mean()) if fulfilled.any() else float('nan')}


def doubts(reward: Navigator | None, arena: Arena, walks: Walks, calibration: Calibration,
           sure: float = 0.5) -> dict[str, float]:
    """How well a reward knows of walks whether they arrived; empty without one, or no stops.

    :returns: `auc`, and what `false_successes` says below the probability `sure`
    """
    found = None if reward is None else stops(reward, arena, walks)
    if found is None or not len(found.numbers):
        return {}
    odds = np.array([calibration.probability(float(number)) for number in found.numbers])
    return {'auc': auc(found.numbers, found.fulfilled),
            **false_successes(odds, found.fulfilled, sure)}
