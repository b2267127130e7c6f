"""Homes on disk: side by side, whole or not at all, and forgotten without a trace."""

from __future__ import annotations

import math
import os
import resource
import signal
from pathlib import Path

import pytest
from test_homes_map import seen

from nl_robot.datatypes import Pose
from nl_robot.homes import labels as labelling
from nl_robot.homes import trajectories
from nl_robot.homes.files import read_json, sweep, write_bytes, write_json
from nl_robot.homes.keeper import Keeper
from nl_robot.homes.labels import Label, Proposal, counts, judged, merged
from nl_robot.homes.odometry_watch import OdometryWatch, shifted
from nl_robot.homes.store import Homes, homes_folder
from nl_robot.homes.trajectories import Recorder, Trajectory
from nl_robot.homes.versions import Active, Versions

RIGHT = Proposal('go to the sofa', 0.9, 0.5, True)
WRONG = Proposal('go to the bed', 0.1, 0.5, False)
WAY = Trajectory((0, 1, 2), 0.0)


# ---- files

def in_a_child(do) -> int:
    """The wait status of a fork that does something and ends."""
    child = os.fork()
    if child == 0:
        try:
            do()
        finally:
            os._exit(7)
    return os.waitpid(child, 0)[1]


def test_a_full_disk_leaves_what_was_there_and_no_litter(tmp_path):
    write_json(tmp_path / 'a.json', {'old': 1})

    def overflow():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            write_bytes(tmp_path / 'a.json', b'x' * 5000)
        except OSError:
            os._exit(0)
    assert in_a_child(overflow) == 0
    assert read_json(tmp_path / 'a.json') == {'old': 1}
    assert [path.name for path in tmp_path.iterdir()] == ['a.json']


def test_a_log_that_does_not_fit_is_as_it_was(tmp_path):
    path = tmp_path / 't.jsonl'
    trajectories.append(path, [WAY])
    size = path.stat().st_size

    def overflow():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30, size + 30))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            trajectories.append(path, [WAY, WAY])
        except OSError:
            os._exit(0)
    assert in_a_child(overflow) == 0
    assert path.stat().st_size == size and trajectories.read(path) == [WAY]
    trajectories.append(path, [WAY])
    assert trajectories.read(path) == [WAY, WAY]


def test_what_a_killed_writer_left_is_swept(tmp_path):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    mine = f'.a.json.{os.getpid()}.tmp'     # is being written just now
    for name in (f'.a.json.{child}.tmp', '.b.tmp', 'a.json', mine):
        (tmp_path / name).write_bytes(b'{}')
    assert {path.name for path in sweep(tmp_path)} == {f'.a.json.{child}.tmp', '.b.tmp'}
    assert sorted(path.name for path in tmp_path.iterdir()) == [mine, 'a.json']


def test_a_line_that_a_crash_cut_off_is_left_out(tmp_path):
    path = tmp_path / 't.jsonl'
    trajectories.append(path, [WAY])
    with open(path, 'ab') as file:
        file.write(b'{"places": [1')
    assert trajectories.read(path) == [WAY]
    trajectories.append(path, [WAY])
    assert trajectories.read(path) == [WAY, WAY]
    path.write_text('{"places": [-1], "yaw": 0}\n')
    with pytest.raises(ValueError, match='line 1 is no trajectory'):
        trajectories.read(path)


# ---- homes

def test_homes_side_by_side(tmp_path):
    homes = Homes(tmp_path)
    assert homes.names() == []
    one, other = homes.open('flat', make=True), homes.open('cabin by the lake', make=True)
    one.add([WAY])
    other.note(explored=True)
    assert homes.names() == ['cabin by the lake', 'flat']
    assert (len(one.trajectories()), len(other.trajectories())) == (1, 0)
    assert other.notes().explored and not one.notes().explored
    with pytest.raises(ValueError, match="no home 'barn' is known; known are: cabin"):
        homes.open('barn')


@pytest.mark.parametrize('name', ['', '..', '../up', 'a/b', '.hidden', 'x' * 65, 'a\nb'])
def test_a_name_that_is_none(tmp_path, name):
    with pytest.raises(ValueError, match='a home is called by'):
        Homes(tmp_path).open(name, make=True)
    assert list(tmp_path.iterdir()) == []


def test_deleting_forgets_everything(tmp_path):
    homes = Homes(tmp_path)
    home = homes.open('flat', make=True)
    home.add([WAY])
    home.save_labels([Label(1, WAY, (RIGHT,))])
    (home.versions.folder / 'v0001').mkdir(parents=True)
    assert homes.delete('flat') > 0
    assert homes.names() == [] and list(tmp_path.iterdir()) == []


def test_where_homes_are_kept(monkeypatch, tmp_path):
    assert homes_folder('/somewhere') == Path('/somewhere')
    monkeypatch.setenv('NL_ROBOT_HOMES', '/mine')
    assert homes_folder() == Path('/mine')
    monkeypatch.delenv('NL_ROBOT_HOMES')
    monkeypatch.setenv('XDG_DATA_HOME', '/data')
    assert homes_folder() == Path('/data/nl_robot/homes')


# ---- trajectories and faults

def test_a_long_drive_is_several_trajectories_end_to_end():
    recorder = Recorder(longest=3)
    for place in (0, 1, 1, 2, 3):
        recorder.at(place, 0.1 * place)
    recorder.cut()
    assert [(t.places, t.yaw) for t in recorder.take()] == [((0, 1, 2), 0.0),
                                                            ((2, 3), pytest.approx(0.2))]
    assert recorder.take() == []


def test_a_fault_spoils_what_was_under_way_and_nothing_spans_it():
    recorder = Recorder()
    recorder.at(0, 0.0)
    recorder.at(1, 0.0)
    recorder.cut('odometry_jump')
    recorder.at(2, 0.0)
    recorder.at(3, 0.0)
    recorder.cut()
    assert [(t.places, t.fault, t.usable) for t in recorder.take()] == [
        ((0, 1), 'odometry_jump', False), ((2, 3), '', True)]


def test_a_jump_of_the_odometry_is_told_and_moves_the_frame_not_the_robot():
    watch = OdometryWatch()
    assert watch.take(Pose(1.0, 0.0, 0.0), True, 0.0) == ''
    assert watch.take(Pose(1.006, 0.0, 0.0), True, 0.02) == ''
    assert watch.take(Pose(6.0, 2.0, 1.0), True, 0.04) == 'odometry_jump'
    here = watch.pose(Pose(6.0, 2.0, 1.0))
    assert (here.x, here.y, here.yaw) == pytest.approx((1.006, 0.0, 0.0))
    there = watch.pose(Pose(6.0 + math.cos(1.0), 2.0 + math.sin(1.0), 1.0))     # a metre on
    assert (there.x, there.y) == pytest.approx((2.006, 0.0))


def test_a_turn_in_one_message_is_a_jump_and_silence_is_told():
    watch = OdometryWatch()
    watch.take(Pose(0.0, 0.0, 0.0), True, 0.0)
    assert watch.take(Pose(0.0, 0.0, 0.8), True, 0.02) == 'odometry_jump'
    assert watch.take(Pose(0.0, 0.0, 0.8), True, 1.0) == 'odometry_silent'


def test_a_robot_that_is_pushed():
    watch = OdometryWatch()
    for tick in range(100):         # it rolls out for half a second, then stands
        assert watch.take(Pose(min(0.05, 0.002 * tick), 0.0, 0.0), False, 0.02 * tick) == ''
    pushed = [watch.take(Pose(0.05 + 0.01 * tick, 0.0, 0.0), False, 2.0 + 0.1 * tick)
              for tick in range(1, 14)]
    assert 'pushed' in pushed and pushed[0] == ''
    assert watch.take(Pose(0.3, 0.0, 0.0), True, 3.4) == ''     # now somebody drives


def test_a_frame_that_fits_by_hand():
    frame = shifted(Pose(1.0, 2.0, math.pi / 2), Pose(3.0, 0.0, 0.0))
    watch = OdometryWatch(map_from_odom=frame)
    found = watch.pose(Pose(3.0, 0.0, 0.0))
    assert (found.x, found.y, found.yaw) == pytest.approx((1.0, 2.0, math.pi / 2))


# ---- labels

def test_what_is_learned_from():
    assert Label(1, WAY, (RIGHT, WRONG)).goals == ('go to the sofa',)
    assert Label(1, WAY, (RIGHT, WRONG), 'kept').goals == ('go to the sofa', 'go to the bed')
    assert Label(1, WAY, (RIGHT,), 'dropped').goals == ()
    corrected = Label(1, WAY, (RIGHT,), 'corrected', 'to the couch')
    assert corrected.goals == ('to the couch',) and corrected.human
    shown = Label(1, Trajectory((0, 1), 0.0, 'demonstration', 'find the cat'))
    assert shown.goals == ('find the cat',) and shown.human


@pytest.mark.parametrize(('verdict', 'words'), [('corrected', ' '), ('kept', 'x'), ('so', '')])
def test_a_verdict_that_is_none(verdict, words):
    with pytest.raises(ValueError):
        Label(1, WAY, (), verdict, words)


def test_labels_there_and_back_again(tmp_path):
    found = [Label(1, WAY, (RIGHT, WRONG)), Label(2, WAY, (), 'corrected', 'to the couch')]
    labelling.save(tmp_path / 'labels.json', found)
    assert labelling.load(tmp_path / 'labels.json') == found
    assert labelling.load(tmp_path / 'none.json') == []
    assert str(counts(found)) == ('2 sentences for 2 ways; kept 1 of 2, on 2 ways; 1 by people')


def test_a_person_s_word_outlives_new_proposals():
    found = judged([Label(1, WAY, (RIGHT,)), Label(2, Trajectory((3, 4), 0.0), (WRONG,))], 2,
                   'corrected', 'to the couch')
    fresh = [Label(1, Trajectory((3, 4), 0.0), (RIGHT,)), Label(2, Trajectory((5, 6), 0.0))]
    now = merged(found, fresh)
    assert [(label.trajectory.places, label.goals) for label in now] == [
        ((3, 4), ('to the couch',)), ((5, 6), ())]
    assert [label.number for label in now] == [1, 2]
    with pytest.raises(ValueError, match='no label 9'):
        judged(found, 9, 'kept')


# ---- versions

def made(versions: Versions, *names: str) -> None:
    for name in names:
        (versions.folder / name).mkdir(parents=True)


def test_versions_follow_each_other_and_three_are_kept(tmp_path):
    versions = Versions(tmp_path)
    assert versions.active() == Active()
    for number in range(1, 6):
        assert versions.next().name == f'v000{number}'
        made(versions, f'v000{number}')
        versions.activate(f'v000{number}', 'better')
    assert versions.names() == ['v0003', 'v0004', 'v0005']
    assert versions.roll_back('worse').version == 'v0004'
    assert versions.roll_back('worse').version == 'v0003'
    assert versions.roll_back('worse').version == ''
    with pytest.raises(ValueError, match='nothing to roll back'):
        versions.roll_back('again')
    with pytest.raises(ValueError, match='no version'):
        versions.activate('v0009', '')


def test_three_failures_in_the_first_ten_commands_roll_back(tmp_path):
    versions = Versions(tmp_path)
    made(versions, 'v0001')
    versions.activate('v0001', 'better')
    for state, reason in (('succeeded', ''), ('unsure', ''), ('failed', 'sensor_lost:scan'),
                          ('cancelled', 'by_command'), ('timeout', '')):
        assert versions.heard(state, reason) is None
    assert (versions.active().commands, versions.active().failures) == (3, 2)
    rolled = versions.heard('not_found', '')
    assert rolled.version == '' and '3 of the first 4' in rolled.why
    assert versions.heard('unsure', '') is None        # the old one is on trial no more


def test_after_ten_commands_it_is_trusted(tmp_path):
    versions = Versions(tmp_path)
    made(versions, 'v0001')
    versions.activate('v0001', 'better')
    for _ in range(10):
        assert versions.heard('succeeded', '') is None
    assert not versions.active().trial
    for _ in range(5):
        assert versions.heard('unsure', '') is None
    assert versions.active().version == 'v0001'


def test_what_savers_left_is_swept_but_not_what_still_serves(tmp_path):
    versions = Versions(tmp_path)
    made(versions, 'v0002', '.v0002.abc.tmp', '.v0002.old', '.v0003.old')
    versions.sweep()
    assert sorted(path.name for path in tmp_path.iterdir()) == ['.v0003.old', 'v0002']


# ---- the keeper

ORDER = '{"run": "a", "returning": false}'
FRAME = Pose(0.0, 0.0, 0.0, 'map')


def keeper(folder: Path) -> Keeper:
    made = Keeper()
    Homes(folder.parent).open(folder.name, make=True)
    made.enter(folder, None)
    return made


def test_the_keeper_explores_and_keeps(tmp_path):
    care = keeper(tmp_path / 'flat')
    assert care.explore(seen(0.0, 0.0), FRAME, ORDER).waypoint_index == 0
    assert care.explore(seen(2.0, 0.0, ways=((math.pi, 2.0),)), FRAME, ORDER).waypoint_index == 0
    assert care.explore(seen(0.0, 0.0), FRAME, ORDER).is_stop
    home = Homes(tmp_path).open('flat')
    assert home.notes().explored and home.notes().places == 2
    assert [t.places for t in home.trajectories()] == [(0, 1, 0)]


def test_a_fault_while_exploring_is_never_learned_from(tmp_path):
    care = keeper(tmp_path / 'flat')
    care.explore(seen(0.0, 0.0), FRAME, ORDER)
    care.explore(seen(2.0, 0.0, ways=((0.0, 2.0),)), FRAME, ORDER)
    care.fault('pushed')
    care.explore(seen(4.0, 0.0, ways=((0.0, 2.0),)), FRAME, ORDER)
    care.explore(seen(6.0, 0.0, ways=((0.0, 2.0),)), FRAME, ORDER)
    care.fault('stopped')
    care.note(seen(6.0, 0.0), FRAME)
    driven = Homes(tmp_path).open('flat').trajectories()
    assert [(t.places, t.fault) for t in driven] == [((0, 1), 'pushed'), ((2, 3), 'stopped')]
    assert not any(t.usable for t in driven)


def test_odometry_that_began_anew_is_put_where_the_robot_was(tmp_path):
    care = keeper(tmp_path / 'flat')
    care.explore(seen(3.0, 1.0, 0.5), FRAME, ORDER)
    again = Keeper()
    frame = again.enter(tmp_path / 'flat', Pose(0.0, 0.0, 0.0))
    assert (frame.x, frame.y, frame.yaw) == pytest.approx((3.0, 1.0, 0.5))
    frame = again.enter(tmp_path / 'flat', Pose(3.2, 1.0, 0.6))        # it only rolled on
    assert (frame.x, frame.y, frame.yaw) == pytest.approx((0.0, 0.0, 0.0))


def test_a_demonstration_is_kept_with_its_words(tmp_path):
    care = keeper(tmp_path / 'flat')
    care.demonstrate('to the window')
    for x in (0.0, 1.0, 2.0):
        care.shown(seen(x, 0.0, ways=()), FRAME)
    assert care.end_demonstration(Pose(2.0, 0.0, 0.0), FRAME) == 3
    home = Homes(tmp_path).open('flat')
    assert home.trajectories() == [Trajectory((0, 1, 2), 0.0, 'demonstration', 'to the window')]
    assert home.map().graph().distances_between[0, 2] == pytest.approx(2.0)
    care.demonstrate('to the door')
    care.shown(seen(0.0, 0.0, ways=()), FRAME)
    care.fault('odometry_jump')
    care.shown(seen(1.0, 0.0, ways=()), FRAME)
    assert care.end_demonstration(Pose(1.0, 0.0, 0.0), FRAME) == 0


def test_without_a_home_it_says_what_to_do():
    with pytest.raises(ValueError, match='nobody said which home'):
        Keeper().explore(seen(), FRAME, ORDER)
    Keeper().note(seen(), FRAME)        # and a command is no exploration


def test_a_full_disk_is_told_and_driving_goes_on(tmp_path, monkeypatch):
    care = keeper(tmp_path / 'flat')

    def full(*_):
        raise OSError(28, 'No space left on device')
    monkeypatch.setattr('nl_robot.homes.store.write_json', full)
    assert care.explore(seen(), FRAME, ORDER).waypoint_index == 0
    assert care.trouble == 'disk_full: No space left on device'
