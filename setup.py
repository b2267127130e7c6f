"""The ament_python package: colcon and pip both read this file."""

import re
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = 'nl_robot'
HERE = Path(__file__).resolve().parent
SHARED = ('launch', 'config', 'models')


def shared_files():
    """Pairs (folder under the prefix, files) of everything that is installed as data."""
    pairs = [('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
             (f'share/{PACKAGE}', ['package.xml'])]
    for folder in SHARED:
        for path in sorted(HERE.joinpath(folder).rglob('*')):
            if path.is_file() and '__pycache__' not in path.parts:
                relative = path.relative_to(HERE)
                pairs.append((f'share/{PACKAGE}/{relative.parent.as_posix()}',
                              [relative.as_posix()]))
    return pairs


def version():
    """The one version, kept in nl_robot/__init__.py."""
    text = HERE.joinpath(PACKAGE, '__init__.py').read_text(encoding='utf-8')
    return re.search(r"__version__ = '(.+)'", text).group(1)


setup(
    name=PACKAGE,
    version=version(),
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={PACKAGE: ['**/*.yaml', '**/*.json', '**/*.txt']},
    data_files=shared_files(),
    python_requires='>=3.10',
    install_requires=['setuptools'],
    zip_safe=False,
    author='The nl_robot maintainers',
    author_email='maintainers@nl-robot.example',
    maintainer='The nl_robot maintainers',
    maintainer_email='maintainers@nl-robot.example',
    description='Tell a household robot what to do in plain words.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'nl_robot = nl_robot.cli.main:main',
            'command_node = nl_robot.nodes.command:main',
            'policy_node = nl_robot.nodes.policy:main',
            'bridge_node = nl_robot.nodes.bridge:main',
            'safety_gate_node = nl_robot.nodes.safety_gate:main',
            'standby_gate_node = nl_robot.nodes.standby_gate:main',
            'speech_node = nl_robot.nodes.speech:main',
            'sim_node = nl_robot.nodes.sim:main',
            'adaptation_node = nl_robot.nodes.adaptation:main',
        ],
    },
)
