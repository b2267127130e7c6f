"""The embedded detector: what it learns from, its losses, its files; worked out by hand."""

import json
import math

import numpy as np
import pytest

torch = pytest.importorskip('torch')

from nl_robot.perception.detector_examples import (  # noqa: E402
    Pictures,
    augment,
    make_targets,
)
from nl_robot.perception.detector_training import (  # noqa: E402
    Trainer,
    TrainingSettings,
    calibrate,
    detector_loss,
    heat_loss,
    learning_rate_at,
)
from nl_robot.perception.detectors import load_detector  # noqa: E402
from nl_robot.perception.embedded import (  # noqa: E402
    DetectorConfig,
    DetectorNet,
    decode,
    folded,
    known_labels,
    overlap,
    save_detector,
)

SMALL = DetectorConfig(('bed', 'sofa', 'door'), ('red', 'blue'), 64, 48, (8, 8, 16, 16), 16)
BED, DOOR = 0, 2


def box(kind, x0, y0, x1, y1, colour=1, pixels=100, distance=2.0, image=0):
    return [image, kind, colour, x0, y0, x1, y1, pixels, distance]


def targets_of(*boxes):
    return make_targets(np.array(boxes, np.float32).reshape(-1, 9), 1, SMALL, 20)


def test_targets_of_one_bed():
    """A box of 16 x 8 pixels from (20, 16): middle at cell (7.0, 5.0), 4 x 2 cells, 2 m."""
    targets = targets_of(box(BED, 20, 16, 36, 24))
    assert targets.heat.shape == (1, 2, 12, 16)
    assert targets.heat[0, 0, 5, 7] == 1.0
    assert targets.heat[0, 0].max() == 1.0 and targets.heat[0, 1].max() == 0.0
    assert targets.cells[0].tolist() == [0, 0, 5, 7]
    assert targets.numbers[0].tolist() == pytest.approx(
        [-0.5, -0.5, math.log(4), math.log(2), math.log(2.0)], abs=1e-6)
    assert (targets.kinds[0], targets.colours[0]) == (0, 1)


def test_neighbours_inside_the_box_are_taught_the_same_middle():
    """Of the four neighbours of cell (5, 7), all but the one below lie in rows 4 to 6."""
    targets = targets_of(box(BED, 20, 16, 36, 24))
    cells = {tuple(c[2:].tolist()): n for c, n in zip(targets.cells, targets.numbers)}
    assert set(cells) == {(5, 7), (4, 7), (5, 6), (5, 8)}
    assert cells[5, 8][0] == pytest.approx(-1.5)


def test_a_speck_is_neither_taught_nor_punished():
    targets = targets_of(box(BED, 20, 16, 28, 24, pixels=19))
    assert targets.heat.max() == 0.0 and len(targets.cells) == 0
    assert targets.weight[0, 0, 4:6, 5:7].max() == 0.0
    assert targets.weight.sum() == 2 * 12 * 16 - 4


def test_a_door_has_a_heatmap_of_its_own_and_no_colour():
    targets = targets_of(box(DOOR, 20, 16, 36, 24, colour=-1))
    assert targets.heat[0, 1, 5, 7] == 1.0
    assert set(targets.kinds.tolist()) == set(targets.colours.tolist()) == {-1}


def maps_that_say(kind, colour, numbers, row=5, column=7, door=False):
    """Output maps (1, 16, 12, 16) with one sure object."""
    maps = torch.full((1, 12 + 2 + 2, 12, 16), 0.0)
    maps[:, :2] = -20.0
    maps[0, int(door), row, column] = 20.0
    start = 7 if door else 2
    maps[0, start:start + 5, row, column] = torch.tensor(numbers)
    maps[0, 12 + kind, row, column] = 20.0 if not door else 0.0
    maps[0, 14 + colour, row, column] = 20.0
    return maps


def test_decoding_undoes_the_targets():
    numbers = [-0.5, -0.5, math.log(4), math.log(2), math.log(2.0)]
    (kind, colour, score, found, distance), = decode(maps_that_say(0, 1, numbers), SMALL)[0]
    assert (kind, colour) == (0, 1) and score == pytest.approx(1.0, abs=1e-4)
    assert found.tolist() == pytest.approx([20, 16, 36, 24])
    assert distance == pytest.approx(2.0)
    assert decode(maps_that_say(0, 1, numbers, door=True), SMALL)[0][0][0] == DOOR


def test_of_two_boxes_of_one_kind_on_each_other_one_is_kept():
    numbers = [0.0, 0.0, math.log(8), math.log(8), 0.0]
    maps = maps_that_say(0, 1, numbers)
    other = maps_that_say(0, 1, numbers, column=9)
    other[:, 0, 5, 9] = 2.0
    maps[..., 9] = other[..., 9]
    assert len(decode(maps, SMALL)[0]) == 1


def test_overlap_by_hand():
    """Two 2 x 2 squares that share 1 x 2: 2 / 6."""
    assert overlap(np.array([0, 0, 2, 2.]), np.array([1, 0, 3, 2.])) == pytest.approx(1 / 3)
    assert overlap(np.array([0, 0, 1, 1.]), np.array([2, 2, 3, 3.])) == 0.0


def test_heat_loss_by_hand():
    """At p = 0.5: (1/2)^2 ln 2 for a middle, the same for empty floor, 0.5^4 of it at heat 0.5."""
    one = torch.ones(1, 1, 1, 1)
    zero = torch.zeros_like(one)
    quarter = 0.25 * math.log(2)
    assert heat_loss(zero, one, one).item() == pytest.approx(quarter)
    assert heat_loss(zero, zero, one).item() == pytest.approx(quarter)
    assert heat_loss(zero, 0.5 * one, one).item() == pytest.approx(quarter / 16)
    assert heat_loss(zero, zero, zero).item() == 0.0


def test_the_loss_falls_when_the_maps_are_right():
    numbers = [-0.5, -0.5, math.log(4), math.log(2), math.log(2.0)]
    targets = make_targets(np.array([box(BED, 20, 16, 36, 24)], np.float32), 1, SMALL, 20)
    right, parts = detector_loss(maps_that_say(0, 1, numbers), targets, 2)
    wrong_kind, _ = detector_loss(maps_that_say(1, 1, numbers), targets, 2)
    wrong_place, _ = detector_loss(maps_that_say(0, 1, numbers, row=2), targets, 2)
    assert set(parts) == {'heat', 'box', 'distance', 'kind', 'colour'}
    assert right < wrong_kind and right < wrong_place


def test_frames_without_objects_have_only_heat():
    loss, parts = detector_loss(torch.zeros(1, 16, 12, 16), targets_of(), 2)
    assert set(parts) == {'heat'} and torch.isfinite(loss)


def test_mirroring_mirrors_the_boxes():
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:, :8] = 200
    boxes = np.array([box(BED, 0, 0, 8, 48)], np.float32)
    seen = set()
    for seed in range(8):
        mirrored, found = augment(frame, boxes, np.random.default_rng(seed))
        x0, x1 = int(found[0, 3]), int(found[0, 5])
        assert mirrored[:, x0:x1].mean() > 120 and mirrored[:, 20:40].mean() < 10
        seen.add(x0)
    assert seen == {0, 56}


def test_learning_rate_rises_and_falls():
    settings = TrainingSettings(learning_rate=1.0, warmup=0.5)
    assert learning_rate_at(0.0, settings) == pytest.approx(0.05)
    assert learning_rate_at(0.5, settings) == pytest.approx(1.0)
    assert learning_rate_at(0.75, settings) == pytest.approx(0.5)
    assert learning_rate_at(1.0, settings) == pytest.approx(0.0)


@pytest.fixture
def cache(tmp_path):
    """A render cache of two homes with red beds left and blue sofas right on grey."""
    rng = np.random.default_rng(0)
    (tmp_path / 'meta.json').write_text(json.dumps({'kinds': SMALL.kinds,
                                                    'colours': SMALL.colours}))
    for seed in (0, 1):
        frames = np.full((12, 48, 64, 3), 120, np.uint8)
        boxes = []
        for i in range(12):
            x, y = int(rng.integers(2, 40)), int(rng.integers(2, 24))
            kind = i % 2
            frames[i, y:y + 16, x:x + 20] = ((220, 30, 30), (30, 30, 220))[kind]
            boxes.append(box(kind, x, y, x + 20, y + 16, kind, 320, 1.5, image=i))
        np.save(tmp_path / f'home-{seed:04d}.images.npy', frames)
        np.save(tmp_path / f'home-{seed:04d}.boxes.npy', np.array(boxes, np.float32))
    return tmp_path


def test_pictures_find_their_boxes(cache):
    pictures = Pictures(cache, [0, 1])
    assert len(pictures) == 24
    frame, boxes = pictures.get(13)
    (_, kind, _, x0, y0, *_), = boxes
    assert kind == 1 and frame[int(y0), int(x0)].tolist() == [30, 30, 220]
    frames, boxes = pictures.batch([23, 0])
    assert frames.shape == (2, 48, 64, 3) and boxes[:, 0].tolist() == [0, 1]
    with pytest.raises(ValueError, match='home-0007'):
        Pictures(cache, [7])


def test_it_learns_saves_and_finds(cache, tmp_path):
    """After a few steps on two kinds it tells red beds from blue sofas, also when scaled."""
    pictures = Pictures(cache, [0, 1])
    settings = TrainingSettings(steps=120, batch=8, ema=0.9, learning_rate=5e-3)
    trainer = Trainer(SMALL, settings, seed=0)
    first = trainer.learn(pictures)
    while trainer.share < 1:
        last = trainer.learn(pictures)
    assert last['kind'] < 0.5 * first['kind']
    config, tallies = calibrate(trainer.average, SMALL, pictures, settings, 24)
    assert tallies['bed'].recall > 0.7 and tallies['sofa'].precision > 0.7
    save_detector(trainer.average, config, tmp_path / 'detector')
    detector = load_detector(f'embedded:{tmp_path}/detector')
    frame, boxes = pictures.get(0)
    large = frame.repeat(2, 0).repeat(2, 1)
    best = max(detector.detect([large])[0], key=lambda detection: detection.score)
    assert best.label == 'red bed' and best.kind == 'bed'
    assert np.abs(np.array(best.box) / 2 - boxes[0, 3:7]).max() < 5
    assert 0.5 < best.distance < 4
    assert known_labels(tmp_path / 'detector') == SMALL.kinds


def test_folding_batch_norms_changes_nothing():
    """The folded network has none left and says the same within rounding."""
    torch.manual_seed(0)
    net = DetectorNet(SMALL)
    frames = torch.rand(4, 3, 48, 64)
    net.train()
    net(frames)                                     # gives the batch norms something to hold
    net.eval()
    faster = folded(net)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in faster.modules())
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in net.modules())
    with torch.inference_mode():
        assert torch.allclose(net(frames), faster(frames), atol=1e-4)


def test_an_interrupted_run_goes_on(cache, tmp_path):
    """Two steps, saved, and two more are the same as four in one go."""
    pictures = Pictures(cache, [0])
    settings = TrainingSettings(steps=4, batch=2)
    straight = Trainer(SMALL, settings, seed=1)
    for _ in range(4):
        straight.learn(pictures)
    broken = Trainer(SMALL, settings, seed=1)
    broken.learn(pictures)
    broken.learn(pictures)
    broken.save(tmp_path / 'state.pt')
    resumed = Trainer(SMALL, settings, seed=99)
    resumed.seed = 1
    resumed.resume(tmp_path / 'state.pt')
    resumed.learn(pictures)
    resumed.learn(pictures)
    for one, other in zip(straight.net.parameters(), resumed.net.parameters()):
        assert torch.equal(one, other)


def test_damaged_weights_are_refused(tmp_path):
    save_detector(DetectorNet(SMALL), SMALL, tmp_path)
    weights = tmp_path / 'model.safetensors'
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(ValueError, match='does not match its SHA-256'):
        load_detector(f'embedded:{tmp_path}')
    weights.unlink()
    with pytest.raises(ValueError, match='model.safetensors is missing'):
        load_detector(f'embedded:{tmp_path}')


def test_a_directory_without_detector_is_named(tmp_path):
    with pytest.raises(ValueError, match='config.json is missing'):
        load_detector(f'embedded:{tmp_path}')


def test_a_config_without_door_is_refused():
    with pytest.raises(ValueError, match="must end with 'door'"):
        DetectorConfig(('bed',), ('red',))
