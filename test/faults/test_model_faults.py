"""Checkpoints that are damaged, foreign or hostile; savers that are killed; full disks."""

from __future__ import annotations

import json
import os
import pickle
import random
import resource
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as save_tensors

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'test'))

from fake_encoder import FakeEncoder  # noqa: E402

from nl_robot.agent import Agent  # noqa: E402
from nl_robot.checkpoint import (  # noqa: E402
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
    sha256,
)
from nl_robot.homes.versions import Versions  # noqa: E402
from nl_robot.nets.navigator import NavigatorSettings  # noqa: E402
from nl_robot.nets.recurrent import RecurrentNavigator  # noqa: E402
from nl_robot.settings import to_mapping  # noqa: E402

TINY = NavigatorSettings(text_dim=16, width=16, state=12, heads=2)
KILLS = 50


def made(seed: int = 0, shape: NavigatorSettings = TINY) -> Checkpoint:
    torch.manual_seed(seed)
    nets = {name: RecurrentNavigator(shape).state_dict() for name in ('policy', 'reward')}
    config = {'format': 2, 'navigator': to_mapping(TINY), 'acting': {},
              'text_encoder': {'name': 'fake', 'sha256': 'f' * 64}}
    return Checkpoint(config, nets, {'seed': seed})


@pytest.fixture()
def saved(tmp_path) -> Path:
    save_checkpoint(made(), tmp_path / 'agent')
    Agent.load(tmp_path / 'agent', FakeEncoder())
    return tmp_path / 'agent'


def refused(directory: Path) -> str:
    """Why an agent is not loaded; within a second, as a robot may be moving meanwhile."""
    began = time.monotonic()
    with pytest.raises(CheckpointError) as caught:
        Agent.load(directory, FakeEncoder())
    assert time.monotonic() - began < 5.0
    assert 'Traceback' not in str(caught.value)
    return str(caught.value)


def rewritten(directory: Path, name: str, content: bytes) -> None:
    """Replace a file and let the manifest say that this is right."""
    (directory / name).write_bytes(content)
    manifest = json.loads((directory / 'manifest.json').read_text())
    manifest[name] = sha256(content)
    (directory / 'manifest.json').write_text(json.dumps(manifest))


@pytest.mark.parametrize('signed', [False, True], ids=['by accident', 'with a manifest'])
def test_truncated_at_sixteen_places(saved, signed):
    whole = (saved / 'policy.safetensors').read_bytes()
    for part in range(16):
        content = whole[:part * len(whole) // 16]
        if signed:
            rewritten(saved, 'policy.safetensors', content)
        else:
            (saved / 'policy.safetensors').write_bytes(content)
        refused(saved)


def test_any_flipped_bit_is_found(saved):
    rng, whole = random.Random(0), (saved / 'policy.safetensors').read_bytes()
    for _ in range(32):
        damaged, place = bytearray(whole), rng.randrange(len(whole))
        damaged[place] ^= 1 << rng.randrange(8)
        (saved / 'policy.safetensors').write_bytes(damaged)
        assert 'does not match its SHA-256' in refused(saved)


@pytest.mark.parametrize('name', ['config.json', 'origin.json', 'manifest.json',
                                  'policy.safetensors'])
@pytest.mark.parametrize('content', [b'', os.urandom(4096), b'[' * 100_000, b'null', b'{}'],
                         ids=['nothing', 'noise', 'deep', 'null', 'empty'])
def test_foreign_files(saved, name, content):
    if name == 'manifest.json':
        (saved / name).write_bytes(content)
    else:
        rewritten(saved, name, content)
    if (name, content) != ('origin.json', b'{}'):       # nothing is missed there
        refused(saved)


def changed(state: dict, how: str) -> dict:
    """The weights of a policy, made wrong."""
    state = {key: value.clone() for key, value in state.items()}
    first = next(key for key, value in state.items() if value.ndim == 2)
    if how in ('nan', 'inf'):
        state[first][0, 0] = float(how)
    elif how == 'shape':
        state[first] = state[first][:, :-1].contiguous()
    elif how in ('float16', 'float64', 'uint8'):
        state = {key: value.to(getattr(torch, how)) for key, value in state.items()}
    elif how == 'missing':
        del state[first]
    else:
        state['another'] = torch.zeros(3)
    return state


@pytest.mark.parametrize('how', ['nan', 'inf', 'shape', 'float16', 'float64', 'uint8', 'missing',
                                 'extra'])
def test_weights_that_do_not_fit(saved, how):
    state = changed(dict(made().weights['policy']), how)
    rewritten(saved, 'policy.safetensors', save_tensors(state))
    refused(saved)


def test_weights_of_another_network(tmp_path):
    other = made(shape=NavigatorSettings(text_dim=16, width=32, state=12, heads=2))
    save_checkpoint(other, tmp_path / 'agent')
    assert 'cannot act' in refused(tmp_path / 'agent')


def test_a_header_that_claims_ten_gigabytes(saved):
    for claim in (10 * 1024 ** 3, 2 ** 63, 2 ** 64 - 1):
        rewritten(saved, 'policy.safetensors', struct.pack('<Q', claim) + b'{"a":' + b' ' * 64)
        refused(saved)
    lie = json.dumps({'a': {'dtype': 'F32', 'shape': [1 << 40], 'data_offsets': [0, 1 << 42]}})
    rewritten(saved, 'policy.safetensors', struct.pack('<Q', len(lie)) + lie.encode())
    refused(saved)


class Bomb:
    def __init__(self, sentinel: Path) -> None:
        self.sentinel = sentinel

    def __reduce__(self):
        return Path.touch, (self.sentinel,)


BOMBED = '''
import resource, sys, time
sys.path[:0] = [{tests!r}, {root!r}]
from fake_encoder import FakeEncoder
from nl_robot.agent import Agent
from nl_robot.checkpoint import CheckpointError
def rss():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before, began = rss(), time.monotonic()
for directory in {directories!r}:
    try:
        Agent.load(directory, FakeEncoder())
        sys.exit(3)
    except CheckpointError as error:
        pass
print(time.monotonic() - began, rss() - before)
'''


def test_a_pickle_and_a_zip_bomb_renamed(saved, tmp_path):
    import zipfile
    sentinel = tmp_path / 'sentinel'
    bomb, packed = tmp_path / 'bomb', tmp_path / 'packed.zip'
    bomb.mkdir()
    for path in saved.iterdir():
        (bomb / path.name).write_bytes(path.read_bytes())
    rewritten(bomb, 'policy.safetensors', pickle.dumps(Bomb(sentinel)))
    with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as file:
        file.writestr('policy/data.pkl', b'\0' * (300 << 20))
    rewritten(saved, 'reward.safetensors', packed.read_bytes())
    program = BOMBED.format(tests=str(ROOT / 'test'), root=str(ROOT),
                            directories=[str(bomb), str(saved)])
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True,
                          timeout=120, env={**os.environ, 'OMP_NUM_THREADS': '1'})
    assert done.returncode == 0, done.stderr
    seconds, mebibytes = map(float, done.stdout.split())
    print(f'two bombs refused in {seconds:.2f} s, {mebibytes:.0f} MiB')
    assert not sentinel.exists() and mebibytes < 200


def test_links_that_lead_out_are_not_followed(saved, tmp_path):
    outside = tmp_path / 'outside.safetensors'
    (saved / 'policy.safetensors').rename(outside)
    (saved / 'policy.safetensors').symlink_to(outside)
    assert 'not a plain file' in refused(saved)


def test_a_saver_that_is_killed_at_fifty_moments(tmp_path):
    """The checkpoint is the old one or the new one whole, and litter goes at the next start."""
    versions = Versions(tmp_path)
    old, new = made(1), made(2)
    directory, rng = tmp_path / 'v0001', random.Random(0)
    save_checkpoint(old, directory)
    seconds = min(_timed(lambda: save_checkpoint(old, directory)) for _ in range(3))
    seen = set()
    for kill in range(10 * KILLS):
        if kill >= KILLS and seen == {1, 2}:    # a busy machine may need more tries
            break
        child = os.fork()
        if child == 0:
            while True:
                save_checkpoint(new if kill % 2 else old, directory)
                save_checkpoint(old if kill % 2 else new, directory)
        time.sleep(rng.uniform(0.0, 3 * seconds))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        stored = load_checkpoint(directory)
        assert stored.origin['seed'] in (1, 2)
        expected = old if stored.origin['seed'] == 1 else new
        assert all(torch.equal(value, stored.weights['policy'][key])
                   for key, value in expected.weights['policy'].items())
        seen.add(stored.origin['seed'])
    assert seen == {1, 2}
    versions.sweep()
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left in (['v0001'], ['.v0001.old'])
    assert load_checkpoint(directory).origin['seed'] in (1, 2)


def _timed(do) -> float:
    began = time.monotonic()
    do()
    return time.monotonic() - began


def test_a_full_disk_keeps_the_old_one(tmp_path):
    save_checkpoint(made(1), tmp_path / 'v0001')
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            save_checkpoint(made(2), tmp_path / 'v0001')
        except OSError as error:
            os._exit(0 if error.errno else 2)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert load_checkpoint(tmp_path / 'v0001').origin['seed'] == 1
    assert [path.name for path in tmp_path.iterdir()] == ['v0001']
