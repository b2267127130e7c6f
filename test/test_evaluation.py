"""Measures by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nl_robot.evaluation import (
    Estimate,
    Result,
    bootstrap_interval,
    by_tag,
    gap,
    markdown_table,
    ndtw,
    over_seeds,
    paired,
    summary,
)

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


def test_one_seed_is_the_bootstrap_over_episodes():
    found = over_seeds(np.array([[0.0, 1.0] * 200]))
    assert found.value == 50.0
    # as in test_bootstrap_interval: 1.96 standard deviations of 2.5 points to either side
    assert (found.low, found.high) == pytest.approx((45.1, 54.9), abs=0.8)


def test_seeds_that_differ_widen_the_interval():
    # every episode of seed 0 fails, every one of seed 1 succeeds: a draw of two seeds has both
    # of the one kind with probability 1/4 each, so the interval is everything
    extreme = np.array([[0.0] * 50, [1.0] * 50])
    assert over_seeds(extreme) == Estimate(50.0, 0.0, 100.0)
    # the same successes, but on the same half of episodes in both: the seeds agree
    agreed = np.array([[0.0, 1.0] * 25] * 2)
    found = over_seeds(agreed)
    assert found.value == 50.0 and 30 < found.low < found.high < 70


def test_the_gap_draws_the_same_seeds_on_both_sides():
    # each seed is as good seen as unseen, up to 10 points, so the gap is certain, though the
    # seeds are far apart
    seen, unseen = np.array([[0.1] * 3, [0.9] * 3]), np.array([[0.0] * 5, [0.8] * 5])
    found = gap(seen, unseen)
    assert [found.value, found.low, found.high] == pytest.approx([10.0] * 3)
    with pytest.raises(ValueError, match='same seeds, got 2 and 1'):
        gap(seen, unseen[:1])


def test_a_difference_is_paired_by_episode():
    # ours succeeds wherever theirs does and in one more episode of ten: with one seed each, a
    # draw of ten episodes differs by how often it has that one, which is binomial (10, 0.1)
    theirs = np.array([[0.0, 1.0] * 5])
    ours = theirs.copy()
    ours[0, 0] = 1.0
    found = paired(ours, theirs)
    assert found.difference == Estimate(pytest.approx(10.0), 0.0, pytest.approx(30.0))
    assert found.gain.value == pytest.approx(20.0)      # 6 of 10 against 5 of 10
    assert found.gain.low == 0.0 < found.gain.high
    same = paired(theirs, theirs)
    assert same.difference == same.gain == Estimate(0.0, 0.0, 0.0)
    assert paired(theirs, ours).difference.value == pytest.approx(-10.0)
    with pytest.raises(ValueError, match='same episodes, got 10 and 3'):
        paired(ours, theirs[:, :3])


def test_seeds_need_not_be_as_many_on_both_sides():
    found = paired(np.ones((3, 4)), np.full((1, 4), 0.5))
    assert found.difference == Estimate(50.0, 50.0, 50.0)
    assert found.gain == Estimate(100.0, 100.0, 100.0)


def test_a_gain_over_nothing_is_no_number_and_a_rare_nothing_has_no_end():
    nothing = paired(np.ones((1, 4)), np.zeros((1, 4)))
    assert nothing.difference.value == 100.0 and math.isnan(nothing.gain.value)
    # two episodes, one of which they solve: one draw in four has it never
    rare = paired(np.ones((1, 2)), np.array([[0.0, 1.0]]))
    assert rare.gain == Estimate(100.0, 0.0, math.inf)
