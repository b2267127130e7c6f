"""Sentences for trajectories of a home: several are proposed, two judges must agree.

The generator proposes some, analogies to demonstrations others.  One is kept where the reward
believes that its way fulfils it, and where who hears it and knows the map would go there; where
nobody listens, where the generator finds it more likely for this way than for others of the same
home: what could be said of any way teaches nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nl_robot.homes.labels import Label, Proposal
from nl_robot.homes.trajectories import Trajectory
from nl_robot.learning.arena import Arena
from nl_robot.learning.goal_writing import (
    goal_ids,
    label_walks,
    likelihood,
    trajectory_features,
)
from nl_robot.learning.home_analogies import Analogies, Drafted
from nl_robot.learning.home_lesson import Nets, Said, task_of, walk_of, walks_of
from nl_robot.learning.replay import replay
from nl_robot.learning.walks import Walks
from nl_robot.nets.words import Vocabulary
from nl_robot.worlds.graph import PlaceGraph

Listen = Callable[[PlaceGraph, Sequence[Trajectory], Sequence[str]], NDArray[np.float64]]


@dataclass(frozen=True)
class LabelSettings:
    """How many sentences are proposed, and which are kept.

    :param proposals: of each trajectory by the generator; :param temperature: of the draw of words
    :param analogies: of each trajectory, at most
    :param sure: the reward's probability of having arrived, at least
    :param heard: probability of ending there on hearing it, at least
    :param telling: nats per word by which a sentence fits its own way better than others, at
        least; where nobody listens
    :param others: ways of the same home that it is held against
    """

    proposals: int = 1
    temperature: float = 0.5
    analogies: int = 3
    sure: float = 0.5
    heard: float = 0.3
    telling: float = 0.2
    others: int = 8


def propose(graph: PlaceGraph, trajectories: Sequence[Trajectory], nets: Nets,
            vocabulary: Vocabulary, seed: int, settings: LabelSettings | None = None,
            analogies: Analogies | None = None, listen: Listen | None = None,
            sound: bool = False) -> list[Label]:
    """A label for every trajectory that may be learned from, with judged proposals.

    :param analogies: propose, too; :param listen: (n,) the probability that who hears the nth
        sentence ends where the nth way does
    :param sound: of analogies only what is true by what is seen
    """
    settings = settings or LabelSettings()
    usable = [t for t in trajectories if t.usable and walk_of(graph, t) is not None]
    if not usable:
        return []
    arena = Arena([task_of(graph, t, t.goal) for t in usable], vocabulary)
    walks, rng = walks_of(arena, graph, usable), torch.Generator().manual_seed(seed)
    rounds = [[Drafted(text, False) for text in label_walks(
        nets.generator, arena, walks, temperature=settings.temperature, rng=rng)]
        for _ in range(settings.proposals)]
    if analogies is not None:
        rng_of = np.random.default_rng(seed)
        drafts = [analogies.drafts(graph, way.places[-1], settings.analogies, rng_of, sound)
                  for way in usable]
        rounds += [[few[number] if number < len(few) else Drafted('', False) for few in drafts]
                   for number in range(settings.analogies)]
    found: list[list[Proposal]] = [[] for _ in usable]
    for spoken in rounds:
        judged = judge([draft.text for draft in spoken], arena, walks, nets, settings, rng)
        if listen is not None:
            judged = _listened(judged, graph, usable, listen, settings)
        for row, (draft, proposal) in enumerate(zip(spoken, judged)):
            if proposal.text and proposal.text not in {p.text for p in found[row]}:
                found[row].append(replace(proposal, sound=draft.sound))
    return [Label(number, t, tuple(proposals))
            for number, (t, proposals) in enumerate(zip(usable, found), 1)]


def _listened(judged: Sequence[Proposal], graph: PlaceGraph, ways: Sequence[Trajectory],
              listen: Listen, settings: LabelSettings) -> list[Proposal]:
    """The proposals as judged by who hears them; those that the reward doubts are not said."""
    rows = [row for row, p in enumerate(judged) if p.text and p.arrived >= settings.sure]
    heard = dict(zip(rows, listen(graph, [ways[row] for row in rows],
                                  [judged[row].text for row in rows])))
    found = [float(heard.get(row, 0.0)) for row in range(len(judged))]
    return [replace(p, heard=odds, kept=odds >= settings.heard)
            for p, odds in zip(judged, found)]


@torch.no_grad()
def judge(texts: Sequence[str], arena: Arena, walks: Walks, nets: Nets, settings: LabelSettings,
          rng: torch.Generator) -> list[Proposal]:
    """What reward and generator say of a sentence for each walk."""
    spoken = walks.with_goals(torch.tensor(arena.add_goals(texts)))
    arrived = nets.calibration.slope * _stopping(nets, arena, spoken) + nets.calibration.offset
    odds = torch.sigmoid(arrived)
    telling = _telling(nets, arena, spoken, settings.others, rng)
    return [Proposal(text, float(p), float(t),
                     bool(text) and float(p) >= settings.sure and float(t) > settings.telling)
            for text, p, t in zip(texts, odds, telling)]


def _stopping(nets: Nets, arena: Arena, walks: Walks, width: int = 128) -> Tensor:
    """(b,) the reward's number for stopping where each walk does."""
    numbers = []
    for rows in torch.arange(len(walks)).split(width):
        passage = replay(nets.reward, arena, walks.rows(rows))
        last = passage.walks.mask_is_valid.sum(dim=1) - 1
        numbers.append(passage.outputs[torch.arange(len(rows)), last, 0, 0])
    return torch.cat(numbers)


def _telling(nets: Nets, arena: Arena, walks: Walks, others: int, rng: torch.Generator) -> Tensor:
    """(b,) log p(G | τ) per word less its mean over other ways of the home.

    Pointwise mutual information with the ways for the prior (Li et al., NAACL 2016, eq. 3).
    """
    features, mask = trajectory_features(arena, walks)
    ids, words = goal_ids(arena, walks.goals, nets.generator.table)
    own = likelihood(nets.generator, features, mask, ids, words)
    if len(walks) < 2:
        return torch.ones_like(own)
    rest = []
    for _ in range(others):
        shift = int(torch.randint(1, len(walks), (1,), generator=rng))
        rows = torch.arange(len(walks)).roll(shift)
        rest.append(likelihood(nets.generator, features[rows], mask[rows], ids, words))
    return own - torch.stack(rest).mean(dim=0)


def shuffled(said: Sequence[Said], rng: np.random.Generator) -> list[Said]:
    """The same ways, each with the words of another: sabotage, as a control."""
    order = rng.permutation(len(said))
    return [replace(one, words=said[int(other)].words) for one, other in zip(said, order)]
