"""From boxes in frames to sightings around the robot, with answers worked out by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from nl_robot.datatypes import Pose
from nl_robot.perception.detection_topic import detections_from_message
from nl_robot.perception.detectors import Detection, require_frames
from nl_robot.perception.panorama import (
    Camera,
    observe,
    observe_turn,
    range_at,
    sightings_from_cameras,
)

# 90 degrees across 160 pixels: the focal length is 80 pixels
FRONT = Camera('front', 0.0, 1.0, 0.0, math.pi / 2, 160, 120)
LEFT = Camera('left', math.pi / 2, 1.0, 0.0, math.pi / 2, 160, 120)


def scan_of(distance, **rays):
    """A scan of one distance all around, but for single rays given by their degrees."""
    ranges = np.full(360, float(distance))
    for degrees, value in rays.items():
        ranges[180 + int(degrees[1:])] = value
    return SimpleNamespace(ranges=ranges, angle_min=-math.pi, angle_increment=math.radians(1))


def box(u, v, width=10, height=10):
    return u - width / 2, v - height / 2, u + width / 2, v + height / 2


@pytest.mark.parametrize('camera, u, v, bearing, elevation', [
    (FRONT, 80, 60, 0, 0), (FRONT, 0, 60, 45, 0), (FRONT, 160, 60, -45, 0), (LEFT, 80, 60, 90, 0),
    (FRONT, 80, 60 - 80 * math.tan(math.radians(20)), 0, 20),
    (FRONT, 0, 60 + 80, 45, -math.degrees(math.atan(1 / math.sqrt(2)))),
    (Camera('down', 0.0, 1.0, math.radians(10), math.pi / 2, 160, 120), 80, 60, 0, -10),
])
def test_pixels_point_where_a_pinhole_says(camera, u, v, bearing, elevation):
    assert camera.direction(u, v) == pytest.approx((math.radians(bearing),
                                                    math.radians(elevation)))


def test_one_detection_is_one_sighting():
    """A box from u=80 to u=160 spans 0 to -45 degrees: its middle lies at -22.5 degrees."""
    found = Detection('red sofa', 0.9, (80, 50, 160, 70), 2.5, kind='sofa')
    sighting, = sightings_from_cameras([FRONT], [[found]])
    assert (sighting.label, sighting.score, sighting.distance) == ('red sofa', 0.9, 2.5)
    assert sighting.bearing == pytest.approx(math.radians(-22.5))
    assert sighting.size == pytest.approx(math.radians(45))
    assert sighting.elevation == pytest.approx(0.0)


def test_two_halves_at_a_seam_are_one_object():
    """The front camera sees 30 to 45 degrees of a bed, the left one 45 to 75: one of 45."""
    u30, u75 = (80 - 80 * math.tan(math.radians(turn)) for turn in (30, 75 - 90))
    halves = [[Detection('blue bed', 0.6, (0, 60, u30, 90), 2.0, 'bed')],
              [Detection('teal bed', 0.8, (u75, 60, 160, 90), 2.4, 'bed')]]
    sighting, = sightings_from_cameras([FRONT, LEFT], halves)
    assert sighting.label == 'teal bed'
    assert sighting.distance == pytest.approx(2.2)
    assert math.degrees(sighting.bearing) == pytest.approx(52.5, abs=0.2)
    assert math.degrees(sighting.size) == pytest.approx(45, abs=0.5)


def test_two_chairs_in_one_frame_stay_two():
    chairs = [Detection('chair', 0.9, box(60, 60, 20)), Detection('chair', 0.9, box(70, 60, 20))]
    assert len(sightings_from_cameras([FRONT], [chairs])) == 2


def test_a_lamp_and_a_bed_at_a_seam_stay_two():
    found = [[Detection('bed', 0.6, (0, 60, 30, 90))],
             [Detection('lamp', 0.8, (120, 60, 160, 90))]]
    assert len(sightings_from_cameras([FRONT, LEFT], found)) == 2


def test_near_and_far_chairs_at_a_seam_stay_two():
    found = [[Detection('chair', 0.6, (0, 60, 30, 90), 1.0)],
             [Detection('chair', 0.8, (120, 60, 160, 90), 6.0)]]
    assert len(sightings_from_cameras([FRONT, LEFT], found)) == 2


def test_the_laser_refines_only_what_it_confirms():
    """At 2.2 m it agrees with an estimate of 2 m; at 1 m or 5 m it hit something else."""
    def seen_at(ranges):
        found = [[Detection('sofa', 0.9, box(80, 60), 2.0)]]
        return sightings_from_cameras([FRONT], found, scan_of(ranges))[0].distance
    assert seen_at(2.2) == 2.2
    assert seen_at(1.0) == 2.0
    assert seen_at(5.0) == 2.0
    assert seen_at(math.inf) == 2.0


def test_without_an_estimate_the_floor_tells():
    """A lower edge 40 pixels below the horizon, 1 m high: 80 / 40 = 2 m; above it, nothing."""
    standing = Detection('sofa', 0.9, (70, 60, 90, 100))
    hanging = Detection('painting', 0.9, (70, 10, 90, 40))
    assert sightings_from_cameras([FRONT], [[standing]])[0].distance == pytest.approx(2.0)
    assert sightings_from_cameras([FRONT], [[hanging]])[0].distance is None


def test_range_at_takes_the_median_of_five_rays_also_behind():
    assert range_at(scan_of(3.0, d0=1.0), 0.0) == 3.0
    assert range_at(scan_of(3.0, d0=1.0, d1=1.0, d2=1.0), 0.0) == 1.0
    assert range_at(scan_of(3.0), math.pi) == 3.0
    half = SimpleNamespace(ranges=np.full(181, 2.0), angle_min=-math.pi / 2,
                           angle_increment=math.radians(1))
    assert range_at(half, math.radians(45)) == 2.0
    assert range_at(half, math.radians(170)) == math.inf


class FindsWhite:
    """A detector that reports the bright pixels of a frame as one lamp."""

    def detect(self, images):
        found = []
        for image in images:
            rows, columns = np.nonzero(image.min(axis=2) > 200)
            found.append([Detection('lamp', 1.0, (float(columns.min()), float(rows.min()),
                                                  columns.max() + 1.0, rows.max() + 1.0))]
                         if rows.size else [])
        return found


def frame(u=None):
    image = np.zeros((120, 160, 3), np.uint8)
    if u is not None:
        image[30:40, u - 5:u + 5] = 255
    return image


def test_observe_puts_frames_and_scan_together():
    images = {'front': frame(), 'left': frame(80)}
    observation = observe(images, scan_of(math.inf), Pose(1, 2, 3), [FRONT, LEFT], FindsWhite())
    lamp, = observation.sightings
    assert (lamp.label, round(math.degrees(lamp.bearing))) == ('lamp', 90)
    assert len(observation.waypoints) == 10
    assert observation.pose == Pose(1, 2, 3)


def test_observe_does_without_a_missing_camera():
    observation = observe({'front': frame(80)}, scan_of(2), Pose(0, 0, 0), [LEFT, FRONT],
                          FindsWhite())
    assert [s.bearing for s in observation.sightings] == pytest.approx([0.0])


def test_a_turn_on_the_spot_sees_all_around():
    """A lamp dead ahead after a turn of 120 degrees stands at 120 degrees; twice seen is one."""
    frames = [(0.0, frame()), (math.radians(120), frame(80)), (math.radians(-120), frame()),
              (math.radians(100), frame(80 - round(80 * math.tan(math.radians(20)))))]
    observation = observe_turn(frames, scan_of(2), Pose(0, 0, 0), FRONT, FindsWhite())
    lamp, = observation.sightings
    assert math.degrees(lamp.bearing) == pytest.approx(120, abs=1.0)


def test_lists_must_match_cameras():
    with pytest.raises(ValueError, match='2 frames for 1 cameras'):
        sightings_from_cameras([FRONT], [[], []])


@pytest.mark.parametrize('image', [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), float), None])
def test_what_is_no_frame_is_refused(image):
    with pytest.raises(ValueError, match='frame 0 must be'):
        require_frames([image])


@pytest.mark.parametrize('change', [{'label': ' '}, {'score': 1.5}, {'box': (5, 0, 1, 1)},
                                    {'box': (0, 0, math.nan, 1)}])
def test_a_detection_that_cannot_be_is_refused(change):
    with pytest.raises(ValueError, match='Detection'):
        Detection(**{'label': 'sofa', 'score': 0.5, 'box': (0, 0, 1, 1), **change})


def message(x, y, width, height, *hypotheses, old=False):
    """Shaped like a vision_msgs/Detection2D, `old` as before version 4."""
    point = SimpleNamespace(x=x, y=y)
    return SimpleNamespace(
        bbox=SimpleNamespace(center=point if old else SimpleNamespace(position=point),
                             size_x=width, size_y=height),
        results=[SimpleNamespace(hypothesis=SimpleNamespace(class_id=name, score=score))
                 for name, score in hypotheses])


def test_detections_of_a_topic_keep_the_best_hypothesis():
    array = SimpleNamespace(detections=[
        message(50.0, 40.0, 20.0, 10.0, ('cat', 0.3), ('potted_plant', 0.7)),
        message(50.0, 40.0, 20.0, 10.0, ('7', 0.9), old=True),
        message(50.0, 40.0, 20.0, 10.0), message(math.nan, 40.0, 20.0, 10.0, ('cat', 0.9)),
        message(50.0, 40.0, 20.0, 10.0, ('dog', 0.1))])
    found = detections_from_message(array, {'7': 'sofa'}, threshold=0.2)
    assert [(d.label, d.score) for d in found] == [('potted plant', 0.7), ('sofa', 0.9)]
    assert found[0].box == found[1].box == (40.0, 35.0, 60.0, 45.0)
