"""Forget a home: its map, what was driven there, its sentences, and all that was learned there."""

from __future__ import annotations

import argparse

from nl_robot.homes.store import Homes, homes_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot homes delete`."""
    parser.add_argument('name', metavar='NAME')
    parser.add_argument('--homes', type=homes_folder, default=homes_folder(), metavar='DIR')


def run(args: argparse.Namespace) -> int:
    """Delete it; there is no way back."""
    size = Homes(args.homes).delete(args.name)
    print(f'forgot {args.name}: {size / 1e6:.1f} MB were deleted')
    return 0
