"""What the networks take in: bearings, distances and what is known of the ways, by hand."""

from __future__ import annotations

import math

import pytest
import torch

from nl_robot.nets.looking import (
    Acting,
    Seen,
    Track,
    action_features,
    discouragement,
    ends_of,
    look_at,
)

NAN, PI = math.nan, math.pi
AGREEMENT = torch.arange(2 * 3 * 2).view(2, 3, 2).float()       # two words, two labels and none


def exp(*values: float) -> list[float]:
    return [math.exp(value) for value in values]


def seen(sightings=(), labels=(), ways=((0.0, 0.0, 2.0),)) -> Seen:
    """One run; label 0 and what has none is padding."""
    rows = list(sightings) or [(0.0, 0.0, 0.0, NAN, 0.0)]
    return Seen(torch.tensor([list(labels) or [0]]), torch.tensor([rows]),
                torch.tensor([list(ways)]), torch.ones(1, len(ways), dtype=torch.bool))


def track(*points: tuple[float, float, float], yaw: float = 0.0) -> Track:
    """A run that came by some points, which is a way from each to the next."""
    made = Track.begin(torch.tensor([points[0]]), torch.tensor([yaw]))
    for point in points[1:]:
        made = made.go(torch.tensor([point]), torch.tensor([yaw]), torch.tensor([[0.0, 0.0, 2.0]]))
    return made


START = track((0.0, 0.0, 0.0))


def look(what: Seen, where: Track = START, **options):
    return look_at(torch.tensor([[0, 1]]), what, where, AGREEMENT, **options)


THINGS = seen([(0.0, 0.1, 0.3, 2.0, 0.9), (PI / 2, 0.0, 0.2, 2.0, 0.9),
               (2 * PI, 0.0, 0.2, NAN, 0.9), (0.0, 0.0, 0.2, 2.0, 0.9)], [1, 2, 1, 0])


def test_kernels_by_hand():
    kernels = look(THINGS).kernels[0, 0]        # of the way ahead, two metres long
    # narrow 0.35 rad, broad 0.9 rad, and one metre about its end
    assert kernels[0] == pytest.approx([1, 1, 1])
    assert kernels[1] == pytest.approx(exp(-(PI / 2 / 0.35) ** 2, -(PI / 2 / 0.9) ** 2, -8.0))
    # at an unknown distance: taken as 2.5 m, half a metre beyond the end; once around is ahead
    assert kernels[2] == pytest.approx([1, 1, *exp(-0.25)], abs=1e-5)
    assert kernels[3].tolist() == [0, 0, 0]     # padding


def test_angles_meet_behind_the_robot():
    behind = seen([(-PI + 0.1, 0.0, 0.2, 2.0, 0.9)], [1], [(PI - 0.1, 0.0, 2.0)])
    gap = 2 * 2.0 * math.sin(0.1)
    assert look(behind).kernels[0, 0, 0] == pytest.approx(
        exp(-(0.2 / 0.35) ** 2, -(0.2 / 0.9) ** 2, -gap ** 2), abs=1e-5)


def test_what_is_near_and_ahead_by_hand():
    near = look(THINGS).near[0]
    assert near[0] == pytest.approx(exp(-2 / 1.5, 0.0))
    assert near[1] == pytest.approx(exp(-2 / 1.5, -(PI / 2 / 0.9) ** 2))
    assert near[2] == pytest.approx(exp(-2.5 / 1.5, 0.0), abs=1e-5)
    assert near[3].tolist() == [0, 0]


def test_agreement_is_that_of_words_with_labels():
    agrees = look(THINGS).agreement[0]          # (words, sightings, channels)
    assert agrees[1, 1].tolist() == AGREEMENT[1, 2].tolist()
    assert agrees[0, 2].tolist() == AGREEMENT[0, 1].tolist()
    assert (look(THINGS, sightings=False).agreement == 0).all()


def test_stop_is_always_there():
    what = seen(ways=[(0.0, 0.0, 2.0), (1.0, 0.0, 1.0)])
    what.mask_way_is_valid[0, 1] = False
    assert look(what).mask_is_valid.tolist() == [[True, True, False]]


def test_what_was_done_by_hand():
    assert action_features(torch.tensor([[PI / 2, 0.5, 2.0]]))[0] == pytest.approx(
        [0, 1, -1, 0, 3 * math.sin(0.5), 0.5, 1], abs=1e-6)
    begun = track((0.0, 0.0, 0.0))
    assert begun.action.tolist() == [[0.0] * 7]
    gone = begun.go(torch.tensor([[2.0, 0.0, 0.0]]), torch.tensor([0.3]),
                    torch.tensor([[0.0, 0.0, 2.0]]))
    assert gone.points.tolist() == [[[0, 0, 0], [2, 0, 0]]]
    assert gone.yaw.tolist() == pytest.approx([0.3])
    assert gone.action[0] == pytest.approx([1, 0, 1, 0, 0, 0.5, 1])


def test_where_ways_lead_by_hand():
    # facing north at (1, 1, 2): to the left is west, and up by tan(45°) of two metres
    ends = ends_of(seen(ways=[(PI / 2, PI / 4, 2.0)]), track((1.0, 1.0, 2.0), yaw=PI / 2))
    assert ends[0, 0] == pytest.approx([-1, 1, 4], abs=1e-5)


# Facing east at (2, 0, 0) after (0, 0, 0) and (2, 2, 0): back to the first, to the second, on,
# and up a stair that ends three metres above the first.
PLACES = track((0.0, 0.0, 0.0), (2.0, 2.0, 0.0), (2.0, 0.0, 0.0))
WAYS = seen(ways=[(PI, 0.0, 2.0), (PI / 2, 0.0, 2.0), (0.0, 0.0, 2.0),
                  (PI, math.atan(1.5), 2.0)])


def test_features_of_ways_by_hand():
    back, second, on, up = look(WAYS, PLACES).ways[0]
    # cosine, sine, of twice the angle; elevation; metres; up, down; visits, last, nearest, first
    assert back == pytest.approx([-1, 0, 1, 0, 0, 0.5, 0, 0, 1 / 3, 0, 0, 0], abs=1e-6)
    assert second == pytest.approx([0, 1, -1, 0, 0, 0.5, 0, 0, 1 / 3, 1, 0, 0], abs=1e-6)
    # (4, 0, 0) is two metres from here, of four
    assert on == pytest.approx([1, 0, 1, 0, 0, 0.5, 0, 0, 0, 0, 0.5, 0], abs=1e-6)
    # (0, 0, 3) is no place that was visited: the nearest lies three metres below
    rise = 3 * math.sin(math.atan(1.5))
    assert up == pytest.approx([-1, 0, 1, 0, rise, 0.5, 1, 0, 0, 0, 0.75, 0], abs=1e-5)


def test_features_of_the_first_ways():
    what = seen(ways=[(0.0, -0.2, 3.0)])
    assert look(what).ways[0, 0, 6:] == pytest.approx(
        [0, 1, 0, 0, math.hypot(3.0, 3.0 * math.tan(0.2)) / 4, 1], abs=1e-5)


def test_visits_count_up_to_three():
    there_and_back = [(0.0, 0.0, 0.0), (2.0, 0.0, 0.0)] * 5
    counts = [look(seen(), track(*there_and_back[:n])).ways[0, 0, 8] for n in (1, 3, 5, 9)]
    # ahead of (0, 0) is (2, 0)
    assert torch.stack(counts) == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_places_above_each_other_are_different_places():
    # up a stair and on, until one stands above where one began: the way ahead was never taken
    above = track((0.0, 0.0, 0.0), (2.0, 0.0, 0.0), (2.0, 0.0, 3.0), (0.0, 0.0, 3.0))
    below = track((0.0, 0.0, 0.0), (2.0, 0.0, 0.0), (2.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    acting = Acting(repeat_penalty=1.0, visit_penalty=0.1)
    assert discouragement(seen(), above, acting)[0] == pytest.approx([0, 0.1])      # (2, 0, 3)
    assert discouragement(seen(), below, acting)[0] == pytest.approx([0, 1.2])
    assert look(seen(), above).ways[0, 0, 8] == pytest.approx(1 / 3)
    assert look(seen(), below).ways[0, 0, 8] == pytest.approx(2 / 3)


def test_discouragement_by_hand():
    # (0, 0) → (2, 0) → (0, 0) → (0, 2) → (2, 0) → (0, 0)
    a, b, c = (0.0, 0.0, 0.0), (2.0, 0.0, 0.0), (0.0, 2.0, 0.0)
    where = track(a, b, a, c, b, a)
    what = seen(ways=[(0.0, 0.0, 2.0), (PI / 2, 0.0, 2.0), (PI, 0.0, 2.0)])
    # (2, 0) was visited twice, but only once straight from here; (0, 2) once, from here
    off = discouragement(what, where, Acting(repeat_penalty=2.0, visit_penalty=0.5))
    assert off[0] == pytest.approx([0, 2 + 2 * 0.5, 2 + 0.5, 0])
    assert (discouragement(what, where, Acting()) == 0).all()


def test_stopping_is_discouraged_too():
    off = discouragement(seen(), START, Acting(visit_penalty=1.0, stop_penalty=0.7))
    assert off[0] == pytest.approx([0.7, 0.0])


def test_runs_do_not_touch_each_other():
    both = Track.begin(torch.tensor([[0.0, 0, 0], [5, 5, 0]]), torch.zeros(2)).go(
        torch.tensor([[2.0, 0, 0], [5, 7, 0]]), torch.tensor([0.0, PI / 2]), torch.zeros(2, 3))
    what = seen(ways=[(PI, 0.0, 2.0)])
    what = Seen(*(torch.cat([part, part]) for part in vars(what).values()))
    off = discouragement(what, both, Acting(visit_penalty=1.0))
    assert off.tolist() == [[0, 1], [0, 1]]
    assert both.rows(torch.tensor([1])).points.tolist() == [[[5, 5, 0], [5, 7, 0]]]
