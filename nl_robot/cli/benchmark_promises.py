"""Measure what is promised of safety and reliability: real nodes, faults on purpose, real DDS.

The nodes run as processes beside a fake robot, are killed, frozen, starved and lied to, and one
clock tells how long the robot went on moving. Prints a table. Exit status: 0 when every promise
held in every repeat, 1 when not. On a busy machine the numbers are worse than on a free one.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Sequence

from nl_robot.cli.arguments import output_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `nl_robot benchmark promises`."""
    parser.add_argument('--only', action='append', metavar='KEY',
                        help='measure this promise; may be given several times (default: all)')
    parser.add_argument('--repeats', type=float, default=1.0, metavar='FACTOR',
                        help='times the usual number of repeats (default: 1)')
    parser.add_argument('--without-protections', action='store_true',
                        help='the control: each with its protection switched off, where it must '
                             'break')
    parser.add_argument('--json', type=output_file, metavar='FILE',
                        help='all numbers, and not only the worst')


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    os.environ.update({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'})
    from nl_robot.trials.machine import description  # rclpy, after its environment is set
    from nl_robot.trials.promises import table
    began = time.monotonic()
    results = controls(args) if args.without_protections else promises(args)
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    print(f'\n{table(results)}\n\nMeasured on {description()}; {load:.1f} processes waited for '
          f'each core at the end; {(time.monotonic() - began) / 60:.0f} minutes.')
    if args.json:
        args.json.write_text(json.dumps({
            'machine': description(), 'load_per_core': round(load, 2), 'promises': {
                r.promise.key: {'promised': r.promise.bound, 'unit': r.promise.unit,
                                'kept': r.kept, 'fault': r.fault,
                                'values': [round(v, 5) for v in r.values if math.isfinite(v)]}
                for r in results}}, indent=1) + '\n', encoding='utf-8')
        print(f'wrote {args.json}')
    broken = [r for r in results if r.kept == args.without_protections]
    return 1 if broken else 0


def chosen(only: Sequence[str] | None) -> list:
    """The promises to measure.

    :raises ValueError: a key that none has
    """
    from nl_robot.trials.promises import PROMISES
    keys = [promise.key for promise in PROMISES]
    for key in only or ():
        if key not in keys:
            raise ValueError(f'there is no promise {key!r}; there are {", ".join(keys)}')
    return [promise for promise in PROMISES if not only or promise.key in only]


def promises(args: argparse.Namespace) -> list:
    """All in one rig; one that breaks gets the others a rig of their own."""
    from nl_robot.trials.promises import measure, road
    todo, results = chosen(args.only), []
    while todo:
        with road() as rig:
            while todo:
                promise = todo.pop(0)
                results.append(measure(promise, rig, repeats_of(promise, args.repeats)))
                tell(results[-1])
                if results[-1].fault:
                    break
    return results


def controls(args: argparse.Namespace) -> list:
    """Each in a rig of its own, with its protection switched off."""
    from nl_robot.trials.promises import measure, road
    results = []
    for promise in chosen(args.only):
        if promise.control is not None:
            node, off = promise.control
            with road({node: f'test_without:=["{off}"]'}) as rig:
                results.append(measure(promise, rig, max(1, min(3, promise.repeats))))
            tell(results[-1])
    return results


def repeats_of(promise: object, factor: float) -> int:
    """The number of repeats, at least one."""
    return max(1, round(getattr(promise, 'repeats', 1) * factor))


def tell(result: object) -> None:
    """One line while it runs."""
    from nl_robot.trials.promises import table
    print(table([result]).split('\n')[-1], file=sys.stderr, flush=True)  # type: ignore[list-item]
