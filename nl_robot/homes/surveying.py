"""An exploration within a budget, in any world; what it found is kept as it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from nl_robot.homes.exploring import Explorer
from nl_robot.homes.store import Home
from nl_robot.worlds.world import World

SPEED = 0.15            # m/s: nobody explores faster (SAFETY: exploring, unvalidated model)
LOOK_SECONDS = 3.0      # to stand still, look and turn at each place
SAVE_EVERY = 10         # places


@dataclass(frozen=True)
class Budget:
    """When to turn back: minutes of driving, trajectories, and the battery's charge.

    :param charge: 0 to 1, below which it turns back
    """

    minutes: float = 20.0
    episodes: int = 1000
    charge: float = 0.25

    def over(self, minutes: float, episodes: int, charge: float | None = None) -> str:
        """Why the budget is spent, or ''."""
        if charge is not None and charge < self.charge:
            return f'the battery is at {charge:.0%}'
        if minutes >= self.minutes:
            return f'{self.minutes:g} minutes are over'
        return f'{episodes} trajectories were driven' if episodes >= self.episodes else ''


@dataclass(frozen=True)
class Survey:
    """How an exploration went.

    :param minutes: that it takes a robot at exploring speed; :param ended: why it turned back
    :param back: it stands where it began
    """

    places: int
    trajectories: int
    metres: float
    minutes: float
    ended: str
    back: bool

    def __str__(self) -> str:
        return (f'{self.places} places, {self.trajectories} trajectories, {self.metres:.0f} m '
                f'in {self.minutes:.0f} minutes of driving; {self.ended}; '
                + ('back where it began' if self.back else 'no way led back to where it began'))


def survey(world: World, home: Home, explorer: Explorer, start: tuple[float, float, float],
           budget: Budget, told: Callable[[Survey], None] = lambda _: None) -> Survey:
    """Explore a world from a pose until nothing is new or the budget is spent, and go back."""
    observation, driven, steps = world.reset(*start), 0, 0
    known, ended = len(home.trajectories()), ''
    while True:
        minutes = (world.travelled / SPEED + LOOK_SECONDS * steps) / 60
        if not explorer.returning and (over := budget.over(minutes, driven)):
            explorer.returning, ended = True, over
        way = explorer.see(observation)
        fresh = explorer.recorder.take()
        driven += len(fresh)
        home.add(fresh)
        now = Survey(len(explorer.home), known + driven, world.travelled, minutes,
                     ended or 'nothing new is within reach', explorer.at_start)
        if way is None:
            break
        if steps % SAVE_EVERY == 0:
            home.save_map(explorer.home)
            told(now)
        observation, steps = world.step(way), steps + 1
    explorer.recorder.cut()
    last = explorer.recorder.take()
    home.add(last)
    home.save_map(explorer.home)
    home.note(start=explorer.start, explored=not ended)
    return replace(now, trajectories=now.trajectories + len(last))
