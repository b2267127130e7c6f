"""What policy, reward, critics and explorer have in common, whatever their shape.

A navigator goes through an episode with a goal: at every place it gives a number, or several, for
stopping there and for every way.  Two shapes do so: `recurrent` and `map_navigator`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from torch import Tensor, nn

from nl_robot.nets.looking import Seen, Track
from nl_robot.nets.words import Known

Self = TypeVar('Self')
TO_UNIT_SCALE = 8        # of the numbers of a unit vector


@dataclass(frozen=True)
class NavigatorSettings:
    """The shape of the networks; stored in the checkpoint's config.json.

    :param sightings: False for an agent that sees ways only
    :param learned: rank of a learned agreement of words and labels beside the frozen one, for the
        recurrent shape; it serves where homes have the same things everywhere, and memorises
        where they do not
    :param layers: of a transformer over what the track remembers; 0: recurrent, with `state`
        numbers
    :param content: numbers that a label says to the transformer by itself, beside its agreement
        with words: rooms are told by it, but real buildings are memorised
    """

    text_dim: int = 384
    width: int = 128
    state: int = 256
    heads: int = 4
    dropout: float = 0.3
    sightings: bool = True
    learned: int = 0
    layers: int = 0
    content: int = 0


class Agreement(NamedTuple):
    """What words and labels say.

    :param pairs: (v, u, channels) how well every word agrees with every label
    :param labels: (u, content) what every label says by itself; None where it says nothing
    """

    pairs: Tensor
    labels: Tensor | None


class Episodes(Protocol):
    """Something of which there is one row per episode."""

    def rows(self: Self, rows: Any) -> Self:
        """Some of the episodes."""


class Words(Episodes, Protocol):
    """Goals, encoded once per episode; `ids` (b, t) vocabulary rows."""

    ids: Tensor


class Look(Episodes, Protocol):
    """What is taken in at one step; `mask_is_valid` (b, 1 + k) bool of the choices, stop first."""

    mask_is_valid: Tensor


class Navigator(nn.Module, ABC):
    """Episode so far and goal → a number for each choice, or several."""

    def __init__(self, settings: NavigatorSettings, outputs: int = 1) -> None:
        super().__init__()
        self.settings, self.outputs = settings, outputs
        self.drop = nn.Dropout(settings.dropout)

    @property
    def remembers(self) -> bool:
        """Whether it looks at the recollection of the track."""
        return self.settings.layers > 0

    def agreement(self, known: Known) -> Agreement:
        """What words and labels say together and alone; the same for all steps of a walk."""
        return Agreement(self.pairs(known), self.content(known))

    def pairs(self, known: Known) -> Tensor:
        """(v, u, channels) how well every word agrees with every label."""
        return known.agreement

    def content(self, known: Known) -> Tensor | None:
        """(u, content) what every label says by itself; None where it says nothing."""
        return None

    @abstractmethod
    def read(self, features: Tensor, ids: Tensor, mask_is_valid: Tensor) -> Any:
        """(b, t, text_dim) contextual features → words that every step can look at."""

    @abstractmethod
    def start(self, words: Any) -> Any:
        """What it carries along before the first look."""

    @abstractmethod
    def look(self, ids: Tensor, seen: Seen, track: Track, agreement: Agreement) -> Any:
        """What is taken in at one step.

        :param ids: (b, t) vocabulary rows of the goals' words
        """

    @abstractmethod
    def forward(self, words: Any, state: Any, look: Any) -> tuple[Tensor, Any]:
        """(b, 1 + k, outputs) a number for stop and for each way, and the state after it.

        Numbers of padding are meaningless: mask them by `look.mask_is_valid`.
        """

    @abstractmethod
    def follow(self, words: Any, look: Any, counts: Sequence[int]) -> Tensor:
        """(n, 1 + k, outputs) of whole episodes that are known: as `forward`, step after step.

        :param words: of the b episodes, the longest first
        :param look: n looks, those of the first step of all episodes, then those of the second
        :param counts: how many episodes have a first step, a second ...; their sum is n
        """
