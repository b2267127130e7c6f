"""`nl_robot adapt` on a live robot: asks the adaptation node, and follows what it does."""

from __future__ import annotations

import time

from nl_robot.cli.robot_talk import RobotTalk

ENDS = ('done', 'failed', 'stopped')
EVERY = 10.0    # seconds between two lines, but where the phase changes
SHOWN = ('text', 'places', 'episodes', 'labels', 'losses', 'left', 'version')


def adapt_live(home: str, minutes: float) -> int:
    """0: something better is in use · 1: nothing better was found, or it was stopped.

    :raises ValueError: no robot listens
    """
    heard: dict[str, str] = {}
    with RobotTalk('adapt') as talk:
        talk.hear('adapt/progress', heard.update, latched=True)
        talk.say('adapt/home', f'{home}\n{minutes}')
        if not talk.spin(10.0, lambda: heard.get('home') == home):
            raise ValueError(f'the adaptation node did not take the home {home!r}; its log says '
                             'why')
        answer = talk.ask('adapt/start')
        print(answer.message, flush=True)
        began, said, at = time.monotonic(), '', -EVERY
        talk.spin(1.0)
        while heard['phase'] not in ENDS:
            line, seconds = told(heard), time.monotonic() - began
            if line != said and (seconds - at >= EVERY or line.split()[:1] != said.split()[:1]):
                said, at = line, seconds
                print(f'{seconds:6.0f} s  {line}', flush=True)
            talk.spin(1.0)
        print(told(heard))
    return 0 if heard['phase'] == 'done' and heard['reason'] == 'activated' else 1


def told(facts: dict[str, str]) -> str:
    """Facts as one line, the text first."""
    rest = [f'{key} {facts[key]}' for key in SHOWN[1:] if facts.get(key)]
    head = facts['phase'] + (f' ({facts["reason"]})' if facts.get('reason') else '')
    return '; '.join(filter(None, [f'{head}: {facts.get("text", "")}'.rstrip(': '), *rest]))
