"""Learning to write goals for ways, and writing them: labels and rephrased goals of LangGoalIRL.

Zhou & Small, AAAI 2021: a goal generator that is learned from demonstrations gives words to ways
that have none (relabelling), and other words for goals that are known (rephrasing).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nl_robot.learning import losses
from nl_robot.learning.arena import Arena
from nl_robot.learning.replay import facing_of
from nl_robot.learning.walks import Walks
from nl_robot.nets.goal_generator import BEGIN, END, PADDING, UNKNOWN, GoalGenerator, TextTable
from nl_robot.nets.looking import BROAD, NARROW, NEAR_METRES, action_features
from nl_robot.nets.words import whole_words

UNKNOWN_METRES = 2.5        # of a thing whose distance is not known, as in `nets.looking`


@dataclass(frozen=True)
class WritingSettings:
    """How the goal generator is trained.

    :param word_dropout: of what the decoder reads, so that it needs z (Bowman et al. 2016)
    :param kl_begin: update from which the KL counts; :param kl_end: from which on it counts fully
    :param kl_most: its weight then
    :param free_nats: of KL that cost nothing (Kingma et al. 2016), so that z does not fall silent
    """

    batch: int = 64
    learning_rate: float = 2e-3
    word_dropout: float = 0.25
    kl_begin: int = 100
    kl_end: int = 500
    kl_most: float = 1.0
    free_nats: float = 6.0


# ---- what the generator reads

def trajectory_features(arena: Arena, walks: Walks) -> tuple[Tensor, Tensor]:
    """(b, T, GEOMETRY + VIEWS * dim) of every decision, and its mask (b, T).

    Four views of each: what is seen along the way that was chosen (ahead, for stop), what is
    near, and what is to the left and to the right of that way.
    """
    b, steps = walks.places.shape
    valid, actions = walks.mask_is_valid.flatten(), walks.actions.flatten()
    rows = torch.nonzero(valid)[:, 0]
    places, actions = walks.places.flatten()[rows], actions[rows]
    seen = arena.seen(places, torch.zeros(len(rows), device=arena.device))
    way = arena.way(places, (actions - 1).clamp(min=0))
    way = torch.where(actions[:, None] > 0, way, 0.0)           # bearings in the fixed frame
    facing = facing_of(arena, walks)[0].flatten()[rows]
    moves = actions > 0
    toward = torch.where(moves, way[:, 0], facing)
    way = torch.cat([(toward - facing)[:, None], way[:, 1:]], dim=1)
    geometry = torch.cat([action_features(way)[:, :-1], torch.stack(
        [moves, ~moves, way[:, 1] > 0.15, way[:, 1] < -0.15,
         seen.mask_way_is_valid.sum(dim=1) / 8], dim=1)], dim=1)
    views = torch.einsum('nvs,nsd->nvd', _view_weights(seen.sightings, seen.labels, toward),
                         arena.known.labels[seen.labels])
    features = torch.zeros(b * steps, geometry.shape[1] + views[0].numel(), device=arena.device)
    features[rows] = torch.cat([geometry, views.flatten(1)], dim=1)
    return features.view(b, steps, -1), walks.mask_is_valid.clone()     # of inference, maybe


def _view_weights(sightings: Tensor, labels: Tensor, toward: Tensor) -> Tensor:
    """(n, VIEWS, s) of each sighting in a mean that is smaller where little is seen."""
    apart = sightings[..., 0] - toward[:, None]
    near = torch.exp(-sightings[..., 3].nan_to_num(nan=UNKNOWN_METRES) / NEAR_METRES)
    near = near * (labels > 0)

    def side(angle: float, width: float) -> Tensor:
        off = torch.remainder(apart - angle + math.pi, 2 * math.pi) - math.pi
        return torch.exp(-(off / width) ** 2)
    weights = torch.stack([side(0.0, NARROW) * (labels > 0), near,
                           side(math.pi / 2, BROAD) * near, side(-math.pi / 2, BROAD) * near], 1)
    return weights / (0.5 + weights.sum(dim=2, keepdim=True))


def sentences_of(arena: Arena, goals: Sequence[int] | Tensor) -> list[list[str]]:
    """The words of goals by number, as the arena's vocabulary splits them."""
    words = arena.vocabulary.words
    return [[words[row] for row in arena.goals[int(number)].ids] for number in goals]


def goal_ids(arena: Arena, goals: Sequence[int] | Tensor, table: TextTable
             ) -> tuple[Tensor, Tensor]:
    """(b, t) numbers and mask of goals by number, as the generator reads them."""
    ids, mask = table.ids(sentences_of(arena, goals))
    return ids.to(arena.device), mask.to(arena.device)


# ---- learning

def generator_loss(generator: GoalGenerator, features: Tensor, mask: Tensor, text_ids: Tensor,
                   text_mask: Tensor, kl_weight: float = 1.0, word_dropout: float = 0.0,
                   rng: torch.Generator | None = None, free_nats: float = 0.0
                   ) -> tuple[Tensor, dict[str, Tensor]]:
    """The negative evidence lower bound of log p(G | τ), nats per goal.

    -E_q(z|G,τ)[log p(G | z, τ)] + KL(q(z | G, τ) ‖ p(z)): Zhou & Small 2021, the objective of the
    variational goal generator (Kingma & Welling 2014, equation 3, with τ given everywhere).

    :param features: (b, T, features); :param mask: (b, T); :param text_ids: (b, t) ended by END
    :param text_mask: (b, t); :param rng: of z and of the words that are dropped
    """
    way = generator.follow(features, mask)
    mean, log_variance = generator.infer(way, text_ids, text_mask)
    inputs = _shifted(text_ids)
    inputs = losses.drop_words(inputs, word_dropout, UNKNOWN, inputs != BEGIN, rng)
    said = generator.read(way, _drawn(mean, log_variance, rng), inputs, text_mask)
    logits, targets = generator.logits(said)[None], text_ids[text_mask][None]
    reconstruction = losses.reconstruction_loss(logits, targets, torch.ones_like(
        targets, dtype=torch.bool)) / len(text_ids)
    kl = losses.gaussian_kl(mean, log_variance)
    loss = losses.elbo_loss(reconstruction, kl, kl_weight, free_nats)
    return loss, {'reconstruction': reconstruction.detach(), 'kl': kl.detach().mean()}


def writing_loss(generator: GoalGenerator, arena: Arena, walks: Walks, update: int,
                 settings: WritingSettings, rng: torch.Generator | None = None
                 ) -> tuple[Tensor, dict[str, Tensor]]:
    """What the update of that number minimises, on walks and the goals that they carry."""
    weight = losses.kl_weight_at(update, settings.kl_begin, settings.kl_end, settings.kl_most)
    return generator_loss(generator, *trajectory_features(arena, walks),
                          *goal_ids(arena, walks.goals, generator.table), weight,
                          settings.word_dropout, rng, settings.free_nats)


def _shifted(text_ids: Tensor) -> Tensor:
    """(b, t) what the decoder reads before it says `text_ids`."""
    return torch.cat([torch.full_like(text_ids[:, :1], BEGIN), text_ids[:, :-1]], dim=1)


def _drawn(mean: Tensor, log_variance: Tensor, rng: torch.Generator | None) -> Tensor:
    """(b, d) z = μ + σ ε (Kingma & Welling 2014, section 2.4)."""
    noise = torch.randn(mean.shape, generator=rng, device=mean.device)
    return mean + torch.exp(log_variance / 2) * noise


# ---- writing

@torch.no_grad()
def write_goals(generator: GoalGenerator, features: Tensor, mask: Tensor, *,
                temperature: float = 0.5, goals: tuple[Tensor, Tensor] | None = None,
                greedy: bool = False, rng: torch.Generator | None = None, max_words: int = 80
                ) -> list[str]:
    """A goal for each way; `generator` is to be in eval mode.

    :param goals: (b, t) numbers and mask of goals to rephrase, z from q(z | G, τ); None: to
        label, z from the prior
    :param greedy: the most probable words at the mean of z, instead of a draw
    :param temperature: of the draw of words
    """
    way = generator.follow(features, mask)
    mean = features.new_zeros(len(features), generator.settings.latent)
    log_variance = mean
    if goals is not None:
        mean, log_variance = generator.infer(way, *goals)
    z = mean if greedy else _drawn(mean, log_variance, rng)
    word = torch.full((len(z),), BEGIN, device=z.device)
    written = torch.full((len(z), max_words), PADDING, device=z.device)
    rows, state = torch.arange(len(z), device=z.device), generator.begin(way, z)
    for number in range(max_words):
        logits, state = generator.one_word(way, z, word, state)
        logits[:, [PADDING, BEGIN, UNKNOWN] + [END] * (number == 0)] = -math.inf
        word = (logits.argmax(dim=1) if greedy else torch.multinomial(
            torch.softmax(logits / temperature, dim=1), 1, generator=rng)[:, 0])
        written[rows, number] = word
        go = torch.nonzero(word != END)[:, 0]
        if not len(go):
            break
        if len(go) < len(rows):
            rows, word, z, way, state = rows[go], word[go], z[go], way.rows(go), state[:, go]
    return generator.table.texts(written)


@torch.no_grad()
def likelihood(generator: GoalGenerator, features: Tensor, mask: Tensor, text_ids: Tensor,
               text_mask: Tensor) -> Tensor:
    """(b,) log p(G | z, τ) per word at z = 0, the mean of the prior; END is a word."""
    way = generator.follow(features, mask)
    z = features.new_zeros(len(features), generator.settings.latent)
    said = torch.log_softmax(generator.logits(
        generator.read(way, z, _shifted(text_ids), text_mask)), dim=1)
    chosen = torch.zeros(text_ids.shape, device=z.device)
    chosen[text_mask] = said.gather(1, text_ids[text_mask][:, None])[:, 0]
    return chosen.sum(dim=1) / text_mask.sum(dim=1)


def label_walks(generator: GoalGenerator, arena: Arena, walks: Walks, *, rephrase: bool = False,
                temperature: float = 0.5, greedy: bool = False,
                rng: torch.Generator | None = None, width: int = 256) -> list[str]:
    """A goal for each of many walks; with `rephrase` another one for the goal that it carries."""
    generator.eval()
    found: list[str] = []
    for rows in torch.arange(len(walks), device=arena.device).split(width):
        part = walks.rows(rows)
        goals = goal_ids(arena, part.goals, generator.table) if rephrase else None
        found += write_goals(generator, *trajectory_features(arena, part), goals=goals,
                             temperature=temperature, greedy=greedy, rng=rng)
    return found


@torch.no_grad()
def tells_apart(generator: GoalGenerator, arena: Arena, walks: Walks, texts: Sequence[str],
                width: int = 256) -> Tensor:
    """(b,) bool: the text is likelier on its own way than on the next one of the batch.

    A label that fits any way teaches nothing: of what Zhou & Small relabel, the generator itself
    throws out what it cannot tell apart (as a listener would: Fried et al., NAACL 2018).
    """
    generator.eval()
    encoder, found = arena.vocabulary.encoder, []
    for rows in torch.arange(len(walks), device=arena.device).split(width):
        features, mask = trajectory_features(arena, walks.rows(rows))
        ids, text_mask = (part.to(arena.device) for part in generator.table.ids(
            [whole_words(encoder.tokens(texts[row]))[0] for row in rows.tolist()]))
        own, other = (likelihood(generator, features.roll(shift, 0), mask.roll(shift, 0), ids,
                                 text_mask) for shift in (0, 1))
        found.append(own > other)
    return torch.cat(found)


# ---- measuring

def writing_measures(generator: GoalGenerator, arena: Arena, walks: Walks, *,
                     temperature: float = 0.5, rng: torch.Generator | None = None
                     ) -> dict[str, float]:
    """How good and how varied the labels of walks are; of walks that experts made.

    :returns: `bleu` of greedy labels, and `bleu_sampled`, against all goals of the same way, in
        percent; `kl`, `reconstruction` nats per goal; `distinct_1`, `distinct_2` of samples
    """
    references = references_of(arena)
    first = first_of_each(arena, walks)
    refs = [references[way_of(arena, int(task))] for task in walks.tasks[first]]
    labels = label_walks(generator, arena, walks.rows(first), greedy=True)
    samples = label_walks(generator, arena, walks.rows(first), temperature=temperature, rng=rng)
    nats: dict[str, float] = defaultdict(float)
    for rows in torch.arange(len(walks), device=arena.device).split(256):
        part = walks.rows(rows)
        with torch.no_grad():
            _, row = generator_loss(generator, *trajectory_features(arena, part),
                                    *goal_ids(arena, part.goals, generator.table), rng=rng)
        for name, value in row.items():
            nats[name] += float(value) * len(rows) / len(walks)
    return {'bleu': corpus_bleu(labels, refs), 'bleu_sampled': corpus_bleu(samples, refs),
            'distinct_1': distinct(samples, 1), 'distinct_2': distinct(samples, 2), **nats}


def way_of(arena: Arena, task: int) -> tuple[int, float, bytes]:
    """What the tasks of one path have in common: start, heading, and where it ends."""
    asked = arena.tasks[task]
    return int(arena.start[task]), asked.yaw, asked.best.tobytes()


def references_of(arena: Arena) -> dict[tuple[int, float, bytes], list[str]]:
    """All goals of each path of the arena."""
    found: dict[tuple[int, float, bytes], list[str]] = defaultdict(list)
    for number, task in enumerate(arena.tasks):
        found[way_of(arena, number)].append(task.goal)
    return found


def first_of_each(arena: Arena, walks: Walks) -> Tensor:
    """Rows of the first walk of each path."""
    found: dict[tuple[int, float, bytes], int] = {}
    for row, task in enumerate(walks.tasks.tolist()):
        found.setdefault(way_of(arena, task), row)
    return torch.tensor(list(found.values()), device=arena.device)


def corpus_bleu(texts: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """BLEU-4 in percent (Papineni et al., ACL 2002, as in sacrebleu: Post, WMT 2018), lower case.

    :param references: of each text one or more
    """
    from sacrebleu.metrics import BLEU
    most = max(map(len, references))
    streams: Any = [[refs[n] if n < len(refs) else None for refs in references]
                    for n in range(most)]       # its types do not know that None is none
    return float(BLEU(lowercase=True).corpus_score(list(texts), streams).score)


def distinct(texts: Sequence[str], n: int) -> float:
    """Different n-grams of words and signs among all of them, 0 to 1; 0 without any.

    Li et al., NAACL 2016, section 5.
    """
    grams = [gram for text in texts for words in [re.findall(r'\w+|[^\w\s]', text)]
             for gram in zip(*(words[k:] for k in range(n)))]
    return len(set(grams)) / max(1, len(grams))
