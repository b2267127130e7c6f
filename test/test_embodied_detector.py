"""Pictures of homes for the detector, and how it is measured in them."""

import math

import numpy as np
import pytest

from nl_robot.cli.train_detector import seeds_of
from nl_robot.datatypes import Sighting
from nl_robot.embodied.cameras import cameras_of
from nl_robot.embodied.detector_benchmark import (
    found_thing,
    measure,
    true_things,
)
from nl_robot.embodied.detector_data import poses_near_items, render_home, render_homes
from nl_robot.perception.detector_scores import together
from nl_robot.perception.detectors import Detection, load_detector
from nl_robot.sim.homes import LABELS, floor_grid, generate_home
from nl_robot.sim.simulator import Rig, TrueBox


def true_box(camera, item, pixels, distance, span, kind='sofa', colour='red'):
    middle = sum(span) / 2
    return TrueBox(camera, item, kind, colour, (0, 0, 9, 9), pixels, distance, middle, 0.0,
                   span[1] - span[0], span, (-0.1, 0.1))


def test_halves_of_one_item_are_one_thing():
    """Two parts of 30 pixels are 60, enough to be asked for; they span 0.5 to 1.1 radians."""
    parts = [true_box('front', 'sofa', 30, 2.0, (0.5, 0.8)),
             true_box('left', 'sofa', 30, 2.0, (0.8, 1.1)),
             true_box('front', 'sofa 2', 47, 2.0, (0.0, 0.1)),
             true_box('front', 'sofa 3', 500, 3.1, (0.0, 0.1))]
    first, second, third = true_things(parts)
    assert first.counts and not second.counts and not third.counts
    assert first.place == pytest.approx(0.8) and first.half == pytest.approx(0.3)
    assert (first.kind, first.colour) == ('sofa', 'red')


def test_a_sighting_gives_its_kind_and_colour():
    thing = found_thing(Sighting('red coffee table', 0.2, distance=2.0))
    assert (thing.kind, thing.colour, thing.counts) == ('coffee table', 'red', True)
    assert found_thing(Sighting('coffee table', 0.2)).kind == 'coffee table'
    assert not found_thing(Sighting('door', 0.2, distance=3.5)).counts


def test_poses_near_items_are_free_and_repeat():
    home = generate_home(5)
    grid = floor_grid(home)
    poses = poses_near_items(home, grid, np.random.default_rng(1), 6)
    assert len(poses) == 6
    assert poses == poses_near_items(home, grid, np.random.default_rng(1), 6)
    for pose in poses:
        assert grid.free[grid.cell(pose.x, pose.y)]
        assert min(math.hypot(item.x - pose.x, item.y - pose.y) for item in home.items) <= 2.5


def test_cameras_are_those_of_the_rig():
    front, left, *_ = cameras_of(Rig())
    assert (front.name, front.yaw) == ('front', 0.0)
    assert left.direction(80, 60)[0] == pytest.approx(math.pi / 2)


@pytest.fixture(scope='module')
def rendered():
    """The pictures of two poses of one home; skipped where nothing can draw."""
    try:
        return render_home(generate_home(5), 2, np.random.default_rng(0))
    except RuntimeError as error:
        pytest.skip(str(error))


def test_rendered_boxes_lie_in_their_frames(rendered):
    images, boxes = rendered
    assert images.shape == (8, 120, 160, 3) and images.dtype == np.uint8
    assert len(boxes) > 4 and set(boxes[:, 0]) <= set(range(8))
    assert (boxes[:, 5] > boxes[:, 3]).all() and (boxes[:, 6] > boxes[:, 4]).all()
    assert boxes[:, 1].max() < len(LABELS) and (boxes[:, 8] >= 0).all()
    is_door = boxes[:, 1] == LABELS.index('door')
    assert (boxes[is_door, 2] == -1).all() and (boxes[~is_door, 2] >= 0).all()


def test_a_render_cache_goes_on_and_refuses_others(rendered, tmp_path):
    assert list(render_homes([5], 2, tmp_path)) == [5]
    path = tmp_path / 'home-0005.images.npy'
    written = path.stat().st_mtime_ns
    assert list(render_homes([5], 2, tmp_path)) == [5]
    assert path.stat().st_mtime_ns == written
    with pytest.raises(ValueError, match='another number of poses'):
        list(render_homes([5], 3, tmp_path))


class SaysLamp:
    """A detector that sees a lamp in the middle of every frame, 1 m away."""

    def detect(self, images):
        return [[Detection('pink lamp', 0.9, (75, 55, 85, 65), 1.0, 'lamp')] for _ in images]


def test_measuring_counts_claims_and_what_was_missed(rendered):
    tallies = measure(SaysLamp(), [5], 1)
    assert tallies['lamp'].claimed == 4 and tallies['lamp'].right == 0
    present = sum(counts.present for counts in tallies.values())
    assert present > 0 and sum(counts.recalled for counts in tallies.values()) == 0


def test_the_shipped_weights_see_a_validation_home(rendered):
    """Of what is near and visible from four poses it finds most, and most that it says is so."""
    counts = together(measure(load_detector('embedded'), [1003], 4))
    assert counts.present > 10
    assert counts.recall > 0.6 and counts.precision > 0.6
    assert math.degrees(np.median(counts.errors)) < 5


def test_seeds_are_read_as_written():
    assert seeds_of('3-5,9') == [3, 4, 5, 9]
    for wrong in ('', 'a', '3-', '5-3'):
        with pytest.raises(ValueError, match=r'seeds|names no seed'):
            seeds_of(wrong)
