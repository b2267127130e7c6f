"""What several commands take as arguments: wrong ones are refused with what was got."""

from __future__ import annotations

import argparse

import pytest

from nl_robot.cli.arguments import natural, output_file, positive, probability


def test_whole_numbers_with_a_least_value():
    assert (natural('0'), positive('1'), natural('12')) == (0, 1, 12)
    for kind, text in ((natural, '-1'), (positive, '0'), (positive, '1.5'), (natural, '')):
        with pytest.raises(argparse.ArgumentTypeError, match=f"or more, got '{text}'"):
            kind(text)


def test_probabilities():
    assert (probability('0'), probability('1'), probability('0.25')) == (0.0, 1.0, 0.25)
    for text in ('-0.1', '1.1', 'nan', 'half'):
        with pytest.raises(argparse.ArgumentTypeError, match=f"from 0 to 1, got '{text}'"):
            probability(text)


def test_the_folder_of_an_output_is_made(tmp_path):
    path = output_file(str(tmp_path / 'new' / 'out.json'))
    assert path.parent.is_dir() and not path.exists()


def test_an_output_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(argparse.ArgumentTypeError, match='is a folder'):
        output_file(str(tmp_path))
    with pytest.raises(argparse.ArgumentTypeError, match='no folder .* can be made'):
        output_file(str(tmp_path / 'file' / 'out.json'))
