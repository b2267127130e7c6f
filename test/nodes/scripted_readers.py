"""Readers that hear by how long an utterance is, for tests of the speech node."""

from __future__ import annotations

from nl_robot.speech.conversation import ACT, ASK, Reading
from nl_robot.speech.recogniser import Heard
from nl_robot.speech.sound import RATE, Samples


class Scripted:
    """Under 0.8 s: yes.  Under 2 s: a question.  Longer: it breaks, the first time."""

    name = 'scripted'
    broken = False

    def partial(self, samples: Samples) -> str:
        return 'go'

    def read(self, samples: Samples) -> Heard:
        seconds = len(samples) / RATE
        if seconds > 3.0:
            if not self.broken:         # a sound may be read ahead, and then once more
                type(self).broken = True
                raise RuntimeError('the engine broke')
            return Heard(Reading(ACT, 'Go to the garage.', 0.9))
        if seconds < 1.0:
            return Heard(Reading(ACT, 'Yes.', 0.9))
        return Heard(Reading(ASK, 'Go to the kitchen.', 0.5, 'unsure'))


def reader() -> Scripted:
    return Scripted()
