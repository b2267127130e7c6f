"""The outcomes of the benchmark of speech as numbers and as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from nl_robot.cli.speech_trials import ASIDE, CLEAN, Outcome
from nl_robot.cli.speech_voices import VOICES

COMMANDS = ('short', 'long', 'filler')
BY_KIND = ('| engine | condition | kind | n | right | asked, with the right words | asked | '
           'missed | wrong | WER |\n|---|---|---|---|---|---|---|---|---|---|')
BY_ENGINE = ('| engine | commands | real-time factor | delay p50 | delay p95 | node in memory |\n'
             '|---|---|---|---|---|---|')


def of(outcomes: Sequence[Outcome], **wanted: Any) -> list[Outcome]:
    """The outcomes whose fields have these values, or one of these."""
    def fits(outcome: Outcome) -> bool:
        return all(getattr(outcome, key) in value if isinstance(value, (tuple, list, frozenset))
                   else getattr(outcome, key) == value for key, value in wanted.items())
    return [outcome for outcome in outcomes if fits(outcome)]


def share(some: Sequence[Outcome], test: Callable[[Outcome], bool]) -> float:
    """The share for which the test holds; nan of none."""
    return float(np.mean([test(o) for o in some])) if some else float('nan')


def _came_out(result: str, outcome: Outcome) -> bool:
    return outcome.result == result


def error_rate(some: Sequence[Outcome]) -> float:
    """Word errors per spoken word."""
    words = sum(o.words for o in some)
    return sum(o.errors for o in some) / words if words else float('nan')


def rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """One row for each engine, condition and kind of command, and one for all kinds."""
    found = []
    for engine in dict.fromkeys(o.engine for o in outcomes):
        for condition in dict.fromkeys(o.condition for o in of(outcomes, kind=COMMANDS)):
            for kinds in (*((kind,) for kind in COMMANDS), COMMANDS):
                some = of(outcomes, engine=engine, condition=condition, kind=kinds)
                if some:
                    found.append({
                        'engine': engine, 'condition': condition,
                        'kind': kinds[0] if len(kinds) == 1 else 'all', 'n': len(some),
                        **{r: share(some, partial(_came_out, r))
                           for r in ('right', 'asked', 'missed', 'wrong', 'stopped')},
                        'asked_right': share(some, lambda o: o.asked_right),
                        'word_error_rate': error_rate(some)})
    return found


def speeds(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Real-time factor and delay of each engine, over all commands, clean and noisy apart."""
    found = []
    noises = tuple(dict.fromkeys(o.condition for o in outcomes if o.condition != CLEAN))
    for engine, (name, conditions) in product(dict.fromkeys(o.engine for o in outcomes),
                                              ((CLEAN, (CLEAN,)), ('in noise', noises))):
        some = of(outcomes, engine=engine, kind=COMMANDS, condition=conditions)
        delays = [o.delay for o in some if o.delay] or [float('nan')]
        if some:
            found.append({'engine': engine, 'condition': name,
                          'real_time_factor': sum(o.cpu for o in some) / sum(
                              o.seconds for o in some),
                          'delay_p50': float(np.quantile(delays, 0.5)),
                          'delay_p95': float(np.quantile(delays, 0.95))})
    return found


def stops(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """How many stops were heard, by engine and condition."""
    found = []
    for engine in dict.fromkeys(o.engine for o in outcomes):
        for condition in dict.fromkeys(o.condition for o in of(outcomes, kind=('stop', 'halt'))):
            row: dict[str, Any] = {'engine': engine, 'condition': condition}
            for kind in ('stop', 'halt'):
                some = of(outcomes, engine=engine, condition=condition, kind=kind)
                row |= {kind: share(some, lambda o: o.result == 'stopped'), f'n_{kind}': len(some)}
            found.append(row)
    return found


def asides(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """What came of talk, noise and music: counts, and the minutes with a command or a stop."""
    found = []
    for engine in dict.fromkeys(o.engine for o in outcomes):
        for kind in ASIDE:
            some = of(outcomes, engine=engine, kind=kind)
            if some:
                minutes = minutes_with(some)
                found.append({
                    'engine': engine, 'kind': kind,
                    'minutes': sum(o.seconds for o in some) / 60,
                    **{r: sum(o.result == r for o in some) for r in
                       ('acted', 'stopped', 'asked', 'quiet')},
                    'minutes_with_a_command': minutes['acted'],
                    'minutes_with_a_stop': minutes['stopped']})
    return found


def minutes_with(some: Sequence[Outcome]) -> dict[str, int]:
    """How many minutes of the stream held at least one false command, or false stop."""
    found: dict[str, set[int]] = {'acted': set(), 'stopped': set()}
    clock = 0.0
    for outcome in some:
        if outcome.result in found:
            found[outcome.result].add(int(clock // 60))
        clock += outcome.seconds
    return {key: len(minutes) for key, minutes in found.items()}


def text(outcomes: Sequence[Outcome], memory: dict[str, float] | None = None) -> str:
    """All of it as Markdown."""
    lines = [BY_KIND]
    for r in rows(outcomes):
        lines.append(f'| {r["engine"]} | {r["condition"]} | {r["kind"]} | {r["n"]} | '
                     + ' | '.join(f'{r[key]:.1%}' for key in (
                         'right', 'asked_right', 'asked', 'missed', 'wrong', 'word_error_rate'))
                     + ' |')
    lines += ['', BY_ENGINE]
    for r in speeds(outcomes):
        kept = (memory or {}).get(r['engine'])
        lines.append(f'| {r["engine"]} | {r["condition"]} | {r["real_time_factor"]:.2f} | '
                     f'{r["delay_p50"]:.2f} s | {r["delay_p95"]:.2f} s | '
                     f'{f"{kept:.0f} MB" if kept else "not measured"} |')
    lines += ['', '| engine | condition | “stop” heard | n | halt, freeze, wait heard | n |',
              '|---|---|---|---|---|---|']
    lines += [f'| {r["engine"]} | {r["condition"]} | {r["stop"]:.1%} | {r["n_stop"]} | '
              f'{r["halt"]:.1%} | {r["n_halt"]} |' for r in stops(outcomes)]
    lines += ['', '| engine | not for the robot | minutes | commands | stops | questions | '
              'minutes with a command | minutes with a stop |',
              '|---|---|---|---|---|---|---|---|']
    lines += [f'| {r["engine"]} | {r["kind"]} | {r["minutes"]:.1f} | {r["acted"]} | '
              f'{r["stopped"]} | {r["asked"]} | {r["minutes_with_a_command"]} | '
              f'{r["minutes_with_a_stop"]} |' for r in asides(outcomes)]
    return '\n'.join(lines)


def clean_by_voice(outcomes: Sequence[Outcome]) -> str:
    """How well the first engine understands each voice, short and long commands apart."""
    engine = outcomes[0].engine if outcomes else ''
    lines = ['| voice | short | long | with fillers |', '|---|---|---|---|']
    groups = {voice: (voice,) for voice in dict.fromkeys(o.voice for o in of(outcomes,
                                                                             kind=COMMANDS))}
    for name, voices in (groups | {'all of espeak-ng and flite': tuple(VOICES)}).items():
        parts = [of(outcomes, engine=engine, condition=CLEAN, kind=kind, voice=voices)
                 for kind in COMMANDS]
        if any(parts):
            lines.append(f'| {name} | ' + ' | '.join(
                f'{share(part, partial(_came_out, "right")):.1%} of {len(part)}'
                for part in parts) + ' |')
    return '\n'.join(lines)
