"""Sentences that the robot wrote for what it drove: look at them, keep, drop or correct them.

A corrected sentence counts as a demonstration the next time that the home is learned from.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nl_robot.cli.arguments import output_file
from nl_robot.homes.labels import Label, counts, judged
from nl_robot.homes.pictures import draw_labels
from nl_robot.homes.store import Homes, homes_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot labels`."""
    parser.add_argument('--home', required=True, metavar='NAME')
    parser.add_argument('--homes', type=homes_folder, default=homes_folder(), metavar='DIR')
    parser.add_argument('--keep', type=int, action='append', default=[], metavar='N',
                        help='all sentences of label N are right')
    parser.add_argument('--drop', type=int, action='append', default=[], metavar='N',
                        help='nothing is to be learned from label N')
    parser.add_argument('--correct', nargs=2, action='append', default=[],
                        metavar=('N', 'WORDS'), help='what label N ought to say')
    parser.add_argument('--only', type=int, action='append', default=[], metavar='N',
                        help='draw these labels alone')
    parser.add_argument('--all', action='store_true', help='those without a kept sentence, too')
    parser.add_argument('--png', type=output_file, default=Path('labels.png'),
                        help='drawn paths with their sentences (default: %(default)s)')


def run(args: argparse.Namespace) -> int:
    """Judge, then list and draw."""
    home = Homes(args.homes).open(args.home)
    found = home.labels()
    for number in args.keep:
        found = judged(found, number, 'kept')
    for number in args.drop:
        found = judged(found, number, 'dropped')
    for text, words in args.correct:
        if not text.isdigit():
            raise ValueError(f'--correct takes the number of a label and words, got {text!r}')
        found = judged(found, int(text), 'corrected', words)
    if args.keep or args.drop or args.correct:
        home.save_labels(found)
    shown = [label for label in found if label.number in args.only] if args.only else [
        label for label in found if label.goals or args.all or label.verdict]
    for label in shown:
        tell(label)
    print(counts(found))
    if shown:
        draw_labels(home.map(), shown, args.png)
        print(f'wrote {args.png}')
    return 0


def tell(label: Label) -> None:
    """A label in lines: + for what is learned from, - for what is not."""
    way = label.trajectory
    print(f'{label.number}. {way.kind}, {len(way.places)} places'
          + (f', {label.verdict}' if label.verdict else ''))
    for words in label.goals if label.human else ():
        print(f'   + {words}')
    for p in label.proposals:
        mark = '+' if p.text in label.goals and not label.human else '-'
        print(f'   {mark} {p.text}  (arrived {p.arrived:.0%}, telling {p.telling:+.2f})')
