"""Faults of whole processes: quick ones in every run, all of them with `-m faults`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'nodes'))

import pytest  # noqa: E402
from node_rig import Rig  # noqa: E402


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a word about faults, leave out what takes many repeats."""
    if 'faults' in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker('faults')]
    items[:] = [item for item in items if item not in long]
    if long:
        config.hook.pytest_deselected(items=long)


@pytest.fixture
def rig(tmp_path: Path):
    """The whole road with a scripted agent."""
    made = Rig(tmp_path)
    try:
        made.start_all()
        yield made
    finally:
        made.close()
    assert not made.robot.complaints


@pytest.fixture
def empty_rig(tmp_path: Path):
    """A fake robot alone."""
    made = Rig(tmp_path)
    yield made
    made.close()
    assert not made.robot.complaints
