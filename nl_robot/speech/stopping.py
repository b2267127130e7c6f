"""Was that a stop?  Asked of every short utterance, whatever else it may have been.

In noise a recogniser of free text hears an isolated word as any other; but asked how well “stop”
fits the sound, it prefers it clearly to what was not a stop.  A stop too many is a nuisance, a
stop missed is not acceptable, so it counts when it fits nearly as well as the best reading.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from nl_robot.speech.conversation import is_stop
from nl_robot.speech.corpus import spoken
from nl_robot.speech.engines import Guess
from nl_robot.speech.sound import RATE, Samples

PHRASES = ('Stop', 'Stop.', 'Stop!', 'Stop now', 'Stop now.', 'Stop it', 'Stop moving',
           'Please stop', 'Please stop.', 'Robot stop', 'Stop please', 'Stop right there',
           'Stop here.')
LONGEST = 1.9       # seconds of an utterance with the quiet around it
MARGIN = 5.0        # natural log-probability that a stop may fit worse than the best reading
NO_READING = -8.0       # stands for the best reading where there is none
HALLUCINATED = frozenset((
    'you', 'thank you', 'thanks', 'thank you for watching', 'thanks for watching', 'so', 'oh',
    'uh', 'um', 'and', 'bye', 'okay', 'the', 'i', "we'll be right back", "we'll see you next time",
    "i'll see you later", "i'll see you next time"))
"""What recognisers trained on videos write for noise; it is no evidence against a stop."""


def stop_margin(judge: Callable[[Sequence[str]], list[float]], guesses: Sequence[Guess],
                samples: Samples) -> float:
    """By how much a stop fits better than any other reading; -inf for a longer utterance.

    :param guesses: of the engine that judges
    """
    if len(samples) > LONGEST * RATE:
        return -math.inf
    stops = [g.log_probability for g in guesses if is_stop(g.text)]
    others = [g.log_probability for g in guesses if not is_stop(g.text)
              and ' '.join(spoken(g.text)) not in HALLUCINATED]
    return max(*judge(PHRASES), *stops, -1e9) - max([*others, NO_READING])
