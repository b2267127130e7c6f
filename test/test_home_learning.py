"""From what was explored to a checkpoint in use: labels, learning, the gate, and sabotage."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest
import small_home
import torch
from fake_encoder import FakeEncoder
from tiny_graph import star, task_in

from nl_robot.checkpoint import load_checkpoint
from nl_robot.homes.labels import counts
from nl_robot.homes.store import Homes
from nl_robot.homes.trajectories import Trajectory
from nl_robot.learning import home_learning
from nl_robot.learning.arena import Arena
from nl_robot.learning.home_gate import GateSettings, compare, decide
from nl_robot.learning.home_labels import LabelSettings, propose, shuffled
from nl_robot.learning.home_learning import continue_learning, mixed
from nl_robot.learning.home_lesson import (
    Lesson,
    Said,
    imagined,
    nets_of,
    shortest,
    task_of,
    walk_of,
    walks_of,
)
from nl_robot.learning.home_road import Old, Road, RoadSettings, said_of, split
from nl_robot.learning.methods import LearningSettings
from nl_robot.nets.words import Vocabulary

ROAD = RoadSettings(imagined=60, held_out=0.5, fewest=4,
                    labels=LabelSettings(sure=0.0, telling=0.0, proposals=2))
QUICK = LearningSettings(batch=16, learning_rate=1e-2, warmup=3, max_steps=4, expert_only=0.0,
                         reward_from=0.2, seek_from=0.9)


@pytest.fixture(scope='module')
def base():
    return small_home.checkpoint()


@pytest.fixture()
def home(tmp_path):
    made = Homes(tmp_path / 'homes').open('flat', make=True)
    made.save_map(small_home.home_map())
    made.note(start=0)
    made.add([Trajectory((0, 1, 0, 2), 0.0), Trajectory((2, 0, 3), 0.0, fault='pushed')])
    return made


def road(home, base, tmp_path, learner=continue_learning, minutes=0.1, **more) -> Road:
    facts: list[dict] = []
    return Road(home, small_home.saved(tmp_path, base), FakeEncoder(),
                Old(small_home.original()[:40], small_home.original()[40:80]), minutes, 0,
                facts.append, ROAD, learner, **more)


def lesson(base, tmp_path, **more) -> Lesson:
    graph = small_home.home_map().graph()
    said = [Said(t, 'go to the ' + small_home.THINGS[t.places[-1] - 1])
            for t in imagined(graph, 20, np.random.default_rng(0))]
    return Lesson(graph, **{'said': said, 'original': small_home.original()[:40],
                            'checkpoint': base, 'encoder': FakeEncoder(), 'minutes': 0.02,
                            'seed': 0, 'directory': tmp_path / 'run',
                            'tell': lambda facts: None, **more})


# ---- ways

def test_a_shortest_way_by_hand():
    graph = star(small_home.THINGS)
    assert shortest(graph, 1, 2) == [1, 0, 2] and shortest(graph, 0, 3) == [0, 3]
    ways = list(imagined(graph, 1000, np.random.default_rng(0)))
    assert {(t.places[0], t.places[-1]) for t in ways} == {
        (a, b) for a in range(1, 7) for b in range(1, 7) if a != b}     # four metres each
    assert all(t.kind == 'imagined' and t.places[1] == 0 for t in ways)


def test_a_trajectory_as_walk_and_task():
    graph = star(small_home.THINGS)
    way = Trajectory((1, 0, 2), 0.5)
    assert walk_of(graph, way) == [1, 2, 0]       # back, the second arm, stop
    assert walk_of(graph, Trajectory((1, 2), 0.0)) is None
    task = task_of(graph, way, 'go to the fridge')
    assert (task.place, task.yaw, task.shortest) == (1, 0.5, 4.0)
    assert list(np.flatnonzero(task.fulfilled)) == list(np.flatnonzero(task.best)) == [2]
    arena = Arena([task_of(graph, Trajectory((0, 3), 0.0), 'x'), task], Vocabulary(FakeEncoder()))
    walks = walks_of(arena, graph, [Trajectory((0, 3), 0.0), way])
    assert walks.places.tolist() == [[0, 3, 0], [1, 0, 2]]
    assert walks.mask_is_valid.sum(dim=1).tolist() == [2, 3]
    assert walks.travelled.tolist() == [2.0, 4.0] and walks.last.tolist() == [3, 2]


# ---- labels

def test_labels_say_where_a_way_ends_and_are_held_against_others(base):
    graph, nets = small_home.home_map().graph(), nets_of(base)
    ways = [*imagined(graph, 30, np.random.default_rng(1)),
            Trajectory((2, 0, 3), 0.0, fault='pushed')]
    found = propose(graph, ways, nets, Vocabulary(FakeEncoder()), 0, ROAD.labels)
    assert len(found) == 30         # what has a fault is not labelled at all
    best = [max(label.proposals, key=lambda p: p.telling) for label in found]
    right = [p.text.endswith(small_home.THINGS[label.trajectory.places[-1] - 1])
             for label, p in zip(found, best)]
    assert np.mean(right) > 0.7
    wrong = [p for label in found for p in label.proposals if not p.text.endswith(
        small_home.THINGS[label.trajectory.places[-1] - 1])]
    told = [p.telling for label, p in zip(found, best)]
    assert not wrong or np.mean([p.telling for p in wrong]) < np.mean(told)
    assert all(p.kept == (p.telling > 0) for label in found for p in label.proposals)
    count = counts(found)
    assert count.proposed >= count.kept == sum(len(label.goals) for label in found)


def test_the_reward_has_a_say(base):
    graph, nets = small_home.home_map().graph(), nets_of(base)
    ways = list(imagined(graph, 12, np.random.default_rng(1)))
    never = replace(nets, calibration=replace(nets.calibration, slope=0.0, offset=-9.0))
    found = propose(graph, ways, never, Vocabulary(FakeEncoder()), 0,
                    replace(ROAD.labels, sure=0.5))
    assert counts(found).kept == 0 and counts(found).proposed > 0


def test_labels_are_the_same_every_time(base):
    graph, ways = small_home.home_map().graph(), [Trajectory((1, 0, 2), 0.0)] * 2
    once, again = (propose(graph, ways, nets_of(base), Vocabulary(FakeEncoder()), 3)
                   for _ in range(2))
    assert once == again


def test_a_checkpoint_that_cannot_teach_itself_is_told_so(base):
    weights = {name: state for name, state in base.weights.items() if name != 'goal_generator'}
    with pytest.raises(ValueError, match='has no goal_generator; train one'):
        nets_of(replace(base, weights=weights))
    with pytest.raises(ValueError, match='of an older kind'):
        nets_of(replace(base, config={**base.config, 'format': 1}))


# ---- learning

def test_a_lesson_mixes_old_and_new_and_heeds_people(base, tmp_path):
    given = lesson(base, tmp_path)
    tasks = mixed(given)
    own = [task for task in tasks if task.graph is given.graph]
    assert len(own) == 20 and len(tasks) == 40
    shown = replace(given, said=[replace(given.said[0], human=True)])
    assert sum(task.graph is given.graph for task in mixed(shown)) == home_learning.HUMAN_TIMES
    with pytest.raises(ValueError, match='nothing to learn from'):
        mixed(replace(given, said=[]))


def test_learning_goes_on_from_the_checkpoint_and_changes_policy_and_reward_alone(
        base, tmp_path, monkeypatch):
    monkeypatch.setattr(home_learning, 'SETTINGS', QUICK)
    facts: list[dict] = []
    learned = continue_learning(lesson(base, tmp_path, tell=facts.append))
    assert set(learned.weights) == set(base.weights)
    for name, state in base.weights.items():
        moved = any(not torch.equal(state[key], value)
                    for key, value in learned.weights[name].items())
        assert moved == (name in ('policy', 'reward')), name
    assert facts[-1]['phase'] == 'learning' and 'imitation' in facts[-1]['losses']
    assert learned.origin['updates'] > 0
    assert learned.config['navigator'] == base.config['navigator']


def test_a_run_that_was_killed_goes_on(base, tmp_path, monkeypatch):
    monkeypatch.setattr(home_learning, 'SETTINGS', QUICK)
    first = continue_learning(lesson(base, tmp_path))
    again = continue_learning(lesson(base, tmp_path))      # its budget is spent already
    assert again.origin['updates'] == first.origin['updates']
    assert all(torch.equal(value, again.weights['policy'][key])
               for key, value in first.weights['policy'].items())


def test_learning_that_diverges_is_told(base, tmp_path, monkeypatch):
    monkeypatch.setattr(home_learning, 'SETTINGS', replace(QUICK, learning_rate=1e30))
    with pytest.raises(ValueError, match='learning diverged'):
        continue_learning(lesson(base, tmp_path))


# ---- the gate

def test_the_same_checkpoint_is_not_better(base):
    tasks = small_home.original()[:30]
    verdict = decide(base, base, tasks, tasks, FakeEncoder())
    assert not verdict.passed and verdict.why.startswith('not better here')
    assert verdict.here.paired.difference.value == 0.0 and verdict.here.episodes == 30
    json.dumps(verdict.facts(), allow_nan=False)


def test_what_is_better_here_and_worse_there_is_refused():
    rates = {'here': (0.2, 0.9), 'there': (0.9, 0.5)}
    rng = np.random.default_rng(0)

    def fake(stored, tasks, encoder):
        return (rng.random((1, 200)) < rates[tasks[0]][stored == 'new']).astype(float)
    refused = decide('old', 'new', ['here'], ['there'], None, measure=fake)
    assert not refused.passed and refused.why.startswith('worse elsewhere')
    rates['there'] = (0.5, 0.55)
    passed = decide('old', 'new', ['here'], ['there'], None, measure=fake)
    assert passed.passed and 'elsewhere' in passed.why
    assert not decide('old', 'new', ['here'], ['there'], None, GateSettings(gain=90.0),
                      fake).passed
    with pytest.raises(ValueError, match='nothing to measure on'):
        decide('old', 'new', [], ['there'], None)


def test_held_out_ways_are_whole_and_people_s_are_never_held_out(base, home):
    graph = home.map().graph()
    ways = [*imagined(graph, 100, np.random.default_rng(0)),
            Trajectory((1, 0, 2), 0.0, 'demonstration', 'to the cold box')]
    found = propose(graph, ways, nets_of(base), Vocabulary(FakeEncoder()), 0, ROAD.labels)
    learn, held_out = split(found, 0.33)
    ends = [{tuple(sorted((s.trajectory.places[0], s.trajectory.places[-1]))) for s in part
             if not s.human} for part in (learn, held_out)]
    assert not ends[0] & ends[1] and ends[0] and ends[1]
    assert len({s.trajectory for s in held_out}) == len(held_out)
    assert [s.words for s in learn if s.human] == ['to the cold box']


# ---- the road

def test_the_road_from_map_to_a_version_in_use(base, home, tmp_path, monkeypatch):
    monkeypatch.setattr(home_learning, 'SETTINGS', QUICK)
    made = road(home, base, tmp_path)
    outcome = made.run()
    assert outcome.verdict.passed, outcome.verdict.why
    assert home.versions.active().version == outcome.version == 'v0001'
    stored = load_checkpoint(home.versions.path('v0001'))
    origin = stored.origin
    assert (origin['home'], origin['seed'], origin['parent']) == ('flat', 0, str(made.base))
    assert origin['gate']['passed'] and origin['gate']['here']['paired']['difference']['low'] > 0
    assert origin['labels']['kept'] == outcome.counts.kept
    assert not (home.folder / 'learning').exists()
    assert {label.trajectory.kind for label in home.labels()} == {'exploration', 'imagined'}
    assert not any(label.trajectory.fault for label in home.labels())
    truth = compare(base, stored, [task_in(star(small_home.THINGS), 1, 'go to the bed', [3])],
                    FakeEncoder())
    assert truth.episodes == 1


@pytest.mark.parametrize(('seed', 'sabotage'), [(0, False), (0, True), (1, True)])
def test_shuffled_labels_are_refused(base, home, tmp_path, monkeypatch, seed, sabotage):
    monkeypatch.setattr(home_learning, 'SETTINGS', QUICK)
    made = road(home, base, tmp_path, minutes=0.06, sabotage=sabotage)
    outcome = replace(made, seed=seed, old=Old((), ())).run()   # nothing else to learn from
    assert outcome.verdict.passed == (not sabotage), outcome.verdict.why
    assert home.versions.names() == ([] if sabotage else ['v0001'])
    facts = json.loads((home.folder / 'verdict.json').read_text())
    assert facts['gate']['passed'] == (not sabotage)


def test_sabotage_gives_every_way_the_words_of_another():
    said = [Said(Trajectory((n, n + 1), 0.0), str(n)) for n in range(20)]
    mixed_up = shuffled(said, np.random.default_rng(0))
    assert [one.trajectory for one in mixed_up] == [one.trajectory for one in said]
    assert sorted(one.words for one in mixed_up) == sorted(one.words for one in said)
    assert sum(a.words == b.words for a, b in zip(said, mixed_up)) < 5


def test_a_home_that_is_hardly_known_says_so(base, tmp_path):
    empty = Homes(tmp_path / 'homes').open('new', make=True)
    with pytest.raises(ValueError, match='too little to learn from'):
        road(empty, base, tmp_path).run()


def test_a_learner_that_fails_changes_nothing(base, home, tmp_path):
    def broken(lesson):
        raise ValueError('learning diverged: on purpose')
    with pytest.raises(ValueError, match='on purpose'):
        road(home, base, tmp_path, broken).run()
    assert home.versions.active().version == '' and home.versions.names() == []


def test_labels_are_kept_while_learning_is_under_way(base, home, tmp_path):
    seen = []

    def killed(given):
        given.directory.mkdir(exist_ok=True)
        seen.append([said.words for said in given.said])
        raise KeyboardInterrupt
    for seed in (0, 1):     # proposals of another seed would be others
        with pytest.raises(KeyboardInterrupt):
            replace(road(home, base, tmp_path, killed), seed=seed).run()
    assert seen[0] == seen[1] and seen[0]
    assert len(said_of(home.labels())) >= len(seen[0])


def test_what_was_driven_since_is_labelled_anew(base, home, tmp_path):
    def killed(given):
        given.directory.mkdir(exist_ok=True)
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        road(home, base, tmp_path, killed).run()
    before = len(home.labels())
    later = (home.folder / 'labels.json').stat().st_mtime + 5
    home.add([Trajectory((4, 0, 5), 0.0)])
    os.utime(home.folder / 'trajectories.jsonl', (later, later))
    assert home.driven_since_labels()
    with pytest.raises(KeyboardInterrupt):
        road(home, base, tmp_path, killed).run()
    assert len(home.labels()) == before + 1


def test_a_run_of_other_labels_begins_anew(base, tmp_path, monkeypatch):
    monkeypatch.setattr(home_learning, 'SETTINGS', QUICK)
    first = continue_learning(lesson(base, tmp_path, minutes=0.005))
    given = lesson(base, tmp_path, minutes=0.005)
    fewer = continue_learning(replace(given, said=given.said[:5]))
    assert first.origin['updates'] > 0 and fewer.origin['updates'] > 0


def test_a_diverged_run_is_not_gone_on_with(base, home, tmp_path):
    def diverged(given):
        given.directory.mkdir(exist_ok=True)
        raise ValueError('learning diverged')
    with pytest.raises(ValueError, match='diverged'):
        road(home, base, tmp_path, diverged).run()
    assert not (home.folder / 'learning').exists()
