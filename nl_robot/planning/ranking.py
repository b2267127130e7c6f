"""Which of the imagined routes the goal asks for: what policy, reward and generator say of it.

Pragmatic inference (Fried et al., NAACL 2018, section 3.2) chose among the routes of a follower by
what a speaker would say of them.  Here the candidates are the shortest routes to all places of a
map, and the learned reward has a say, too; how much each counts is fitted to ways set aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nl_robot.evaluation import Result
from nl_robot.learning.arena import Arena
from nl_robot.learning.goal_writing import goal_ids, likelihood, trajectory_features
from nl_robot.nets.goal_generator import GoalGenerator
from nl_robot.nets.navigator import Navigator
from nl_robot.planning.imagination import Routes, Tree, imagine, walks_to

OPINIONS = ('policy', 'reward', 'reward_way', 'words', 'ways')
SHORTLIST = 24          # routes that the goal generator is asked about
TOGETHER = 16           # tasks whose routes are imagined at a time
RIDGE = 1e-2            # on weights of opinions in units of their spread
NOTHING = -1e9
LEAST = -8.0             # log π of a route below which nobody imagines it further


@dataclass(frozen=True)
class Ranking:
    """How much each opinion counts; stored in the checkpoint's config.json.

    :param policy: log π of walking the route and stopping at its end
    :param reward: the reward's number for stopping there
    :param reward_way: log softmax of the reward's numbers along the route
    :param words: log p(goal | route) of the goal generator
    :param ways: how many ways the route has
    """

    policy: float = 0.4
    reward: float = 0.65
    reward_way: float = 0.0
    words: float = 0.0
    ways: float = 0.0

    def weights(self) -> Tensor:
        """(opinions,)"""
        return torch.tensor([getattr(self, name) for name in OPINIONS])


@dataclass(frozen=True)
class Ranked:
    """The shortlisted routes of b tasks, r each, padded; the best is the one to drive.

    :param nodes: (b, r) of the tree, -1 where padding; :param opinions: (b, r, opinions)
    """

    tree: Tree
    nodes: Tensor
    opinions: Tensor

    def scores(self, ranking: Ranking) -> Tensor:
        """(b, r) the higher the better."""
        scores = self.opinions @ ranking.weights().to(self.opinions)
        return scores.masked_fill(self.nodes < 0, NOTHING)

    def best(self, ranking: Ranking) -> Tensor:
        """(b,) the best node of each task."""
        return self.nodes.gather(1, self.scores(ranking).argmax(dim=1, keepdim=True))[:, 0]


class RoutePlanner:
    """Imagines the routes of tasks over the maps of an arena and asks the networks about them.

    :param generator: None for opinions without words
    """

    def __init__(self, arena: Arena, policy: Navigator, reward: Navigator,
                 generator: GoalGenerator | None = None, longest: int = 10) -> None:
        self.arena, self.policy, self.reward = arena, policy.eval(), reward.eval()
        self.generator = None if generator is None else generator.eval()
        self._routes = Routes(arena, longest)

    def rank(self, tasks: Tensor, goals: Tensor | None = None) -> Ranked:
        """What is thought of the routes of some tasks.

        :param tasks: (b,) numbers in the arena
        :param goals: (b,) the words to hear instead of the tasks' own
        """
        tree = self._routes.tree(tasks)
        followed = imagine(self.policy, self.arena, tasks, tree, goals, least=LEAST)
        judged = imagine(self.reward, self.arena, tasks, tree, goals, asked=followed.asked)
        walked = followed.log_way + followed.log_stop
        nodes = _shortlisted(tree, walked + judged.stop / 2, followed.asked, len(tasks))
        at = nodes.clamp(min=0)
        words = torch.zeros_like(at, dtype=torch.float32)
        if self.generator is not None:
            known = nodes >= 0
            words[known] = self._words(tasks, tree, nodes[known], goals)
        opinions = torch.stack([walked[at], judged.stop[at],
                                (judged.log_way + judged.log_stop)[at], words,
                                tree.depths()[at].float()], dim=2)
        return Ranked(tree, nodes, opinions)

    def rank_all(self, at_most: int | None = None) -> list[tuple[Tensor, Ranked]]:
        """All tasks of the arena, or `at_most` of them from here and there, some at a time."""
        everyone = torch.arange(len(self.arena.tasks), device=self.arena.device)
        if at_most is not None:
            everyone = everyone[::-(-len(everyone) // at_most)]
        with torch.inference_mode():
            return [(chunk, self.rank(chunk)) for chunk in everyone.split(TOGETHER)]

    def all_opinions(self, at_most: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Of the same tasks: (b, r, opinions), and (b, r) bool: it is a route, and a right one."""
        rows = []
        for tasks, found in self.rank_all(at_most):
            at = found.nodes.clamp(min=0)
            good = self.arena.fulfilled(tasks[found.tree.task[at]].flatten(),
                                        found.tree.place[at].flatten()).view_as(at)
            rows.append((found.opinions, found.nodes >= 0, good))
        widest = max(mask.shape[1] for _, mask, _ in rows)

        def padded(part: Tensor) -> Tensor:
            room = (0, 0) * (part.ndim - 2) + (0, widest - part.shape[1])
            return torch.nn.functional.pad(part, room)
        opinions, mask, good = (torch.cat([padded(part) for part in parts]).clone()
                                for parts in zip(*rows))
        return opinions, mask, good

    def _words(self, tasks: Tensor, tree: Tree, nodes: Tensor, goals: Tensor | None) -> Tensor:
        """(r,) log p(goal | route) of the routes that end at some nodes."""
        assert self.generator is not None
        walks, said = walks_to(self.arena, tasks, tree, nodes, goals), []
        for rows in torch.arange(len(walks), device=self.arena.device).split(256):
            part = walks.rows(rows)
            ids, mask = goal_ids(self.arena, part.goals, self.generator.table)
            said.append(mask.sum(dim=1) * likelihood(
                self.generator, *trajectory_features(self.arena, part), ids, mask))
        return torch.cat(said)


def _shortlisted(tree: Tree, promise: Tensor, asked: Tensor, count: int) -> Tensor:
    """(count, r) the most promising nodes of every task, -1 where it has fewer."""
    order = torch.argsort(promise, descending=True)
    order = order[torch.argsort(tree.task[order], stable=True)]
    order = order[asked[order]]
    sizes = torch.bincount(tree.task[order], minlength=count)
    first = torch.cumsum(sizes, 0) - sizes
    column = torch.arange(min(SHORTLIST, int(sizes.max())), device=order.device)
    rows = (first[:, None] + column).clamp(max=len(order) - 1)
    return torch.where(column < sizes[:, None], order[rows], -1)


def fitted(opinions: Tensor, mask: Tensor, fulfilled: Tensor,
           names: Sequence[str] = OPINIONS) -> Ranking:
    """The weights under which a draw among the routes of a task is likeliest to fulfil its goal.

    Conditional logit (McFadden 1974) with a ridge; tasks that no route fulfils say nothing.

    :param opinions: (b, r, opinions); :param mask: (b, r) bool, routes that there are
    :param fulfilled: (b, r) bool
    :param names: opinions that may count
    :raises ValueError: no task has a route that fulfils it
    """
    opinions, mask, fulfilled = opinions.cpu(), mask.cpu(), fulfilled.cpu()
    some = (fulfilled & mask).any(dim=1)
    if not some.any():
        raise ValueError('no route fulfils any of the goals: there is nothing to fit to')
    chosen = [OPINIONS.index(name) for name in names]
    values, mask, good = (part[some] for part in (opinions[..., chosen].double(), mask, fulfilled))
    spread = values[mask].std(dim=0).clamp(min=1e-6)
    values = values / spread
    weights = torch.zeros(len(chosen), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200)

    def loss() -> Tensor:
        optimizer.zero_grad()
        scores = (values @ weights).masked_fill(~mask, NOTHING)
        right = torch.logsumexp(scores.masked_fill(~good, NOTHING), 1)
        value = (torch.logsumexp(scores, 1) - right).mean() + RIDGE * (weights ** 2).sum()
        value.backward()
        return value
    with torch.enable_grad():
        optimizer.step(loss)  # type: ignore[arg-type]
    return Ranking(**{name: 0.0 for name in OPINIONS}
                   | {name: float(value) for name, value in zip(names, weights.detach() / spread)})


def driven(arena: Arena, tasks: Tensor, found: Ranked, ranking: Ranking) -> list[Result]:
    """The outcome of driving the best route of each task."""
    node = found.best(ranking)
    place, metres = found.tree.place[node], found.tree.metres[node]
    success = arena.fulfilled(tasks, place)
    shortest, error = arena.cost(tasks, arena.start[tasks]), arena.cost(tasks, place)
    return [Result(bool(good), float(left), float(gone), float(least), bool(good), 0, 0,
                   arena.tasks[int(task)].tags)
            for task, good, left, gone, least in zip(tasks, success, error, metres, shortest)]


def all_driven(planner: RoutePlanner, ranking: Ranking) -> list[Result]:
    """The outcome of driving the best route of every task of a planner's arena, in their order."""
    return [result for tasks, found in planner.rank_all()
            for result in driven(planner.arena, tasks, found, ranking)]
