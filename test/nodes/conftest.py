from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from node_rig import Rig, ended_well


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """An empty rig."""
    made = Rig(tmp_path)
    with ended_well(made):
        yield made


@pytest.fixture(scope='module')
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The whole road with a scripted agent, shared by the tests of a module."""
    made = Rig(tmp_path_factory.mktemp('road'))
    with ended_well(made):
        made.start_all()
        yield made
