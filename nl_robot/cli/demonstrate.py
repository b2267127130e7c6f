"""Show the robot a way: drive it to the goal by joystick while this runs, then press Enter.

What it saw on the way, and the words, are kept with the home and learned from the next time as
what an expert did.
"""

from __future__ import annotations

import argparse
import select
import sys

from nl_robot.cli.arguments import positive_number
from nl_robot.cli.robot_talk import RobotTalk
from nl_robot.language.commands import Rejected, clean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot demonstrate`."""
    parser.add_argument('--goal', required=True, metavar='WORDS',
                        help='what one would say to the robot to make it go there')
    parser.add_argument('--seconds', type=positive_number,
                        help='end after so long, instead of waiting for Enter')


def run(args: argparse.Namespace) -> int:
    """0: it was kept · 1: it was not."""
    try:
        words = clean(args.goal)
    except Rejected as refusal:
        raise ValueError(f'--goal: {refusal}') from refusal
    heard: dict[str, str] = {}

    def take(values: dict[str, str]) -> None:
        if values.get('id') == 'demonstration':
            heard.update(values)
    with RobotTalk('demonstrate') as talk:
        talk.hear('policy/report', take, latched=False)
        talk.say('demonstrate', words)
        print(f'drive to where “{words}” leads, then press Enter', flush=True)
        waits = sys.stdin.isatty()
        talk.spin(args.seconds or 1e9, lambda: heard.get('state') == 'failed' or (
            not args.seconds and (not waits or bool(select.select([sys.stdin], [], [], 0)[0]))))
        if heard.get('state') == 'failed':
            raise ValueError(heard['text'] or 'the robot could not record it')
        talk.say('demonstrate', '')
        talk.spin(20.0, lambda: heard.get('state') in ('succeeded', 'failed'))
    places = int(heard.get('places', '0'))
    if heard.get('state') != 'succeeded' or places < 2:
        print('nothing was kept: ' + (heard.get('text') or 'the robot went nowhere, or something '
                                      'on the way was wrong'))
        return 1
    print(f'kept: {places} places, “{words}”')
    return 0
