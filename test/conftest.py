"""Faults: quick ones in every run, all of them with `-m faults`."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a word about faults, leave out what takes long."""
    if 'faults' in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker('faults')]
    items[:] = [item for item in items if item not in long]
    if long:
        config.hook.pytest_deselected(items=long)
