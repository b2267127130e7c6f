"""Measures by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nl_robot.evaluation import Result, bootstrap_interval, by_tag, markdown_table, ndtw, summary

GOOD = Result(True, 0.5, 8.0, 4.0, True, 0, 6, ('room', 'held-out'))
BAD = Result(False, 3.5, 2.0, 4.0, True, 2, 4, ('item', 'held-out'))


@pytest.mark.parametrize(('result', 'spl'), [
    (GOOD, 0.5), (BAD, 0.0), (Result(True, 0.0, 2.0, 4.0), 1.0), (Result(True, 0.0, 0.0, 0.0), 1.0)
])
def test_spl(result, spl):
    assert result.spl == spl


def test_ndtw():
    line = [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)]
    assert ndtw(line, line) == 1.0
    # one metre to the side of each of three points: exp(-3 / (3 * 1.5))
    assert ndtw([(x, 1.0) for x, _ in line], line) == pytest.approx(math.exp(-2 / 3))
    # standing still at the first: 0 + 1 + 2 metres
    assert ndtw(line[:1], line, threshold=1.0) == pytest.approx(math.exp(-1.0))
    # in the wrong order both ends are 2 m off, and warping cannot help
    assert ndtw(line[::-1], line) == pytest.approx(math.exp(-4 / 4.5))
    with pytest.raises(ValueError, match='two paths'):
        ndtw([], line)


def test_bootstrap_interval():
    assert bootstrap_interval([0.5] * 7) == (0.5, 0.5)
    assert all(map(math.isnan, bootstrap_interval([])))
    low, high = bootstrap_interval([0, 1] * 200, seed=1)
    # the mean of 400 coins has standard deviation 0.025: 1.96 of them to either side
    assert (low, high) == pytest.approx((0.451, 0.549), abs=0.008)
    assert bootstrap_interval([0, 1] * 200, seed=1) == (low, high)
    narrow = bootstrap_interval([0, 1] * 200, seed=1, level=0.5)
    assert low < narrow[0] < 0.5 < narrow[1] < high


def test_summary():
    row = summary([GOOD, BAD])
    assert row['episodes'] == 2 and row['success'] == 50 and row['oracle'] == 100
    assert row['spl'] == 25 and row['error_m'] == 2.0 and row['travelled_m'] == 5.0
    assert row['collision_episodes'] == 50 and row['collisions'] == 1.0 and row['steps'] == 5.0
    assert (row['success_low'], row['success_high']) == (0, 100)
    assert summary([]) == {'episodes': 0}


def test_an_episode_without_a_way_does_not_spoil_the_error():
    lost = Result(False, math.inf, 1.0, math.inf)
    assert summary([GOOD, lost])['error_m'] == 0.5
    assert math.isnan(summary([lost])['error_m'])


def test_by_tag():
    rows = by_tag([GOOD, BAD])
    assert list(rows) == ['all', 'held-out', 'item', 'room']
    assert [rows[name]['episodes'] for name in rows] == [2, 2, 1, 1]
    assert rows['room']['success'] == 100 and rows['item']['success'] == 0


def test_markdown_table():
    lines = markdown_table({'agent': summary([GOOD, BAD]), 'none': {'episodes': 0}}).split('\n')
    assert lines[2] == '| agent | 2 | 50.0 (0.0–100.0) | 25.0 | 100.0 | 2.00 | 50.0 |'
    assert lines[3].startswith('| none | 0 |')
    assert len({line.count('|') for line in lines}) == 1


def test_success_of_numpy_bools_counts():
    assert summary([Result(np.bool_(True), 0, 1, 1)])['success'] == 100
