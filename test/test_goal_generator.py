"""The goal generator: shapes, padding, what it learns in a star, texts and measures by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from fake_encoder import FakeEncoder
from tiny_graph import corner, star, task_in
from torch import Tensor

from nl_robot.learning.arena import Arena
from nl_robot.learning.goal_writing import (
    WritingSettings,
    corpus_bleu,
    distinct,
    first_of_each,
    generator_loss,
    goal_ids,
    label_walks,
    likelihood,
    references_of,
    sentences_of,
    trajectory_features,
    write_goals,
    writing_loss,
    writing_measures,
)
from nl_robot.learning.walks import Walks, expert_walks
from nl_robot.nets.goal_generator import (
    BEGIN,
    END,
    GEOMETRY,
    PADDING,
    UNKNOWN,
    VIEWS,
    GoalGenerator,
    GoalGeneratorSettings,
    TextTable,
    spaced,
)
from nl_robot.nets.words import Vocabulary

DIM = 384       # what the expert of `walks` expects
THINGS = ['sofa', 'lamp', 'fridge', 'plant']


class Encoder(FakeEncoder):
    """With the words of a text as its tokens."""

    def tokens(self, text: str) -> list[str]:
        return text.split() or ['']


def arena_of(tasks: list) -> Arena:
    return Arena(tasks, Vocabulary(Encoder(DIM)))


def star_arena() -> Arena:
    graph = star(THINGS)
    return arena_of([task_in(graph, 0, f'{verb} the {thing}', [k + 1])
                     for k, thing in enumerate(THINGS) for verb in ('find', 'see')])


def corner_arena() -> Arena:
    graph = corner()
    return arena_of([task_in(graph, 0, 'go round the corner', [2]),
                     task_in(graph, 2, 'stay', [2])])


def all_walks(arena: Arena) -> Walks:
    return expert_walks(arena, torch.arange(len(arena.tasks)), 5)


def small(words: tuple[str, ...] = (), **change) -> GoalGenerator:
    torch.manual_seed(0)
    sizes = {'label': 12, 'way': 10, 'embedding': 14, 'goal': 8, 'latent': 4, 'state': 16,
             'dropout': 0.0}
    return GoalGenerator(GoalGeneratorSettings(words=words, text_dim=DIM, **{**sizes, **change}))


def some_ways(count: int, steps: int, generator: GoalGenerator) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    return (torch.randn(count, steps, generator.settings.features),
            torch.ones(count, steps, dtype=torch.bool))


# ---- words

def test_words_that_are_met_often_get_numbers_the_most_frequent_first():
    table = TextTable.counted([['go', 'the', 'way'], ['the', 'go'], ['the', 'ox']], least=2)
    assert table.words == ('the', 'go') and len(table) == 6


def test_numbers_end_with_the_end_and_then_padding():
    ids, mask = TextTable(['go', 'on']).ids([['on'], ['go', 'over', 'on']])
    assert ids.tolist() == [[5, END, PADDING, PADDING], [4, UNKNOWN, 5, END]]
    assert mask.tolist() == [[True, True, False, False], [True] * 4]


def test_numbers_become_texts_up_to_the_end():
    table = TextTable(['go', 'on', '.'])
    ids = torch.tensor([[4, UNKNOWN, 5, 6, END, 4], [BEGIN, 4, PADDING, PADDING, PADDING, PADDING],
                        [END, 4, 4, 4, 4, 4]])
    assert table.texts(ids) == ['go on.', 'go', '']


@pytest.mark.parametrize(('words', 'text'), [
    ("turn left , then right . don ' t stop ; go !", "turn left, then right. don't stop; go!"),
    ('the l - shaped sofa ( red ) and / or it', 'the l-shaped sofa (red) and/or it'),
    ("the couple ' s room", "the couple's room"), ('', '')])
def test_texts_are_spaced_as_people_do(words, text):
    assert spaced(words.split()) == text


# ---- what the generator reads

def test_the_features_of_a_corner_by_hand():
    """East, then left to the north, then stop."""
    arena = corner_arena()
    walks = all_walks(arena)
    features, mask = trajectory_features(arena, walks)
    assert features.shape == (2, 3, GEOMETRY + VIEWS * DIM)
    assert mask.tolist() == [[True] * 3, [True, False, False]]
    east, north, stop = features[0, :, :GEOMETRY]
    assert east.tolist() == pytest.approx([1, 0, 1, 0, 0, 0.5, 1, 0, 0, 0, 1 / 8])
    assert north.tolist() == pytest.approx([0, 1, -1, 0, 0, 0.5, 1, 0, 0, 0, 2 / 8], abs=1e-6)
    assert stop.tolist() == pytest.approx([1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1 / 8], abs=1e-6)
    assert not features[1, 1:].any()


def test_what_lies_along_the_way_near_and_beside_it():
    arena = corner_arena()
    features, _ = trajectory_features(arena, all_walks(arena))
    views = features[0, :, GEOMETRY:].view(3, VIEWS, DIM).numpy()
    door, sofa, fridge = arena.vocabulary.encoder.embed(['door', 'red sofa', 'white fridge'])
    # the door lies straight on, 1 m away: weight 1 of 1.5; the way to it has nothing beside
    assert np.allclose(views[0, 0], door / 1.5, atol=1e-5)
    near = math.exp(-1 / 1.5)
    assert np.allclose(views[0, 1], near / (near + 0.5) * door, atol=1e-5)
    # at the end it faces north, the fridge half a metre to the west: on the left
    left, right = views[2, 2] @ fridge, views[2, 3] @ fridge
    near = math.exp(-0.5 / 1.5)
    assert left == pytest.approx(near / (near + 0.5), abs=1e-5)
    assert right < 1e-4 and abs(views[1, 0] @ sofa - 1 / 1.5) < 1e-5


def test_padding_of_the_walks_is_not_looked_at():
    arena = corner_arena()
    walks = all_walks(arena)
    before, _ = trajectory_features(arena, walks)
    places, actions = walks.places.clone(), walks.actions.clone()
    places[1, 1:], actions[1, 1:] = 1, 2
    other = replace(walks, places=places, actions=actions)
    assert torch.equal(trajectory_features(arena, other)[0], before)


def test_goals_by_number_are_read_as_the_vocabulary_splits_them():
    arena = corner_arena()
    assert sentences_of(arena, arena.goal) == [['go', 'round', 'the', 'corner'], ['stay']]
    ids, mask = goal_ids(arena, arena.goal, TextTable(['stay', 'go']))
    assert ids[1].tolist()[:2] == [4, END] and mask.sum(dim=1).tolist() == [5, 2]


# ---- the networks

def test_padding_moves_nothing():
    """A short goal of a short way, alone and beside a longer one."""
    generator = small(('a', 'b', 'c'))
    features, mask = some_ways(2, 4, generator)
    mask[0, 2:] = False
    ids, text_mask = generator.table.ids([['a', 'b'], ['c', 'a', 'b', 'b', 'c']])
    both = likelihood(generator, features, mask, ids, text_mask)
    alone = likelihood(generator, features[:1, :2], mask[:1, :2], ids[:1, :3], text_mask[:1, :3])
    assert both[0] == pytest.approx(alone[0], abs=1e-5) and both[0] != pytest.approx(both[1])
    mean, _ = generator.infer(generator.follow(features, mask), ids, text_mask)
    shorter, _ = generator.infer(generator.follow(features[:1, :2], mask[:1, :2]), ids[:1, :3],
                                 text_mask[:1, :3])
    assert torch.allclose(mean[:1], shorter, atol=1e-6)


def test_word_by_word_says_what_the_whole_sentence_does():
    generator = small(('a', 'b', 'c'))
    way = generator.follow(*some_ways(2, 3, generator))
    z = torch.randn(2, 4)
    inputs = torch.tensor([[BEGIN, 4, 6], [BEGIN, 5, 5]])
    whole = generator.logits(generator.read(way, z, inputs, torch.ones(2, 3, dtype=torch.bool)))
    state, said = generator.begin(way, z), []
    for word in inputs.T:
        logits, state = generator.one_word(way, z, word, state)
        said.append(logits)
    assert torch.allclose(whole, torch.stack(said, dim=1).flatten(0, 1), atol=1e-5)


def test_an_untrained_loss_is_the_log_of_the_number_of_words():
    """All logits 0: 3 words of 7 each, 3 log 7; q = N(0, 1) has no KL."""
    generator = small(('a', 'b', 'c'))
    for parameter in generator.parameters():
        torch.nn.init.zeros_(parameter)
    ids, text_mask = generator.table.ids([['a', 'b'], ['c', 'a']])
    loss, row = generator_loss(generator, *some_ways(2, 3, generator), ids, text_mask)
    assert row == pytest.approx({'reconstruction': 3 * math.log(7), 'kl': 0.0})
    assert loss.item() == pytest.approx(3 * math.log(7))
    free, _ = generator_loss(generator, *some_ways(2, 3, generator), ids, text_mask, 0.5,
                             free_nats=4.0)
    assert free.item() == pytest.approx(3 * math.log(7) + 0.5 * 4)
    right = likelihood(generator, *some_ways(2, 3, generator), ids, text_mask)
    assert right.tolist() == pytest.approx([-math.log(7)] * 2)


def test_the_same_seed_draws_the_same_and_words_are_dropped():
    generator = small(('a', 'b', 'c'))
    ids, text_mask = generator.table.ids([['a', 'b', 'c', 'a']])
    batch = *some_ways(1, 3, generator), ids, text_mask

    def drawn(seed: int, dropped: float) -> float:
        rng = torch.Generator().manual_seed(seed)
        return generator_loss(generator, *batch, 1.0, dropped, rng)[0].item()
    assert drawn(0, 0.5) == drawn(0, 0.5) != drawn(1, 0.5)
    assert drawn(0, 1.0) != drawn(0, 0.0)


def test_it_never_writes_marks_nor_nothing():
    generator = small(('a', 'b'))
    with torch.no_grad():
        generator.bias[:4] = torch.tensor([9.0, 9.0, 50.0, 9.0])
        generator.bias[5] = 5.0
    assert write_goals(generator, *some_ways(3, 2, generator), greedy=True) == ['b'] * 3
    with torch.no_grad():
        generator.bias[END] = -50.0
    texts = write_goals(generator, *some_ways(3, 2, generator), max_words=6)
    assert [len(text.split()) for text in texts] == [6] * 3


# ---- learning

@pytest.fixture(scope='module')
def learned() -> tuple[Arena, Walks, GoalGenerator]:
    """Four ways, each with two goals: one must be seen from the way, the other lies in z."""
    arena = star_arena()
    walks = all_walks(arena)
    table = TextTable.counted(sentences_of(arena, arena.goal), least=1)
    generator = small(table.words, state=32, embedding=24)
    settings = WritingSettings(kl_begin=50, kl_end=100, free_nats=1.0, word_dropout=0.5)
    optimizer = torch.optim.Adam(generator.parameters(), lr=0.01)
    rng = torch.Generator().manual_seed(0)
    for update in range(200):
        loss, _ = writing_loss(generator, arena, walks, update, settings, rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return arena, walks, generator.eval()


def test_it_learns_what_stands_at_the_end_of_a_way(learned):
    arena, walks, generator = learned
    texts = label_walks(generator, arena, walks, greedy=True)
    assert [text.split()[-1] for text in texts] == [t.goal.split()[-1] for t in arena.tasks]


def test_a_rephrased_goal_keeps_the_choice_that_z_is_for(learned):
    arena, walks, generator = learned
    texts = label_walks(generator, arena, walks, rephrase=True, greedy=True)
    assert texts == [task.goal for task in arena.tasks]


def test_samples_are_as_varied_as_the_goals(learned):
    arena, walks, generator = learned
    rng = torch.Generator().manual_seed(0)
    verbs = {text.split()[0] for _ in range(8)
             for text in label_walks(generator, arena, walks, rng=rng, width=3)}
    assert verbs == {'find', 'see'}


def test_the_right_goal_is_likelier_than_another(learned):
    arena, walks, generator = learned
    features, mask = trajectory_features(arena, walks)
    right = likelihood(generator, features, mask, *goal_ids(arena, walks.goals, generator.table))
    wrong = likelihood(generator, features, mask,
                       *goal_ids(arena, walks.goals.roll(2), generator.table))
    assert (right > wrong + 1.0).all()


def test_measures_of_what_was_learned(learned):
    arena, walks, generator = learned
    found = writing_measures(generator, arena, walks, rng=torch.Generator().manual_seed(0))
    assert set(found) == {'bleu', 'bleu_sampled', 'distinct_1', 'distinct_2', 'reconstruction',
                          'kl'}
    assert 0.5 < found['kl'] < 3.0 and found['reconstruction'] < 1.0
    assert 0 < found['distinct_1'] <= 7 / 12        # 2 verbs, `the`, 4 things in 12 words


# ---- measures by hand

def test_each_way_has_all_its_references():
    arena = star_arena()
    walks = all_walks(arena)
    assert first_of_each(arena, walks).tolist() == [0, 2, 4, 6]
    assert list(references_of(arena).values())[1] == ['find the lamp', 'see the lamp']


def test_bleu_by_hand():
    text = 'go to the red sofa'
    assert corpus_bleu(['Go to the red sofa'], [[text, 'walk on']]) == pytest.approx(100)
    assert corpus_bleu([text, text], [['walk on'], [text, 'stop']]) < 99
    # 4 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 quadruples: (4/5 3/4 2/3 1/2)^(1/4)
    assert corpus_bleu(['go to the red chair'], [[text]]) == pytest.approx(100 * 0.2 ** 0.25)


def test_distinct_by_hand():
    assert distinct(['a b a', 'a b'], 1) == pytest.approx(2 / 5)
    assert distinct(['sofa. sofa'], 1) == pytest.approx(2 / 3)
    assert distinct(['a b a', 'a b'], 2) == pytest.approx(2 / 3)
    assert distinct(['a'], 2) == 0
