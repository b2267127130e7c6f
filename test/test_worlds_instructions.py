"""Instructions of the official formats as tasks, in the building of six viewpoints."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import tiny_building

from nl_robot.worlds.instructions import (
    InstructionTasks,
    instruction_tasks,
    read_instructions,
    split_tasks,
)
from nl_robot.worlds.matterport import load_buildings
from nl_robot.worlds.official_files import DataFolder
from nl_robot.worlds.tasks import expert_choice

CLIMB = math.sqrt(18)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return tiny_building.write(tmp_path_factory.mktemp('data'))


def with_record(tmp_path, dataset='R2R', **change):
    """A folder whose one record of the split `odd` has something changed."""
    data = tiny_building.write(tmp_path)
    record = dict((tiny_building.R2R if dataset == 'R2R' else tiny_building.REVERIE)[0])
    record.update(change)
    record = {key: value for key, value in record.items() if value is not None}
    (data / f'{dataset}_odd.json').write_text(json.dumps([record]))
    return data


def test_room_to_room(data):
    instructions, tasks = split_tasks(data, 'r2r', 'train')
    assert [i.id for i in instructions] == ['7_0', '7_1', '8_0', '9_0']
    assert [t.goal for t in tasks] == ['Walk past the sofa and go up.', 'Up the stairs.',
                                       'Go to the lamp.', 'Straight on.']
    up, _, lamp, straight = tasks
    assert up.tags == ('r2r',) and up.graph.name == 'tiny' and up.graph is lamp.graph
    assert (up.place, lamp.place) == (0, 1)
    assert (up.yaw, lamp.yaw) == pytest.approx((math.pi / 2, 0.0))
    # d is 4.24 m from c, so nothing else is within 3 m of it; b is 2 m from c and a is 4 m
    assert up.fulfilled.tolist() == [False, False, False, True, False, False]
    assert lamp.fulfilled.tolist() == [False, True, True, False, False, False]
    assert straight.fulfilled.tolist() == [False] * 5 + [True]      # 3.1 m are too far
    assert lamp.best.tolist() == [False, False, True, False, False, False]
    assert up.shortest == pytest.approx(4 + CLIMB) and lamp.shortest == pytest.approx(2)
    assert up.cost == pytest.approx([4 + CLIMB, 2 + CLIMB, CLIMB, 0, np.inf, np.inf])
    assert expert_choice(lamp, 1, lamp.graph.lengths(), 0.1) == pytest.approx([0, 0, 1])


def test_the_way_of_the_expert_is_the_path(data):
    instructions, tasks = split_tasks(data, 'r2r', 'train')
    maker = InstructionTasks(load_buildings(DataFolder(data), ['tiny']))
    walked = [0]
    while not tasks[0].best[walked[-1]]:
        choice = expert_choice(tasks[0], walked[-1], tasks[0].graph.lengths(), 0.1)
        row = tasks[0].graph.way_rows[walked[-1]][int(choice.argmax()) - 1]
        walked.append(int(tasks[0].graph.leads_to[row]))
    assert walked == maker.path(instructions[0]) == [0, 1, 2, 3]


def test_reverie_is_fulfilled_where_the_target_is_in_view(data):
    instructions, (sofa, lamp) = split_tasks(data, 'reverie', 'mine')
    assert [i.id for i in instructions] == ['7_11_0', '9_12_0']
    assert [i.target for i in instructions] == [11, 12]
    assert sofa.fulfilled.tolist() == [True, True, True, False, False, False]
    assert sofa.best.tolist() == [False, True, False, False, False, False]
    assert sofa.shortest == pytest.approx(CLIMB + 2)
    # the path ends at b, which has the lamp in none of its views: the expert goes on to c
    assert lamp.fulfilled.tolist() == lamp.best.tolist() == [False, False, True] + [False] * 3
    assert lamp.shortest == pytest.approx(4)
    assert lamp.yaw == pytest.approx(math.pi / 2 - 4.0)


def test_near_and_far_sightings_are_an_option(data, tmp_path):
    _, far = split_tasks(data, 'r2r', 'train', tmp_path)
    _, near = split_tasks(data, 'r2r', 'train', tmp_path, far_sightings=False)
    assert len(far[0].graph.labels) == len(near[0].graph.labels) + 1
    assert len(list(tmp_path.iterdir())) == 2


def test_any_split_in_the_folder(data):
    folder = DataFolder(data)
    assert folder.splits('r2r') == ('train',) and folder.splits('reverie') == ('mine',)
    with pytest.raises(FileNotFoundError, match='no R2R_test.json in .*; splits .*: train'):
        read_instructions(folder, 'r2r', 'test')
    with pytest.raises(ValueError, match="one of r2r, reverie, got 'rxr'"):
        folder.splits('rxr')


@pytest.mark.parametrize(('change', 'complaint'), [
    ({'instructions': ['Go.', ' \n ']}, 'r2r odd: instruction 1 of path 7 is empty'),
    ({'path': ['a']}, r'path 7 has 1 viewpoint\(s\) and so no goal'),
    ({'heading': None}, 'the record of path 7 lacks heading'),
    ({'heading': math.inf}, 'path 7 starts with heading inf')])
def test_records_that_cannot_be_are_told(tmp_path, change, complaint):
    folder = DataFolder(with_record(tmp_path, **change))
    with pytest.raises(ValueError, match=complaint):
        read_instructions(folder, 'r2r', 'odd')


@pytest.mark.parametrize(('change', 'error', 'complaint'), [
    ({'path': ['a', 'c']}, ValueError, 'instruction 7_0: its path is off the graph of tiny, where '
                                       'no way leads from a to c'),
    ({'path': ['a', 'nobody']}, ValueError, "instruction 7_0: unknown viewpoint 'nobody'"),
    ({'path': ['a', 'x']}, ValueError, "unknown viewpoint 'x'"),
    ({'scan': 'other'}, FileNotFoundError, "missing scan 'other'")])
def test_paths_that_leave_the_graph_are_told(tmp_path, change, error, complaint):
    with pytest.raises(error, match=complaint):
        split_tasks(with_record(tmp_path, **change), 'r2r', 'odd')


def test_a_target_must_be_in_view_somewhere(tmp_path):
    data = with_record(tmp_path / 'unseen', 'REVERIE', objId=15)
    with pytest.raises(ValueError, match='7_15_0: no viewpoint of tiny shows object 15'):
        split_tasks(data, 'reverie', 'odd')
    with pytest.raises(ValueError, match='lacks objId'):
        read_instructions(DataFolder(with_record(tmp_path / 'none', 'REVERIE', objId=None)),
                          'reverie', 'odd')


def test_a_building_must_be_loaded(data):
    instructions = read_instructions(DataFolder(data), 'r2r', 'train')
    with pytest.raises(ValueError, match="instruction 7_0 is in the scan 'tiny', .*not loaded"):
        instruction_tasks(instructions, {})


def test_a_file_of_instructions_is_a_list(tmp_path):
    data = tiny_building.write(tmp_path)
    (data / 'R2R_odd.json').write_text('{"path": 1}')
    with pytest.raises(ValueError, match='R2R_odd.json must be a list'):
        read_instructions(DataFolder(data), 'r2r', 'odd')
