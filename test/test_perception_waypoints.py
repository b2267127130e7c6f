"""Waypoints from scans of simple rooms whose answers are worked out by hand."""

import math
import time

import numpy as np
import pytest

from nl_robot.perception.waypoints import WaypointSettings, drivable_distances, waypoints_from_scan

RAYS = 360
INCREMENT = 2 * math.pi / RAYS


def scan_of(walls, x=0.0, y=0.0, limit=8.0):
    """Ranges of RAYS rays from (x, y) to wall segments ((x0, y0), (x1, y1)); inf for no hit."""
    angles = -math.pi + INCREMENT * np.arange(RAYS)
    ranges = np.full(RAYS, np.inf)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    for (x0, y0), (x1, y1) in walls:
        ax, ay, ex, ey = x0 - x, y0 - y, x1 - x0, y1 - y0
        cross = directions[0] * ey - directions[1] * ex
        with np.errstate(divide='ignore', invalid='ignore'):
            along = (ax * ey - ay * ex) / cross
            on_wall = (ax * directions[1] - ay * directions[0]) / cross
        hit = (along > 0) & (on_wall >= 0) & (on_wall <= 1) & (along < limit)
        ranges[hit] = np.minimum(ranges[hit], along[hit])
    return ranges


def box(x0, y0, x1, y1):
    """The four walls of a rectangle."""
    return [((x0, y0), (x1, y0)), ((x1, y0), (x1, y1)), ((x1, y1), (x0, y1)), ((x0, y1), (x0, y0))]


def waypoints(ranges, **settings):
    return waypoints_from_scan(ranges, -math.pi, INCREMENT, WaypointSettings(**settings))


def free_way(x, y, bearing=0.0):
    """Metres that a disc of 0.25 m can drive towards `bearing` when one point lies at (x, y)."""
    turn = np.array([[math.atan2(y, x) - bearing]])
    return drivable_distances(np.array([math.hypot(x, y)]), np.cos(turn), np.sin(turn),
                              WaypointSettings(radius=0.2, margin=0.05))[0]


def test_free_way_ends_where_the_disc_touches():
    """Head on 2 - 0.25 m; 0.15 m aside 2 - sqrt(0.25^2 - 0.15^2) = 1.8 m; 0.26 m aside, no end."""
    assert free_way(2.0, 0.0) == pytest.approx(1.75)
    assert free_way(2.0, 0.15) == pytest.approx(1.8)
    assert free_way(2.0, -0.15) == pytest.approx(1.8)
    assert np.isinf(free_way(2.0, 0.26))


def test_what_lies_behind_does_not_stop_it():
    assert np.isinf(free_way(2.0, 0.0, bearing=math.pi))


def test_open_floor_gives_ten_waypoints_at_the_limit():
    """360 degrees hold ten bearings 36 degrees apart; the first is straight ahead."""
    found = waypoints(np.full(RAYS, np.inf))
    assert len(found) == 10
    assert all(w.distance == 3.0 for w in found)
    assert min(abs(w.bearing) for w in found) == 0.0


def test_closed_small_box_has_no_waypoint():
    """Walls 0.6 m away leave 0.33 m to drive, in the corners 0.85 - 0.38 = 0.47 m."""
    assert waypoints(scan_of(box(-0.6, -0.6, 0.6, 0.6))) == ()


def test_corridor_leads_both_ways_only():
    """In the middle of a corridor 1.2 m wide only the two ends are reachable."""
    found = waypoints(scan_of([((-9, 0.6), (9, 0.6)), ((-9, -0.6), (9, -0.6))]))
    bearings = sorted(abs(w.bearing) for w in found)
    assert len(found) == 2
    assert bearings == pytest.approx([0.0, math.pi], abs=math.radians(3))
    assert all(w.distance == 3.0 for w in found)


@pytest.mark.parametrize('turn', [0, 45, 90, -135])
def test_doorway_is_entered_through_its_middle(turn):
    """A 0.9 m doorway 1.5 m away in a 3 m room: the waypoint passes its middle and lies beyond."""
    walls = [*box(-1.5, -1.5, 1.5, 1.5)[:1], *box(-1.5, -1.5, 1.5, 1.5)[2:],
             ((1.5, -1.5), (1.5, -0.45)), ((1.5, 0.45), (1.5, 1.5)),
             *box(1.6, -2.0, 5.0, 2.0)[:3]]
    found = waypoints(np.roll(scan_of(walls), turn))
    through = [w for w in found
               if abs(w.bearing - math.radians(turn)) < math.radians(3) and w.distance > 1.9]
    assert len(through) == 1


def test_two_doors_side_by_side_are_two_waypoints():
    """Doorways at -17 and +17 degrees, closer than the usual separation, are both offered."""
    walls = [((2, -5), (2, -1.05)), ((2, -0.15), (2, 0.15)), ((2, 1.05), (2, 5)),
             ((-2, -5), (-2, 5))]
    ahead = [w for w in waypoints(scan_of(walls)) if abs(w.bearing) < math.radians(25)]
    assert [round(math.degrees(w.bearing) / 17) for w in ahead] == [-1, 1]


def test_a_doorway_seen_from_the_side_gets_a_waypoint_before_it():
    """A 0.9 m doorway around (1.5, 1) in the wall y = 1, seen at 56 degrees from its normal.

    Straight through it the robot does not fit (0.9 cos 56 = 0.5 m), so it is sent to within a
    robot's width of the normal through the middle, from where it can drive straight in.
    """
    walls = [((-3, 1), (1.05, 1)), ((1.95, 1), (4, 1)), ((1.05, 1), (1.05, 1.12)),
             ((1.95, 1), (1.95, 1.12)), ((-3, 3), (4, 3)), ((-3, -2), (4, -2)),
             ((-3, -2), (-3, 3)), ((4, -2), (4, 3))]
    ends = [(w.distance * math.cos(w.bearing), w.distance * math.sin(w.bearing))
            for w in waypoints(scan_of(walls))]
    assert any(abs(x - 1.5) < 0.2 and 0.2 <= y <= 1.1 for x, y in ends)


def test_gap_narrower_than_the_robot_is_refused():
    """0.45 m between two posts 1 m ahead: a robot of 0.40 m with its margin does not fit."""
    walls = [((1, -6), (1, -0.225)), ((1, 0.225), (1, 6))]
    ahead = [w for w in waypoints(scan_of(walls)) if abs(w.bearing) < math.radians(40)]
    assert all(w.distance < 1.0 for w in ahead)


def test_near_wall_does_not_pin_the_robot():
    """0.22 m from a wall on the left, less than its margin, it may still drive along it."""
    found = waypoints(scan_of([((-9, 0.22), (9, 0.22))]))
    assert any(-20 < math.degrees(w.bearing) < 4 and w.distance == 3.0 for w in found)
    assert not any(math.radians(20) < w.bearing < math.radians(160) for w in found)


@pytest.mark.parametrize('unknown', [np.nan, 0.0, -1.0, -np.inf])
def test_unknown_rays_are_not_free(unknown):
    ranges = np.full(RAYS, np.inf)
    ranges[170:190] = unknown
    assert all(abs(w.bearing) > math.radians(30) for w in waypoints(ranges))
    assert waypoints(np.full(RAYS, unknown)) == ()


def test_single_lost_ray_takes_the_nearer_neighbour():
    """One NaN among rays of 2 m changes nothing; beside a post at 1 m it counts as the post."""
    ring = np.full(RAYS, 2.0)
    holed = ring.copy()
    holed[180] = np.nan
    assert waypoints(holed) == waypoints(ring)
    ring[180:182] = 1.0
    holed = ring.copy()
    holed[180] = np.nan
    assert waypoints(holed) == waypoints(ring)


def test_nothing_is_free_outside_the_field_of_view():
    """A laser that looks from -90 to 90 degrees gives no waypoint behind it."""
    found = waypoints_from_scan(np.full(181, np.inf), -math.pi / 2, math.radians(1))
    assert found and all(abs(w.bearing) <= math.radians(94) for w in found)


def test_neighbours_keep_their_separation():
    rng = np.random.default_rng(0)
    for _ in range(20):
        found = waypoints(rng.uniform(0.4, 6.0, 12).repeat(30))
        bearings = sorted(w.bearing for w in found)
        gaps = np.diff([*bearings, bearings[0] + 2 * math.pi]) if len(found) > 1 else [9.0]
        assert min(gaps) >= math.radians(12) - 1e-6
        assert all(0.5 <= w.distance <= 3.0 for w in found)


@pytest.mark.parametrize('ranges, increment', [(np.ones((2, 3)), 0.1), ([], 0.1), ([1.0], 0.0)])
def test_what_is_no_scan_is_refused(ranges, increment):
    with pytest.raises(ValueError, match='one row of rays'):
        waypoints_from_scan(np.array(ranges), 0.0, increment)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match='nearest'):
        WaypointSettings(nearest=4.0)


def test_it_is_quick():
    ranges = scan_of(box(-2, -2, 2, 2))
    waypoints(ranges)
    begin = time.process_time()          # of this process alone, whatever else the machine does
    for _ in range(20):
        waypoints(ranges)
    assert (time.process_time() - begin) / 20 < 0.005
