"""Training of the embedded detector: pictures and boxes in, weights out; resumable."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from nl_robot.perception.detector_examples import Pictures, Targets, make_targets
from nl_robot.perception.detector_scores import (
    Seen,
    Tally,
    add_tallies,
    best_thresholds,
    match,
    tally,
    together,
)
from nl_robot.perception.embedded import (
    DetectorConfig,
    DetectorNet,
    as_tensor,
    channels_last,
    decode,
    save_detector,
)


@dataclass(frozen=True)
class TrainingSettings:
    """How the detector is trained.

    :param steps: optimiser steps of the whole run
    :param minutes: the run ends earlier when this much time was spent; 0 for no limit
    :param batch: frames per step
    :param learning_rate: at its highest; warmed up over `warmup` of the run, then a cosine to 0
    :param ema: decay of the averaged weights, which are the ones that are kept
    :param least_pixels: smaller objects are neither taught nor punished
    :param asked_pixels, asked_distance: what validation asks for: at least so many visible
        pixels (48 are a quarter of a percent of a frame), at most so far, metres
    :param check_every: seconds between validations
    """

    steps: int = 6000
    minutes: float = 0.0
    batch: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    warmup: float = 0.03
    ema: float = 0.998
    least_pixels: int = 20
    asked_pixels: int = 48
    asked_distance: float = 3.0
    check_every: float = 240.0


def heat_loss(logits: Tensor, heat: Tensor, weight: Tensor) -> Tensor:
    """CenterNet's focal loss (Zhou et al. 2019, equation 1; alpha 2, beta 4) per object.

    :param logits, heat, weight: (batch, 2, rows, columns)
    """
    is_middle = (heat > 0.999).float()
    log_yes = torch.nn.functional.logsigmoid(logits)
    log_no = torch.nn.functional.logsigmoid(-logits)
    yes = log_yes.exp()
    gain = is_middle * (1 - yes) ** 2 * log_yes \
        + (1 - is_middle) * (1 - heat) ** 4 * yes ** 2 * log_no * weight
    return -gain.sum() / is_middle.sum().clamp(min=1)


def detector_loss(maps: Tensor, targets: Targets, kinds: int) -> tuple[Tensor, dict[str, float]]:
    """The sum that is minimised, and its parts by name.

    :param maps: (batch, outputs, rows, columns) of `DetectorNet`
    :param kinds: number of kinds without door
    """
    cross_entropy = torch.nn.functional.cross_entropy
    loss_heat = heat_loss(maps[:, :2], targets.heat, targets.weight)
    if not len(targets.cells):
        return loss_heat, {'heat': loss_heat.item()}
    image, layer, row, column = targets.cells.T
    values = maps.permute(0, 2, 3, 1)[image, row, column]            # (points, outputs)
    numbers = torch.where(layer[:, None] == 1, values[:, 7:12], values[:, 2:7])
    loss_box = (numbers[:, :4] - targets.numbers[:, :4]).abs().mean()
    loss_distance = (numbers[:, 4] - targets.numbers[:, 4]).abs().mean()
    loss_kind = cross_entropy(values[:, 12:12 + kinds], targets.kinds, ignore_index=-1,
                              reduction='sum') / max(int((targets.kinds >= 0).sum()), 1)
    loss_colour = cross_entropy(values[:, 12 + kinds:], targets.colours, ignore_index=-1,
                                reduction='sum') / max(int((targets.colours >= 0).sum()), 1)
    parts = {'heat': loss_heat, 'box': loss_box, 'distance': loss_distance, 'kind': loss_kind,
             'colour': loss_colour}
    total = loss_heat + loss_box + loss_distance + loss_kind + 0.5 * loss_colour
    return total, {name: part.item() for name, part in parts.items()}


def learning_rate_at(share: float, settings: TrainingSettings) -> float:
    """The learning rate when `share` (0..1) of the run is done."""
    if share < settings.warmup:
        return settings.learning_rate * (0.05 + 0.95 * share / settings.warmup)
    rest = (min(share, 1.0) - settings.warmup) / (1 - settings.warmup)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * rest))


def predicted(net: DetectorNet, config: DetectorConfig, pictures: Pictures, limit: int,
              floor: float = 0.1) -> Iterator[tuple[list[Seen], NDArray[np.float32]]]:
    """What the network finds in every frame (at most `limit`, evenly spread), and the truth."""
    net.eval()
    chosen = np.linspace(0, len(pictures) - 1, min(limit, len(pictures))).astype(int)
    for begin in range(0, len(chosen), 32):
        frames, boxes = pictures.batch(chosen[begin:begin + 32].tolist())
        with torch.inference_mode():
            maps = net(as_tensor(frames))
        for position, found in enumerate(decode(maps, config, floor)):
            yield [Seen(config.kinds[kind], float(box[0] + box[2]) / 2,
                        float(box[2] - box[0]) / 2, score, distance,
                        colour=config.colours[colour] if kind < len(config.kinds) - 1 else '')
                   for kind, colour, score, box, distance in found], \
                boxes[boxes[:, 0] == position]


def true_things(boxes: NDArray[np.float32], config: DetectorConfig,
                settings: TrainingSettings) -> list[Seen]:
    """The boxes (n, 9) of one frame as things to be found."""
    return [Seen(config.kinds[int(box[1])], float(box[3] + box[5]) / 2,
                 float(box[5] - box[3]) / 2, 1.0, float(box[8]),
                 bool(box[7] >= settings.asked_pixels and box[8] <= settings.asked_distance),
                 config.colours[int(box[2])] if box[2] >= 0 else '') for box in boxes]


def calibrate(net: DetectorNet, config: DetectorConfig, pictures: Pictures,
              settings: TrainingSettings, limit: int) -> tuple[DetectorConfig, dict[str, Tally]]:
    """The config with the thresholds that are best on `pictures`, and the counts at them.

    A kind with fewer than 30 examples takes the threshold that is best for all.
    """
    tolerance = 0.075 * config.width
    frames = [(found, true_things(boxes, config, settings))
              for found, boxes in predicted(net, config, pictures, limit)]
    claims: dict[str, list[tuple[float, bool]]] = {}
    present: dict[str, int] = {}
    for found, true in frames:
        for thing, partner in zip(found, match(found, true, tolerance)):
            if thing.distance <= settings.asked_distance:
                claims.setdefault(thing.kind, []).append((thing.score, partner >= 0))
        for thing in true:
            present[thing.kind] = present.get(thing.kind, 0) + thing.counts
    grid = np.arange(0.1, 0.75, 0.025)

    def best(kinds: Sequence[str]) -> float:
        pairs = np.array([pair for kind in kinds for pair in claims.get(kind, [])]).reshape(-1, 2)
        return round(best_thresholds(pairs[:, 0], pairs[:, 1] > 0.5,
                                     sum(present.get(kind, 0) for kind in kinds), grid), 3)
    thresholds = tuple((kind, best([kind])) for kind in config.kinds
                       if present.get(kind, 0) >= 30)
    config = replace(config, threshold=best(config.kinds), thresholds=thresholds)
    by_kind = dict(thresholds)
    total: dict[str, Tally] = {}
    for found, true in frames:
        kept = [replace(thing, counts=thing.distance <= settings.asked_distance) for thing in found
                if thing.score >= by_kind.get(thing.kind, config.threshold)]
        add_tallies(total, tally(kept, true, tolerance))
    return config, total


class Trainer:
    """One run: its network, its averaged twin, its optimiser, and how far it has come."""

    def __init__(self, config: DetectorConfig, settings: TrainingSettings, seed: int) -> None:
        torch.manual_seed(seed)
        self.config, self.settings, self.seed = config, settings, seed
        self.net = channels_last(DetectorNet(config))
        self.average = DetectorNet(config)
        self.average.load_state_dict(self.net.state_dict())
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=settings.learning_rate,
                                           weight_decay=settings.weight_decay)
        self.step, self.seconds, self.best = 0, 0.0, -1.0

    @property
    def share(self) -> float:
        """How much of the run is done, 0 to 1."""
        by_time = self.seconds / 60 / self.settings.minutes if self.settings.minutes else 0.0
        return max(self.step / self.settings.steps, by_time)

    def learn(self, pictures: Pictures) -> dict[str, float]:
        """One step on a random batch; returns the parts of the loss."""
        begin = time.monotonic()
        rng = np.random.default_rng([self.seed, self.step])
        frames, boxes = pictures.batch(
            rng.integers(len(pictures), size=self.settings.batch).tolist(), rng)
        targets = make_targets(boxes, len(frames), self.config, self.settings.least_pixels)
        for group in self.optimiser.param_groups:
            group['lr'] = learning_rate_at(self.share, self.settings)
        self.net.train()
        with torch.autocast('cpu', torch.bfloat16):
            maps = self.net(as_tensor(frames))
        loss, parts = detector_loss(maps.float(), targets, len(self.config.kinds) - 1)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self._follow()
        self.step += 1
        self.seconds += time.monotonic() - begin
        return parts

    def _follow(self) -> None:
        """Move the averaged weights a little towards the current ones."""
        decay = min(self.settings.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            current = self.net.state_dict()
            for name, value in self.average.state_dict().items():
                if value.is_floating_point():
                    value.lerp_(current[name], 1 - decay)
                else:
                    value.copy_(current[name])

    def save(self, path: Path) -> None:
        """Everything that is needed to go on: plain tensors and numbers."""
        tensors = {f'{part}.{name}': value.contiguous()
                   for part, module in (('net', self.net), ('average', self.average))
                   for name, value in module.state_dict().items()}
        tensors |= {f'optimiser.{number}.{name}': torch.as_tensor(value).contiguous()
                    for number, state in self.optimiser.state_dict()['state'].items()
                    for name, value in state.items()}
        temporary = path.with_suffix('.tmp')
        save_file(tensors, temporary, {'step': str(self.step), 'seconds': repr(self.seconds),
                                       'best': repr(self.best)})
        os.replace(temporary, path)

    def resume(self, path: Path) -> None:
        """Go on from what `save` wrote."""
        with safe_open(path, 'pt') as file:
            numbers = file.metadata()
            parts: dict[str, dict[str, Tensor]] = {'net': {}, 'average': {}, 'optimiser': {}}
            for key in file.keys():
                part, _, name = key.partition('.')
                parts[part][name] = file.get_tensor(key)
        self.net.load_state_dict(parts['net'])
        self.average.load_state_dict(parts['average'])
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in parts['optimiser'].items():
            number, _, name = key.partition('.')
            moments.setdefault(int(number), {})[name] = value
        self.optimiser.load_state_dict({
            'state': moments, 'param_groups': self.optimiser.state_dict()['param_groups']})
        self.step, self.seconds = int(numbers['step']), float(numbers['seconds'])
        self.best = float(numbers['best'])


def train(trainer: Trainer, pictures: Pictures, validation: Pictures, output: Path, state: Path,
          tell: Callable[[str], None], frames_to_check: int = 800) -> None:
    """Run to the end; whenever validation gets better, the directory `output` does, too."""
    settings, checked, told = trainer.settings, time.monotonic(), 0.0
    while trainer.share < 1.0:
        parts = trainer.learn(pictures)
        if time.monotonic() - told > 20:
            told = time.monotonic()
            tell(f'step {trainer.step} {trainer.share:.1%} ' + ' '.join(
                f'{name} {value:.3f}' for name, value in parts.items()))
        if trainer.share >= 1.0 or time.monotonic() - checked > settings.check_every:
            config, tallies = calibrate(trainer.average, trainer.config, validation, settings,
                                        frames_to_check * (1 if trainer.share < 1 else 4))
            total = together(tallies)
            f1 = 2 * total.recall * total.precision / max(total.recall + total.precision, 1e-9)
            tell(f'validation after {trainer.step} steps: precision {total.precision:.3f} recall '
                 f'{total.recall:.3f} F1 {f1:.3f}')
            if f1 > trainer.best or trainer.share >= 1.0:
                trainer.best = max(f1, trainer.best)
                save_detector(trainer.average, config, output)
            trainer.save(state)
            checked = time.monotonic()
