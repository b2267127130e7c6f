"""Laser, cameras and ground truth of the simulator, against answers worked by hand."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sim_room import cube, room_of_6_by_4, two_rooms

from nl_robot.datatypes import Pose
from nl_robot.geometry import point_in_map
from nl_robot.sim import renderer
from nl_robot.sim.doorways import clip
from nl_robot.sim.rig import CameraMount, Rig, one_camera_rig
from nl_robot.sim.senses import RendererUnavailable, choose_renderer
from nl_robot.sim.simulator import Simulator
from nl_robot.sim.truth import footprint_distance, merge_boxes, pixel_angles

MIDDLE = Pose(2.0, 2.0, 0.0, 'map')


@pytest.fixture
def build():
    made = []

    def make(home, start=MIDDLE, rig=None, seed=0):
        made.append(Simulator(home, start, rig, seed))
        return made[-1]
    yield make
    for sim in made:
        sim.close()


def ray(scan, degrees):
    """The range in a direction, degrees to the left of straight ahead."""
    index = round((math.radians(degrees) - scan.angle_min) / scan.angle_increment)
    return float(scan.ranges[index % len(scan.ranges)])


def test_the_scan_of_an_empty_room_is_as_worked_by_hand(build):
    scan = build(room_of_6_by_4()).scan_at(MIDDLE, noisy=False)
    assert scan.ranges.shape == (360,) and scan.ranges.dtype == np.float32
    assert scan.angle_min == pytest.approx(-math.pi)
    assert [ray(scan, a) for a in (0, 90, 180, -90)] == pytest.approx([4, 2, 2, 2], abs=1e-4)
    assert ray(scan, 45) == pytest.approx(2 * math.sqrt(2), abs=1e-4)
    assert ray(scan, 20) == pytest.approx(4 / math.cos(math.radians(20)), abs=1e-4)


def test_the_scan_turns_with_the_robot_and_does_not_see_it(build):
    scan = build(room_of_6_by_4()).scan_at(Pose(2.0, 2.0, math.pi / 2, 'map'), noisy=False)
    assert [ray(scan, a) for a in (0, 90, -90)] == pytest.approx([2, 2, 4], abs=1e-4)
    assert scan.ranges.min() > 1.9


def test_noise_of_the_scan_has_its_sigma(build):
    sim = build(room_of_6_by_4())
    exact = sim.scan_at(MIDDLE, noisy=False).ranges
    errors = np.stack([sim.scan().ranges - exact for _ in range(20)])
    assert errors.std() == pytest.approx(0.01, rel=0.1) and abs(errors.mean()) < 0.001


def test_beyond_its_reach_the_scan_says_inf(build):
    sim = build(room_of_6_by_4(), rig=Rig(range_max=3.0))
    scan = sim.scan()
    assert math.isinf(ray(scan, 0)) and ray(scan, 90) == pytest.approx(2.0, abs=0.06)


def test_the_scan_sees_boxes_and_overlooks_rugs(build):
    rug = cube('rug', 3.0, 2.0, side=1.0, height=0.01, collides=False)
    sim = build(room_of_6_by_4(rug, cube('stool', 2.0, 3.2)))
    scan = sim.scan_at(MIDDLE, noisy=False)
    assert ray(scan, 0) == pytest.approx(4.0, abs=1e-4)
    assert ray(scan, 90) == pytest.approx(1.0, abs=1e-4)


def test_images_are_rgb_and_show_the_red_box_in_the_right_camera(build):
    sim = build(room_of_6_by_4(cube('stool', 2.0, 3.2, side=0.6)))
    images = sim.images()
    assert list(images) == ['front', 'left', 'back', 'right']
    red, rows = {}, {}
    for name, image in images.items():
        assert image.shape == (120, 160, 3) and image.dtype == np.uint8
        wide = image.astype(int)
        rows[name] = np.nonzero((wide[..., 0] > 2 * wide[..., 1]) & (wide[..., 0] > 60))[0]
        red[name] = len(rows[name])
    assert red['left'] > 1000 and red['front'] == red['right'] == red['back'] == 0
    assert rows['left'].mean() > 60, 'the box stands on the floor, in the lower half'


def test_one_camera_rig_has_one_image(build):
    assert list(build(room_of_6_by_4(), rig=one_camera_rig()).images()) == ['front']


@pytest.mark.parametrize('degrees', [0, 30, -30, 46, 100, 179, -120])
def test_a_box_at_an_angle_is_sighted_at_that_angle(build, degrees):
    pose = Pose(3.0, 2.0, 0.4, 'map')
    x, y = point_in_map(pose, math.radians(degrees), 1.5)
    box = cube('stool', x, y, side=0.2, yaw=pose.yaw + math.radians(degrees))
    seen = build(room_of_6_by_4(box), pose).true_sightings()
    assert [sighting.label for sighting in seen] == ['red box']
    error = math.remainder(seen[0].bearing - math.radians(degrees), 2 * math.pi)
    assert abs(error) < math.radians(1.0)
    assert seen[0].distance == pytest.approx(1.4, abs=1e-6)
    assert seen[0].elevation == pytest.approx(-math.atan2(0.9, 1.5), abs=math.radians(4))
    assert seen[0].size == pytest.approx(0.2 / 1.4, abs=math.radians(3))


def test_what_two_cameras_share_is_one_sighting(build):
    x, y = point_in_map(MIDDLE, math.radians(45), 1.5)
    sim = build(room_of_6_by_4(cube('stool', x, y, side=0.5, yaw=math.radians(45))))
    boxes = sim.truth()
    assert {box.camera for box in boxes} == {'front', 'left'}
    seen = merge_boxes(boxes, 10.0, 12)
    assert len(seen) == 1
    assert seen[0].bearing == pytest.approx(math.radians(45), abs=math.radians(1))
    assert seen[0].size == pytest.approx(2 * math.atan2(0.25, 1.25), abs=math.radians(2))


def test_a_true_box_fits_the_pixels(build):
    sim = build(room_of_6_by_4(cube('stool', 4.0, 2.0)), rig=one_camera_rig())
    box, = sim.truth()
    # the near face is 1.8 m ahead, 0.4 m wide: its half fills 0.2 / 1.8 of the focal length
    half = CameraMount('front', 0.0).focal * 0.2 / 1.8
    assert box.box[0] == pytest.approx(80 - half, abs=1.5)
    assert box.box[2] == pytest.approx(80 + half, abs=1.5)
    assert (box.camera, box.item, box.kind, box.colour) == ('front', 'stool', 'box', 'red')
    assert 0.6 < box.pixels / ((box.box[2] - box.box[0]) * (box.box[3] - box.box[1])) <= 1.0


def test_what_stands_behind_something_is_not_seen(build):
    wide = cube('cupboard', 3.5, 2.0, side=1.0, height=1.8)
    sim = build(room_of_6_by_4(wide, cube('stool', 5.0, 2.0)))
    assert {box.item for box in sim.truth()} == {'cupboard'}


def test_max_distance_and_min_pixels_leave_things_out(build):
    sim = build(room_of_6_by_4(cube('stool', 5.0, 2.0)))
    assert len(sim.true_sightings()) == 1
    assert sim.true_sightings(max_distance=2.7) == ()
    assert sim.true_sightings(min_pixels=5000) == ()


def test_a_doorway_is_sighted_at_the_middle_of_its_opening(build):
    pose = Pose(2.0, 2.05, 0.0, 'map')
    sim = build(two_rooms(), pose)
    doors = [box for box in sim.truth() if box.kind == 'door']
    assert doors and all(box.label == 'door' for box in doors)
    seen, = sim.true_sightings()
    assert seen.label == 'door'
    assert seen.bearing == pytest.approx(math.atan2(2.0, 1.0), abs=1e-6)
    assert seen.distance == pytest.approx(math.hypot(1.0, 2.0), abs=1e-6)


def test_the_box_of_a_doorway_covers_the_opening(build):
    sim = build(two_rooms(), Pose(3.0, 1.05, math.pi / 2, 'map'), one_camera_rig())
    box, = sim.truth()
    # 3 m ahead, half as wide as 0.45 m and a frame of 0.07 m; the camera looks 8 degrees down
    focal, tilt = CameraMount('front', 0.0).focal, math.radians(8.0)
    top = focal * math.tan(math.atan2(1.12, 3.0) + tilt)
    assert box.box[0] == pytest.approx(80 - focal * 0.52 / 3.0, abs=2.5)
    assert box.box[2] == pytest.approx(80 + focal * 0.52 / 3.0, abs=2.5)
    assert box.box[1] == pytest.approx(60 - top, abs=2.0)
    assert box.bearing == pytest.approx(0.0, abs=1e-6)


def test_a_doorway_behind_a_wall_is_not_seen(build):
    sim = build(two_rooms(cube('cupboard', 3.0, 3.3, side=1.2, height=2.3)),
                Pose(3.0, 1.5, math.pi / 2, 'map'))
    assert [box.item for box in sim.truth() if box.kind == 'door'] == []


def test_looking_from_elsewhere_leaves_the_robot_where_it_is(build):
    sim = build(room_of_6_by_4(cube('stool', 4.0, 2.0)))
    elsewhere = Pose(4.0, 1.0, math.pi / 2, 'map')
    assert sim.look(elsewhere)[0].distance == pytest.approx(0.8, abs=1e-6)
    assert sim.pose == MIDDLE and sim.time == 0.0
    sim.teleport(elsewhere)
    assert sim.true_sightings() == sim.look(elsewhere)


def test_pictures_do_not_change_with_what_was_drawn_before(build):
    sim = build(room_of_6_by_4(cube('stool', 4.0, 2.0)))
    before = sim.images()['front']
    sim.truth()
    assert np.array_equal(sim.images()['front'], before)
    view = sim.bird_view(320, 240)
    assert view.shape == (240, 320, 3) and view.std() > 10
    assert np.array_equal(sim.images()['front'], before)


def test_one_thread_draws_while_another_drives():
    sim, pictures = Simulator(room_of_6_by_4(cube('stool', 4.0, 2.0)), MIDDLE), []

    def draw():
        for _ in range(5):
            pictures.append(sim.images()['front'])
            sim.true_sightings()
    thread = threading.Thread(target=draw)
    thread.start()
    while thread.is_alive():
        sim.step(0.1, 0.0, 0.05)
        sim.scan()
    thread.join()
    sim.images()
    sim.close()
    assert len(pictures) == 5 and all(picture.std() > 5 for picture in pictures)


def test_a_program_that_forgets_to_close_ends_without_a_complaint():
    program = ('from sim_room import room_of_6_by_4; from nl_robot.datatypes import Pose; '
               'from nl_robot.sim.simulator import Simulator; '
               'sim = Simulator(room_of_6_by_4(), Pose(2.0, 2.0, 0.0)); import threading; '
               'thread = threading.Thread(target=sim.images); thread.start(); thread.join()')
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), *sys.path])
    run = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True,
                         timeout=60, env={**os.environ, 'PYTHONPATH': path}, check=False)
    assert (run.returncode, run.stderr) == (0, '')


def test_footprint_distance_by_hand():
    item = cube('stool', 1.0, 1.0, side=1.0)
    assert footprint_distance(item, 1.2, 0.9) == 0.0
    assert footprint_distance(item, 3.5, 1.0) == pytest.approx(2.0)
    assert footprint_distance(item, 1.5 + 3.0, 1.5 + 4.0) == pytest.approx(5.0)
    turned = cube('stool', 0.0, 0.0, side=math.sqrt(2), yaw=math.pi / 4)
    assert footprint_distance(turned, 3.0, 0.0) == pytest.approx(2.0)


def test_pixel_angles_by_hand():
    mount = CameraMount('front', 0.0, pitch=0.0, hfov=math.pi / 2, width=4, image_height=2)
    bearing, elevation = pixel_angles(mount)
    assert bearing.shape == (2, 4)
    assert bearing[0].tolist() == pytest.approx(
        [math.atan2(0.75, 1), math.atan2(0.25, 1), -math.atan2(0.25, 1), -math.atan2(0.75, 1)])
    assert elevation[0, 1] == pytest.approx(math.atan2(0.25, math.hypot(1, 0.25)))
    down = CameraMount('front', 0.0, pitch=0.3, hfov=math.pi / 2, width=2, image_height=2)
    assert pixel_angles(down)[1].mean() == pytest.approx(-0.3, abs=0.05)


def test_clip_cuts_a_square_in_half():
    square = np.array([[0.0, -1, -1], [0, 1, -1], [0, 1, 1], [0, -1, 1]])
    half = clip(square, np.array([0.0, 1.0, 0.0, 0.0]))
    assert half[:, 1].min() == 0.0 and half[:, 1].max() == 1.0
    assert clip(square, np.array([0.0, 1.0, 0.0, -2.0])).shape == (0, 3)


def test_a_renderer_is_chosen_once_and_a_given_one_is_kept(monkeypatch):
    monkeypatch.setattr(renderer, '_works', lambda backend: backend == 'osmesa')
    monkeypatch.setenv('MUJOCO_GL', '')
    assert choose_renderer() == 'osmesa' and os.environ['MUJOCO_GL'] == 'osmesa'
    monkeypatch.setenv('MUJOCO_GL', 'egl')
    assert choose_renderer() == 'egl'


def test_without_a_renderer_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(renderer, '_works', lambda backend: False)
    monkeypatch.setenv('MUJOCO_GL', '')
    with pytest.raises(RendererUnavailable, match='sudo apt-get install -y libegl1') as caught:
        choose_renderer()
    assert '\n' not in str(caught.value)


def test_without_a_renderer_physics_and_laser_still_work(build, monkeypatch):
    monkeypatch.setenv('MUJOCO_GL', 'disable')
    sim = build(room_of_6_by_4())
    sim.step(0.3, 0.0, 1.0)
    assert len(sim.scan().ranges) == 360
    with pytest.raises(RendererUnavailable):
        sim.images()


def test_a_backend_that_does_not_exist_does_not_work(monkeypatch):
    monkeypatch.setattr(sys, 'executable', '/nowhere/python')
    assert not renderer._works('egl')
