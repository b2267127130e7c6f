"""Matching and counting of what a detector found, with answers worked out by hand."""

import math

import numpy as np
import pytest

from nl_robot.perception.detector_scores import (
    Seen,
    add_tallies,
    best_thresholds,
    match,
    numbers,
    table,
    tally,
)


def test_the_surest_choose_first_and_nobody_twice():
    found = [Seen('chair', 0.1, 0.1, 0.5), Seen('chair', 0.0, 0.1, 0.9), Seen('bed', 0.0, 0.1)]
    assert match(found, [Seen('chair', 0.02, 0.1)], 0.2) == [-1, 0, -1]


def test_wide_things_are_found_anywhere_on_them():
    assert match([Seen('bed', 0.5, 0.1)], [Seen('bed', 0.0, 0.6)], 0.2) == [0]
    assert match([Seen('bed', 0.5, 0.1)], [Seen('bed', 0.0, 0.4)], 0.2) == [-1]


def test_places_go_around_a_circle():
    found, true = [Seen('bed', 3.1, 0.1)], [Seen('bed', -3.1, 0.1)]
    assert match(found, true, 0.2) == [-1]
    assert match(found, true, 0.2, period=2 * math.pi) == [0]
    assert tally(found, true, 0.2, 2 * math.pi)['bed'].errors == pytest.approx(
        [2 * math.pi - 6.2])


def test_counts_by_hand():
    """Two chairs, one found; a far one that was found is right but was not asked for."""
    true = [Seen('chair', 0.0, 0.1, distance=1.0, colour='red'), Seen('chair', 1.0, 0.1),
            Seen('chair', 2.0, 0.1, counts=False)]
    found = [Seen('chair', 0.05, 0.1, distance=1.5, colour='red'), Seen('chair', 2.0, 0.1),
             Seen('chair', 3.0, 0.1), Seen('lamp', 0.0, 0.1), Seen('lamp', 1.0, 0.1,
                                                                   counts=False)]
    tallies = tally(found, true, 0.2)
    chair, lamp = tallies['chair'], tallies['lamp']
    assert (chair.present, chair.recalled, chair.claimed, chair.right) == (2, 1, 3, 2)
    assert chair.recall == 0.5 and chair.precision == pytest.approx(2 / 3)
    assert chair.errors == pytest.approx([0.05]) and chair.distance_errors == [0.5]
    assert chair.colours_right == 1
    assert (lamp.present, lamp.claimed, lamp.right) == (0, 1, 0)
    add_tallies(tallies, tally(found, true, 0.2))
    assert tallies['chair'].present == 4
    assert numbers(tallies)['all']['precision'] == pytest.approx(4 / 8)
    assert numbers(tallies)['chair']['bearing_error_deg'] == pytest.approx(math.degrees(0.05))
    assert table(tallies).splitlines()[1].startswith('chair')


def test_the_best_threshold_by_hand():
    """Scores .9 right, .6 right, .5 wrong, .2 wrong; 2 to find: 0.6 is perfect."""
    scores, is_right = np.array([.9, .6, .5, .2]), np.array([True, True, False, False])
    assert best_thresholds(scores, is_right, 2, np.array([.1, .55, .8])) == 0.55
