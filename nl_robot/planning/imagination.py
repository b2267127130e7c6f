"""All shortest routes from where one stands, imagined at once over a map that is known.

The routes to all places share their beginnings, so they are a tree, and a network goes through it
level by level: every place is looked at once, not once for every route that passes it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nl_robot.learning.arena import Arena
from nl_robot.learning.walks import NO_CHOICE, Walks
from nl_robot.nets.looking import Seen, Track
from nl_robot.nets.navigator import Agreement, Navigator
from nl_robot.worlds.graph import PlaceGraph

# per level: places, their parents' positions in the level before, columns, metres
Level = tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class Tree:
    """The routes of b tasks: n nodes, level after level, each where a route may end.

    :param task: (n,) which of the b tasks; :param place: (n,) arena place
    :param parent: (n,) the node before, -1 at a start; :param column: (n,) the way taken there,
        -1 at a start; :param metres: (n,) from the start
    :param levels: number of nodes of every level; their sum is n
    """

    task: Tensor
    place: Tensor
    parent: Tensor
    column: Tensor
    metres: Tensor
    levels: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.task)

    def depths(self) -> Tensor:
        """(n,) ways that lead to each node."""
        return torch.repeat_interleave(torch.arange(len(self.levels), device=self.task.device),
                                       torch.tensor(self.levels, device=self.task.device))


class Routes:
    """The shortest routes over the graphs of an arena; what a start has is worked out once.

    :param longest: ways that a route has at most
    """

    def __init__(self, arena: Arena, longest: int = 10) -> None:
        self.arena, self._longest = arena, longest
        self._known: dict[tuple[int, int], list[Level]] = {}

    def tree(self, tasks: Tensor) -> Tree:
        """The routes of some tasks of the arena."""
        rows: list[list[np.ndarray]] = []
        before = [np.zeros(0, np.int64)] * len(tasks)       # nodes of the level before, by task
        count, levels = 0, []
        all_levels = [self._levels(self.arena.tasks[number].graph, self.arena.tasks[number].place)
                      for number in tasks.tolist()]
        first = [int(self.arena.start[number]) - self.arena.tasks[number].place
                 for number in tasks.tolist()]
        for level in range(max(map(len, all_levels))):
            size = 0
            for row, found in enumerate(all_levels):
                if level >= len(found):
                    continue
                places, parents, columns, metres = found[level]
                rows.append([np.full(len(places), row), places + first[row],
                             before[row][parents] if level else parents, columns, metres])
                before[row] = count + size + np.arange(len(places))
                size += len(places)
            count += size
            levels.append(size)
        device = self.arena.device
        task, place, parent, column = (torch.from_numpy(np.concatenate(part).astype(
            np.int64)).to(device) for part in zip(*(row[:4] for row in rows)))
        far = torch.from_numpy(np.concatenate([row[4] for row in rows]).astype(np.float32))
        return Tree(task, place, parent, column, far.to(device), tuple(levels))

    def _levels(self, graph: PlaceGraph, start: int) -> list[Level]:
        """What is reached by so many ways from a place; see `Level`."""
        key = id(graph), start
        if key not in self._known:
            self._known[key] = _levels_from(graph, start, self._longest, self.arena.ends.shape[1])
        return self._known[key]


def _levels_from(graph: PlaceGraph, start: int, longest: int, widest: int
                 ) -> list[Level]:
    """See `Routes._levels`; ways beyond the `widest` first ones of a place are not seen."""
    last, metres = graph.last_ways[start], graph.distances_between[start]
    parents = np.where(last >= 0, graph.ways[last, 0].astype(int), -1)
    levels: list[Level] = [(np.array([start]), np.array([-1]),
                            np.array([-1]), np.zeros(1))]
    while len(levels) <= longest:
        here = levels[-1][0]
        position = {int(place): row for row, place in enumerate(here)}
        places = np.array([p for p in np.flatnonzero(np.isin(parents, here) & (last >= 0))
                           if _column(graph, int(last[p])) < widest], np.int64)
        if not len(places):
            break
        levels.append((places, np.array([position[int(parents[p])] for p in places]),
                       np.array([_column(graph, int(last[p])) for p in places]),
                       metres[places].astype(float)))
    return levels


def _column(graph: PlaceGraph, row: int) -> int:
    """Which of the ways of its place a way is."""
    return int(np.searchsorted(graph.way_rows[int(graph.ways[row, 0])], row))


@dataclass(frozen=True)
class Imagined:
    """What a network says of every node of a tree.

    :param stop: (n,) of stopping there: the number itself; :param log_stop: and as log π
    :param log_way: (n,) log π of the ways that lead there, summed
    :param asked: (n,) bool, nodes that it was asked about; of others all numbers are NO_CHOICE
    """

    stop: Tensor
    log_stop: Tensor
    log_way: Tensor
    asked: Tensor


def imagine(net: Navigator, arena: Arena, tasks: Tensor, tree: Tree, goals: Tensor | None = None,
            least: float = -math.inf, asked: Tensor | None = None) -> Imagined:
    """Go through a tree with a network; `net` is to be in eval mode, nothing is learned.

    :param tasks: (b,) those that the tree was made of
    :param goals: (b,) the words to hear instead of the tasks' own
    :param least: log π of the ways to a node, below which nobody goes on from there
    :param asked: (n,) bool, nodes to ask about at most; with each of them all before it
    """
    with torch.inference_mode():
        words = net.read(*arena.words(arena.goal[tasks] if goals is None else goals))
        agreement = net.agreement(arena.known)
        state = net.start(words)
        track = Track.begin(arena.points[arena.start[tasks]], arena.yaw[tasks], net.remembers)
        count, device = len(tree), arena.device
        stop, log_stop, log_way = (torch.full((count,), NO_CHOICE, device=device)
                                   for _ in range(3))
        reached = torch.zeros(count, dtype=torch.bool, device=device)
        row_of = torch.full((count,), -1, dtype=torch.long, device=device)
        begin = 0
        log_choice = torch.zeros(0)
        for level, size in enumerate(tree.levels):
            nodes = torch.arange(begin, begin + size, device=device)
            begin += size
            row, so_far = nodes, torch.zeros(size, device=device)     # nothing is before a start
            if level:
                nodes = nodes[reached[tree.parent[nodes]]]
                row = row_of[tree.parent[nodes]]
                so_far = log_way[tree.parent[nodes]] + log_choice[row, 1 + tree.column[nodes]]
            on = so_far >= least
            if asked is not None:
                on &= asked[nodes]
            nodes, row, so_far = nodes[on], row[on], so_far[on]
            if not len(nodes):
                break
            task, place = tree.task[nodes], tree.place[nodes]
            if level:
                way = arena.way(tree.place[tree.parent[nodes]], tree.column[nodes])
                turned = torch.cat([way[:, :1] - track.yaw[row][:, None], way[:, 1:]], dim=1)
                state = state.rows(row)
                track = track.rows(row).go(arena.points[place], way[:, 0], turned)
            here, seen = words.rows(task), arena.seen(place, track.yaw)
            outputs, state, log_choice = _heard(net, here, state, seen, track, agreement)
            track = track.remember(seen)
            reached[nodes], row_of[nodes] = True, torch.arange(len(nodes), device=device)
            stop[nodes], log_stop[nodes], log_way[nodes] = outputs, log_choice[:, 0], so_far
        return Imagined(stop, log_stop, log_way, reached)


def _heard(net: Navigator, words: Any, state: Any, seen: Seen, track: Track, agreement: Agreement
           ) -> tuple[Tensor, Any, Tensor]:
    """(n,) the number for stopping, the state after it, and (n, 1 + k) log π of the choices."""
    look = net.look(words.ids, seen, track, agreement)
    outputs, state = net(words, state, look)
    logits = outputs[..., 0].masked_fill(~look.mask_is_valid, NO_CHOICE)
    return outputs[:, 0, 0], state, torch.log_softmax(logits, dim=1)


def walks_to(arena: Arena, tasks: Tensor, tree: Tree, nodes: Tensor,
             goals: Tensor | None = None) -> Walks:
    """The routes that end at some nodes, as walks that stop there.

    :param nodes: (r,) of the tree
    :param goals: (b,) the words that they are paired with, instead of the tasks' own
    """
    backwards: list[Sequence[Tensor]] = []
    node = nodes
    while (node >= 0).any():
        known = node >= 0
        safe = node.clamp(min=0)
        backwards.append((torch.where(known, tree.place[safe], -1),
                          torch.where(known, tree.column[safe], -1)))
        node = torch.where(known, tree.parent[safe], -1)
    places, columns = (torch.stack(part[::-1], dim=1) for part in zip(*backwards))
    shift = (places >= 0).to(torch.int8).argsort(dim=1, descending=True, stable=True)
    places, columns = places.gather(1, shift), columns.gather(1, shift)
    valid = places >= 0
    arrived_by = torch.nn.functional.pad(columns[:, 1:], (0, 1), value=-1)
    task = tasks[tree.task[nodes]]
    heard = arena.goal[tasks] if goals is None else goals
    last = tree.place[nodes]
    success = arena.fulfilled(task, last)
    return Walks(task, heard[tree.task[nodes]], places.clamp(min=0),
                 torch.where(valid, arrived_by + 1, 0).clamp(min=0), valid, success, success,
                 torch.ones_like(success), last, tree.metres[nodes])
