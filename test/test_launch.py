"""Launch files: what they start exists; and they can be read, where launch is installed."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[1]
FILES = sorted((TREE / 'launch').glob('*.launch.py'))


def names_in(text, pattern):
    return set(re.findall(pattern, text))


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_what_it_starts_and_sets_is_there(path):
    text = path.read_text(encoding='utf-8')
    programs = names_in((TREE / 'setup.py').read_text(encoding='utf-8'), r"'(\w+_node) = ")
    assert names_in(text, r"executable='(\w+)'") <= programs
    assert {f'{name}_node' for name in names_in(text, r"'(safety_gate|bridge|policy|command)'")} \
        <= programs
    nodes = ' '.join(p.read_text(encoding='utf-8') for p in (TREE / 'nl_robot/nodes').glob('*.py'))
    assert names_in(text, r"^    \('(\w+)', '") <= names_in(nodes, r"'(\w+)', ")
    for name in names_in(text, r"'([\w.]+\.(?:yaml|py))'"):
        assert list(TREE.glob(f'*/{name}')), name


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_it_can_be_read(path):
    pytest.importorskip('launch_ros')
    spec = importlib.util.spec_from_file_location(path.stem.replace('.', '_'), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.generate_launch_description().entities
