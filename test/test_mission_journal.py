"""The journal: what ran is told after a restart, and no disk keeps a command from running."""

from __future__ import annotations

from pathlib import Path

import pytest

from nl_robot.mission.command import Status
from nl_robot.mission.journal import Journal, journal_path

RUNNING = Status('a-1', 'accepted', words='go to the „kitchen“')


def test_what_runs_is_there_after_a_restart_and_gone_after_its_end(tmp_path: Path) -> None:
    path = tmp_path / 'deep' / 'running.json'
    assert Journal(path).left_over() is None
    journal = Journal(path)
    journal.note(RUNNING)
    left = Journal(path).left_over()
    assert (left.id, left.words) == ('a-1', 'go to the „kitchen“')
    journal.note(Status('a-2', 'running', words='x'))
    assert Journal(path).left_over().id == 'a-2'
    journal.note(None)
    assert Journal(path).left_over() is None and list(path.parent.iterdir()) == []


@pytest.mark.parametrize('text', [b'', b'{', b'[]', b'{"id": "a"}', b'\xff\xfe', b'null'])
def test_a_broken_file_still_says_that_something_ran(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / 'running.json'
    path.write_bytes(text)
    assert Journal(path).left_over() == Status('', 'accepted')


def test_a_disk_that_takes_nothing_is_told_and_no_more(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('no folder')
    journal = Journal(tmp_path / 'file' / 'running.json')
    journal.note(RUNNING)
    assert 'cannot be written' in journal.trouble
    Journal(None).note(RUNNING)
    assert Journal(None).left_over() is None


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('ROS_HOME', str(tmp_path))
    assert journal_path('', '/robot1/command', 7) == (
        tmp_path / 'nl_robot' / 'running-7-robot1-command.json')
    assert journal_path('none', '/command', 7) is None
    assert journal_path('/x/y', '/command', 7) == Path('/x/y')
