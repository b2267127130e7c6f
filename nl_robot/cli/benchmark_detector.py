"""Recall and precision of a detector in generated homes, kind by kind.

Asked for is everything within 3 m that fills at least 48 pixels over all cameras (7 x 7, a
quarter of a percent of a frame); a claim is right when a thing of its kind lies within 10 degrees
or within its own half width.
"""

from __future__ import annotations

import argparse
import json
import time

from nl_robot.cli.arguments import natural, output_file, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What can be chosen."""
    parser.add_argument('--split', choices=('train', 'val', 'test'), default='test')
    parser.add_argument('--homes', help='seeds in place of the split, as 3000-3009')
    parser.add_argument('--poses', type=positive, default=20,
                        help='per home (default: %(default)s)')
    parser.add_argument('--detector', default='embedded',
                        help='embedded, embedded:<directory> or zero-shot:<path or hub name>')
    parser.add_argument('--seed', type=natural, default=0, help='of the poses')
    parser.add_argument('--json', type=output_file, help='write the numbers there')


def run(args: argparse.Namespace) -> int:
    """Measure and print the table."""
    from nl_robot.cli.train_detector import seeds_of
    from nl_robot.embodied.detector_benchmark import measure
    from nl_robot.perception.detector_scores import numbers, table
    from nl_robot.perception.detectors import load_detector
    from nl_robot.sim.records import SPLITS
    seeds = list(SPLITS[args.split]) if args.homes is None else seeds_of(args.homes)
    detector = load_detector(args.detector)
    begin = time.perf_counter()
    tallies = measure(detector, seeds, args.poses, args.seed, lambda line: print(line, flush=True))
    print(table(tallies))
    print(f'{len(seeds) * args.poses} poses in {len(seeds)} homes, '
          f'{time.perf_counter() - begin:.0f} s; {milliseconds(detector):.1f} ms for 4 frames')
    if args.json:
        args.json.write_text(json.dumps(numbers(tallies), indent=1), 'utf-8')
    return 0


def milliseconds(detector: object) -> float:
    """Median time of the detector for four empty frames of 160 x 120."""
    import numpy as np
    frames = [np.full((120, 160, 3), 128, np.uint8)] * 4
    times = []
    for _ in range(9):
        begin = time.perf_counter()
        detector.detect(frames)  # type: ignore[attr-defined]
        times.append(time.perf_counter() - begin)
    return 1000 * float(np.median(times))
