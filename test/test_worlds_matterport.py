"""Real buildings read from the official formats, on one of six viewpoints worked out by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import tiny_building
from tiny_graph import corner

from nl_robot.geometry import wrap_angle
from nl_robot.worlds.graph import GraphWorld, PlaceGraph
from nl_robot.worlds.matterport import load_building, load_buildings
from nl_robot.worlds.object_names import clean_name
from nl_robot.worlds.official_files import DataFolder
from nl_robot.worlds.sightings_by_boxes import (
    Boxes,
    Listings,
    bearing_from_heading,
    directions,
    gather_boxes,
    list_objects,
    locate,
    taken_as_seen,
)

A, B, C, D, E, F = range(6)
NEAR = {(A, 'sofa'), (B, 'sofa'), (C, 'sofa'), (C, 'table lamp'), (E, 'clothes hangers'),
        (F, 'clothes hangers')}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tiny_building.write(tmp_path_factory.mktemp('data'))


@pytest.fixture(scope='module')
def near(folder):
    return load_building(DataFolder(folder), 'tiny', far_sightings=False)


@pytest.fixture(scope='module')
def far(folder):
    return load_building(DataFolder(folder), 'tiny')


def seen(building, place, label):
    """bearing, elevation, size, distance, score of one sighting."""
    graph = building.graph
    (row,) = [r for r in graph.sighting_rows[place] if graph.labels[r] == label]
    return graph.sightings[row, 1:]


def all_seen(building):
    return {(int(row[0]), label)
            for row, label in zip(building.graph.sightings, building.graph.labels)}


# ---- headings and the graph

@pytest.mark.parametrize(('heading', 'bearing'), [
    (0.0, math.pi / 2), (math.pi / 2, 0.0), (math.pi, -math.pi / 2), (3 * math.pi / 2, math.pi),
    (-math.pi / 2, math.pi), (2.5 * math.pi, 0.0)])
def test_headings_are_clockwise_from_north(heading, bearing):
    assert bearing_from_heading(heading) == pytest.approx(bearing, abs=1e-12)


def test_headings_agree_with_the_graph(near):
    """Heading 0 looks to the viewpoint in the north, a quarter clockwise to the east."""
    world = GraphWorld(near.graph)
    north = world.reset(0, 0, bearing_from_heading(0.0))
    assert [w.bearing for w in north.waypoints] == pytest.approx([0.0])
    east = world.reset(0, 2, bearing_from_heading(math.pi / 2))
    assert sorted(abs(w.bearing) for w in east.waypoints) == pytest.approx([0, math.pi / 2])
    # and with what is seen: the sofa is ahead on the left of who looks east from the south-west
    sofa = world.reset(0, 0, bearing_from_heading(math.pi / 2)).sightings[0]
    assert sofa.label == 'sofa' and sofa.bearing == pytest.approx(math.pi / 4, abs=0.02)


def test_the_graph_leaves_out_what_is_not_included(near):
    assert near.viewpoints == ('a', 'b', 'c', 'd', 'e', 'f')
    ways = list(zip(near.graph.ways[:, 0].astype(int), near.graph.leads_to))
    assert ways == [(A, B), (B, A), (B, C), (C, B), (C, D), (D, C), (E, F), (F, E)]
    assert near.is_way(A, B) and not near.is_way(A, C)
    assert near.place('d') == D
    for viewpoint in ('x', 'nobody'):
        with pytest.raises(ValueError, match=f"unknown viewpoint '{viewpoint}'.*tiny has 6"):
            near.place(viewpoint)


def test_ways_climb(near):
    graph = near.graph
    climb = math.sqrt(3 ** 2 + 3 ** 2)
    assert graph.heights.tolist() == [1.5, 1.5, 1.5, 4.5, 1.5, 1.5]
    assert graph.lengths() == pytest.approx([2, 2, 2, 2, climb, climb, 3.1, 3.1])
    assert graph.ways[4, 1:] == pytest.approx([math.pi / 2, math.pi / 4, 3.0])
    assert graph.ways[5, 2] == pytest.approx(-math.pi / 4)
    assert graph.ways[0, 2] == 0.0


def test_distances_between_components_are_infinite(near):
    between = near.graph.distances_between
    climb = math.sqrt(18)
    assert between[A] == pytest.approx([0, 2, 4, 4 + climb, np.inf, np.inf])
    assert between[E] == pytest.approx([math.inf] * 4 + [0, 3.1])
    for place in range(6):
        target = np.arange(6) == place
        assert near.graph.distances_to(target) == pytest.approx(between[:, place], rel=1e-6)


def test_distances_follow_one_way_streets():
    slide = PlaceGraph('slide', np.array([[0.0, 0.0], [3.0, 4.0]]), (), np.zeros((0, 6)),
                       np.array([[0, 0.0, 0.0, 5.0]]), np.array([1]))
    assert slide.distances_between.tolist() == [[0, 5], [math.inf, 0]]


# ---- heights on disk

def test_a_graph_without_heights_is_flat_and_old_files_still_load(tmp_path):
    graph = corner()
    assert graph.heights.tolist() == [0, 0, 0]
    old = {name: value for name, value in graph.arrays().items() if name != 'heights'}
    np.savez(tmp_path / 'old.npz', **old)
    again = PlaceGraph.load(tmp_path / 'old.npz')
    assert again.heights.tolist() == [0, 0, 0] and again.labels == graph.labels
    with pytest.raises(ValueError, match='corner: 2 heights for 3 places'):
        PlaceGraph(**{**vars(corner()), 'heights': np.zeros(2)})


def test_heights_are_kept_on_disk(near, tmp_path):
    near.graph.save(tmp_path / 'tiny.npz')
    assert PlaceGraph.load(tmp_path / 'tiny.npz').heights.tolist() == near.graph.heights.tolist()


# ---- boxes

def test_the_middle_and_the_edges_of_a_view():
    view, middle = np.array([12, 15, 0, 24]), np.full(4, 320.0)
    bearings, elevations = directions(view, middle, np.full(4, 240.0))
    assert bearings == pytest.approx([math.pi / 2, 0, math.pi / 2, math.pi / 2])
    assert np.degrees(elevations) == pytest.approx([0, 0, -30, 30])
    # 240 / tan 30 degrees: the upper edge of a level view is 30 degrees up, its right one 37.6
    bearing, elevation = directions(np.array([15, 15]), np.array([320.0, 640.0]),
                                    np.array([0.0, 240.0]))
    assert np.degrees(elevation) == pytest.approx([30, 0])
    assert np.degrees(bearing) == pytest.approx([0, -37.589], abs=0.001)
    # two views show the same point: level and up, at their common edge
    _, both = directions(np.array([15, 27]), np.array([320.0, 320.0]),
                         np.array([240 - 240 * math.tan(math.radians(15)) / math.tan(
                             math.radians(30)), 240 + 240 * math.tan(math.radians(15)) / math.tan(
                                 math.radians(30))]))
    assert np.degrees(both) == pytest.approx([15, 15])


def test_boxes_cut_by_the_edges_of_views_are_one_object():
    """A strip from -40 to +20 degrees around the east, in two views that each cut it."""
    focal = 240 / math.tan(math.radians(30))
    at = lambda degrees: 320 + focal * math.tan(math.radians(degrees))      # noqa: E731
    first = (0.0, 200.0, at(20), 80.0)                      # view to the east: cut on its left
    second = (at(-10), 200.0, 640 - at(-10), 80.0)          # 30 degrees further left: cut right
    boxes = Boxes((5,), ('rug',), np.zeros(2, int), np.zeros(2, int), np.array([15, 14]),
                  np.array([first, second]), np.zeros((0, 2), int))
    listing = list_objects(boxes)
    assert np.degrees(listing.bearings) == pytest.approx([10])      # clockwise 20 to left 40
    assert np.degrees(listing.sizes) == pytest.approx([60], abs=0.1)
    assert listing.elevations == pytest.approx([0], abs=1e-9)


def test_an_object_behind_the_seam_of_the_angles():
    boxes = Boxes((5,), ('rug',), np.zeros(1, int), np.zeros(1, int), np.array([12 + 9]),
                  np.array([(270.0, 190.0, 100.0, 100.0)]), np.zeros((0, 2), int))
    listing = list_objects(boxes)       # due west
    assert abs(listing.bearings[0]) == pytest.approx(math.pi)
    assert np.degrees(listing.sizes) == pytest.approx([2 * math.degrees(math.atan(
        50 / (240 / math.tan(math.radians(30)))))], abs=0.01)


def test_rays_meet_where_the_object_is_and_one_ray_ends_at_the_typical_range():
    eyes = np.array([(0, 0, 1), (2, 0, 1), (9, 9, 1)], float)
    listings = Listings(np.array([0, 1, 2]), np.array([0, 0, 1]),
                        np.array([math.pi / 4, 3 * math.pi / 4, 0]), np.zeros(3), np.full(3, .1))
    points = locate(listings, eyes, 2)
    assert points[0] == pytest.approx([1, 1, 1], abs=0.02)
    assert points[1] == pytest.approx([10.5, 9, 1])


def test_objects_are_where_they_were_put(near):
    root = math.sqrt(2)
    for place, bearing in ((A, math.pi / 4), (B, -math.pi / 4), (C, -3 * math.pi / 4)):
        sofa = seen(near, place, 'sofa')
        assert wrap_angle(sofa[0] - bearing) == pytest.approx(0, abs=0.02)
        assert sofa[1] == pytest.approx(-math.atan2(0.5, root), abs=0.03)
        assert sofa[3] == pytest.approx(root, abs=0.05) and sofa[4] == 1.0
        assert 0.2 / 1.7 < sofa[2] < 0.35 / 1.3     # the cube and its diagonal
    lamp = seen(near, C, 'table lamp')
    assert lamp[[0, 1, 3]] == pytest.approx([0, 0, 1.5], abs=0.02)
    hangers = seen(near, E, 'clothes hangers')
    assert hangers[[0, 1, 3]] == pytest.approx([math.pi / 2, math.atan2(.8, 1), 1], abs=0.05)


def test_near_sightings_are_what_the_views_show(near):
    assert all_seen(near) == NEAR


def test_far_sightings_are_what_visible_viewpoints_list(far):
    # a sees b and c, so it sees c's lamp; b sees c, but the lamp is known to be hidden from it;
    # d lists nothing with a name and sees no other viewpoint
    assert all_seen(far) == NEAR | {(A, 'table lamp')}
    lamp = seen(far, A, 'table lamp')
    assert lamp[0] == pytest.approx(math.atan2(2, 3.5), abs=0.02)
    assert lamp[1] == pytest.approx(0, abs=0.02)
    assert lamp[3] == pytest.approx(math.hypot(2, 3.5), abs=0.03)
    assert 0.2 / 4.1 < lamp[2] < 0.3 / 4.0
    assert far.graph.sightings[:, 0].tolist() == sorted(far.graph.sightings[:, 0])


def test_what_may_be_taken_as_seen():
    listed = np.array([[0, 0, 0], [1, 1, 1]], bool)
    visible = np.array([[0, 1], [0, 0]], bool)
    apart = np.array([[9.9, 10.1, 1.0], [1.0, 1.0, 1.0]])
    found = taken_as_seen(listed, np.array([[0, 2]]), visible, apart)
    assert found.tolist() == [[True, False, False], [False, False, False]]


def test_the_numbers_of_objects_are_kept_even_without_a_name(near):
    assert near.sees(11).tolist() == [True, True, True, False, False, False]
    assert near.sees(12).tolist() == [False, False, True, False, False, False]
    assert near.sees(13).tolist() == [False, False, False, True, False, False]
    assert not near.sees(15).any() and not near.sees(99).any()


def test_a_building_without_a_single_box():
    boxes = gather_boxes([{}, {'3': {'name': 'sofa', 'visible_pos': [], 'bbox2d': []}}])
    assert boxes.numbers == () and len(list_objects(boxes).places) == 0
    assert locate(list_objects(boxes), np.zeros((2, 3)), 0).shape == (0, 3)
    with pytest.raises(ValueError, match='object 3 has 1 views but 0 boxes'):
        gather_boxes([{'3': {'name': 'sofa', 'visible_pos': [7], 'bbox2d': []}}])


@pytest.mark.parametrize(('name', 'words'), [
    ('sofa', 'sofa'), ('dining#chair', 'dining chair'), ('c;lothes#hangers', 'clothes hangers'),
    ('wall#/otherroom', 'wall'), ('wall#\\other#room', 'wall'), ('wall#\\other#oom', 'wall'),
    ('wall#other#room', 'wall'), ('floor/other#room', 'floor'), ('floor#/#room#above', 'floor'),
    ('window#/reflection', 'window'), ('wall#behind#/#remove', 'wall'), ('stairs#2', 'stairs'),
    ('wall2', 'wall'), ('room#1#wall', 'room wall'), ('t.v', 'tv'), ('toaster?', 'toaster'),
    ('towels#(rolled)', 'towels'), ('table#/w#books', 'table with books'),
    ('table#w/#clutter', 'table with clutter'), ('art#/#statue', 'art'),
    ('washer-dryer', 'washer dryer'), ('ceiling##duct', 'ceiling duct'), ('Sofa', 'sofa'),
    ('celling#borader', 'ceiling border'), ('doorr#frame', 'door frame'), ('draw', 'drawer'),
    ('painter', 'painting'),
    ('unknown', ''), ('unknown#/#other#room', ''), ('unkown#object', ''), ('other#room', ''),
    ('objects', ''), ('#', '')])
def test_object_names_become_words(name, words):
    assert clean_name(name) == words


# ---- files

def same(one, other):
    assert (one.viewpoints, one.graph.labels) == (other.viewpoints, other.graph.labels)
    np.testing.assert_array_equal(one.listings, other.listings)
    for name in ('points', 'sightings', 'ways', 'leads_to', 'heights'):
        np.testing.assert_array_equal(getattr(one.graph, name), getattr(other.graph, name))


@pytest.mark.parametrize('inner', ['', 'deep/inside/'])
def test_zip_files_are_read_like_folders(far, tmp_path, inner):
    tiny_building.pack(tiny_building.write(tmp_path), inner)
    folder = DataFolder(tmp_path)
    assert folder.scans() == ('tiny',)
    same(load_buildings(folder, ['tiny'])['tiny'], far)


def test_the_cache_is_used_until_a_file_changes(far, tmp_path):
    data, cache = tiny_building.write(tmp_path / 'data'), tmp_path / 'cache'
    same(load_building(DataFolder(data), 'tiny', cache), far)
    (file,) = cache.iterdir()
    with np.load(file) as kept:
        marked = {**kept, 'name': 'from the cache'}
    np.savez(file, **marked)
    again = load_building(DataFolder(data), 'tiny', cache)
    assert again.graph.name == 'from the cache'
    same(again, far)
    # the other reach, a changed box file and a changed graph are computed anew
    assert load_building(DataFolder(data), 'tiny', cache, False).graph.name == 'tiny'
    (data / 'BBox' / 'tiny_e.json').write_text('{"e": {}}')
    changed = load_building(DataFolder(data), 'tiny', cache)
    assert changed.graph.name == 'tiny' and (E, 'clothes hangers') not in all_seen(changed)
    records = tiny_building.connectivity()
    records[0]['pose'][3] = 0.5
    (data / 'connectivity' / 'tiny_connectivity.json').write_text(json.dumps(records))
    assert load_building(DataFolder(data), 'tiny', cache).graph.points[0, 0] == 0.5


def test_missing_files_are_told(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match='there is no folder .*nowhere'):
        DataFolder(tmp_path / 'nowhere')
    with pytest.raises(FileNotFoundError, match='neither connectivity/ nor connectivity.zip'):
        load_building(DataFolder(tmp_path), 'tiny')
    with pytest.raises(FileNotFoundError, match="missing scan 'other'.*which has 1 scans"):
        load_building(DataFolder(folder), 'other')
    data = tiny_building.write(tmp_path / 'data')
    (data / 'BBox' / 'tiny_c.json').unlink()
    with pytest.raises(FileNotFoundError, match='there is no tiny_c.json in .*BBox'):
        load_building(DataFolder(data), 'tiny')


def test_broken_files_are_told(tmp_path):
    data = tiny_building.write(tmp_path)
    box = data / 'BBox' / 'tiny_c.json'
    for content, complaint in (('{"c": ', 'tiny_c.json is not readable as JSON'),
                               ('{"b": {}}', 'tiny_c.json in .* does not tell of its own'),
                               ('{"c": {"1": {"name": "sofa"}}}', 'not in the format of REVERIE')):
        box.write_text(content)
        with pytest.raises(ValueError, match=complaint):
            load_building(DataFolder(data), 'tiny')
    records = tiny_building.connectivity()
    records[3]['visible'].pop()
    (data / 'connectivity' / 'tiny_connectivity.json').write_text(json.dumps(records))
    with pytest.raises(ValueError, match="viewpoint 'c' must have a pose of 16 .* and 7 flags"):
        load_building(DataFolder(data), 'tiny')
    tiny_building.pack(data)
    (data / 'connectivity.zip').write_bytes(b'half a zip')
    with pytest.raises(ValueError, match='connectivity.zip is not a whole zip file'):
        DataFolder(data).scans()
