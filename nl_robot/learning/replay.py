"""Episodes that were walked, gone through again by a network: all their looks at once."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from nl_robot.learning.arena import Arena
from nl_robot.learning.walks import EXPERT_TEMPERATURE, Passage, Walks
from nl_robot.nets.looking import Seen, Track, action_features
from nl_robot.nets.navigator import Navigator
from nl_robot.nets.recollection import Recollection


def replay(net: Navigator, arena: Arena, walks: Walks, expert: bool = False) -> Passage:
    """What a network says on the way of walks that are known, hearing the goals they carry.

    As `walk` would, had it chosen the same; with noise, what was done could be done.

    :param expert: ask the expert at every place, too
    :returns: padded to the longest of these walks
    """
    order, counts = _longest_first(walks)
    walks = _shortened(walks, len(counts))
    inside = walks.mask_is_valid[order].T.nonzero()         # by step, then by episode
    step, row = inside[:, 0], order[inside[:, 1]]
    words = net.read(*arena.words(walks.goals[order]))
    seen, track = _looks(arena, walks, row, step)
    if net.remembers:
        track = _recollected(seen, track, counts)
    look = net.look(words.ids[inside[:, 1]], seen, track, net.agreement(arena.known))
    said = net.follow(words, look, counts)
    right = (arena.expert(walks.tasks[row], walks.places[row, step], seen.mask_way_is_valid,
                          EXPERT_TEMPERATURE) if expert else None)

    def padded(found: Tensor) -> Tensor:
        """(n, ...) in the order of the looks → (b, T, ...)."""
        return found.new_zeros(*walks.places.shape, *found.shape[1:]).index_put((row, step),
                                                                                 found)
    return Passage(walks, padded(said), padded(look.mask_is_valid),
                   None if right is None else padded(right))


def _recollected(seen: Seen, track: Track, counts: list[int]) -> Track:
    """The same looks with what was seen at the places before each.

    :param seen: n looks, those of the first step of all episodes, then those of the second
    :param counts: how many episodes have a first step, a second ...
    """
    known = Recollection.begin(counts[0], track.yaw.device)
    parts, begin = [], 0
    for count in counts:
        known, rows = known.rows(slice(0, count)), slice(begin, begin + count)
        parts.append(known)
        now = replace(track.rows(rows), recollection=known)
        after = now.remember(seen.rows(rows)).recollection
        assert after is not None
        known, begin = after, begin + count
    return replace(track, recollection=Recollection.together(parts))


def _longest_first(walks: Walks) -> tuple[Tensor, list[int]]:
    """(b,) the episodes by length, and how many have a first decision, a second, and so on."""
    order = torch.argsort(walks.mask_is_valid.sum(dim=1), descending=True, stable=True)
    return order, [count for count in walks.mask_is_valid.sum(dim=0).tolist() if count]


def _shortened(walks: Walks, steps: int) -> Walks:
    """The same without columns in which nobody decides."""
    return Walks(walks.tasks, walks.goals, walks.places[:, :steps], walks.actions[:, :steps],
                 walks.mask_is_valid[:, :steps], walks.success, walks.oracle, walks.stopped,
                 walks.last, walks.travelled)


def facing_of(arena: Arena, walks: Walks) -> tuple[Tensor, Tensor]:
    """(b, T) where each episode faces at its decisions, and (b, T, 3) the ways it then took.

    Radians in the map; a way is 0 where it stopped.
    """
    ways = arena.way(walks.places, (walks.actions - 1).clamp(min=0))
    ways = torch.where((walks.actions > 0)[..., None], ways, 0.0)
    first = arena.yaw[walks.tasks][:, None]
    return torch.cat([first, ways[:, :-1, 0]], dim=1), ways


def _looks(arena: Arena, walks: Walks, row: Tensor, step: Tensor) -> tuple[Seen, Track]:
    """What is seen at decision `step` of episode `row`, (n,) both, and what led there."""
    yaws, ways = facing_of(arena, walks)
    ways = torch.cat([(ways[..., 0] - yaws)[..., None], ways[..., 1:]], dim=2)
    features = torch.nn.functional.pad(action_features(ways[:, :-1]), (0, 0, 1, 0))
    columns = step[:, None] - torch.arange(walks.places.shape[1] - 1, -1, -1, device=step.device)
    points = arena.points[walks.places[row[:, None], columns.clamp(min=0)]]
    points = torch.where((columns >= 0)[..., None], points, torch.nan)      # the present one last
    seen = arena.seen(walks.places[row, step], yaws[row, step])
    done = walks.actions[row, step]
    moved = torch.nonzero(done > 0)[:, 0]
    seen.mask_way_is_valid[moved, done[moved] - 1] = True
    return seen, Track(points, yaws[row, step], features[row, step])
