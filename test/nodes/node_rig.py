"""The rig of `nl_robot.trials`, by the name that the tests of the nodes know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nl_robot.mission.command import TERMINAL
from nl_robot.trials.rig import LATCHED, ROOT, SCRIPTED, Rig, wait_for

__all__ = ['LATCHED', 'ROOT', 'SCRIPTED', 'TERMINAL', 'Rig', 'ended_well', 'wait_for']


@contextmanager
def ended_well(rig: Rig, no_traceback: bool = True) -> Iterator[None]:
    """Closes the rig; then nothing illegal was on cmd_vel, and no node left a traceback."""
    try:
        yield
    finally:
        rig.close()
    assert not rig.robot.complaints
    for log in rig.folder.glob('*.log') if no_traceback else ():
        assert 'Traceback' not in log.read_text(errors='replace'), log.read_text(errors='replace')
