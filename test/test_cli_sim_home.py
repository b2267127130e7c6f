"""`nl_robot sim-home` and the picture of a demo: what is written, from homes made by seed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nl_robot.cli import demo_picture, main, sim_home
from nl_robot.sim.homes import generate_home


def test_a_home_is_described_and_drawn(tmp_path, capsys):
    path = tmp_path / 'new' / 'home.png'
    assert main.main(['sim-home', '--seed', '2000', '--png', str(path)]) == 0
    said = capsys.readouterr().out
    home = generate_home(2000)
    assert said.startswith(f'home-2000 (test split): {len(home.rooms)} rooms')
    assert all(room.name in said for room in home.rooms)
    assert cv2.imread(str(path)).std() > 10


def test_a_home_of_no_split_says_so():
    assert '(no split)' in sim_home.describe(generate_home(500))


def test_a_seed_must_not_be_negative(capsys):
    assert main.main(['sim-home', '--seed', '-1']) == 2
    assert 'got -1' in capsys.readouterr().err


def test_a_start_in_a_wall_is_refused_with_a_better_one(tmp_path, capsys):
    argv = ['sim-home', '--seed', '2000', '--cameras', str(tmp_path / 'c.png'), '--start']
    assert main.main([*argv, '99', '99', '0']) == 2
    assert 'start (99, 99) is not on the free floor of home-2000; the nearest that is' in \
        capsys.readouterr().err


def test_images_stand_side_by_side_in_order():
    one, two = np.zeros((2, 3, 3), np.uint8), np.ones((2, 1, 3), np.uint8)
    joined = sim_home.side_by_side([one, two])
    assert joined.shape == (2, 4, 3)
    assert joined[:, 3].all() and not joined[:, :3].any()


def test_an_image_of_unknown_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r'end its name with \.png'):
        sim_home.write_image(tmp_path / 'home.unknown', np.zeros((2, 2, 3), np.uint8))


def test_frames_are_ordered_as_one_turns():
    frames = {name: np.full((1, 1, 3), value, np.uint8) for value, name in
              enumerate(('front', 'left', 'back', 'right', 'extra'))}
    assert demo_picture.strip(frames)[0, :, 0].tolist() == [1, 0, 3, 2, 4]


def test_the_picture_of_a_demo_is_drawn(tmp_path):
    frame = {'front': np.zeros((12, 16, 3), np.uint8)}
    drives = [demo_picture.Drive('go there', [(1.0, 1.0), (2.0, 1.5)], 'arrived', True, frame),
              demo_picture.Drive('and there', [], 'never left', False)]
    demo_picture.draw_demo(generate_home(2000), drives, tmp_path / 'demo.png')
    assert cv2.imread(str(tmp_path / 'demo.png')).std() > 10
