"""Long commands can be interrupted from a terminal, a script and a service manager."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

WAITS = '''
import sys, time
from nl_robot.cli import main as room
def slow(program, commands, arguments):
    print('begun', flush=True)
    time.sleep(30)
room.dispatch = slow
sys.argv = ['nl_robot', 'train']
sys.exit(room.main())
'''


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_command_in_the_background_of_a_script_ends_with_130(number):
    # a shell starts background jobs with SIGINT ignored, and so does this
    process = subprocess.Popen([sys.executable, '-c', WAITS], text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert process.stdout is not None and process.stdout.readline() == 'begun\n'
    began = time.monotonic()
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert errors == 'interrupted\n'
    assert time.monotonic() - began < 5
