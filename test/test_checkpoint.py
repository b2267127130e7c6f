"""A checkpoint is loaded whole and untouched, or not at all."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as save_tensors

from nl_robot import checkpoint as room
from nl_robot.checkpoint import (
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
    sha256,
)

WEIGHTS = {'policy': {'a': torch.arange(6.0).reshape(2, 3), 'b': torch.tensor([1, 2])}}
FIRST = Checkpoint({'format': 1}, WEIGHTS, {'seed': 3})
SECOND = Checkpoint({'format': 2}, WEIGHTS, {'seed': 4})


@pytest.fixture()
def saved(tmp_path) -> Path:
    save_checkpoint(FIRST, tmp_path / 'agent')
    return tmp_path / 'agent'


def refused(directory: Path, complaint: str) -> None:
    with pytest.raises(CheckpointError, match=complaint):
        load_checkpoint(directory)


def rewrite(directory: Path, name: str, content: bytes) -> None:
    """Replace a file and make the manifest say that this is right."""
    (directory / name).write_bytes(content)
    manifest = json.loads((directory / 'manifest.json').read_text())
    manifest[name] = sha256(content)
    (directory / 'manifest.json').write_text(json.dumps(manifest))


def test_there_and_back_again(saved):
    again = load_checkpoint(saved)
    assert again.config == {'format': 1} and again.origin == {'seed': 3}
    assert list(again.weights) == ['policy']
    for name, value in WEIGHTS['policy'].items():
        assert torch.equal(again.weights['policy'][name], value)
    assert sorted(path.name for path in saved.iterdir()) == [
        'config.json', 'manifest.json', 'origin.json', 'policy.safetensors']
    assert [path.name for path in saved.parent.iterdir()] == ['agent']


def test_sha256_of_nothing():
    assert sha256(b'') == 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'


@pytest.mark.parametrize('name', ['config.json', 'origin.json', 'policy.safetensors'])
@pytest.mark.parametrize('damage', ['cut', 'flip', 'empty', 'longer'])
def test_damage_is_found(saved, name, damage):
    content = bytearray((saved / name).read_bytes())
    middle = len(content) // 2
    content[middle] ^= 1
    flipped = bytes(content)
    content[middle] ^= 1
    whole = bytes(content)
    (saved / name).write_bytes({'cut': whole[:-1], 'flip': flipped, 'empty': b'',
                                'longer': whole + b' '}[damage])
    refused(saved, f'{name} does not match its SHA-256 in manifest.json')


@pytest.mark.parametrize('name', ['config.json', 'origin.json', 'policy.safetensors',
                                  'manifest.json'])
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    refused(saved, f'{name} is missing')


@pytest.mark.parametrize('manifest', [
    b'', b'{', b'[]', b'3', b'null', b'\xff\xfe', b'{}', b'{"policy.safetensors": "x"'])
def test_a_manifest_that_is_none_is_refused(saved, manifest):
    (saved / 'manifest.json').write_bytes(manifest)
    refused(saved, 'agent is not a checkpoint')


@pytest.mark.parametrize('name', ['../secret', '/etc/hostname', 'deep/policy.safetensors'])
def test_a_manifest_that_leads_elsewhere_is_refused(saved, name):
    (saved / 'manifest.json').write_text(json.dumps({name: sha256(b'')}))
    refused(saved, 'names a path')


@pytest.mark.parametrize('name', ['.', '..', '', 'a\0b'])
def test_a_manifest_that_names_no_file_is_refused(saved, name):
    (saved / 'manifest.json').write_text(json.dumps({name: sha256(b'')}))
    refused(saved, 'agent')


@pytest.mark.parametrize('name', ['policy.safetensors', 'manifest.json'])
def test_a_symlink_is_refused_even_to_the_right_content(saved, tmp_path, name):
    (saved / name).rename(tmp_path / 'elsewhere')
    (saved / name).symlink_to(tmp_path / 'elsewhere')
    refused(saved, f'{name} is missing or not a plain file')


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_weights_that_are_not_finite_are_refused(saved, bad):
    rewrite(saved, 'policy.safetensors', save_tensors({'a': torch.tensor([1.0, bad])}))
    refused(saved, r'policy\.safetensors: a is not finite')


def test_a_file_that_is_too_large_is_not_read(saved, monkeypatch):
    monkeypatch.setattr(room, 'MAX_BYTES', 100)
    refused(saved, 'more than 100')


class Trap:
    """Would make a file if it were ever unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), 'w'))


@pytest.mark.parametrize('name', ['policy.safetensors', 'policy.pkl', 'policy.pt'])
def test_a_pickle_is_never_opened(saved, tmp_path, name):
    trap = pickle.dumps(Trap(tmp_path / 'sprung'))
    rewrite(saved, name, trap)
    if name == 'policy.safetensors':
        refused(saved, 'agent is not a checkpoint')
    else:
        assert list(load_checkpoint(saved).weights) == ['policy']
    assert not (tmp_path / 'sprung').exists()
    pickle.loads(trap)
    assert (tmp_path / 'sprung').exists()       # the trap itself works


def test_what_is_no_directory_says_what_to_do(tmp_path):
    refused(tmp_path / 'none', 'no checkpoint at .*none: train one')
    (tmp_path / 'file').write_text('x')
    refused(tmp_path / 'file', 'no checkpoint at')
    (tmp_path / 'foreign').mkdir()
    (tmp_path / 'foreign' / 'model.bin').write_bytes(b'x')
    refused(tmp_path / 'foreign', 'manifest.json is missing')


def test_a_new_checkpoint_replaces_the_old_and_keeps_its_card(saved):
    (saved / 'README.md').write_text('how it was made')
    save_checkpoint(SECOND, saved)
    assert load_checkpoint(saved).config == {'format': 2}
    assert (saved / 'README.md').read_text() == 'how it was made'
    assert [path.name for path in saved.parent.iterdir()] == ['agent']


class PowerCut(BaseException):
    """Stands for a process that is gone: nothing of the program runs after it."""


def cut_power(monkeypatch, after: int) -> None:
    """Let the program do `after` steps on the disk, then end it; no tidying up happens."""
    steps = {'left': after}

    def or_die(function):
        def step(*args, **kwargs):
            if steps['left'] == 0:
                raise PowerCut
            steps['left'] -= 1
            return function(*args, **kwargs)
        return step
    for owner, name in ((os, 'replace'), (os, 'fsync'), (room.shutil, 'rmtree')):
        monkeypatch.setattr(owner, name, or_die(getattr(owner, name)))


def test_whenever_the_power_goes_the_checkpoint_is_the_old_or_the_new(tmp_path, monkeypatch):
    seen, cuts = [], 0
    for after in range(12):
        directory = tmp_path / f'{after}' / 'agent'
        save_checkpoint(FIRST, directory)
        with monkeypatch.context() as patch:
            cut_power(patch, after)
            try:
                save_checkpoint(SECOND, directory)
            except PowerCut:
                cuts += 1
        seen.append(load_checkpoint(directory).config['format'])
        save_checkpoint(SECOND, directory)          # and the next save goes through
        assert load_checkpoint(directory).config == {'format': 2}
    assert cuts >= 6
    assert seen == sorted(seen) and set(seen) == {1, 2}


def test_an_error_while_saving_leaves_the_old_and_no_litter(saved, monkeypatch):
    def full(descriptor):
        raise OSError('no space left')
    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='no space'):
        save_checkpoint(SECOND, saved)
    assert load_checkpoint(saved).config == {'format': 1}
    assert [path.name for path in saved.parent.iterdir()] == ['agent']
