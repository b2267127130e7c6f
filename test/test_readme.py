"""What the README tells is held against the code: rooms, commands, topics, reasons, files."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from nl_robot.cli import benchmark, homes, main
from nl_robot.embodied.home_episodes import read_episodes
from nl_robot.homes import adapting
from nl_robot.mission.command import REASONS, TERMINAL

TREE = Path(__file__).resolve().parents[1]
README = (TREE / 'README.md').read_text(encoding='utf-8')
MAKERS = {'create_publisher', 'create_subscription', 'create_service'}


def section(title):
    """The text of one chapter."""
    return README.partition(f'## {title}\n')[2].partition('\n## ')[0]


def interfaces(source):
    """Names of topics and services that a node makes, where they are plain text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, 'attr', '') in MAKERS:
            yield from (a.value for a in node.args[:2] if isinstance(a, ast.Constant))


def test_every_room_is_on_the_map():
    rooms = {path.name for path in (TREE / 'nl_robot').glob('*.py')} - {'__init__.py'}
    rooms |= {f'{path.parent.name}/' for path in (TREE / 'nl_robot').glob('*/__init__.py')}
    on_map = re.findall(r'^\| `([\w./]+)` \|', section('The rooms of the house'), re.MULTILINE)
    assert sorted(on_map) == sorted(rooms)


def test_every_command_is_listed():
    groups = {'benchmark': benchmark, 'homes': homes}
    names = [c.name for c in main.COMMANDS if c.name not in groups]
    names += [f'{group} {c.name}' for group, module in groups.items() for c in module.COMMANDS]
    listed = re.findall(r'^\| `nl_robot ([\w -]+)` \|', README, re.MULTILINE)
    assert sorted(listed) == sorted(names)


def test_every_topic_and_service_is_in_the_table():
    table = section('ROS 2 interfaces')
    for path in (TREE / 'nl_robot' / 'nodes').glob('*.py'):
        for name in interfaces(path.read_text(encoding='utf-8')):
            assert f'`{name}`' in table, f'{path.name} makes {name!r}'


def test_every_reason_and_terminal_state_is_explained():
    named = set(re.findall(r'`(\w+)`', section('When something is wrong')))
    assert set(REASONS) - {''} <= named and set(adapting.REASONS) - {''} <= named
    assert set(TERMINAL) <= set(re.findall(r'`(\w+)`', section('ROS 2 interfaces')))


def test_the_example_of_a_commands_file_can_be_read(tmp_path):
    block = section('How it works').partition('read a YAML list:\n\n')[2].partition('\n\n')[0]
    path = tmp_path / 'commands.yaml'
    path.write_text(re.sub(r'^    ', '', block, flags=re.MULTILINE), encoding='utf-8')
    episodes = read_episodes(path)
    assert [episode.home for episode in episodes] == [2003] * 3
    assert episodes[2].target.point == (1.0, 2.5)


def test_every_file_it_names_is_there():
    for name in re.findall(r'\]\(([\w./]+)\)|`((?:test|scripts|config)/[\w./]+)`', README):
        assert (TREE / ''.join(name)).exists(), name
