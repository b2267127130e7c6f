"""Draw a generated home: the plan with the names of rooms and items, and rendered views.

With --sdf it writes the home and the robot for Gazebo: world.sdf, and bridge.yaml for
ros_gz_bridge. launch/gazebo.launch.py does all of that by itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from nl_robot.cli.arguments import output_file, output_folder
from nl_robot.datatypes import Pose
from nl_robot.embodied.home_episodes import start_pose
from nl_robot.sim.homes import free_poses, generate_home
from nl_robot.sim.plan import draw_plan
from nl_robot.sim.records import SPLITS, Home
from nl_robot.sim.rig import RIGS, Rig
from nl_robot.sim.sdf import world_sdf
from nl_robot.sim.sdf_robot import bridge_entries, robot_model
from nl_robot.sim.simulator import Simulator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot sim-home`."""
    parser.add_argument('--seed', type=int, required=True, help='which home; train 0-199, '
                        'val 1000-1029, test 2000-2049')
    parser.add_argument('--png', type=output_file, help='write the plan with names here')
    parser.add_argument('--view', type=output_file, help='write a rendered view from above here')
    parser.add_argument('--cameras', type=output_file, help='write what the four cameras '
                        'see from a place in the home here')
    parser.add_argument('--sdf', type=output_folder, metavar='DIR', help='write the home with the '
                        'robot as a world for Gazebo, and the bridge to ROS, into this folder')
    parser.add_argument('--rig', choices=RIGS, default='four_cameras', help='which robot')
    parser.add_argument('--start', type=float, nargs=3, metavar=('X', 'Y', 'YAW'),
                        help='that place, metres and radians; otherwise one is drawn')


def run(args: argparse.Namespace) -> int:
    """Print what the home holds and write the pictures that were asked for."""
    home = generate_home(args.seed)
    print(describe(home))
    if args.png:
        draw_plan(home, args.png)
    start = start_pose(home, args.start) if args.start else \
        free_poses(home, np.random.default_rng(args.seed), 1)[0]
    rig = RIGS[args.rig]()
    if args.view or args.cameras:
        with Simulator(home, start, rig) as simulator:
            if args.view:
                write_image(args.view, simulator.bird_view(1280, 960))
            if args.cameras:
                write_image(args.cameras, side_by_side(list(simulator.images().values())))
    written = write_gazebo(args.sdf, home, rig, start) if args.sdf else []
    for path in filter(None, (args.png, args.view, args.cameras, *written)):
        print(f'wrote {path}')
    return 0


def describe(home: Home) -> str:
    """Two sentences about a home: its split, rooms, doors and items."""
    split = next((name for name, seeds in SPLITS.items() if home.seed in seeds), 'no')
    kinds = len({item.kind for item in home.items})
    return (f'{home.name} ({split} split): {len(home.rooms)} rooms, {len(home.doors)} doors, '
            f'{len(home.items)} items of {kinds} kinds.\n'
            f'Rooms: {", ".join(room.name for room in home.rooms)}.')


def write_gazebo(folder: Path, home: Home, rig: Rig, start: Pose) -> list[Path]:
    """Write world.sdf and bridge.yaml; gives their paths."""
    world, bridge = folder / 'world.sdf', folder / 'bridge.yaml'
    world.write_text(world_sdf(home, robot_model(rig, start)), encoding='utf-8')
    bridge.write_text(yaml.safe_dump(bridge_entries(rig), sort_keys=False), encoding='utf-8')
    return [world, bridge]


def side_by_side(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """(H, W, 3) images of one height as one (H, sum of W, 3) image, in reading order."""
    return np.concatenate(images, axis=1)


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Write an (H, W, 3) RGB image; the ending of the name chooses the format."""
    import cv2
    if not cv2.haveImageWriter(path.name):
        raise ValueError(f'{path} is of no known image format; end its name with .png or .jpg')
    if not cv2.imwrite(str(path), image[..., ::-1]):
        raise ValueError(f'{path} could not be written')
