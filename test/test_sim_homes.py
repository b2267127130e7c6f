"""The generator of furnished homes keeps what it promises, and its free floor is the true one."""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter

import numpy as np
import pytest

from nl_robot.sim import clearance, layout, plan
from nl_robot.sim.catalogue import BUILDERS, CATALOGUE, make, surface
from nl_robot.sim.homes import (
    COLOURS,
    KINDS,
    LABELS,
    ROOM_KINDS,
    floor_grid,
    free_poses,
    generate_home,
)
from nl_robot.sim.records import SPLITS, Door, Home, Item, Part, Room, Wall

SEEDS = (*range(0, 20), *range(1000, 1005), *range(2000, 2010))


@pytest.fixture(scope='module')
def homes() -> list[Home]:
    return [generate_home(seed) for seed in SEEDS]


@pytest.fixture(scope='module')
def train_homes() -> list[Home]:
    return [generate_home(seed) for seed in range(60)]


def tiny_home(*items: Item) -> Home:
    """Two rooms of 2 x 2 m side by side, a wall of 0.2 m with a door of 1 m between them."""
    rgb = (0.5, 0.5, 0.5)
    rooms = (Room('left', 'kitchen', 0.0, 0.0, 2.0, 2.0),
             Room('right', 'bedroom', 2.2, 0.0, 4.2, 2.0))
    walls = (Wall(-0.2, -0.2, 4.4, 0.0, 2.4, rgb), Wall(-0.2, 2.0, 4.4, 2.2, 2.4, rgb),
             Wall(-0.2, 0.0, 0.0, 2.0, 2.4, rgb), Wall(4.2, 0.0, 4.4, 2.0, 2.4, rgb),
             Wall(2.0, 0.0, 2.2, 0.5, 2.4, rgb), Wall(2.0, 1.5, 2.2, 2.0, 2.4, rgb),
             Wall(2.0, 0.5, 2.2, 1.5, 2.4, rgb, base=2.05))
    doors = (Door('door 1', 2.1, 1.0, 0.0, 1.0, ('left', 'right')),)
    return Home(0, rooms, doors, walls, items)


def block(x: float, y: float, extent: tuple[float, float, float], yaw: float = 0.0,
          collides: bool = True) -> Item:
    return Item('box', 'toy box', 'red', '', '', x, y, 0.0, yaw, extent, 'left',
                (Part('box', (0.1, 0.1, 0.1), (0.0, 0.0, 0.1), (1.0, 0.0, 0.0)),),
                collides=collides)


def test_free_floor_of_an_empty_tiny_home_by_hand() -> None:
    grid = floor_grid(tiny_home(), radius=0.22, resolution=0.1)
    assert grid.free.shape == (24, 46) and grid.origin == (-0.2, -0.2)
    assert grid.point(0, 0) == pytest.approx((-0.15, -0.15))
    # in a room, middles from 0.25 to 1.75 are 0.22 m clear of both walls: 16 of them
    column = grid.cell(1.05, 1.0)[1]
    free = [round(grid.point(r, column)[1], 2) for r in np.flatnonzero(grid.free[:, column])]
    assert free == [round(0.25 + 0.1 * k, 2) for k in range(16)]
    # in the doorway (walls end at 0.5 and 1.5): middles from 0.75 to 1.25
    column = grid.cell(2.15, 1.0)[1]
    free = [round(grid.point(r, column)[1], 2) for r in np.flatnonzero(grid.free[:, column])]
    assert free == [0.75, 0.85, 0.95, 1.05, 1.15, 1.25]
    field = grid.distances(grid.mask([(0.55, 1.05)]))
    assert grid.distance_at(field, 3.55, 1.05) == pytest.approx(3.0)


def test_items_block_the_floor_by_their_turned_footprint() -> None:
    long_box = (1.0, 0.2, 0.5)
    flat = floor_grid(tiny_home(block(1.0, 1.0, long_box)))
    turned = floor_grid(tiny_home(block(1.0, 1.0, long_box, yaw=math.pi / 2)))
    # 0.35 m above the middle: clear of half of 0.2 + 0.22, not of half of 1.0 + 0.22
    assert flat.free[flat.cell(1.05, 1.35)] and not turned.free[turned.cell(1.05, 1.35)]
    assert not flat.free[flat.cell(1.35, 1.05)] and turned.free[turned.cell(1.35, 1.05)]
    rug = floor_grid(tiny_home(block(1.0, 1.0, long_box, collides=False)))
    assert rug.free[rug.cell(1.0, 1.0)]


def test_a_box_in_the_doorway_parts_the_rooms() -> None:
    grid = floor_grid(tiny_home(block(2.1, 1.0, (0.3, 0.5, 0.5))))
    field = grid.distances(grid.mask([(0.55, 1.05)]))
    assert not np.isfinite(grid.distance_at(field, 3.55, 1.05))


def test_pockets_are_not_free() -> None:
    free = np.zeros((6, 12), dtype=bool)
    free[1:4, 1:5] = True                  # 12 cells
    free[1:3, 8:10] = True                 # 4 cells: a pocket
    numbers = clearance.regions(free)
    assert np.count_nonzero(numbers) == 12 and not numbers[1, 8]


def test_floor_grid_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match='resolution'):
        floor_grid(tiny_home(), resolution=0.0)
    with pytest.raises(ValueError, match='seed'):
        generate_home(-1)


def test_boxes_and_distances_by_hand() -> None:
    box = clearance.box_of(1.0, 2.0, math.pi / 2, (0.4, 1.0, 0.5))
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((0.5, 1.8, 1.5, 2.2))
    askew = clearance.box_of(0.0, 0.0, math.pi / 4, (1.0, 1.0, 1.0))
    assert askew.x1 == pytest.approx(math.sqrt(0.5))
    assert clearance.boxes_meet(box, clearance.Box(1.6, 1.8, 2.0, 2.0), 0.2)
    assert not clearance.boxes_meet(box, clearance.Box(1.6, 1.8, 2.0, 2.0))
    door = Door('door', 4.0, 3.0, math.pi / 2, 1.0, ('a', 'b'))     # opening x 3.5 to 4.5
    assert clearance.distance_to_segment(clearance.Box(0.5, 0.0, 3.1, 2.7), door) \
        == pytest.approx(0.5)
    assert clearance.distance_to_segment(clearance.Box(4.0, 3.5, 4.2, 4.0), door) \
        == pytest.approx(0.5)


def test_shared_walls_by_hand() -> None:
    a, b, c = (0.0, 0.0, 2.0, 3.0), (2.0, 1.0, 5.0, 4.0), (0.0, 3.0, 1.0, 5.0)
    assert layout.shared_edge(a, b) == (True, 2.0, 1.0, 3.0)
    assert layout.shared_edge(b, a) == (True, 2.0, 1.0, 3.0)
    assert layout.shared_edge(a, c) == (False, 3.0, 0.0, 1.0)
    assert layout.shared_edge(b, c) is None
    assert layout.wish('pantry', 'kitchen') == layout.wish('kitchen', 'pantry') == 5.0


def test_doors_leave_openings_below_and_lintels_above() -> None:
    door = Door('door', 2.0, 0.0, math.pi / 2, 1.0, ('a', 'b'))
    walls = layout._pierced(False, 0.0, 0.06, 0.0, 4.0, (door,), (1.0, 1.0, 1.0))
    assert [(w.x0, w.x1, w.base) for w in walls] == [
        (0.0, 1.5, 0.0), (1.5, 2.5, layout.LINTEL), (2.5, 4.0, 0.0)]


def test_same_seed_same_home_other_seed_other_home() -> None:
    assert generate_home(7) == generate_home(7)
    assert generate_home(7) != generate_home(8)


def test_a_home_is_made_in_half_a_second() -> None:
    start = time.process_time()
    for seed in range(40, 50):
        generate_home(seed)
    assert (time.process_time() - start) / 10 < 0.5


def test_enough_kinds_of_rooms_and_items(train_homes: list[Home]) -> None:
    rooms = {room.kind for home in train_homes for room in home.rooms}
    items = Counter(kind for home in train_homes for kind in {item.kind for item in home.items})
    assert rooms == set(ROOM_KINDS) and len(rooms) >= 10
    assert set(items) == set(KINDS) and len(items) >= 45
    assert min(items.values()) >= 2, 'every kind is in at least two of sixty homes'
    assert LABELS == (*KINDS, 'door')
    assert all(4 <= len(home.rooms) <= 10 for home in train_homes)
    assert {len(home.rooms) for home in train_homes} == set(range(4, 11))
    assert set(BUILDERS) == set(CATALOGUE)


def test_same_kind_in_several_colours(train_homes: list[Home]) -> None:
    def kinds_in_colours(home: Home) -> int:
        pairs = {(item.kind, item.colour) for item in home.items}
        return sum(count > 1 for count in Counter(kind for kind, _ in pairs).values())

    assert np.mean([kinds_in_colours(home) for home in train_homes]) >= 5
    armchairs = [{i.colour for i in home.items if i.kind == 'armchair'} for home in train_homes]
    assert sum(len(colours) > 1 for colours in armchairs) >= 10


def test_rooms_are_sensible_and_do_not_overlap(homes: list[Home]) -> None:
    for home in homes:
        kinds = {room.kind for room in home.rooms}
        assert {'kitchen', 'bathroom', 'bedroom', 'living room'} <= kinds
        assert len({room.name for room in home.rooms}) == len(home.rooms)
        for room in home.rooms:
            short, long = sorted((room.x1 - room.x0, room.y1 - room.y0))
            assert short >= 1.5 and (room.kind == 'hallway' or 1.9 <= short <= long <= 7.0)
        for a, b in itertools.combinations(home.rooms, 2):
            assert a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0
        assert max(room.x1 for room in home.rooms) < 16
        assert max(room.y1 for room in home.rooms) < 16


def test_doors_join_neighbours_and_are_open(homes: list[Home]) -> None:
    for home in homes:
        for door in home.doors:
            a, b = (home.room(name) for name in door.rooms)
            dx, dy = 0.3 * math.cos(door.yaw), 0.3 * math.sin(door.yaw)
            sides = {room.name for room in (
                home.room_at(door.x + s * dx, door.y + s * dy) for s in (-1, 1)) if room}
            assert sides == {a.name, b.name}
            assert 0.9 <= door.width <= 1.0
            low = [w for w in home.walls if w.base == 0 and w.x0 < door.x < w.x1
                   and w.y0 < door.y < w.y1]
            assert not low, f'{home.name}: a wall stands in {door.name}'


def test_nothing_stands_near_a_door(homes: list[Home]) -> None:
    for home in homes:
        for item, door in itertools.product(home.items, home.doors):
            if item.collides and item.room in door.rooms:
                box = clearance.box_of(item.x, item.y, item.yaw, item.extent)
                assert clearance.distance_to_segment(box, door) >= 0.7, (home.name, item.name)


def test_every_room_is_reached_from_every_other(homes: list[Home]) -> None:
    for home in homes:
        grid = floor_grid(home)
        start = home.rooms[0]
        field = grid.distances(grid.mask([start.centre]))
        assert np.isfinite(field[grid.free]).all(), f'{home.name} has floor out of reach'
        for room in home.rooms:
            row, col = grid.nearest_free(*room.centre)
            assert home.room_at(*grid.point(row, col)) == room, f'{home.name}: {room.name} is full'


def test_passages_are_wide_enough_for_any_route(homes: list[Home]) -> None:
    for home in homes:
        grid = floor_grid(home, radius=0.27, resolution=0.05)
        field = grid.distances(grid.mask([home.rooms[0].centre]))
        for door in home.doors:
            assert np.isfinite(grid.distance_at(field, door.x, door.y)), (home.name, door.name)


def test_items_are_inside_their_rooms_and_apart(homes: list[Home]) -> None:
    for home in homes:
        assert len({item.name for item in home.items}) == len(home.items)
        standing: dict[str, list[clearance.Box]] = {}
        for item in home.items:
            room = home.room(item.room)
            box = clearance.box_of(item.x, item.y, item.yaw, item.extent)
            assert room.x0 - 1e-3 <= box.x0 and box.x1 <= room.x1 + 1e-3, (home.name, item.name)
            assert room.y0 - 1e-3 <= box.y0 and box.y1 <= room.y1 + 1e-3, (home.name, item.name)
            if item.collides:
                assert item.z == 0.0
                assert not any(clearance.boxes_meet(box, other, -0.002)
                               for other in standing.setdefault(item.room, [])), item.name
                standing[item.room].append(box)


def test_small_items_stand_on_supports(homes: list[Home]) -> None:
    found = 0
    for home in homes:
        hosts = {item.name: item for item in home.items}
        for item in home.items:
            assert bool(item.on) == (CATALOGUE[item.kind].mount == 'support')
            if item.on:
                host = hosts[item.on]
                found += 1
                assert host.room == item.room
                assert item.z == pytest.approx(surface(host), abs=2e-3) and item.z > 0.2
                assert abs(item.x - host.x) < max(host.extent) / 2
                assert max(item.extent) >= 0.2, 'large enough to be seen'
    assert found > 100


def test_hung_items_are_in_view_and_on_a_wall(homes: list[Home]) -> None:
    for home in homes:
        for item in home.items:
            if CATALOGUE[item.kind].mount == 'wall':
                room = home.room(item.room)
                gap = min(item.x - room.x0, room.x1 - item.x, item.y - room.y0, room.y1 - item.y)
                assert gap < 0.12 and not item.collides
                if item.kind in ('painting', 'clock', 'mirror'):
                    middle = item.z + item.extent[2] / 2
                    assert 1.1 <= middle <= 1.85
                    # the robot's camera: 1.0 m high, 35 degrees up, from 1.5 m away
                    assert math.atan2(middle - 1.0, 1.5) < math.radians(35)


def test_colours_and_parts_are_what_the_words_say(homes: list[Home]) -> None:
    for item in (item for home in homes for item in home.items):
        assert item.colour in CATALOGUE[item.kind].colours and item.colour in COLOURS
        assert item.size in ('', 'small', 'large')
        assert item.label == f'{item.colour} {item.kind}'
        assert 2 <= len(item.parts) <= 20
        shapes = {'box': 3, 'ellipsoid': 3, 'cylinder': 2, 'capsule': 2, 'sphere': 1}
        for part in item.parts:
            assert len(part.size) == shapes[part.shape] and min(part.size) > 0
            assert all(0 <= value <= 1 for value in part.rgb), item.name
            assert max(abs(v) for v in part.position) < 4


@pytest.mark.parametrize('kind', KINDS)
def test_the_main_colour_shows(kind: str) -> None:
    """Some part of every item is near the colour that its name says."""
    for colour in CATALOGUE[kind].colours:
        item = make(kind, np.random.default_rng(3), colour)
        target = np.array(COLOURS[colour])
        assert min(np.abs(np.array(part.rgb) - target).max() for part in item.parts) < 0.16


@pytest.mark.parametrize('kind', [k for k in KINDS if CATALOGUE[k].mount == 'floor'])
def test_the_laser_sees_what_stands(kind: str) -> None:
    """At the laser's height of 0.18 m an item is nearly as wide and deep as it is at all."""
    made = make(kind, np.random.default_rng(5))
    cut = [part for part in made.parts if abs(part.position[2] - 0.18) < _half_height(part)]
    assert cut, f'the laser looks through a {kind}'


def _half_height(part: Part) -> float:
    """About half of how high a part is, however it is turned."""
    if part.shape == 'cylinder':
        upright = not any(part.euler)
        return part.size[1] if upright else part.size[0]
    c, s = abs(math.cos(part.euler[0])), abs(math.sin(part.euler[0]))
    return part.size[2] * c + part.size[1] * s


def test_free_poses_are_free_and_the_same_for_the_same_chance(homes: list[Home]) -> None:
    home = homes[0]
    poses = free_poses(home, np.random.default_rng(1), 20)
    assert poses == free_poses(home, np.random.default_rng(1), 20) and len(poses) == 20
    for pose in poses:
        assert pose.frame == 'map' and home.room_at(pose.x, pose.y)
        x, y = np.array([[pose.x]]), np.array([[pose.y]])
        assert not any(clearance.near_item(i, x, y, 0.35)[0, 0] for i in home.items if i.collides)


def test_splits_do_not_meet() -> None:
    assert not set(SPLITS['train']) & set(SPLITS['test'])
    assert not set(SPLITS['train']) & set(SPLITS['val'])


def test_plan_is_written_with_trails_and_markers(tmp_path, homes: list[Home]) -> None:
    path = tmp_path / 'new' / 'plan.png'
    trail = ([(1.0, 1.0), (2.0, 1.0)], 'tab:red', 'go to the kitchen')
    plan.draw_plan(homes[0], path, trails=[trail], markers=[(2.0, 1.0, 'tab:red', 'reached')])
    assert path.read_bytes()[:8] == b'\x89PNG\r\n\x1a\n' and path.stat().st_size > 20_000


def test_one_can_stand_before_what_one_uses(homes: list[Home]) -> None:
    for home in homes:
        grid = floor_grid(home)
        for item in home.items:
            if item.kind in ('fridge', 'stove', 'sink', 'toilet', 'washing machine'):
                x, y = grid.point(*grid.nearest_free(item.x, item.y))
                assert math.hypot(x - item.x, y - item.y) < 1.0, (home.name, item.name)
