"""Sentences by analogy, worked by hand in homes of a few things; and who listens to them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import small_home
from fake_encoder import FakeEncoder
from tiny_graph import star, task_in

from nl_robot.homes.labels import Label, Proposal
from nl_robot.homes.trajectories import Trajectory
from nl_robot.learning.home_analogies import Analogies, Scene, noun_of
from nl_robot.learning.home_labels import LabelSettings, propose
from nl_robot.learning.home_lesson import imagined, nets_of
from nl_robot.learning.home_road import is_held_out, split
from nl_robot.nets.words import Vocabulary
from nl_robot.planning.listening import Listener, successes

OLD = star(['white fridge', 'red sofa', 'grey bed', 'green plant'])
NEW = star(['blue stove', 'brown chair', 'grey bed', 'black desk'])
RNG = np.random.default_rng


def drafts(goal: str, place: int, end: int = 1, count: int = 4) -> list[tuple[str, bool]]:
    """What one demonstration that ends at `end` of the old home says for a place of the new."""
    found = Analogies([task_in(OLD, 0, goal, [end])], FakeEncoder()).drafts(NEW, place, count,
                                                                           RNG(0))
    return [(draft.text, draft.sound) for draft in found]


def test_another_thing_takes_the_place_of_the_one_that_was_named():
    assert drafts('Drive to the  white fridge!', 1) == [('drive to the blue stove!', True)]
    assert drafts('the fridge please', 2) == [('the chair please', False)]     # any chair would do
    assert drafts('wait here', 1) == [('wait here', False)]
    assert drafts('to the white fridge', 0) == []       # nothing is near the middle to be named
    long = 'turn left and go on for a while until you are at the white fridge'
    assert drafts(long, 1) == [(long.replace('white fridge', 'blue stove'), False)]


def test_words_come_from_ends_that_look_alike():
    old = [task_in(OLD, 0, 'go to sleep', [3]), task_in(OLD, 0, 'go and water it', [4])]
    analogies = Analogies(old, FakeEncoder())
    assert analogies.drafts(NEW, 3, 1, RNG(0))[0].text in ('go to sleep', 'go and water it')
    assert len(analogies.drafts(NEW, 3, 5, RNG(0))) == len(analogies) == 2
    assert Analogies([], FakeEncoder()).drafts(NEW, 3, 5, RNG(0)) == []


def test_what_there_is_only_one_of():
    scene = Scene(NEW)
    assert scene.things(1, 1.0) == [('blue stove', 0.3)]
    # from the middle it is seen 2 m away, from the end of its arm 0.3 m farther on: one thing
    assert scene.only_one('blue stove') and not scene.only_one('a thing that nobody saw')
    twins = star(['blue stove', 'red chair', 'blue stove', 'red chair', 'grey bed'])
    assert not Scene(twins).only_one('blue stove') and Scene(twins).only_one('grey bed')
    assert noun_of('white floor lamp') == 'floor lamp' and noun_of('table') == 'table'


def test_what_is_seen_from_everywhere_names_no_place():
    doors = star(['door', 'door', 'door', 'door', 'bed'])
    assert Scene(doors).things(1, 1.0) == [] and Scene(doors).things(5, 1.0) == [('bed', 0.3)]


@pytest.fixture(scope='module')
def base():
    return small_home.checkpoint(30)


def test_sentences_are_kept_where_who_hears_them_would_go_there(base):
    graph = small_home.home_map().graph()
    ways, asked = list(imagined(graph, 12, RNG(0))), []

    def listen(where, heard_ways, texts):
        asked.extend(texts)
        return np.array([0.9 if text.endswith(small_home.THINGS[way.places[-1] - 1]) else 0.1
                         for way, text in zip(heard_ways, texts)])
    found = propose(graph, ways, nets_of(base), Vocabulary(FakeEncoder()), 0,
                    LabelSettings(proposals=1, analogies=1, sure=0.0),
                    Analogies(small_home.original(), FakeEncoder()), listen)
    proposals = [(label, p) for label in found for p in label.proposals]
    assert len(asked) >= len(proposals) > 12 and any(p.sound for _, p in proposals)
    for label, p in proposals:
        right = p.text.endswith(small_home.THINGS[label.trajectory.places[-1] - 1])
        assert p.kept == right and p.heard == (0.9 if right else 0.1)
    none = propose(graph, ways, nets_of(base), Vocabulary(FakeEncoder()), 0,
                   LabelSettings(proposals=1, sure=1.1), None, listen)
    assert not any(p.kept for label in none for p in label.proposals)      # the reward has a say


def test_what_is_measured_on_was_not_chosen_by_who_is_measured():
    ways = [Trajectory((a, 0, b), 0.0) for a in range(1, 7) for b in range(1, 7) if a != b]
    sound = Proposal('to the bed', 0.1, 0.0, False, 0.0, True)
    liked = Proposal('to the lamp', 0.9, 1.0, True, 0.9, False)
    labels = [Label(n, way, (liked, sound)) for n, way in enumerate(ways, 1)]
    learn, held_out = split(labels, 0.5)
    assert learn and held_out and all(said.words == 'to the lamp' for said in learn)
    assert all(said.words == 'to the bed' and is_held_out(said.trajectory, 0.5)
               for said in held_out)
    dropped = [Label(n, way, (liked, sound), 'dropped') for n, way in enumerate(ways, 1)]
    assert split(dropped, 0.5) == ([], [])


def test_a_listener_hears_where_the_best_route_ends(base):
    graph = small_home.home_map().graph()
    listener = Listener(base, FakeEncoder())
    ways = [Trajectory((0, 1), 0.0), Trajectory((0, 2), 0.0), Trajectory((2, 0, 1), math.pi)]
    odds = listener.odds(graph, ways, ['go to the sofa'] * 3)
    assert odds.shape == (3,) and (odds >= 0).all() and (odds <= 1).all()
    assert odds[0] + odds[1] <= 1.0 + 1e-6      # ends of the same routes, heard from one place
    assert listener.odds(graph, [], []).shape == (0,)
    everywhere = task_in(graph, 0, 'go to the sofa', list(range(7)))
    nowhere = task_in(graph, 0, 'go to the sofa', [])
    assert successes(base, [everywhere, nowhere], FakeEncoder()).tolist() == [[1.0, 0.0]]
