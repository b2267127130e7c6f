"""What is read from messages, worked by hand."""

from __future__ import annotations

import time

import pytest

from nl_robot.nodes.conversions import LONGEST_WAIT, said_at


@pytest.mark.parametrize(('sent', 'came', 'ago'), [
    (1.5, 0.5, 1.5),                # it was on its way, and then it waited
    (-0.4, 0.5, 0.5),               # the clock of who said it goes before ours
    (3600.0, 0.5, 0.5),             # or is an hour behind
    (3600.0, -3.0, 0.0),            # and ours was set back meanwhile
    (3600.0, 3600.0, LONGEST_WAIT)])
def test_when_a_message_was_said(sent: float, came: float, ago: float) -> None:
    now = time.time_ns()
    info = {'source_timestamp': now - round(sent * 1e9),
            'received_timestamp': now - round(came * 1e9)}
    assert said_at(info) == pytest.approx(time.monotonic() - ago, abs=0.05)
