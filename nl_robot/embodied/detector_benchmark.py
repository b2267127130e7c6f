"""How well a detector sees generated homes: what it finds all around against the truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from nl_robot.datatypes import Sighting
from nl_robot.embodied.cameras import cameras_of
from nl_robot.perception.detector_scores import Seen, Tally, add_tallies, tally
from nl_robot.perception.detectors import Detector
from nl_robot.perception.panorama import sightings_from_cameras
from nl_robot.sim.homes import COLOURS, free_poses, generate_home
from nl_robot.sim.simulator import Simulator, TrueBox
from nl_robot.sim.truth import merge_boxes

WITHIN = 3.0           # metres: as far as a waypoint, so as far as a decision looks
ASKED_PIXELS = 48      # a quarter of a percent of a frame, 7 x 7 pixels: less is not recognisable
TOLERANCE = math.radians(10)


def measure(detector: Detector, seeds: Sequence[int], poses: int, rng_seed: int = 0,
            tell: Callable[[str], None] | None = None) -> dict[str, Tally]:
    """The counts by kind, over `poses` random free poses in each home."""
    total: dict[str, Tally] = {}
    for done, seed in enumerate(seeds, 1):
        home = generate_home(seed)
        places = free_poses(home, np.random.default_rng([rng_seed, seed]), poses)
        with Simulator(home, places[0], seed=rng_seed) as simulator:
            cameras = cameras_of(simulator.rig)
            for pose in places:
                images = simulator.images(pose)
                found = detector.detect([images[camera.name] for camera in cameras])
                sightings = sightings_from_cameras(cameras, found, simulator.scan_at(pose))
                add_tallies(total, tally([found_thing(s) for s in sightings],
                                         true_things(simulator.truth(pose)), TOLERANCE,
                                         2 * math.pi))
        if tell and (done % 10 == 0 or done == len(seeds)):
            tell(f'measured {done} of {len(seeds)} homes')
    return total


def found_thing(sighting: Sighting) -> Seen:
    """A sighting of the detector; what it claims to be beyond the range does not count."""
    colour, _, rest = sighting.label.partition(' ')
    has_colour = colour in COLOURS and bool(rest)
    distance = sighting.distance if sighting.distance is not None else WITHIN
    return Seen(rest if has_colour else sighting.label, sighting.bearing, sighting.size / 2,
                sighting.score, distance, distance <= WITHIN, colour if has_colour else '')


def true_things(boxes: Sequence[TrueBox]) -> list[Seen]:
    """One thing per item over all cameras; what is far or hardly visible is not asked for."""
    by_item: dict[tuple[str, str], list[TrueBox]] = {}
    for box in boxes:
        by_item.setdefault((box.kind, box.item), []).append(box)
    things = []
    for parts in by_item.values():
        sighting = merge_boxes(parts, math.inf, 0)[0]
        is_asked = parts[0].distance <= WITHIN and \
            sum(part.pixels for part in parts) >= ASKED_PIXELS
        things.append(Seen(parts[0].kind, sighting.bearing, sighting.size / 2, 1.0,
                           parts[0].distance, is_asked, parts[0].colour))
    return things
