"""The launch files: what they start exists; and, where launch is installed, they are launched."""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import String

from nl_robot.sim.renderer import RendererUnavailable, choose_renderer

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[1]
sys.path[:0] = [str(TREE / 'test' / 'nodes'), str(HERE)]

import stand_ins  # noqa: E402
from nav2_types import nav2_environment  # noqa: E402
from node_rig import LATCHED, TERMINAL, wait_for  # noqa: E402

FILES = sorted((TREE / 'launch').glob('*.launch.py'))
NODES = ('safety_gate', 'bridge', 'policy', 'command')
NAV2_NAMES = {'namespace', 'use_sim_time', 'params_file', 'log_level', 'use_respawn'}
INSTALLED = tuple(name for name in (*NODES, 'standby_gate')
                  if (TREE / 'nl_robot' / 'nodes' / f'{name}.py').is_file())
GAZEBOS, NAV2S = {'gz_sim.launch.py'}, {'navigation_launch.py'}
SCRIPTED = """
/**/policy:
  ros__parameters:
    agent: python:scripted_agents:agent
    detector: python:scripted_agents:detector
"""
SIMULATED = 'use_sim_time:=true'
_DOMAINS = itertools.count()
needs_launch = pytest.mark.skipif(
    importlib.util.find_spec('launch_ros') is None,
    reason='launch and launch_ros are not installed: they come with ROS 2, not as wheels')


def names_in(text: str, pattern: str) -> set[str]:
    return set(re.findall(pattern, text, re.MULTILINE))


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_what_it_starts_and_sets_is_there(path: Path) -> None:
    text = path.read_text(encoding='utf-8')
    programs = names_in((TREE / 'setup.py').read_text(encoding='utf-8'), r"'(\w+_node) = ")
    named = names_in(text, r"executable='(\w+_node)'")
    named |= {f'{name}_node' for name in names_in(text, f"'({'|'.join(NODES)})'")}
    asks = 'installation' in text   # it looks which programs there are, and says what is left out
    assert named <= programs or asks, named - programs
    nodes = ' '.join(p.read_text(encoding='utf-8') for p in (TREE / 'nl_robot/nodes').glob('*.py'))
    assert names_in(text, r"^    \('(\w+)', '") <= names_in(nodes, r"'(\w+)', ")
    for name in names_in(text, r"'([\w.]+\.(?:yaml|py))'") - GAZEBOS - NAV2S - {'bridge.yaml'}:
        assert list(TREE.glob(f'*/{name}')), name


def test_names_are_relative_so_that_a_namespace_works() -> None:
    makers = r"create_(?:publisher|subscription|service|client)\(\s*[\w.]+,\s*'(/[^']*)'"
    for path in (TREE / 'nl_robot' / 'nodes').glob('*.py'):
        absolute = names_in(path.read_text(encoding='utf-8'), makers)
        assert absolute <= {'/clock', '/diagnostics', '/tf', '/tf_static'}, path


def test_launch_arguments_in_the_readme_are_declared() -> None:
    readme = (TREE / 'README.md').read_text(encoding='utf-8').partition(
        '## On a ROS 2 installation\n')[2].partition('\n## When something')[0]
    declared = set().union(*(names_in(path.read_text(encoding='utf-8'), r"\('(\w+)', ")
                             for path in (*FILES, TREE / 'nl_robot' / 'launching.py')))
    assert names_in(readme, r'(\w+):=') <= declared
    assert NAV2_NAMES <= declared


class Person:
    """Ears for what the command node of a namespace says, and a mouth."""

    def __init__(self, session: Session, namespace: str) -> None:
        self._output, context = session.output, session.context
        self.node = rclpy.create_node('people', context=context, namespace=namespace)
        self._command = self.node.create_publisher(String, 'command', 10)
        self.node.create_subscription(DiagnosticStatus, 'status', self._on_status, LATCHED)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self.heard: list[dict[str, str]] = []

    def leave(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()

    def wait_for_node(self, name: str) -> None:
        self._wait(lambda: name in self.node.get_node_names(), 60.0, name)

    def wait_for_status(self, key: str, value: str) -> None:
        """Wait for a status with that value, after those heard so far."""
        self.heard.clear()
        self._wait(lambda: any(v[key] == value for v in self.heard), 90.0, value)

    def run_command(self, words: str) -> dict[str, str]:
        """Say a command; gives its terminal status."""
        self._wait(self._command.get_subscription_count, 20.0, 'a listener')
        self.heard.clear()
        self._command.publish(String(data=words))
        self._wait(lambda: any(v['state'] in TERMINAL for v in self.heard), 90.0, 'an end')
        return next(v for v in self.heard if v['state'] in TERMINAL)

    def drives(self) -> None:
        """A command comes to a good end."""
        end = self.run_command('drive 1')
        assert end['state'] == 'succeeded', end

    def _wait(self, condition, seconds: float, what: str) -> None:
        def spun_and_true() -> bool:
            self._executor.spin_once(timeout_sec=0.1)
            return bool(condition())
        try:
            wait_for(spun_and_true, seconds, what)
        except AssertionError as error:
            raise AssertionError(f'{error}\n{self.heard[-2:]}\n{self._output()}') from error

    def _on_status(self, message: DiagnosticStatus) -> None:
        self.heard.append({v.key: v.value for v in message.values})


class Session:
    """One DDS domain with processes in it, and ears for what the command node says."""

    def __init__(self, folder: Path, namespace: str) -> None:
        domain = 1 + (os.getpid() * 7 + next(_DOMAINS) * 13) % 230
        inherited = os.environ.get('PYTHONPATH')
        modules = [str(TREE / 'test' / 'nodes'), *([inherited] if inherited else [])]
        self._environment = {
            **os.environ, 'ROS_DOMAIN_ID': str(domain), 'ROS_LOG_DIR': str(folder / 'log'),
            'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST', 'ROS_PYTHON_CHECK_FIELDS': '1',
            'NL_ROBOT_HOMES': str(folder / 'homes'),
            'OMP_NUM_THREADS': '1', 'PYTHONPATH': os.pathsep.join(modules),
            'AMENT_PREFIX_PATH': os.pathsep.join(
                [str(folder / 'stand_ins'),
                 os.environ.get('AMENT_PREFIX_PATH') or sys.prefix])}
        stand_ins.install(folder / 'stand_ins')
        os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
        self.folder, self._log, self.processes = folder, folder / 'output.txt', []
        self._scripted = folder / 'scripted.yaml'
        self._scripted.write_text(SCRIPTED, encoding='utf-8')
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.people = [Person(self, namespace)]

    def __getattr__(self, name: str) -> object:
        """The first person's abilities are the session's."""
        return getattr(self.people[0], name)

    def person(self, namespace: str) -> Person:
        """Another one, in a namespace."""
        self.people.append(Person(self, namespace))
        return self.people[-1]

    def add(self, variables: dict[str, str]) -> None:
        """Give the processes that start from now on more variables; paths are joined."""
        for name, value in variables.items():
            known = self._environment.get(name) if name.endswith('PATH') else None
            self._environment[name] = os.pathsep.join(filter(None, (value, known)))

    def without_stand_ins(self) -> None:
        """As on a machine that has neither Gazebo nor Nav2."""
        self._environment['AMENT_PREFIX_PATH'] = self._environment['AMENT_PREFIX_PATH'].partition(
            os.pathsep)[2]

    def start(self, *command: object) -> subprocess.Popen[bytes]:
        """Start a process that leads a group of its own."""
        with open(self._log, 'ab') as log:
            self.processes.append(subprocess.Popen(
                [str(word) for word in command], env=self._environment, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True))
        return self.processes[-1]

    def launch(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a launch file with the scripted agent."""
        return self.start(sys.executable, HERE / 'ros2_launch.py', TREE / 'launch' / name,
                          f'more_params_file:={self._scripted}', *arguments)

    def output(self) -> str:
        return self._log.read_text(errors='replace')

    def close(self) -> None:
        """Kill whatever is left of the groups."""
        for process in self.processes:
            if group_lives(process):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        for person in self.people:
            person.leave()
        rclpy.shutdown(context=self.context)


def group_lives(process: subprocess.Popen[bytes]) -> bool:
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Session]:
    try:
        choose_renderer()
    except RendererUnavailable as error:
        pytest.skip(str(error))
    made = Session(tmp_path, getattr(request, 'param', ''))
    yield made
    made.close()


def end_cleanly(session: Session, launch: subprocess.Popen[bytes], nodes: tuple[str, ...]) -> None:
    """SIGINT to launch alone ends it and every node with exit status 0, and leaves no process."""
    launch.send_signal(signal.SIGINT)
    status, output = launch.wait(60), session.output()
    assert status == 0, output
    assert not group_lives(launch), output
    ended = names_in(output, r'\[(\w+)_node-\d+\]: process has finished cleanly')
    assert ended == set(nodes), output
    assert 'Traceback' not in output and 'escalating' not in output, output


@needs_launch
@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_arguments_are_named_as_in_nav2_and_described(path: Path, monkeypatch) -> None:
    monkeypatch.setenv('AMENT_PREFIX_PATH', os.environ.get('AMENT_PREFIX_PATH') or sys.prefix)
    spec = importlib.util.spec_from_file_location(path.stem.replace('.', '_'), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    arguments = module.generate_launch_description().get_launch_arguments()
    assert NAV2_NAMES <= {argument.name for argument in arguments}
    assert all(a.description and a.default_value is not None for a in arguments)


@needs_launch
def test_sim_is_launched_runs_a_command_and_ends(session: Session) -> None:
    launch = session.launch('sim.launch.py', 'seed:=2000')
    session.wait_for_status('text', 'Ready.')
    end = session.run_command('drive 1')
    assert (end['state'], end['words']) == ('succeeded', 'drive 1')
    end_cleanly(session, launch, (*INSTALLED, 'sim'))


@needs_launch
def test_gazebo_is_launched_with_a_home_and_a_bridge(session: Session) -> None:
    launch = session.launch('gazebo.launch.py', 'seed:=7', 'headless:=true')
    session.wait_for_status('text', 'Ready.')
    session.drives()
    assert 'gazebo: -r -s True' in session.output() and 'bridge: 12 topics' in session.output()
    end_cleanly(session, launch, (*INSTALLED, 'sim'))


@needs_launch
def test_nav2_is_launched_behind_the_bridge(session: Session, tmp_path: Path) -> None:
    session.add(nav2_environment())
    parameters = tmp_path / 'nav2.yaml'
    parameters.write_text('collision_monitor: {ros__parameters: {cmd_vel_out_topic: cmd_vel}}')
    session.start(sys.executable, '-m', 'nl_robot.nodes.sim')
    launch = session.launch('robot.launch.py', 'driver:=nav2', f'nav2_params_file:={parameters}',
                            SIMULATED)
    session.wait_for_status('text', 'Ready.')
    session.drives()
    assert 'nav2: cmd_vel_nav2' in session.output() and 'succeeded' in session.output()
    launch.send_signal(signal.SIGINT)
    assert launch.wait(60) == 0, session.output()


@needs_launch
@pytest.mark.parametrize(('name', 'arguments', 'says'), [
    ('robot.launch.py', ['nav2_params_file:=/dev/null'], 'has no collision_monitor'),
    ('robot.launch.py', ['driver:=legs'], 'Valid options are'),
    ('gazebo.launch.py', [], 'sim.launch.py does without')])
def test_what_cannot_be_launched_is_told_in_a_sentence(
        session: Session, name: str, arguments: list[str], says: str) -> None:
    if name == 'gazebo.launch.py':
        session.without_stand_ins()
    launch = session.launch(name, *arguments)
    assert launch.wait(60) == 1
    assert says in session.output() and 'Traceback' not in session.output()
    assert 'process started' not in session.output()    # launch would leave it behind


@needs_launch
def test_adaptation_is_launched_beside_the_robot_and_ends_cleanly(session: Session) -> None:
    if not (TREE / 'nl_robot' / 'nodes' / 'adaptation.py').is_file():
        launch = session.launch('adapt.launch.py')
        assert launch.wait(60) == 1 and 'no adaptation_node' in session.output()
        return
    session.add({'NL_ROBOT_HOMES': str(session.folder / 'homes')})
    launch = session.launch('adapt.launch.py', 'home:=test')
    session.wait_for_node('adaptation')
    end_cleanly(session, launch, ('adaptation',))


@needs_launch
def test_speech_is_launched_with_the_robot_and_hears_a_topic(session: Session) -> None:
    with session._scripted.open('a', encoding='utf-8') as file:
        file.write('/**/speech:\n  ros__parameters: {source: topic, engine: pocketsphinx}\n')
    launch = session.launch('sim.launch.py', 'speech:=true')
    session.wait_for_node('speech')
    session.wait_for_status('text', 'Ready.')
    session.drives()
    end_cleanly(session, launch, (*INSTALLED, 'sim', 'speech'))


@needs_launch
def test_speech_is_launched_alone(session: Session) -> None:
    launch = session.launch('speech.launch.py', 'source:=topic')
    session.wait_for_node('speech')
    end_cleanly(session, launch, ('speech',))


@needs_launch
def test_two_robots_in_two_namespaces_keep_to_themselves(session: Session) -> None:
    for name in ('one', 'two'):
        session.start(sys.executable, '-m', 'nl_robot.nodes.sim', '--ros-args', '-r',
                      f'__ns:=/{name}', '-p', 'clock:=false')
        session.launch('robot.launch.py', f'namespace:={name}', SIMULATED)
    one, two = session.person('one'), session.person('two')
    one.wait_for_status('text', 'Ready.')
    two.wait_for_status('text', 'Ready.')
    one.drives()
    assert not any(v['state'] in TERMINAL for v in two.heard)
    two.drives()


@needs_launch
@pytest.mark.parametrize('session', ['/robot1'], indirect=True)
def test_robot_is_launched_in_a_namespace_and_a_killed_node_comes_back(session: Session) -> None:
    session.start(sys.executable, '-m', 'nl_robot.nodes.sim', '--ros-args', '-r', '__ns:=/robot1')
    launch = session.launch('robot.launch.py', 'namespace:=robot1', 'use_respawn:=true',
                            SIMULATED)
    session.wait_for_status('text', 'Ready.')
    bridge = re.search(r'\[bridge_node-\d+\]: process started with pid \[(\d+)\]',
                       session.output())
    os.kill(int(bridge.group(1)), signal.SIGKILL)
    session.wait_for_status('reason', 'not_ready:bridge')
    session.wait_for_status('text', 'Ready.')
    session.drives()
    end_cleanly(session, launch, INSTALLED)
