"""The dispatcher of `nl_robot`: finds commands, imports lazily, speaks clearly when it cannot."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nl_robot import __version__
from nl_robot.cli import main as cli
from nl_robot.cli.main import Command

FAKE = '''
def add_arguments(parser):
    parser.add_argument('--say', default='')

def run(args):
    if args.say == 'value':
        raise ValueError('two\\n  lines')
    if args.say == 'file':
        open('/nowhere/at/all')
    if args.say == 'interrupt':
        raise KeyboardInterrupt
    if args.say == 'folder':
        open('/')
    if args.say in ('loud', 'little'):
        print('x\\n' * (100_000 if args.say == 'loud' else 1))
    return len(args.say)
'''


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """A table with one command that works, one absent, one that lacks a library, one group."""
    for name, text in {'fake_good': FAKE, 'fake_hungry': 'import no_such_library',
                       'fake_group': 'from nl_robot.cli.main import Command\n'
                                     'COMMANDS = (Command("good", "fake_good", ""),)'}.items():
        (tmp_path / f'{name}.py').write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    table = tuple(Command(name, f'fake_{name}', 'help') for name in
                  ('good', 'absent', 'hungry', 'group'))
    monkeypatch.setattr(cli, 'COMMANDS', table)
    return table


def test_the_exit_status_is_what_run_gives(commands):
    assert cli.main(['good', '--say', 'four']) == 4


def test_a_group_leads_to_its_command(commands):
    assert cli.main(['group', 'good', '--say', 'abc']) == 3


@pytest.mark.parametrize(('argv', 'said'), [
    (['godo'], "no command 'godo'; did you mean 'good'?"),
    (['xyz'], "'xyz'. It has: good, absent, hungry, group"),
    (['group', 'bad'], "nl_robot group has no command 'bad'"),
    (['absent'], 'not part of this installation'),
    (['hungry'], "needs the Python module 'no_such_library'"),
    (['good', '--say', 'value'], 'nl_robot: two lines'),
    (['good', '--say', 'file'], 'there is no file /nowhere/at/all'),
    (['good', '--say', 'folder'], 'nl_robot: /: Is a directory'),
])
def test_wrong_input_is_one_sentence_and_status_2(commands, capsys, argv, said):
    assert cli.main(argv) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count('\n') == 1


def test_an_interrupt_ends_with_130(commands, capsys):
    assert cli.main(['good', '--say', 'interrupt']) == 130
    assert 'Traceback' not in capsys.readouterr().err


@pytest.mark.parametrize('say', ['loud', 'little'])
def test_output_that_nobody_reads_any_more_is_no_error(commands, tmp_path, say):
    script = (f'import sys; sys.path.insert(0, {str(tmp_path)!r}); from nl_robot.cli import main;'
              'main.COMMANDS = (main.Command("good", "fake_good", ""),); sys.stdin.readline();'
              f'sys.exit(main.main(["good", "--say", {say!r}]))')
    with subprocess.Popen([sys.executable, '-c', script], stdin=subprocess.PIPE, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == ''
    assert process.returncode == 1


def test_no_command_lists_them_all(capsys):
    assert cli.main([]) == 2
    listed = capsys.readouterr().err
    assert all(command.name in listed for command in cli.COMMANDS)


def test_help_and_version(capsys):
    assert cli.main(['--help']) == 0
    assert cli.main(['--version']) == 0
    assert f'nl_robot {__version__}' in capsys.readouterr().out


def test_the_dispatcher_imports_nothing_heavy():
    script = ('import sys; from nl_robot.cli.main import main; main(["--version"]); '
              'print(sorted({"torch", "numpy", "mujoco", "rclpy"} & set(sys.modules)))')
    result = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True,
                            check=True)
    assert result.stdout.endswith('[]\n')
