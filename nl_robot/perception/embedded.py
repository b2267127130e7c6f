"""The detector that comes with nl_robot: a small network trained on renders of generated homes.

Objects are points, as in CenterNet (Zhou et al. 2019, "Objects as Points"): a heatmap says where
the middle of an object is, and the cell there says how large it is, how far, and of which
colour.  Departure from the paper: two heatmaps (items, doors) and a softmax over the kinds in
each cell, in place of one heatmap per kind, because most of seventy kinds are rare and share what
makes them an object.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from nl_robot.perception.detectors import Detection, Image, require_frames

STRIDE = 4            # pixels per cell of the heatmaps: a kettle 2 m away fills about three cells
MOST_OBJECTS = 48     # per frame; no frame of a home shows more that can be recognised
DOOR = 'door'


@dataclass(frozen=True)
class DetectorConfig:
    """What the weights in a directory belong to.

    :param kinds: what the detector knows, `door` last
    :param colours: colour words, in the order of the colour head
    :param width, height: of the frames that the network sees, pixels
    :param channels: of its four scales, from fine to coarse
    :param neck: channels of the finest map that the heads read
    :param threshold: lowest score of a detection, where `thresholds` has none for its kind
    :param thresholds: by kind, chosen on validation homes
    :param sha256: of model.safetensors
    """

    kinds: tuple[str, ...]
    colours: tuple[str, ...]
    width: int = 160
    height: int = 120
    channels: tuple[int, int, int, int] = (24, 48, 88, 144)
    neck: int = 64
    threshold: float = 0.3
    thresholds: tuple[tuple[str, float], ...] = ()
    sha256: str = ''

    def __post_init__(self) -> None:
        if not self.kinds or self.kinds[-1] != DOOR:
            raise ValueError(f'DetectorConfig.kinds must end with {DOOR!r}, got {self.kinds!r}')
        if self.width % 16 or self.height % 8:
            raise ValueError('DetectorConfig needs a width that 16 and a height that 8 divides, '
                             f'got {self.width} x {self.height}')


def _block(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
                         nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class _Residual(nn.Module):
    """Two blocks around which the input passes (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(_block(channels, channels), _block(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, h, w) to the same shape."""
        return x + self.blocks(x)


class DetectorNet(nn.Module):
    """Frames to maps of objects, on cells of STRIDE pixels.

    Output channels: 2 heat logits (items, doors), then 5 numbers of the item and 5 of the door
    (offset of the middle from the cell's middle in cells: right, down; log width, log height in
    cells; log distance in metres), then logits of the kinds without door and of the colours.
    """

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        c = config.channels
        self.stem = _block(3, c[0], 2, 5)
        self.fine = nn.Sequential(_block(c[0], c[1], 2), _Residual(c[1]))
        self.middle = nn.Sequential(_block(c[1], c[2], 2), _Residual(c[2]))
        self.coarse = nn.Sequential(_block(c[2], c[3], 2), _Residual(c[3]), _Residual(c[3]))
        self.room = nn.Linear(c[3], c[3])        # what kind of room it is tells kinds apart
        self.up_middle, self.join_middle = nn.Conv2d(c[3], c[2], 1), _block(c[2], c[2])
        self.up_fine, self.side = nn.Conv2d(c[2], config.neck, 1), nn.Conv2d(c[1], config.neck, 1)
        self.join_fine = _block(config.neck, config.neck)
        self.head = _block(config.neck, config.neck)
        self.out = nn.Conv2d(config.neck, 12 + len(config.kinds) - 1 + len(config.colours), 1)
        nn.init.normal_(self.out.weight, std=0.01)
        if self.out.bias is not None:
            with torch.no_grad():
                self.out.bias.zero_()[:2] = -4.0   # objects are rare: RetinaNet's prior, 4.1

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, 3, height, width) in 0..1 to (batch, outputs, height / 4, width / 4)."""
        fine = self.fine(self.stem((frames - 0.5) * 4))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        coarse = coarse + self.room(coarse.mean(dim=(2, 3)))[:, :, None, None]
        middle = self.join_middle(middle + _enlarge(self.up_middle(coarse), middle))
        fine = self.join_fine(self.side(fine) + _enlarge(self.up_fine(middle), fine))
        return self.out(self.head(fine))


def _enlarge(small: Tensor, like: Tensor) -> Tensor:
    """`small` repeated to the height and width of `like`."""
    return nn.functional.interpolate(small, size=like.shape[-2:])


def decode(maps: Tensor, config: DetectorConfig, floor: float = 0.05,
           ) -> list[list[tuple[int, int, float, NDArray[np.float32], float]]]:
    """(kind index, colour index, score, box (x0, y0, x1, y1) px, distance m) of each frame.

    :param maps: (batch, outputs, rows, columns) of `DetectorNet`
    :param floor: lower scores are left out
    """
    heat = torch.sigmoid(maps[:, :2].float())
    peaks = heat * (heat == nn.functional.max_pool2d(heat, 3, 1, 1))
    scores, cells = peaks.flatten(1).topk(min(MOST_OBJECTS, peaks[0].numel()))
    keep = scores > floor
    frame, rank = torch.nonzero(keep, as_tuple=True)
    cell = cells[frame, rank]
    area = heat.shape[2] * heat.shape[3]
    is_door, place = cell // area, cell % area
    row, column = place // heat.shape[3], place % heat.shape[3]
    values = maps.permute(0, 2, 3, 1)[frame, row, column].float()       # (objects, outputs)
    numbers = torch.where(is_door[:, None] == 1, values[:, 7:12], values[:, 2:7])
    kinds = len(config.kinds) - 1
    sure, kind = torch.softmax(values[:, 12:12 + kinds], 1).max(1)
    kind = torch.where(is_door == 1, kinds, kind)
    score = scores[keep] * torch.where(is_door == 1, 1.0, sure)
    colour = values[:, 12 + kinds:].argmax(1)
    middle = torch.stack([column, row], 1) + 0.5 + numbers[:, :2]
    half = numbers[:, 2:4].clamp(-3, 5).exp() / 2
    boxes = STRIDE * torch.cat([middle - half, middle + half], 1).numpy()
    limits = np.array([config.width, config.height] * 2)
    boxes = np.clip(boxes, 0, limits)
    distances = numbers[:, 4].clamp(-3, 3).exp().numpy()
    found: list[list[tuple[int, int, float, NDArray[np.float32], float]]] = [[] for _ in maps]
    for i in torch.argsort(score, descending=True).tolist():
        item = (int(kind[i]), int(colour[i]), float(score[i]), boxes[i], float(distances[i]))
        same = (other[3] for other in found[frame[i]] if other[0] == item[0])
        if item[2] > floor and all(overlap(boxes[i], other) < 0.5 for other in same):
            found[frame[i]].append(item)
    return found


def overlap(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum(float((b[2] - b[0]) * (b[3] - b[1])) for b in (one, other))
    return float(width * height / (areas - width * height))


class EmbeddedDetector:
    """The embedded network as a `Detector`; frames of any size are scaled to what it learned."""

    def __init__(self, net: DetectorNet, config: DetectorConfig, threshold: float | None = None,
                 ) -> None:
        """:param threshold: one for all kinds, in place of those in `config`"""
        self.config = config
        self._net = channels_last(folded(net.eval()))
        self._thresholds = {} if threshold is not None else dict(config.thresholds)
        self._threshold = config.threshold if threshold is None else threshold

    @classmethod
    def load(cls, directory: str | Path | None = None,
             threshold: float | None = None) -> EmbeddedDetector:
        """The detector of a directory, by default models/detector.

        :raises ValueError: says which file is missing or damaged
        """
        directory = Path(directory) if directory else default_directory()
        config = load_config(directory)
        path = directory / 'model.safetensors'
        if not path.is_file():
            raise ValueError(f'{path} is missing: run `nl_robot train-detector`')
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != config.sha256:
            raise ValueError(f'{path} does not match its SHA-256 in config.json: it is damaged or '
                             'was changed; restore it or run `nl_robot train-detector`')
        net = DetectorNet(config)
        try:
            net.load_state_dict({name: value.float() if value.is_floating_point() else value
                                 for name, value in load_tensors(content).items()})
        except RuntimeError as error:
            raise ValueError(f'{path} does not fit its config.json: {error}') from error
        return cls(net, config, threshold)

    def detect(self, images: Sequence[Image]) -> list[list[Detection]]:
        """The detections of each (height, width, 3) RGB frame, with distances."""
        require_frames(images)
        if not images:
            return []
        size = (self.config.width, self.config.height)
        frames = np.stack([image if image.shape[1::-1] == size else
                           cv2.resize(image, size, interpolation=cv2.INTER_AREA)
                           for image in images]).astype(np.uint8, copy=False)
        with torch.inference_mode():
            maps = self._net(as_tensor(frames))
        return [[self._detection(found, image.shape) for found in frame
                 if found[2] >= self._thresholds.get(self.config.kinds[found[0]],
                                                     self._threshold)]
                for frame, image in zip(decode(maps, self.config), images)]

    def _detection(self, found: tuple[int, int, float, NDArray[np.float32], float],
                   shape: tuple[int, ...]) -> Detection:
        """One decoded object in the pixels of its own frame."""
        kind, colour, score, box, distance = found
        scale = np.array([shape[1] / self.config.width, shape[0] / self.config.height] * 2)
        x0, y0, x1, y1 = (box * scale).tolist()
        name = self.config.kinds[kind]
        label = name if name == DOOR else f'{self.config.colours[colour]} {name}'
        return Detection(label, min(score, 1.0), (x0, y0, max(x0, x1), max(y0, y1)), distance,
                         name)


def folded(net: DetectorNet) -> DetectorNet:
    """A copy of a network in evaluation mode whose batch norms are part of its convolutions."""
    net = copy.deepcopy(net)
    for block in list(net.modules()):
        if isinstance(block, nn.Sequential) and len(block) == 3 \
                and isinstance(block[0], nn.Conv2d) and isinstance(block[1], nn.BatchNorm2d):
            block[0], block[1] = fuse_conv_bn_eval(block[0], block[1]), nn.Identity()
    return net


def channels_last(net: DetectorNet) -> DetectorNet:
    """The same network with its weights laid out as a processor likes them best (1.3 x faster)."""
    for parameter in net.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return net


def as_tensor(frames: NDArray[np.uint8]) -> Tensor:
    """(n, height, width, 3) uint8 to (n, 3, height, width) in 0..1, channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255


def default_directory() -> Path:
    """models/detector of the source tree or of the installation."""
    from nl_robot.settings import shared_dir
    return shared_dir('models') / 'detector'


def known_labels(directory: Path | None = None) -> tuple[str, ...]:
    """The kinds that the embedded detector knows: words for any other detector to look for."""
    return load_config(directory or default_directory()).kinds


def load_config(directory: Path) -> DetectorConfig:
    """config.json of a detector's directory; ValueError when it is missing or no such thing."""
    from nl_robot.settings import from_mapping
    path = Path(directory) / 'config.json'
    try:
        return from_mapping(DetectorConfig, json.loads(path.read_text('utf-8')), str(path))
    except FileNotFoundError:
        raise ValueError(f'{path} is missing: run `nl_robot train-detector`, or name a '
                         'directory with a trained detector') from None
    except json.JSONDecodeError as error:
        raise ValueError(f'{path} is not JSON: {error}') from error


def save_detector(net: DetectorNet, config: DetectorConfig, directory: Path) -> DetectorConfig:
    """Write weights (as float16) and config so that each file is whole at any time.

    :returns: the config with the hash of the weights
    """
    content = save_tensors({name: value.half().contiguous() if value.is_floating_point() else value
                            for name, value in net.state_dict().items()})
    config = DetectorConfig(**{**asdict(config),
                               'sha256': hashlib.sha256(content).hexdigest()})
    directory.mkdir(parents=True, exist_ok=True)
    files = {'model.safetensors': content,
             'config.json': json.dumps(asdict(config), indent=1).encode()}
    for name, data in files.items():
        temporary = directory / f'.{name}.tmp'
        temporary.write_bytes(data)
        os.replace(temporary, directory / name)
    return config
