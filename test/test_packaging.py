"""One tree, three ways to install it: colcon, pip, and links from a virtual environment."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import nl_robot

TREE = Path(__file__).resolve().parents[1]
PARTS = ('setup.py', 'setup.cfg', 'pyproject.toml', 'package.xml', 'resource', 'nl_robot',
         'launch', 'config', 'models', 'LICENSE')
FIND = ('from ament_index_python.packages import get_package_share_directory as share;'
        'from pathlib import Path; import nl_robot; place = Path(share("nl_robot"));'
        'print(place); print(*sorted(p.name for p in place.iterdir())); print(nl_robot.__file__)')


@pytest.fixture
def clean_copy(tmp_path):
    """The tree without what earlier builds left in it."""
    copy = tmp_path / 'src' / 'nl_robot'
    copy.mkdir(parents=True)
    for part in PARTS:
        if (TREE / part).is_dir():
            shutil.copytree(TREE / part, copy / part,
                            ignore=shutil.ignore_patterns('__pycache__', '.*'))
        elif (TREE / part).is_file():
            shutil.copy(TREE / part, copy / part)
    return copy


def run(*command, cwd, **environment):
    """Standard output of a command; fails with all of its output."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(('PYTHON', 'PYTEST'))}
    result = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True,
                            text=True, env={**keep, **environment}, timeout=110)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def check_share(prefix, output):
    """The share folder lies under `prefix` and holds what nodes and launch files look for."""
    place, names, module = output.splitlines()[-3:]
    assert Path(place) == prefix / 'share' / 'nl_robot'
    present = {part for part in ('launch', 'config', 'models') if folder_has_files(part)}
    assert {'package.xml', *present} <= set(names.split())
    assert str(TREE) not in module
    for source in (TREE / 'models').rglob('*.safetensors'):
        assert (Path(place) / source.relative_to(TREE)).stat().st_size == source.stat().st_size


def folder_has_files(name):
    return any(path.is_file() for path in (TREE / name).rglob('*'))


def test_pip_installs_modules_programs_and_share(clean_copy, tmp_path):
    prefix = tmp_path / 'prefix'
    run(sys.executable, '-m', 'pip', 'install', '--no-deps', '--no-build-isolation', '--quiet',
        '--disable-pip-version-check', '--no-index', '--ignore-installed',
        '--prefix', prefix, clean_copy, cwd=tmp_path)
    site = next(prefix.glob('lib/python3*/site-packages'))
    check_share(prefix, run(sys.executable, '-c', FIND, cwd=tmp_path, PYTHONPATH=str(site),
                            AMENT_PREFIX_PATH=str(prefix)))
    for source in (TREE / 'nl_robot').rglob('*.yaml'):
        assert (site / source.relative_to(TREE)).is_file()
    version = run(prefix / 'bin' / 'nl_robot', '--version', cwd=tmp_path, PYTHONPATH=str(site))
    assert version.strip() == f'nl_robot {nl_robot.__version__}'


def test_colcon_builds_the_package(clean_copy, tmp_path):
    colcon = Path(sys.executable).with_name('colcon')
    if not colcon.exists():
        pytest.skip('colcon is not installed here')
    workspace = clean_copy.parents[1]
    run(colcon, 'build', '--executor', 'sequential', cwd=workspace, MAKEFLAGS='-j1',
        AMENT_PREFIX_PATH=sys.prefix, CMAKE_PREFIX_PATH=sys.prefix,
        PATH=f'{colcon.parent}:{os.environ["PATH"]}', COLCON_LOG_PATH=str(tmp_path / 'log'))
    prefix = workspace / 'install' / 'nl_robot'
    site = next(prefix.glob('lib/python3*/site-packages'))
    check_share(prefix, run(sys.executable, '-c', FIND, cwd=tmp_path, PYTHONPATH=str(site),
                            AMENT_PREFIX_PATH=f'{prefix}:{sys.prefix}'))
    programs = {path.name for path in (prefix / 'lib' / 'nl_robot').iterdir()}
    assert {'nl_robot', 'command_node', 'policy_node', 'bridge_node', 'safety_gate_node',
            'sim_node', 'speech_node'} <= programs


def test_every_program_has_its_function():
    """What setup.py promises exists: a program never starts with an ImportError."""
    scripts = [s for s in entry_points(group='console_scripts') if s.value.startswith('nl_robot.')]
    if not scripts:
        pytest.skip('nl_robot is not installed in this environment')
    for script in scripts:
        source = TREE / (script.module.replace('.', '/') + '.py')
        assert re.search(r'^def main\(', source.read_text(encoding='utf-8'), re.MULTILINE), source


def test_the_manifest_is_complete():
    manifest = ElementTree.parse(TREE / 'package.xml').getroot()
    assert manifest.get('format') == '3'
    assert manifest.findtext('version') == nl_robot.__version__
    assert manifest.findtext('license') == 'Apache-2.0'
    maintainer = manifest.find('maintainer').get('email')
    assert re.fullmatch(r'[\w.+-]+@[\w-]+(\.[\w-]+)*\.[a-z]{2,}', maintainer)
    assert manifest.findtext('export/build_type') == 'ament_python'


def test_the_manifest_names_every_ros_package_that_is_imported():
    """rosdep installs what package.xml names and nothing else."""
    manifest = ElementTree.parse(TREE / 'package.xml').getroot()
    named = {element.text for element in manifest if element.tag.endswith('depend')}
    optional = {'nav2_msgs', 'vision_msgs'}
    for path in (TREE / 'nl_robot').rglob('*.py'):
        text = path.read_text(encoding='utf-8')
        used = set(re.findall(r'^\s*(?:from|import) (rclpy|\w+_msgs|std_srvs)\b', text, re.M))
        assert used - optional <= named, path


def test_every_requirement_is_pinned():
    lines = [line for path in TREE.glob('constraints*.txt')
             for line in path.read_text(encoding='utf-8').splitlines()]
    pinned = {canonical(line.partition('==')[0]) for line in lines if '==' in line}
    assert all('==' in line for line in lines if line and not line.startswith('#'))
    assert kilted_pins() >= {canonical(name) for name in (
        (TREE / 'requirements-ros.txt').read_text(encoding='utf-8').replace('jazzy', 'kilted')
        + (TREE / 'requirements-dev.txt').read_text(encoding='utf-8').replace('jazzy', 'kilted')
    ).replace('[fastrtps]', '').split() if name.startswith('ros-')}
    for path in TREE.glob('requirements*.txt'):
        for line in path.read_text(encoding='utf-8').splitlines():
            if line and not line.startswith('#'):
                assert canonical(line.partition('[')[0]) in pinned, f'{path.name}: {line}'


def kilted_pins():
    """The packages that have a version for ROS 2 Kilted."""
    lines = (TREE / 'constraints-kilted.txt').read_text(encoding='utf-8').splitlines()
    return {canonical(line.partition('==')[0]) for line in lines if '==' in line}


def canonical(name):
    """A package's name as PEP 503 compares it."""
    return re.sub(r'[-_.]+', '-', name.strip()).lower()


def test_programs_go_where_ros2_run_looks():
    settings = configparser.ConfigParser()
    settings.read(TREE / 'setup.cfg')
    assert settings['install']['install_scripts'] == '$base/lib/nl_robot'
    assert settings['develop']['script_dir'] == '$base/lib/nl_robot'


def test_the_changelog_has_this_version():
    text = (TREE / 'CHANGELOG.rst').read_text(encoding='utf-8')
    assert re.search(rf'^{re.escape(nl_robot.__version__)} \(.+\)\n-+$', text, re.MULTILINE)
