"""The trunk of all networks: what must not change what it says, and what must."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from nl_robot.nets.looking import Seen, Track
from nl_robot.nets.navigator import Navigator, NavigatorSettings
from nl_robot.nets.navigators import navigator_of
from nl_robot.nets.recurrent import RecurrentNavigator
from nl_robot.nets.words import CHANNELS, Known

TINY = NavigatorSettings(text_dim=8, width=16, state=12, heads=2, dropout=0.5)
WORDS, LABELS = 7, 6
OUTPUTS = 2


def known() -> Known:
    """A vocabulary at random, whose agreement is of either sign; label 0 is none."""
    torch.manual_seed(3)
    words, labels = torch.randn(WORDS, 8), torch.randn(LABELS, 8)
    labels[0] = 0
    agreement = torch.randn(WORDS, LABELS, CHANNELS)
    agreement[:, 0] = 0
    return Known(torch.nn.functional.normalize(words, dim=1), torch.nn.functional.normalize(
        labels, dim=1), agreement)


KNOWN = known()


def made(**change) -> Navigator:
    torch.manual_seed(0)
    return navigator_of(dataclasses.replace(TINY, **change), OUTPUTS).eval()


@pytest.fixture(params=[{}, {'layers': 2, 'content': 5}], ids=['recurrent', 'map'])
def net(request) -> Navigator:
    """Of either shape."""
    return made(**request.param)


def goal(words: int, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Features, ids and mask of one goal."""
    torch.manual_seed(seed)
    return (torch.randn(1, words, 8), torch.randint(WORDS, (1, words)),
            torch.ones(1, words, dtype=torch.bool))


def seen(sightings: int, ways: int, seed: int = 2) -> Seen:
    """One run's view."""
    torch.manual_seed(seed)
    rows = torch.rand(1, sightings, 5) * torch.tensor([6.0, 0.2, 0.3, 4.0, 1.0])
    return Seen(torch.randint(1, LABELS, (1, sightings)), rows,
                torch.rand(1, ways, 3) * torch.tensor([6.0, 0.2, 3.0]),
                torch.ones(1, ways, dtype=torch.bool))


TRACK = Track.begin(torch.zeros(1, 3), torch.zeros(1), remembers=True)


def hear(net: Navigator, words, views, track: Track = TRACK, agreement=None) -> torch.Tensor:
    """(1, 1 + k, outputs) what it says at the last of some views, and its state after it."""
    features, ids, mask = words
    heard = net.agreement(KNOWN)
    agreement = heard if agreement is None else heard._replace(pairs=agreement)
    with torch.inference_mode():
        heard = net.read(features, ids, mask)
        state = net.start(heard)
        for view in views:
            look = net.look(ids, view, track, agreement)
            outputs, state = net(heard, state, look)
            track = track.remember(view)
    return outputs


def pad(tensor: torch.Tensor, dim: int, value: float) -> torch.Tensor:
    """Two more entries in a dimension."""
    shape = list(tensor.shape)
    shape[dim] = 2
    return torch.cat([tensor, torch.full(shape, value, dtype=tensor.dtype)], dim=dim)


def test_what_it_says_has_a_number_for_stop_and_each_way(net):
    assert hear(net, goal(4), [seen(5, 3)]).shape == (1, 4, OUTPUTS)
    assert hear(net, goal(1), [seen(1, 1)]).shape == (1, 2, OUTPUTS)


def test_padding_of_words_changes_nothing(net):
    features, ids, mask = goal(4)
    padded = pad(features, 1, 9.0), pad(ids, 1, 5), pad(mask, 1, False)
    views = [seen(5, 3), seen(4, 2, seed=4)]
    torch.testing.assert_close(hear(net, padded, views), hear(net, goal(4), views))


@pytest.mark.parametrize('sightings', [1, 5])
def test_padding_of_sightings_changes_nothing(net, sightings):
    # also where nothing that is seen agrees with anything: all of it then counts less than none
    views = [seen(sightings, 3, seed) for seed in (2, 4, 5)]
    padded = [Seen(pad(v.labels, 1, 0), pad(v.sightings, 1, 0.3), v.ways, v.mask_way_is_valid)
              for v in views]
    for agreement in (KNOWN.agreement, -KNOWN.agreement.abs()):
        torch.testing.assert_close(hear(net, goal(4), padded, agreement=agreement),
                                   hear(net, goal(4), views, agreement=agreement))


def test_padding_of_ways_changes_nothing(net):
    views = [seen(5, 3), seen(5, 2, seed=4)]
    padded = [Seen(v.labels, v.sightings, pad(v.ways, 1, 0.7), pad(v.mask_way_is_valid, 1, False))
              for v in views]
    torch.testing.assert_close(hear(net, goal(4), padded)[:, :3], hear(net, goal(4), views))


def test_many_at_once_hear_what_one_alone_does(net):
    words, views = [goal(4), goal(4, seed=9)], [seen(5, 3), seen(5, 3, seed=8)]
    together = tuple(torch.cat(parts) for parts in zip(*words))
    view = Seen(*(torch.cat([getattr(v, name) for v in views])
                  for name in ('labels', 'sightings', 'ways', 'mask_way_is_valid')))
    track = Track.begin(torch.zeros(2, 3), torch.zeros(2), remembers=True)
    both = hear(net, together, [view], track)
    for row in (0, 1):
        torch.testing.assert_close(both[row:row + 1], hear(net, words[row], [views[row]]))


def test_rows_of_words_and_state_are_those_of_the_episodes():
    net = made()
    words = net.read(*(torch.cat(parts) for parts in zip(goal(4), goal(4, seed=9))))
    state = net.start(words)
    assert state.attention[:, :, 0].tolist() == [[1, 1], [1, 1]]
    assert state.attention[:, :, 1:].sum() == 0 and state.hidden.abs().sum() == 0
    one = words.rows(torch.tensor([1]))
    assert torch.equal(one.ids, goal(4, seed=9)[1])
    assert torch.equal(one.keys, words.keys[1:]) and torch.equal(one.keep, words.keep[1:])
    assert torch.equal(state.rows(torch.tensor([1])).attention, state.attention[1:])


def test_ways_in_another_order_get_the_same_numbers(net):
    view, order = seen(5, 3), torch.tensor([2, 0, 1])
    mixed = dataclasses.replace(view, ways=view.ways[:, order])
    plain, other = hear(net, goal(4), [view]), hear(net, goal(4), [mixed])
    torch.testing.assert_close(other[:, 1:], plain[:, 1:][:, order])
    torch.testing.assert_close(other[:, 0], plain[:, 0])


def test_the_order_of_sightings_does_not_matter_but_what_they_are_does(net):
    view, order = seen(5, 3), torch.tensor([2, 0, 4, 1, 3])
    view = dataclasses.replace(view, labels=torch.tensor([[1, 2, 3, 4, 5]]))
    mixed = dataclasses.replace(view, labels=view.labels[:, order],
                                sightings=view.sightings[:, order])
    plain = hear(net, goal(4), [view])
    torch.testing.assert_close(hear(net, goal(4), [mixed]), plain)
    other = dataclasses.replace(view, labels=view.labels[:, order])
    assert not torch.allclose(hear(net, goal(4), [other]), plain, atol=1e-3)


def test_words_their_order_and_what_was_before_matter(net):
    features, ids, mask = goal(4)
    plain = hear(net, (features, ids, mask), [seen(5, 3)])
    backwards = hear(net, (features.flip(1), ids.flip(1), mask), [seen(5, 3)])
    later = hear(net, (features, ids, mask), [seen(5, 3, seed=7), seen(5, 3)])
    assert not torch.allclose(plain, backwards, atol=1e-3)
    assert not torch.allclose(plain, later, atol=1e-3)


# Two ways, to the left and to the right, and a thing on one side that agrees with the goal.
SIDES = torch.tensor([[[math.pi / 2, 0.0, 2.0], [-math.pi / 2, 0.0, 2.0]]])


def thing_at(bearing: float) -> Seen:
    return Seen(torch.tensor([[1]]), torch.tensor([[[bearing, 0.0, 0.3, 2.0, 1.0]]]), SIDES,
                torch.ones(1, 2, dtype=torch.bool))


def deaf_to_sides(net: RecurrentNavigator) -> RecurrentNavigator:
    """The same network without eyes for the bearing of ways: sine and cosine are cut."""
    with torch.no_grad():
        net.way[0].weight[:, :4] = 0
    return net


def test_left_and_right_are_told_apart():
    net, nothing = made(), dataclasses.replace(thing_at(0.0), labels=torch.tensor([[0]]))
    left, right = hear(net, goal(4), [nothing])[0, 1:]
    assert not torch.allclose(left, right, atol=1e-3)       # by the sine of the bearing
    left, right = hear(deaf_to_sides(net), goal(4), [nothing])[0, 1:]
    torch.testing.assert_close(left, right)


def test_a_thing_speaks_for_the_way_on_its_side():
    net = made()
    agreement = torch.ones(WORDS, LABELS, CHANNELS)
    left, right = (hear(deaf_to_sides(net), goal(4), [thing_at(side * math.pi / 2)],
                        agreement=agreement)[0] for side in (1, -1))
    assert not torch.allclose(left[1], left[2], atol=1e-3)
    # mirrored, and the network cannot tell left from right: the two ways have changed places
    torch.testing.assert_close(right[1], left[2])
    torch.testing.assert_close(right[2], left[1])
    torch.testing.assert_close(right[0], left[0])


@pytest.mark.parametrize('shape', [{}, {'layers': 2, 'content': 5}])
def test_a_blind_one_sees_ways_only(shape):
    blind, view = made(sightings=False, **shape), seen(5, 3)
    other = dataclasses.replace(seen(5, 3, seed=6), ways=view.ways)
    torch.testing.assert_close(hear(blind, goal(4), [view]), hear(blind, goal(4), [other]))
    assert not torch.allclose(hear(blind, goal(4), [view]),
                              hear(blind, goal(4), [seen(5, 3, seed=6)]), atol=1e-3)
    assert not torch.allclose(hear(made(), goal(4), [view]), hear(made(), goal(4), [other]),
                              atol=1e-3)


def test_agreement_is_the_frozen_one_unless_it_learns():
    assert made().agreement(KNOWN).pairs is KNOWN.agreement
    learning = made(learned=3)
    agreement = learning.agreement(KNOWN).pairs
    assert agreement.shape == (WORDS, LABELS, CHANNELS + 1)
    assert torch.equal(agreement[..., :CHANNELS], KNOWN.agreement)
    assert (agreement[:, 0, CHANNELS] == 0).all()       # no label agrees with nothing
    assert ((agreement[:, 1:, CHANNELS] > 0) & (agreement[:, 1:, CHANNELS] < 1)).all()


def test_a_learned_agreement_by_hand():
    learning = made(learned=4)
    with torch.no_grad():
        for side in (learning.word_side, learning.label_side):
            side.weight.zero_()
            side.bias.fill_(1.0)
    # four products of 1 with 1, over the root of four, less two: sigmoid(0)
    found = learning.agreement(KNOWN).pairs[:, 1:, CHANNELS].detach()
    assert found == pytest.approx(torch.full((WORDS, LABELS - 1), 0.5))


def test_a_learned_agreement_learns_and_matters():
    learning = made(learned=3, dropout=0.0)
    view, words = seen(5, 3), goal(4)
    heard = learning.read(*words)
    look = learning.look(words[1], view, TRACK, learning.agreement(KNOWN))
    outputs, _ = learning(heard, learning.start(heard), look)
    outputs.square().sum().backward()
    still = [name for name, value in learning.named_parameters()
             if value.grad is None or value.grad.abs().max() == 0]
    # the first step begins with an empty state; a bias that is the same for all words falls out
    assert set(still) <= {'cell.weight_hh', 'key.bias', 'where.bias'}
    before = hear(learning, words, [view])
    with torch.no_grad():
        learning.label_side.bias.add_(5.0)
    assert not torch.allclose(hear(learning, words, [view]), before, atol=1e-4)


def test_one_mask_of_dropout_serves_a_whole_episode():
    net = made().train()
    words = net.read(*(part.repeat(64, *[1] * (part.ndim - 1)) for part in goal(4)))
    rates = (words.keep == 0).float().mean()
    assert rates == pytest.approx(0.5, abs=0.1)
    assert set(words.keep.unique().tolist()) == {0.0, 2.0}
    dead = words.values == 0
    # a feature that was dropped is so for every word of the episode
    assert dead.all(dim=1).float().mean() > 0.4
    assert (made().read(*goal(4)).keep == 1).all()


def test_a_look_without_ways_can_only_stop(net):
    view = seen(3, 1)
    empty = Seen(view.labels, view.sightings, view.ways[:, :0], view.mask_way_is_valid[:, :0])
    assert hear(net, goal(2), [empty]).shape == (1, 1, OUTPUTS)


def test_it_looks_where_it_looked_as_the_convolution_would():
    net = RecurrentNavigator(NavigatorSettings(text_dim=16, width=16, state=12, heads=2))
    for length in (1, 4, 9):
        attention = torch.rand(3, 2, length)
        torch.testing.assert_close(net._location(attention), net.where(attention))


MAP = {'layers': 2, 'content': 5, 'dropout': 0.0}


def test_a_map_navigator_hears_what_was_seen_before_wherever_it_stood():
    net = made(**MAP)
    def at_second(first: Seen) -> torch.Tensor:
        track = Track.begin(torch.zeros(1, 3), torch.zeros(1), remembers=True).remember(first)
        track = track.go(torch.tensor([[9.0, 0.0, 0.0]]), torch.zeros(1), torch.zeros(1, 3))
        return hear(net, goal(4), [seen(5, 3, seed=7)], track)
    one, other = seen(4, 3, seed=5), seen(4, 3, seed=6)
    assert not torch.allclose(at_second(one), at_second(other), atol=1e-3)
    # where things were seen from is nothing to it, where they stand is all
    with pytest.raises(ValueError, match='a track that remembers'):
        hear(net, goal(4), [one], Track.begin(torch.zeros(1, 3), torch.zeros(1)))


def test_everything_of_a_map_navigator_learns():
    net = made(**MAP).train()
    words = net.read(*goal(4))
    track = Track.begin(torch.zeros(1, 3), torch.zeros(1), remembers=True)
    for step, view in enumerate((seen(5, 3, seed=5), seen(4, 3, seed=6), seen(5, 2, seed=7))):
        look = net.look(goal(4)[1], view, track, net.agreement(KNOWN))
        outputs, _ = net(words, net.start(words), look)
        track = track.remember(view).go(torch.tensor([[3.0 * step + 3, 1.0, 0.0]]),
                                        torch.full((1,), 0.3), torch.zeros(1, 3))
    outputs.square().sum().backward()
    still = {name for name, value in net.named_parameters()
             if value.grad is None or value.grad.abs().max() == 0}
    # who asks only at the last layer for words that labels are not among; biases that fall out
    assert still <= {'layers.1.agree.weight', 'bias.outer.bias'}


def test_a_label_says_by_itself_what_its_vector_and_the_weights_do():
    net = made(**MAP)
    said = net.agreement(KNOWN).labels
    assert said.shape == (LABELS, 5) and (said[0] == 0).all()       # no label says nothing
    by_hand = (8 * KNOWN.labels[1:]) @ net.says.weight.T + net.says.bias
    torch.testing.assert_close(said[1:], by_hand)
    assert made().agreement(KNOWN).labels is None
