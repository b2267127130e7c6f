"""The learning half of `nl_robot adapt`: a road out of the arguments, and the figure."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from pathlib import Path

from nl_robot.checkpoint import load_checkpoint
from nl_robot.cli.adapt import base_of
from nl_robot.cli.adapt_showing import Shown
from nl_robot.cli.adapt_worlds import Place, Tell
from nl_robot.homes.pictures import Bar, draw_before_after
from nl_robot.homes.store import Home
from nl_robot.language.encoder import load_text_encoder
from nl_robot.learning.home_lesson import Learner, nets_of
from nl_robot.learning.home_road import Old, Outcome, Road
from nl_robot.planning.listening import Listener, successes

TEXTS = 20_000      # that the encoder keeps: all of one adaptation, in some 100 MB


def road_of(args: argparse.Namespace, place: Place, home: Home, tell: Tell) -> Road:
    """One adaptation as the arguments ask for it."""
    stored = load_checkpoint(base_of(args))
    nets_of(stored)     # told before the long work where it cannot teach itself
    encoder = load_text_encoder(stored.config['text_encoder']['name'], cache_size=TEXTS)
    return Road(home, base_of(args), encoder, Old(place.mixed_in, place.measured), args.learning,
                args.learning_seed, tell, learner=learner_of(args.learner),
                sabotage=args.shuffle_labels, measure=successes,
                listen=lambda active: Listener(active, encoder).odds)


def learner_of(name: str) -> Learner:
    """The function that `module:function` names; ValueError where there is none."""
    module, _, function = name.partition(':')
    try:
        found: Learner = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f'--learner {name!r} names no function: {error}') from error
    return found


def figure(home: Home, outcome: Outcome, shown: Shown | None, paths: Sequence[Path]) -> None:
    """Write the figure of before and after."""
    verdict = outcome.verdict
    bars = [Bar('labelled ways,\nplanned', verdict.here.before, verdict.here.after)]
    if verdict.there is not None:
        bars.append(Bar('old homes,\nplanned', verdict.there.before, verdict.there.after))
    if shown is not None:
        bars.append(Bar('commands, as the\nrobot drives them', shown.comparison.before,
                        shown.comparison.after))
    title = ('activated: ' if outcome.version else 'refused: ') + verdict.why
    for path in paths:
        draw_before_after(home.map(), bars, title, path, home.notes().start)
        print(f'wrote {path}', flush=True)
