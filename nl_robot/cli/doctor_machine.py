"""What the doctor sees of the machine: ROS 2, models, disk, renderer, which driver can work."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nl_robot.cli.findings import Finding, missing, note, ok
from nl_robot.settings import shared_dir

GIGA = 1024 ** 3
DISK_NEEDED, DISK_WANTED = 0.5, 5.0
"""Gigabytes: a checkpoint with its logs; a home's episodes and versions with room to spare."""
DISTROS = {'7.1': 'jazzy', '9.1': 'kilted'}
"""ROS 2 distributions by their version of rclpy, for wheels, which set no ROS_DISTRO."""


def machine_findings(parameters: dict[str, dict[str, object]]) -> list[Finding]:
    """Everything that can be looked at without a robot."""
    return [python_finding(), ros_finding(), domain_finding(dict(os.environ)),
            transport_finding(dict(os.environ)), *model_findings(parameters),
            disk_finding(Path.home()), renderer_finding(), *driver_findings(parameters)]


def python_finding() -> Finding:
    """The interpreter."""
    number = '.'.join(map(str, sys.version_info[:3]))
    return ok('python', f'{number} in {sys.prefix}')


def ros_finding() -> Finding:
    """The ROS 2 distribution and its middleware."""
    if importlib.util.find_spec('rclpy') is None:
        return missing('ros', 'rclpy is not installed',
                       'source /opt/ros/jazzy/setup.bash, or type: make setup')
    import rclpy
    middleware = rclpy.get_rmw_implementation_identifier()
    name = os.environ.get('ROS_DISTRO') or distro_of_wheels()
    where = 'as installed' if os.environ.get('ROS_DISTRO') else 'as wheels'
    return ok('ros', f'{name or "an unknown distribution"} {where}, {middleware}')


def distro_of_wheels() -> str:
    """The distribution by the version of the rclpy wheel, or ''."""
    for name in ('ros-rclpy', 'rclpy'):
        try:
            return DISTROS.get('.'.join(version(name).split('.')[:2]), '')
        except PackageNotFoundError:
            continue
    return ''


def domain_finding(environment: dict[str, str]) -> Finding:
    """Which domain is spoken in, and how far."""
    domain = environment.get('ROS_DOMAIN_ID', '0') or '0'
    reach = environment.get('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')
    if not domain.isdigit() or int(domain) > 232:
        return missing('domain', f'ROS_DOMAIN_ID is {domain!r}', 'set it to 0 to 232')
    says = f'{domain}, discovery {reach}'
    if environment.get('ROS_LOCALHOST_ONLY') == '1' or reach == 'LOCALHOST':
        return note('domain', says, 'a robot on another machine is not heard: unset '
                    'ROS_AUTOMATIC_DISCOVERY_RANGE and ROS_LOCALHOST_ONLY for that')
    return ok('domain', says)


def transport_finding(environment: dict[str, str]) -> Finding:
    """Over what the nodes will speak."""
    chosen = environment.get('FASTDDS_BUILTIN_TRANSPORTS', '')
    if chosen and not chosen.upper().startswith('UDP'):
        return note('transport', f'FASTDDS_BUILTIN_TRANSPORTS is {chosen}', 'with shared memory a '
                    'killed process can silence all cameras for good: unset it, and the nodes '
                    'speak over UDP')
    profile = (environment.get('FASTRTPS_DEFAULT_PROFILES_FILE')
               or environment.get('FASTDDS_DEFAULT_PROFILES_FILE'))
    return ok('transport', f'as {profile} says' if profile else 'UDP, where Fast DDS is spoken')


def model_findings(parameters: dict[str, dict[str, object]]) -> list[Finding]:
    """The agent's files against their manifest, and the detector's weights."""
    policy = parameters.get('policy', {})
    agent, detector = str(policy.get('agent', '')), str(policy.get('detector', 'embedded'))
    found = []
    if agent.startswith('python:'):
        found.append(note('agent', f'made by {agent}'))
    else:
        found.append(checkpoint_finding(Path(agent) if agent else shared_dir('models') / 'agent'))
    if detector == 'embedded':
        found.append(weights_finding(shared_dir('models') / 'detector' / 'model.safetensors'))
    else:
        found.append(note('detector', detector))
    return found


def checkpoint_finding(folder: Path) -> Finding:
    """Whether every file of a checkpoint is the one that its manifest names."""
    try:
        manifest = json.loads((folder / 'manifest.json').read_text(encoding='utf-8'))
        wrong = [name for name, digest in manifest.items() if sha256(folder / name) != digest]
    except (OSError, ValueError, AttributeError) as error:
        return missing('agent', f'{folder} is no checkpoint: {error}',
                       'give the policy another one with its parameter agent')
    if wrong:
        return missing('agent', f'{", ".join(wrong)} in {folder} is not what the manifest names',
                       'it is damaged or was changed: get the checkpoint anew')
    weights = next((digest for name, digest in manifest.items()
                    if name.endswith('.safetensors')), '')
    return ok('agent', f'{folder}, all files as in the manifest, weights {weights[:12]}')


def weights_finding(path: Path) -> Finding:
    """Whether the detector's weights are there, and which."""
    try:
        return ok('detector', f'{path}, weights {sha256(path)[:12]}')
    except OSError:
        return missing('detector', f'there is no {path}', 'build or install the package anew')


def sha256(path: Path) -> str:
    """The hash of a file, as hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def disk_finding(folder: Path) -> Finding:
    """Room for logs, homes and checkpoints."""
    free = shutil.disk_usage(folder).free / GIGA
    says = f'{free:.1f} GB free at {folder}'
    if free < DISK_NEEDED:
        return missing('disk', says, f'make room: {DISK_NEEDED:g} GB at least')
    return note('disk', says, f'{DISK_WANTED:g} GB are better where a home is learned') \
        if free < DISK_WANTED else ok('disk', says)


def renderer_finding() -> Finding:
    """What the simulator draws with; a real robot does without."""
    from nl_robot.sim.renderer import RendererUnavailable, choose_renderer
    try:
        return ok('renderer', f'{choose_renderer()}, for the simulator')
    except RendererUnavailable as error:
        return note('renderer', 'none, so that the embedded simulator shows no pictures',
                    str(error).partition('run: ')[2])


def driver_findings(parameters: dict[str, dict[str, object]]) -> list[Finding]:
    """Which drivers can work here; the one that is chosen has to."""
    chosen = str(parameters.get('bridge', {}).get('driver', 'velocity'))
    if chosen not in ('velocity', 'nav2', 'mock'):
        return [missing('driver', f'the parameter driver of the bridge is {chosen!r}',
                        'choose velocity, nav2 or mock')]
    found = [ok('driver', f'{chosen} is chosen')]
    if importlib.util.find_spec('nav2_msgs') is not None:
        return [*found, ok('driver nav2', 'can work: nav2_msgs is installed')]
    says, todo = 'nav2_msgs is not installed', 'sudo apt install ros-$ROS_DISTRO-navigation2'
    return [*found, missing('driver nav2', says, todo) if chosen == 'nav2' else
            note('driver nav2', says)]
