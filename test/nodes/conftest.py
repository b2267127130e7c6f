from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from node_rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """An empty rig; at its end nothing illegal was on cmd_vel, and no node left a traceback."""
    made = Rig(tmp_path)
    yield made
    made.close()
    assert not made.robot.complaints
    for log in tmp_path.glob('*.log'):
        assert 'Traceback' not in log.read_text(errors='replace'), log.read_text(errors='replace')


@pytest.fixture(scope='module')
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The whole road with a scripted agent, shared by the tests of a module."""
    folder = tmp_path_factory.mktemp('road')
    made = Rig(folder)
    try:
        made.start_all()
        yield made
    finally:
        made.close()
    assert not made.robot.complaints
    for log in folder.glob('*.log'):
        assert 'Traceback' not in log.read_text(errors='replace'), log.read_text(errors='replace')
