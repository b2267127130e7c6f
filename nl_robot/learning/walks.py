"""Episodes side by side: walked by a network or the expert, kept, and gone through again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from nl_robot.evaluation import Result
from nl_robot.learning.arena import Arena
from nl_robot.nets.looking import Acting, Calibration, Seen, Track, discouragement
from nl_robot.nets.navigator import Navigator, NavigatorSettings
from nl_robot.nets.recurrent import RecurrentNavigator

NO_CHOICE = -1e9        # the logit of padding: exp gives exactly 0, and no gradient is nan
_SILENT = NavigatorSettings(width=4, state=4, heads=1, sightings=False)     # nobody hears it
EXPERT_TEMPERATURE = 0.3    # metres; ways that differ by less are about equally right


@dataclass
class Walks:
    """b episodes, padded to T steps.

    :param tasks: (b,) numbers of the arena's tasks: start, heading, what is fulfilled where
    :param goals: (b,) numbers in `Arena.goals`: the words that it is paired with
    :param places: (b, T) arena places at which the decisions were taken
    :param actions: (b, T) 0 to stop, 1 + k for way k of the place
    :param mask_is_valid: (b, T) bool, decisions that were taken
    :param success: (b,) bool, stopped where the task is fulfilled
    :param oracle: (b,) bool, passed such a place
    :param stopped: (b,) bool; :param last: (b,) where it ended; :param travelled: (b,) metres
    """

    tasks: Tensor
    goals: Tensor
    places: Tensor
    actions: Tensor
    mask_is_valid: Tensor
    success: Tensor
    oracle: Tensor
    stopped: Tensor
    last: Tensor
    travelled: Tensor

    def __len__(self) -> int:
        return len(self.tasks)

    def rows(self, rows: Tensor) -> Walks:
        """Some of the episodes."""
        return Walks(*(getattr(self, field.name)[rows] for field in fields(self)))

    def with_goals(self, goals: Tensor) -> Walks:
        """The same ways paired with other words."""
        return Walks(self.tasks, goals, *(getattr(self, field.name)
                                          for field in fields(self)[2:]))


def together(parts: Sequence[Walks]) -> Walks:
    """Walks one after the other, padded to the longest."""
    longest = max(part.places.shape[1] for part in parts)

    def joined(name: str) -> Tensor:
        rows = [getattr(part, name) for part in parts]
        if rows[0].ndim == 2:
            rows = [torch.nn.functional.pad(x, (0, longest - x.shape[1])) for x in rows]
        return torch.cat(rows)
    return Walks(*(joined(field.name) for field in fields(Walks)))


@dataclass
class Choosing:
    """What a chooser may look at: one decision of the episodes `rows` that still run.

    :param step: number of the decision; :param rows: (r,) which of the b episodes
    :param logits: (r, c) of the network, NO_CHOICE where padding
    :param expert: (r, c) the expert's distribution, or None where nobody asked for it
    """

    step: int
    rows: Tensor
    logits: Tensor
    expert: Tensor | None


Chooser = Callable[[Choosing], Tensor]


def greedy(now: Choosing) -> Tensor:
    """The most probable choice."""
    return now.logits.argmax(dim=1)


def sample(now: Choosing) -> Tensor:
    """A draw from the network."""
    return torch.multinomial(torch.softmax(now.logits, dim=1), 1)[:, 0]


def mixture(own_share: Tensor) -> Chooser:
    """A draw from the network, or from the expert (DAgger, Ross et al. 2011, the mixture β).

    :param own_share: (b,) of every episode's decisions, how many are the network's
    """
    def choose(now: Choosing) -> Tensor:
        assert now.expert is not None
        own = torch.rand_like(now.logits[:, 0]) < own_share[now.rows]
        odds = torch.where(own[:, None], torch.softmax(now.logits, dim=1), now.expert)
        return torch.multinomial(odds, 1)[:, 0]
    return choose


@dataclass
class Passage:
    """A walk and what the network said on the way.

    :param outputs: (b, T, c, outputs) for every choice; 0 where no decision was taken
    :param mask_choice_is_valid: (b, T, c) bool
    :param expert: (b, T, c) the expert's distribution, where asked for
    """

    walks: Walks
    outputs: Tensor
    mask_choice_is_valid: Tensor
    expert: Tensor | None

    def logits(self) -> Tensor:
        """(b, T, c) the first output, NO_CHOICE where padding."""
        return self.outputs[..., 0].masked_fill(~self.mask_choice_is_valid, NO_CHOICE)


def walk(net: Navigator, arena: Arena, tasks: Tensor, choose: Chooser, *, max_steps: int,
         goals: Tensor | None = None, expert: bool = False, acting: Acting | None = None,
         reward: Navigator | None = None, calibration: Calibration | None = None) -> Passage:
    """Go from the tasks' starts as `choose` says, until it stops or `max_steps` are over.

    :param tasks: (b,) numbers of tasks
    :param goals: (b,) the words to hear instead of the tasks' own
    :param expert: ask the expert at every place, too
    :param acting: what is done to the logits before `choose` sees them
    :param reward: its opinion is asked, too, where `acting` gives it a weight
    :param calibration: of that opinion
    """
    goals = arena.goal[tasks] if goals is None else goals
    words = net.read(*arena.words(goals))
    state, agreement = net.start(words), net.agreement(arena.known)
    adviser = _Adviser(arena, goals, acting, reward, calibration) if acting else None
    place, rows = arena.start[tasks], torch.arange(len(tasks), device=arena.device)
    remembers = net.remembers or reward is not None and reward.remembers
    track = Track.begin(arena.points[place], arena.yaw[tasks], remembers)
    record = _Record(arena, tasks, goals, place)
    for step in range(max_steps):
        seen = arena.seen(place, track.yaw)
        look = net.look(words.ids, seen, track, agreement)
        outputs, state = net(words, state, look)
        right = (arena.expert(tasks[rows], place, seen.mask_way_is_valid, EXPERT_TEMPERATURE)
                 if expert else None)
        with torch.no_grad():
            logits = outputs[..., 0].masked_fill(~look.mask_is_valid, NO_CHOICE)
            if adviser is not None:
                logits = adviser.adjust(logits, seen, track)
            action = choose(Choosing(step, rows, logits, right))
            onward = action > 0
            column = (action - 1).clamp(min=0)
            following = torch.where(onward, arena.ends[place, column], place)
            metres = torch.where(onward, arena.lengths[place, column], 0.0)
        record.add(rows, place, action, following, metres, outputs, look.mask_is_valid, right)
        go = torch.nonzero(onward)[:, 0]
        if not len(go):
            break
        way, track = seen.ways[go, column[go]], track.remember(seen)
        yaw = way[:, 0] + track.yaw[go]
        if len(go) < len(rows):
            rows, words, state, track = rows[go], words.rows(go), state.rows(go), track.rows(go)
            if adviser is not None:
                adviser.keep(go)
        place = following[go]
        track = track.go(arena.points[place], yaw, way)
    return record.passage()


class _Adviser:
    """What is done to a policy's logits before it acts; with a reward that hears and sees the
    same, and has a state of its own."""

    def __init__(self, arena: Arena, goals: Tensor, acting: Acting, reward: Navigator | None,
                 calibration: Calibration | None) -> None:
        self._acting, self._reward = acting, reward
        self._calibration = calibration or Calibration()
        if reward is not None:
            self._words = reward.read(*arena.words(goals))
            self._state, self._agreement = reward.start(self._words), reward.agreement(arena.known)

    def adjust(self, logits: Tensor, seen: Seen, track: Track) -> Tensor:
        """(b, 1 + k) the logits to act on."""
        logits = logits - discouragement(seen, track, self._acting)
        if self._reward is not None:
            look = self._reward.look(self._words.ids, seen, track, self._agreement)
            outputs, self._state = self._reward(self._words, self._state, look)
            odds = self._calibration.log_odds(outputs[:, 0, 0])
            logits[:, 0] += self._acting.doubt_weight * odds
        return logits

    def keep(self, rows: Tensor) -> None:
        """Go on with some of the episodes."""
        if self._reward is not None:
            self._words, self._state = self._words.rows(rows), self._state.rows(rows)


def expert_walks(arena: Arena, tasks: Tensor, max_steps: int, choose: Chooser | None = None
                 ) -> Walks:
    """The expert's own ways: the best choice at every place, first ones first.

    :param choose: another way to pick from what the expert says
    """
    shape = replace(_SILENT, text_dim=arena.known.words.shape[1])
    silent = RecurrentNavigator(shape).to(arena.device)
    shortest = torch.zeros_like(tasks)      # words that cost little: nobody listens
    with torch.no_grad():
        walks = walk(silent, arena, tasks, choose or _right, max_steps=max_steps, goals=shortest,
                     expert=True).walks
    return walks.with_goals(arena.goal[tasks])


def _right(now: Choosing) -> Tensor:
    """What the expert thinks best."""
    assert now.expert is not None
    return now.expert.argmax(dim=1)


def as_the_expert(now: Choosing) -> Tensor:
    """A draw from the expert, to whom ways that differ little are alike."""
    assert now.expert is not None
    return torch.multinomial(now.expert, 1)[:, 0]


class Experts:
    """The expert's own ways of all tasks of an arena, walked once, when first asked for."""

    def __init__(self, arena: Arena, max_steps: int, width: int = 1024) -> None:
        self._arena, self._max_steps, self._width = arena, max_steps, width
        self._walks: Walks | None = None

    def of(self, tasks: Tensor) -> Walks:
        """Those of some tasks, with their goals."""
        if self._walks is None:
            arena = self._arena.without_noise()
            everyone = torch.arange(len(arena.tasks), device=arena.device)
            with torch.random.fork_rng(devices=[]):     # whoever asks first, draws stay the same
                self._walks = together([expert_walks(arena, chunk, self._max_steps)
                                        for chunk in everyone.split(self._width)])
        return self._walks.rows(tasks)


class _Record:
    """Gathers what happens step by step, and pads it in the end."""

    def __init__(self, arena: Arena, tasks: Tensor, goals: Tensor, place: Tensor) -> None:
        self._arena, self._tasks, self._goals = arena, tasks, goals
        self._steps: list[tuple[Tensor, ...]] = []
        self._rights: list[Tensor | None] = []
        self._last = place.clone()
        self._travelled = torch.zeros(len(tasks), device=arena.device)
        self._stopped = torch.zeros(len(tasks), dtype=torch.bool, device=arena.device)
        self._oracle = arena.fulfilled(tasks, place).clone()

    def add(self, rows: Tensor, place: Tensor, action: Tensor, following: Tensor,
            metres: Tensor, outputs: Tensor, mask: Tensor, right: Tensor | None) -> None:
        """One decision of the episodes that still run."""
        self._steps.append((rows, place, action, outputs, mask))
        self._rights.append(right)
        self._last[rows] = following
        self._travelled[rows] += metres
        self._stopped[rows] |= action == 0
        self._oracle[rows] |= self._arena.fulfilled(self._tasks[rows], following)

    def passage(self) -> Passage:
        """Everything, padded."""
        b, steps = len(self._tasks), len(self._steps)
        widest = max(mask.shape[1] for *_, mask in self._steps)
        rows = torch.cat([rows for rows, *_ in self._steps])
        step = torch.repeat_interleave(
            torch.arange(steps, device=rows.device),
            torch.tensor([len(rows) for rows, *_ in self._steps], device=rows.device))

        def gathered(parts: Sequence[Tensor]) -> Tensor:
            """(b, T, ...) of what was noted of every decision, all in one write."""
            wide = torch.cat([part if part.ndim == 1 else _widened(part, widest)
                              for part in parts])
            return wide.new_zeros(b, steps, *wide.shape[1:]).index_put((rows, step), wide)
        places, actions, said, mask_choice = (
            gathered([step[column] for step in self._steps]) for column in (1, 2, 3, 4))
        valid = gathered([torch.ones_like(step[4][:, 0]) for step in self._steps])
        rights = [right for right in self._rights if right is not None]
        expert = gathered(rights) if rights else None
        success = self._stopped & self._arena.fulfilled(self._tasks, self._last)
        walks = Walks(self._tasks, self._goals, places, actions, valid, success, self._oracle,
                      self._stopped, self._last, self._travelled)
        return Passage(walks, said, mask_choice, expert)


def _widened(choices: Tensor, widest: int) -> Tensor:
    """(n, c, ...) padded to (n, widest, ...)."""
    room = (0, 0) * (choices.ndim - 2) + (0, widest - choices.shape[1])
    return torch.nn.functional.pad(choices, room)


def greedy_walks(net: Navigator, arena: Arena, max_steps: int, width: int = 256,
                 goals: Tensor | None = None, acting: Acting | None = None,
                 reward: Navigator | None = None, calibration: Calibration | None = None
                 ) -> Walks:
    """Every task walked greedily, in their order.

    :param goals: (tasks,) the words to hear instead of the tasks' own
    """
    net.eval()
    if reward is not None:
        reward.eval()
    numbers = torch.arange(len(arena.tasks), device=arena.device)
    heard = arena.goal if goals is None else goals
    with torch.inference_mode():
        return together([walk(net, arena, chunk, greedy, max_steps=max_steps, acting=acting,
                              goals=heard[chunk], reward=reward, calibration=calibration).walks
                         for chunk in numbers.split(width)])


def results_of(arena: Arena, walks: Walks) -> list[Result]:
    """What became of the walks; one that never stopped has failed wherever it is."""
    shortest = arena.cost(walks.tasks, arena.start[walks.tasks])
    error = arena.cost(walks.tasks, walks.last)
    steps = walks.mask_is_valid.sum(dim=1)
    return [Result(bool(success), float(left), float(gone), float(short), bool(oracle), 0,
                   int(count), arena.tasks[int(task)].tags)
            for task, success, left, gone, short, oracle, count in zip(
                walks.tasks, walks.success, error, walks.travelled, shortest, walks.oracle,
                steps)]


def greedy_results(net: Navigator, arena: Arena, max_steps: int = 15,
                   acting: Acting | None = None, reward: Navigator | None = None,
                   calibration: Calibration | None = None) -> list[Result]:
    """The outcome of every task of the arena, walked greedily, in their order."""
    return results_of(arena, greedy_walks(net, arena, max_steps, acting=acting, reward=reward,
                                          calibration=calibration))


def taken(values: Tensor, walks: Walks) -> Tensor:
    """(b, T, c) of every choice → (b, T) of what was done."""
    return values.gather(2, walks.actions[..., None])[..., 0]
