"""The promises as the benchmark measures them, and that each breaks without its protection."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from nl_robot.trials.promises import PROMISES, Measured, Promise, measure, road, table

KEYS = [promise.key for promise in PROMISES]
BY_KEY = dict(zip(KEYS, PROMISES))
MACHINE = {'idle', 'ready', 'ready_with_model'}    # what other programs do counts in these
QUICK = {'stop': 7, 'cancel': 4}


@pytest.fixture(scope='module')
def results():
    """All that was measured; written as JSON at the end."""
    found: dict[str, Measured] = {}
    yield found
    path = Path(os.environ.get('NL_ROBOT_FAULTS_JSON', 'faults.json'))
    if found:
        path.write_text(json.dumps({key: list(m.values) for key, m in found.items()}, indent=1))


def held(promise: Promise, repeats: int) -> Measured:
    """Measure in a rig of its own; beyond the bound counts only what the code is at fault for."""
    with road() as rig:
        began = time.monotonic()
        measured = measure(promise, rig, repeats)
        slack = rig.slack(began) if promise.unit == 's' else 0.0
    print(table([measured]).split('\n')[-1])
    assert not measured.fault, measured.fault
    assert measured.worst <= promise.bound + slack
    return measured


@pytest.mark.parametrize('key', QUICK)
def test_a_promise_holds(key: str) -> None:
    held(BY_KEY[key], QUICK[key])


@pytest.mark.faults
@pytest.mark.timeout(1200)
@pytest.mark.parametrize('key', [key for key in KEYS if key not in MACHINE])
def test_a_promise_holds_every_time(key: str, results: dict[str, Measured]) -> None:
    results[key] = held(BY_KEY[key], BY_KEY[key].repeats)


@pytest.mark.faults
@pytest.mark.parametrize('key', [p.key for p in PROMISES if p.control])
def test_control_without_its_protection_it_is_broken(key: str) -> None:
    promise = BY_KEY[key]
    assert promise.control is not None
    node, off = promise.control
    with road({node: f'test_without:=["{off}"]'}) as rig:
        measured = measure(promise, rig, min(2, promise.repeats))
    assert not measured.kept
    assert 'nothing' not in measured.fault and 'not within' not in measured.fault, measured.fault


def test_the_table_tells_what_is_broken() -> None:
    promise = BY_KEY['scan_lost']
    assert Measured(promise, (0.1, 0.34)).kept and not Measured(promise, (0.1, 0.36)).kept
    assert not Measured(promise, (0.1,), 'illegal velocity').kept
    assert not Measured(promise, ()).kept
    lines = table([Measured(promise, (0.1, 0.34, 0.2)), Measured(promise, (0.5,)),
                   Measured(promise, (), 'no zero'),
                   Measured(BY_KEY['cancel'], (0.0, 1.0, 1.0))]).split('\n')[2:]
    assert lines[0].endswith('| ≤ 350 ms | 340 ms | 200 ms | 3 |')
    assert '500 ms **broken**' in lines[1] and '**broken**: no zero' in lines[2]
    assert lines[3].endswith('| 0 | 2 **broken**  |  | 3 |')
