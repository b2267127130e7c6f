"""Records: what they refuse, and that they cannot be changed."""

from __future__ import annotations

import dataclasses
import math

import pytest

from nl_robot.datatypes import Decision, Episode, Observation, Pose, Sighting, Step, Waypoint

HERE = Pose(1.0, 2.0, 0.5)


@pytest.mark.parametrize(('make', 'complaint'), [
    (lambda: Pose(math.nan, 0, 0), r'Pose\.x must be finite, got nan'),
    (lambda: Pose(0, math.inf, 0), r'Pose\.y must be finite, got inf'),
    (lambda: Pose(0, 0, -math.inf), r'Pose\.yaw must be finite, got -inf'),
    (lambda: Sighting(' ', 0.0), 'empty label'),
    (lambda: Sighting('sofa', math.nan), r'Sighting\.bearing'),
    (lambda: Sighting('sofa', 0.0, elevation=math.inf), r'Sighting\.elevation'),
    (lambda: Sighting('sofa', 0.0, size=-0.1), r'size must not be negative, got -0\.1'),
    (lambda: Sighting('sofa', 0.0, score=1.01), r'score must lie in 0\.\.1, got 1\.01'),
    (lambda: Sighting('sofa', 0.0, score=math.nan), r'Sighting\.score'),
    (lambda: Sighting('sofa', 0.0, distance=-1.0), r'distance must be finite and >= 0, got -1'),
    (lambda: Sighting('sofa', 0.0, distance=math.nan), r'Sighting\.distance'),
    (lambda: Sighting('sofa', 0.0, distance=math.inf), r'Sighting\.distance'),
    (lambda: Waypoint(math.nan, 1.0), r'Waypoint\.bearing'),
    (lambda: Waypoint(0.0, 0.0), r'distance must be positive, got 0\.0'),
    (lambda: Waypoint(0.0, math.inf), r'Waypoint\.distance'),
    (lambda: Waypoint(0.0, 1.0, math.nan), r'Waypoint\.elevation'),
    (lambda: Decision(-1), 'must be >= 0 or None, got -1'),
    (lambda: Decision(0, 1.5), r'probability must lie in 0\.\.1, got 1\.5'),
    (lambda: Decision(0, math.nan), 'probability must lie in'),
    (lambda: Episode('go', (), source='dream'), "got 'dream'"),
])
def test_what_cannot_be_true_is_refused(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()


def test_borders_are_allowed():
    assert Sighting('sofa', 0.0, size=0.0, distance=0.0, score=0.0).distance == 0.0
    assert Sighting('sofa', 0.0, score=1.0).distance is None
    assert Decision(0, 0.0).probability == 0.0


def test_stop_is_no_waypoint():
    assert Decision(None).is_stop
    assert not Decision(0).is_stop


def test_lists_become_tuples():
    observation = Observation([Sighting('sofa', 0.0)], [Waypoint(0.0, 1.0)], HERE)
    episode = Episode('go', [Step(observation, Decision(0))])
    assert isinstance(observation.sightings, tuple) and isinstance(observation.waypoints, tuple)
    assert isinstance(episode.steps, tuple) and len(episode.steps) == 1


@pytest.mark.parametrize(('record', 'name'), [
    (HERE, 'x'), (Sighting('sofa', 0.0), 'label'), (Waypoint(0.0, 1.0), 'distance'),
    (Observation((), (), HERE), 'pose'), (Decision(None), 'probability'),
    (Episode('go', ()), 'goal')])
def test_records_are_frozen(record, name):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(record, name, None)
