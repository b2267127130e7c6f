"""Faults of whole processes, on the rig of the nodes."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'nodes'))

import pytest  # noqa: E402
from node_rig import Rig, ended_well  # noqa: E402


@pytest.fixture
def rig(tmp_path: Path):
    """The whole road with a scripted agent."""
    made = Rig(tmp_path)
    with ended_well(made, no_traceback=False):
        made.start_all()
        yield made


@pytest.fixture
def empty_rig(tmp_path: Path):
    """A fake robot alone."""
    made = Rig(tmp_path)
    with ended_well(made, no_traceback=False):
        yield made
