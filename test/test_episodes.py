"""Episodes on disk: what was written is read, whatever happened in between."""

from __future__ import annotations

import json
import math

import pytest

from nl_robot.datatypes import Decision, Episode, Observation, Pose, Sighting, Step, Waypoint
from nl_robot.episodes import _whole_lines, append, from_json, read, to_json

STEP = Step(Observation((Sighting('red sofa', 0.1, -0.2, 0.3, 2.5, 0.9), Sighting('door', 1.0)),
                        (Waypoint(0.4, 1.5, 0.1),), Pose(1, 2, 3, 'map')),
            Decision(0, 0.75, (0.75, 0.25)))
LAST = Step(STEP.observation, Decision(None))
EPISODE = Episode('go to the söfa\nnow', (STEP, LAST), 'expert', 'succeeded', 'home-0007',
                  {'metres': 3.5})


def test_there_and_back_again():
    line = to_json(EPISODE)
    assert '\n' not in line
    assert from_json(line) == EPISODE


def test_a_log_grows(tmp_path):
    path = tmp_path / 'logs' / 'episodes.jsonl'
    append(path, [EPISODE])
    append(path, [Episode('two', ()), Episode('three', ())])
    assert [episode.goal for episode in read(path)] == [EPISODE.goal, 'two', 'three']


def test_a_line_cut_off_by_a_crash_is_left_out_and_written_over(tmp_path):
    path = tmp_path / 'episodes.jsonl'
    append(path, [Episode('one', ()), Episode('two', ())])
    path.write_bytes(path.read_bytes()[:-9])
    assert [episode.goal for episode in read(path)] == ['one']
    append(path, [Episode('three', ())])
    assert [episode.goal for episode in read(path)] == ['one', 'three']


def test_a_log_of_nothing_but_a_torn_line_begins_anew(tmp_path):
    path = tmp_path / 'episodes.jsonl'
    path.write_text('{"goal": "on')
    append(path, [Episode('one', ())])
    assert [episode.goal for episode in read(path)] == ['one']


def broken(change):
    data = json.loads(to_json(EPISODE))
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize('line', [
    'null', '3', '[]', '"words"', '{}', '{"steps": 3}', '{"steps": [4]}', 'not json',
    broken(lambda d: d.pop('goal')),
    broken(lambda d: d.update(colour='red')),
    broken(lambda d: d['steps'][0]['observation']['sightings'][0].update(taste='sweet')),
    broken(lambda d: d['steps'][0]['decision'].pop('probability'))])
def test_what_is_no_episode_is_called_so(line):
    with pytest.raises(ValueError, match='not an episode'):
        from_json(line)


def test_records_check_themselves_on_the_way_in():
    line = broken(lambda d: d['steps'][0]['observation']['waypoints'][0].update(distance=-1))
    with pytest.raises(ValueError, match='distance must be positive, got -1'):
        from_json(line)


def test_what_is_not_json_is_not_written():
    with pytest.raises(ValueError):
        to_json(Episode('go', (), extra={'metres': math.nan}))


def test_the_end_of_the_last_whole_line_is_found_across_blocks(tmp_path):
    path = tmp_path / 'log'
    path.write_bytes(b'abcdefg\nhijklmnop')
    with open(path, 'rb') as file:
        assert [_whole_lines(file, block) for block in (1, 3, 8, 9, 100)] == [8] * 5
