"""What is remembered of places that were left: by hand."""

from __future__ import annotations

import math

import pytest
import torch

from nl_robot.nets.looking import Seen, Track
from nl_robot.nets.recollection import MOST_FRONTIERS, MOST_THINGS, Recollection

NAN, PI = math.nan, math.pi


def view(sightings, labels, ways) -> Seen:
    return Seen(torch.tensor([labels]), torch.tensor([sightings]), torch.tensor([ways]),
                torch.ones(1, len(ways), dtype=torch.bool))


# At the origin, facing east: a thing two metres ahead, one to the left nobody knows how far.
FIRST = view([(0.0, 0.1, 0.3, 2.0, 0.9), (PI / 2, -0.2, 0.4, NAN, 0.5)], [1, 2],
             [(0.0, 0.0, 2.0), (PI / 2, 0.0, 2.0)])
# Two metres to the east, facing north.
SECOND = view([(0.0, 0.0, 0.1, 0.5, 0.6)], [3], [(PI / 2, 0.0, 2.0), (PI, 0.0, 2.0)])


def at_second() -> Track:
    track = Track.begin(torch.zeros(1, 3), torch.zeros(1), remembers=True).remember(FIRST)
    return track.go(torch.tensor([[2.0, 0.0, 0.0]]), torch.full((1,), PI / 2),
                    torch.tensor([[0.0, 0.0, 2.0]]))


def known(track: Track) -> Recollection:
    assert track.recollection is not None
    return track.recollection


def test_what_was_seen_stands_where_it_stands():
    found = known(at_second())
    assert found.labels[0].tolist() == [1] + [0] * (MOST_THINGS - 1)    # the other: nobody knows
    assert found.things[0, 0].tolist() == pytest.approx([2, 0, 0, 0.1, 0.3, 0.9, 1])
    ends = found.frontiers[0][~found.frontiers[0].isnan().any(dim=1)]
    assert ends.numpy() == pytest.approx(torch.tensor([[2.0, 0, 0], [0, 2, 0]]).numpy(), abs=1e-6)


def test_the_latest_comes_first_and_what_was_visited_is_no_way_left_open():
    found = known(at_second().remember(SECOND))
    assert found.labels[0, :3].tolist() == [3, 1, 0]
    assert found.things[0, 0, :3].tolist() == pytest.approx([2.0, 0.5, 0.0], abs=1e-6)
    assert found.things[0, :2, 6].tolist() == [1, 2]
    ends = found.frontiers[0][~found.frontiers[0].isnan().any(dim=1)]
    # (2, 0) is here, and the way back leads to (0, 0), where it was
    assert ends.numpy() == pytest.approx(torch.tensor([[2.0, -2, 0], [0, 2, 0]]).numpy(), abs=1e-6)


def test_what_is_seen_again_is_one_thing():
    again = view([(-PI / 2, 0.2, 0.4, 0.3, 0.8), (0.0, 0.0, 0.1, 0.5, 0.6)], [1, 2],
                 [(PI, 0.0, 2.0)])
    found = known(at_second().remember(again))      # 0.3 m behind (2, 0): 0.3 m from the first
    assert sorted(found.labels[0, :3].tolist(), reverse=True) == [2, 1, 0]
    other = view([(-PI / 2, 0.2, 0.4, 0.3, 0.8)], [2], [(PI, 0.0, 2.0)])
    assert sorted(known(at_second().remember(other)).labels[0, :3].tolist()) == [0, 1, 2]


def test_there_is_room_for_so_many_and_the_oldest_go():
    track = Track.begin(torch.zeros(1, 3), torch.zeros(1), remembers=True)
    for step in range(30):
        track = track.remember(view([(PI / 2, 0.0, 0.1, 3.0, 0.5)], [1 + step % 5],
                                    [(PI / 2, 0.0, 3.0)]))
        track = track.go(torch.tensor([[2.0 * step + 2, 0.0, 0.0]]), torch.zeros(1),
                         torch.zeros(1, 3))
    found = known(track)
    assert found.labels.shape == (1, MOST_THINGS) and (found.labels > 0).all()
    assert found.frontiers.shape == (1, MOST_FRONTIERS, 3)
    assert found.things[0, :, 6].tolist() == list(range(1, MOST_THINGS + 1))
    assert found.frontiers[0, 0].tolist() == pytest.approx([58.0, 3.0, 0.0], abs=1e-4)


def test_rows_are_those_of_the_runs_and_nobody_pays_who_does_not_ask():
    track = at_second()
    both = Track(track.points.repeat(2, 1, 1), track.yaw.repeat(2), track.action.repeat(2, 1),
                 Recollection.together([known(track), Recollection.begin(1, torch.device('cpu'))]))
    assert known(both.rows(torch.tensor([1]))).labels.sum() == 0
    assert torch.equal(known(both.rows(slice(0, 1))).things, known(track).things)
    plain = Track.begin(torch.zeros(1, 3), torch.zeros(1))
    assert plain.remember(FIRST).recollection is None
