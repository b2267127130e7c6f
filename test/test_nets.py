"""Memory, inputs and policy: bookkeeping by hand, and what must not change a decision."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from fake_encoder import FakeEncoder

from nl_robot.datatypes import Observation, Pose, Sighting, Waypoint
from nl_robot.nets.inputs import (
    FEATURES,
    FRONTIER,
    MAX_PLACES,
    MAX_SIGHTINGS,
    MAX_WAYPOINTS,
    MAX_WORDS,
    PLACE,
    REMEMBERED,
    SIGHTING,
    STOP,
    WAYPOINT,
    GoalWords,
    LabelTable,
    goal_words,
    step_inputs,
)
from nl_robot.nets.memory import Memory, View, view_of
from nl_robot.nets.policy import Policy, PolicySettings, collate

NAN, PI, ROOT5 = math.nan, math.pi, math.sqrt(5)
TINY = PolicySettings(text_dim=16, width=16, heads=2, layers=2, dropout=0.0)


def view(pose=(0.0, 0.0, 0.0), sightings=(), labels=(), waypoints=()) -> View:
    return View(np.array(labels, np.int64), np.array(sightings, np.float32).reshape(-1, 5),
                np.array(waypoints, np.float32).reshape(-1, 3), np.array(pose, np.float64))


# At the origin, facing east: a thing two metres ahead, one to the left at an unknown distance.
FIRST = view(sightings=[(0.0, 0.1, 0.3, 2.0, 0.9), (PI / 2, -0.2, 0.4, NAN, 0.5)], labels=[0, 1],
             waypoints=[(0.0, 0.2, 2.0), (PI / 2, 0.0, 2.0)])
# Two metres to the east, facing north.
SECOND = view((2.0, 0.0, PI / 2), [(0.0, 0.0, 0.1, 0.5, 0.6)], [2],
              [(PI / 2, 0.0, 2.0), (PI, 0.0, 2.0)])
GOAL = GoalWords(np.array([[2, 0, 0], [0, 1, 0]], np.float32),
                 np.array([2, 1, 0], np.float32) / ROOT5)
VECTORS = np.eye(3, dtype=np.float32)


def test_view_of_an_observation():
    made = view_of(Observation((Sighting('sofa', 0.1, 0.2, 0.3, 4.0, 0.5), Sighting('tv', -1.0)),
                               (Waypoint(0.4, 1.5, 0.6),), Pose(1, 2, 3)), np.array([7, 8]))
    assert made.labels.tolist() == [7, 8]
    assert made.sightings[0] == pytest.approx([0.1, 0.2, 0.3, 4.0, 0.5])
    assert math.isnan(made.sightings[1, 3])
    assert made.waypoints == pytest.approx(np.array([[0.4, 0.6, 1.5]]))
    assert made.pose.tolist() == [1, 2, 3]
    empty = view_of(Observation((), (), Pose(0, 0, 0)), np.zeros(0, np.int64))
    assert empty.sightings.shape == (0, 5) and empty.waypoints.shape == (0, 3)


def test_memory_by_hand():
    memory = Memory()
    assert memory.steps == 0
    memory.add(FIRST)
    assert memory.steps == 1
    assert memory.frontiers == pytest.approx(np.array([[2, 0], [0, 2]]), abs=1e-6)
    assert memory.thing_labels.tolist() == [0]            # without a distance nothing is kept
    assert memory.things == pytest.approx(np.array([[2, 0, 0.1, 0.3, 0.9]]))
    memory.add(SECOND)
    assert memory.places.tolist() == [[0, 0], [2, 0]]
    # (2, 0) has been visited, the way back to (0, 0) is no new way, (2, -2) is one
    assert memory.frontiers == pytest.approx(np.array([[0, 2], [2, -2]]), abs=1e-6)
    assert memory.thing_labels.tolist() == [0, 2] and memory.seen_at.tolist() == [1, 2]
    assert memory.things[1] == pytest.approx([2, 0.5, 0, 0.1, 0.6], abs=1e-6)


@pytest.mark.parametrize(('label', 'distance', 'kept'), [
    (0, 2.5, [2.5]),            # the same thing, half a metre off: seen again, and moved
    (0, 3.0, [2.0, 3.0]),       # another one of its kind, a metre behind it
    (1, 2.0, [2.0, 2.0]),       # another thing in its place
])
def test_what_is_seen_again_is_replaced(label, distance, kept):
    memory = Memory()
    memory.add(FIRST)
    memory.add(view(sightings=[(0.0, 0.0, 0.3, distance, 1.0)], labels=[label]))
    assert memory.things[:, 0] == pytest.approx(kept)
    assert memory.seen_at.tolist() == [1, 2][-len(kept):]


def inputs_after(*views: View, goal: GoalWords = GOAL, vectors=VECTORS):
    memory = Memory()
    for one in views:
        memory.add(one)
    return step_inputs(goal, memory, views[-1], vectors)


def test_the_first_decision_by_hand():
    made = inputs_after(FIRST)
    assert made.kinds.tolist() == [STOP, WAYPOINT, WAYPOINT, SIGHTING, SIGHTING, FRONTIER,
                                   FRONTIER]
    assert made.labels.tolist() == [-1, -1, -1, 0, 1, -1, -1] and made.choices == 2
    stop, ahead, _, sofa, unknown = made.tokens[:5]
    assert stop == pytest.approx([0] * 9 + [0.05, 0.2, 0.2, 1, 0, 0, 0])
    # cosine, sine, 2 m of 8, exp(-2), x and y over 4, known; elevation; then 2 m from where it is
    near = math.exp(-2)
    assert ahead == pytest.approx([1, 0, 0.25, near, 0.5, 0, 0, 0.2, 0, 0, 2 / 3, 0, 1, 0, 0, 0],
                                  abs=1e-6)
    assert sofa == pytest.approx([1, 0, 0.25, near, 0.5, 0, 0, 0.1, 0.3, 0.9, 0, 0, 0, 1,
                                  2 / ROOT5, 0], abs=1e-6)
    # an unknown distance counts as two metres and says so
    assert unknown == pytest.approx([0, 1, 0.25, near, 0, 0.5, 1, -0.2, 0.4, 0.5, 0, 0, 0, 1,
                                     1 / ROOT5, 0], abs=1e-6)


def test_the_second_decision_by_hand():
    made = inputs_after(FIRST, SECOND)
    assert made.kinds.tolist() == [STOP, WAYPOINT, WAYPOINT, SIGHTING, REMEMBERED, PLACE, FRONTIER,
                                   FRONTIER]
    stop, back, on, new, old, start, south, north = made.tokens
    assert stop[9:13] == pytest.approx([0.1, 0.2, 0.2, 0])
    # back leads onto the start: 0 m from it, one visit, 0 m from the place before this one
    assert back[10:13] == pytest.approx([0, 0.25, 0], abs=1e-6)
    # on leads to (2, -2): 2 m from here, 2.83 m from the start
    assert on[10:13] == pytest.approx([2 / 3, 0, math.sqrt(8) / 3], abs=1e-6)
    assert new[13:15].tolist() == [0, 0]                   # agrees with no word of the goal
    assert made.labels[4] == 0
    assert old[:6] == pytest.approx([*old[:2], 0.0, 1.0, 0.0, 0.0], abs=1e-6)   # we stand at it
    assert old[7:11] == pytest.approx([0.1, 0.3, 0.9, 0.1])
    assert old[13:15] == pytest.approx([1, 2 / ROOT5])
    # the start lies two metres to the left of a robot that faces north
    assert start[:6] == pytest.approx([0, 1, 0.25, math.exp(-2), 0, 0.5], abs=1e-6)
    assert start[10:13] == pytest.approx([0.1, 0, 1])
    # ways not taken, the latest first: behind, then ahead on the left
    assert south[4:6] == pytest.approx([-0.5, 0], abs=1e-6)
    assert north[4:6] == pytest.approx([0.5, 0.5], abs=1e-6)


def test_what_is_far_is_as_far_as_the_laser_sees():
    made = inputs_after(view(sightings=[(0, 0, 0.1, 30.0, 1.0)], labels=[0]))
    assert made.tokens[1, 2] == 1.0 and made.tokens[1, 4] == 2.0


def test_too_much_is_cut_to_what_matters_most():
    many = view(sightings=[(0, 0, 0.1, NAN, k / 100) for k in range(50)], labels=[0] * 50,
                waypoints=[(k / 10, 0, 1.0) for k in range(20)])
    made = inputs_after(many)
    assert made.choices == MAX_WAYPOINTS
    seen = made.tokens[made.kinds == SIGHTING]
    assert len(seen) == MAX_SIGHTINGS
    assert seen[[0, -1], 9] == pytest.approx([0.49, 0.18])     # the surest 32 of 0.00 .. 0.49
    walk = inputs_after(*[view((float(k), 0.0, 0.0)) for k in range(30)])
    places = walk.tokens[walk.kinds == PLACE]
    assert len(places) == MAX_PLACES
    assert places[:, 12].tolist() == [0] * (MAX_PLACES - 1) + [1]       # the start is kept
    assert places[0, 10] == pytest.approx(0.1) and places[-1, 10] == pytest.approx(2.9)


def turned(one: View, by: float) -> View:
    """The same view of a robot in a map that was turned about its origin."""
    c, s = math.cos(by), math.sin(by)
    x, y, yaw = one.pose
    return View(one.labels, one.sightings, one.waypoints, np.array([c * x - s * y, s * x + c * y,
                                                                    yaw + by]))


def mirrored(one: View) -> View:
    """The view in a map whose left and right are swapped."""
    flip = np.array([-1, 1, 1, 1, 1], np.float32)
    return View(one.labels, one.sightings * flip, one.waypoints * flip[:3],
                one.pose * np.array([1, -1, -1]))


def test_inputs_do_not_depend_on_the_frame():
    plain, other = inputs_after(FIRST, SECOND), inputs_after(turned(FIRST, 1.1),
                                                             turned(SECOND, 1.1))
    known = plain.tokens[:, 2] > 1e-3           # the bearing of what one stands on is anything
    assert other.tokens[known] == pytest.approx(plain.tokens[known], abs=1e-5)


def test_a_mirrored_world_gives_mirrored_inputs():
    plain, other = inputs_after(FIRST, SECOND), inputs_after(mirrored(FIRST), mirrored(SECOND))
    flip = np.ones(FEATURES)
    flip[[1, 5]] = -1
    known = plain.tokens[:, 2] > 1e-3
    assert other.tokens[known] == pytest.approx(plain.tokens[known] * flip, abs=1e-5)
    assert not np.allclose(other.tokens[known], plain.tokens[known], atol=1e-3)


def test_labels_are_embedded_once():
    encoder = FakeEncoder()
    table = LabelTable(encoder)
    assert table.ids([]).tolist() == [] and table.vectors.shape == (0, 16)
    assert table.ids(['sofa', 'bed', 'sofa']).tolist() == [0, 1, 0]
    assert table.ids(['bed', 'tv']).tolist() == [1, 2]
    assert encoder.embedded == ['sofa', 'bed', 'tv'] and table.labels == encoder.embedded
    assert table.vectors[2] == pytest.approx(FakeEncoder().embed(['tv'])[0])


def test_goal_words_are_cut_but_their_mean_is_whole():
    encoder = FakeEncoder()
    text = ' '.join(f'word{k}' for k in range(MAX_WORDS + 6))
    goal, short = goal_words(encoder, [text, 'sofa'])
    assert goal.words.shape == (MAX_WORDS, 16) and short.words.shape == (1, 16)
    mean = encoder.encode([text])[0].mean(axis=0)
    assert goal.sentence == pytest.approx(mean / np.linalg.norm(mean))


@pytest.fixture()
def policy() -> Policy:
    torch.manual_seed(0)
    return Policy(TINY).eval()


ENCODER = FakeEncoder()
TABLE = LabelTable(ENCODER)
GO, FETCH = goal_words(ENCODER, ['go to the red sofa', 'fridge'])


def decision(*views: View, goal: GoalWords = GO):
    """Inputs over a table of eight labels."""
    TABLE.ids([f'thing {k}' for k in range(8)])
    return inputs_after(*views, goal=goal, vectors=TABLE.vectors)


def logits_of(policy: Policy, goals, inputs):
    with torch.inference_mode():
        return policy(collate(goals, inputs, TABLE.vectors))


BUSY = view(sightings=[(k - 2.0, 0.1 * k, 0.2, 1.0 + k, 0.5 + k / 20) for k in range(5)],
            labels=[3, 1, 4, 1, 5], waypoints=[(-1.0, 0, 1.5), (0.3, 0, 2.0), (2.0, 0.1, 0.7)])


def test_the_order_of_sightings_does_not_matter(policy):
    order = [3, 0, 4, 2, 1]
    shuffled = View(BUSY.labels[order], BUSY.sightings[order], BUSY.waypoints, BUSY.pose)
    plain, plain_arrived = logits_of(policy, [GO], [decision(FIRST, BUSY)])
    other, other_arrived = logits_of(policy, [GO], [decision(FIRST, shuffled)])
    assert torch.allclose(plain, other, atol=1e-5)
    assert torch.allclose(plain_arrived, other_arrived, atol=1e-5)
    # but what they are does
    mixed = View(BUSY.labels[order], BUSY.sightings, BUSY.waypoints, BUSY.pose)
    assert not torch.allclose(plain, logits_of(policy, [GO], [decision(FIRST, mixed)])[0],
                              atol=1e-4)


def test_the_order_of_waypoints_moves_the_logits_along(policy):
    shuffled = View(BUSY.labels, BUSY.sightings, BUSY.waypoints[[2, 0, 1]], BUSY.pose)
    plain = logits_of(policy, [GO], [decision(BUSY)])[0][0]
    other = logits_of(policy, [GO], [decision(shuffled)])[0][0]
    assert torch.allclose(plain[[0, 3, 1, 2]], other, atol=1e-5)


def test_padding_changes_nothing_and_gets_no_probability(policy):
    big, small = decision(FIRST, BUSY), decision(SECOND, goal=FETCH)
    both, both_arrived = logits_of(policy, [GO, FETCH], [big, small])
    for row, (goal, step) in enumerate(((GO, big), (FETCH, small))):
        alone, arrived = logits_of(policy, [goal], [step])
        assert torch.allclose(both[row, :alone.shape[1]], alone[0], atol=1e-5)
        assert torch.allclose(both_arrived[row], arrived[0], atol=1e-5)
    probabilities = torch.softmax(both, dim=1)
    assert probabilities.shape == (2, 4)
    assert probabilities[1, 3] == 0 and (probabilities[1, :3] > 0).all()
    assert probabilities.sum(dim=1) == pytest.approx([1, 1])


def test_nothing_to_see_and_nowhere_to_go(policy):
    logits, arrived = logits_of(policy, [GO], [decision(view())])
    assert logits.shape == (1, 1)
    assert torch.isfinite(logits).all() and torch.isfinite(arrived).all()


def test_the_words_and_their_order_matter(policy):
    plain = logits_of(policy, [GO], [decision(BUSY)])[0]
    backwards, = goal_words(ENCODER, ['sofa red the to go'])
    for goal in (FETCH, backwards):
        assert not torch.allclose(plain, logits_of(policy, [goal], [decision(BUSY)])[0], atol=1e-4)


def test_collate_puts_choices_first():
    batch = collate([GO, FETCH], [decision(BUSY), decision(SECOND)], TABLE.vectors)
    assert batch.mask_choice_is_valid.tolist() == [[True] * 4, [True] * 3 + [False]]
    # 1 stop and 3 ways; 5 sightings and 2 frontiers in the busy view (one way ends too near),
    # 1 and 2 in the other
    assert batch.tokens.shape == (2, 11, FEATURES)
    assert batch.mask_token_is_valid.sum(dim=1).tolist() == [11, 6]
    assert batch.kinds[1, [0, 1, 2, 4, 5, 6]].tolist() == [STOP, WAYPOINT, WAYPOINT, SIGHTING,
                                                           FRONTIER, FRONTIER]
    assert batch.mask_word_is_valid.tolist() == [[True] * 5, [True] + [False] * 4]
    assert (batch.words[1, 1:] == 0).all()


def test_every_weight_learns():
    torch.manual_seed(0)
    policy = Policy(TINY)
    logits, arrived = policy(collate([GO, FETCH], [decision(FIRST, SECOND, BUSY),
                                                   decision(BUSY)], TABLE.vectors))
    loss = -torch.log_softmax(logits, dim=1)[:, 0].sum() + arrived.square().sum()
    loss.backward()
    # a bias that is the same for all keys falls out of the softmax: it may stay still
    still = [name for name, value in policy.named_parameters()
             if value.grad is None or (value.grad.abs().max() < 1e-9
                                       and name != 'bias.outer.bias')]
    assert still == []
    assert all(torch.isfinite(value.grad).all() for value in policy.parameters())


def test_ways_taken_before_and_places_visited_before_by_hand():
    memory = Memory()
    assert memory.places.shape == (0, 2)
    ways = [(0.0, 0.0, 2.0), (math.pi / 2, 0.0, 2.0)]       # ahead to (2, 0), left to (0, 2)
    first, there = view((0, 0, 0), waypoints=ways), view((2, 0, 0))
    memory.add(first)
    assert memory.visits(first).tolist() == memory.repeats(first).tolist() == [0, 0]
    memory.add(there)
    memory.add(first)
    # (2, 0) was visited once, from here; (0, 2) never
    assert memory.visits(first).tolist() == [1, 0]
    assert memory.repeats(first).tolist() == [1, 0]
    memory.add(view((0, 2, 0)))
    memory.add(there)
    memory.add(first)
    # (2, 0) was visited twice, but only once straight from here; (0, 2) once, from here
    assert memory.visits(first).tolist() == [2, 1]
    assert memory.repeats(first).tolist() == [1, 1]
    nowhere = view((0, 0, 0))
    assert memory.visits(nowhere).shape == memory.repeats(nowhere).shape == (0,)
