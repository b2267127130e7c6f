"""The commands about homes: adapt offline from end to end, list, show, delete, labels."""

from __future__ import annotations

import json
from functools import partial

import pytest
import small_home
from fake_encoder import FakeEncoder
from tiny_graph import star

from nl_robot.cli import adapt, adapt_worlds, main
from nl_robot.cli.adapt_live import told
from nl_robot.cli.adapt_worlds import Place
from nl_robot.homes.labels import Label, Proposal
from nl_robot.homes.store import Homes
from nl_robot.homes.trajectories import Trajectory
from nl_robot.learning import home_learning
from nl_robot.learning.home_labels import LabelSettings
from nl_robot.learning.home_road import Road, RoadSettings
from nl_robot.worlds.graph import GraphWorld

RIGHT, WRONG = Proposal('go to the bed', 0.9, 0.5, True), Proposal('go away', 0.2, -1.0, False)


@pytest.fixture()
def homes(tmp_path) -> Homes:
    made = Homes(tmp_path / 'homes')
    home = made.open('flat', make=True)
    home.save_map(small_home.home_map())
    home.note(start=0)
    home.add([Trajectory((0, 1, 0, 2), 0.0), Trajectory((2, 0, 3), 0.0, fault='pushed')])
    home.save_labels([Label(1, Trajectory((1, 0, 3), 0.0), (RIGHT, WRONG)),
                      Label(2, Trajectory((2, 0, 3), 0.0), (WRONG,))])
    return made


def run(*words, homes: Homes) -> int:
    return main.main([*words, '--homes', str(homes.root)])


def test_list_and_show(homes, tmp_path, capsys):
    assert run('homes', 'list', homes=homes) == 0
    assert 'flat: 7 places, 2 trajectories, 1 sentences, acts on the checkpoint it began with' \
        in capsys.readouterr().out
    assert run('homes', 'show', 'flat', '--png', str(tmp_path / 'map.png'), homes=homes) == 0
    out = capsys.readouterr().out
    assert 'things: bed, desk, fridge, lamp, plant, sofa' in out
    assert '2 trajectories, 1 of them not to be learned from (pushed)' in out
    assert (tmp_path / 'map.png').stat().st_size > 5000


def test_a_damaged_home_does_not_hide_the_others(homes, capsys):
    homes.open('barn', make=True)
    (homes.root / 'barn' / 'map.npz').write_bytes(b'x')
    assert run('homes', 'list', homes=homes) == 0
    out = capsys.readouterr().out
    assert 'barn: ' in out and 'is no map of a home' in out and 'flat: 7 places' in out


def test_delete_leaves_nothing(homes, capsys):
    assert run('homes', 'delete', 'flat', homes=homes) == 0
    assert 'forgot flat' in capsys.readouterr().out and homes.names() == []
    assert list(homes.root.iterdir()) == []
    assert run('homes', 'delete', 'flat', homes=homes) == 2
    assert "no home 'flat' is known" in capsys.readouterr().err


def test_labels_are_drawn_and_judged(homes, tmp_path, capsys):
    picture = str(tmp_path / 'labels.png')
    assert run('labels', '--home', 'flat', '--png', picture, homes=homes) == 0
    out = capsys.readouterr().out
    assert '+ go to the bed' in out and '- go away' in out and '2. ' not in out
    assert (tmp_path / 'labels.png').stat().st_size > 5000
    assert run('labels', '--home', 'flat', '--drop', '1', '--correct', '2', 'to my bed',
               '--png', picture, homes=homes) == 0
    assert [label.goals for label in homes.open('flat').labels()] == [(), ('to my bed',)]
    assert '+ to my bed' in capsys.readouterr().out
    assert run('labels', '--home', 'flat', '--keep', '9', '--png', picture, homes=homes) == 2
    assert 'there is no label 9' in capsys.readouterr().err
    assert run('labels', '--home', 'flat', '--correct', 'x', 'y', '--png', picture,
               homes=homes) == 2


def test_adapt_offline_from_end_to_end(tmp_path, monkeypatch, capsys):
    """A home that nobody knows, explored, learned from, measured, in use, and drawn."""
    base = small_home.saved(tmp_path, small_home.checkpoint())
    graph = star(small_home.THINGS)
    place = Place('star', GraphWorld(graph), small_home.original()[:40],
                  small_home.original()[40:80],
                  commands=small_home.tasks_in(graph, small_home.THINGS)[:8])
    monkeypatch.setattr(adapt, 'generated_home', lambda args, tell: place)
    monkeypatch.setattr('nl_robot.cli.adapt_learning.load_text_encoder',
                        lambda name, cache_size: FakeEncoder())
    monkeypatch.setattr('nl_robot.cli.adapt_learning.Road', partial(Road, settings=RoadSettings(
        imagined=60, fewest=4, labels=LabelSettings(sure=0.0, heard=0.0))))
    monkeypatch.setattr('nl_robot.wanderer.load_text_encoder', lambda name: FakeEncoder())
    monkeypatch.setattr(home_learning, 'SETTINGS', home_learning.LearningSettings(
        batch=16, learning_rate=1e-2, warmup=3, max_steps=4, expert_only=0.0, reward_from=0.2,
        seek_from=0.9))
    homes = Homes(tmp_path / 'homes')
    status = run('adapt', '--world', 'homes', '--checkpoint', str(base), '--learning', '3s',
                 '--png', str(tmp_path / 'figure.png'), homes=homes)
    out = capsys.readouterr().out
    assert '7 places' in out and 'back where it began' in out and 'sentences for' in out
    assert 'the same 8 commands, step by step, with its map' in out
    home = homes.open('star')
    assert (status == 0) == (home.versions.active().version == 'v0001')
    assert (tmp_path / 'figure.png').stat().st_size > 5000 and home.figure.exists()
    assert run('adapt', '--world', 'homes', '--checkpoint', str(base), '--learning', '1s',
               '--json', homes=homes) in (0, 1)
    facts = [json.loads(line) for line in capsys.readouterr().out.splitlines()
             if line.startswith('{')]
    assert facts[0]['text'] == 'nothing new was left the last time'
    assert facts[-1]['phase'] == 'done' and 'passed' in facts[-1]


@pytest.mark.parametrize(('words', 'complaint'), [
    (['--world', 'live'], 'a home needs a name'),
    (['--world', 'r2r'], '--world r2r needs --data DIR'),
    (['--world', 'homes', '--seed', '3'], 'the agent was trained in home 3'),
    (['--learn-only'], 'a home needs a name')])
def test_wrong_input_is_told_at_once(homes, capsys, words, complaint):
    assert run('adapt', *words, homes=homes) == 2
    assert complaint in capsys.readouterr().err


def test_a_learner_that_is_none(homes, tmp_path, monkeypatch, capsys):
    base = small_home.saved(tmp_path, small_home.checkpoint(10))
    monkeypatch.setattr(adapt_worlds, '_old_homes', lambda cache, tell: ([], []))
    monkeypatch.setattr('nl_robot.cli.adapt_learning.load_text_encoder',
                        lambda name, cache_size: FakeEncoder())
    assert run('adapt', '--home', 'flat', '--learn-only', '--checkpoint', str(base), '--learner',
               'nowhere:nothing', homes=homes) == 2
    assert "--learner 'nowhere:nothing' names no function" in capsys.readouterr().err


@pytest.mark.parametrize('text', ['', '0m', 'ten', 'nan', 'infm'])
def test_a_time_that_is_none(homes, text, capsys):
    with pytest.raises(SystemExit):
        run('adapt', '--budget', text, homes=homes)
    assert 'must be a time such as 10m or 90s' in capsys.readouterr().err


def test_times_by_hand():
    from nl_robot.cli.arguments import minutes
    assert [minutes(text) for text in ('10m', '90s', '1.5h', '7')] == [10.0, 1.5, 90.0, 7.0]


def test_a_line_of_progress():
    facts = {'phase': 'returning', 'reason': 'budget_spent', 'text': 'turning back', 'left': '9',
             'places': '', 'home': 'flat'}
    assert told(facts) == 'returning (budget_spent): turning back; left 9'
    assert told({'phase': 'exploring'}) == 'exploring'
