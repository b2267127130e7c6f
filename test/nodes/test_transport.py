"""Nodes speak over UDP alone: in shared memory the killed take the pictures of all with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from node_rig import Rig

from nl_robot.nodes.transport import PROFILES, use_udp

OURS = str(Path(__file__).parents[2] / 'config' / 'fastdds_localhost.xml')
ALONE = {**{name: OURS for name in PROFILES}, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SYSTEM_DEFAULT'}


@pytest.mark.parametrize('given, set_', [
    ({}, {'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'}),
    ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'},
     {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET', 'FASTDDS_BUILTIN_TRANSPORTS': 'UDPv4'}),
    ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}, ALONE),
    ({'ROS_LOCALHOST_ONLY': '1'}, ALONE),
    ({**ALONE, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}, ALONE)])
def test_what_the_environment_says_becomes_udp(given: dict[str, str], set_: dict[str, str]
                                               ) -> None:
    use_udp(given)
    assert given == set_


@pytest.mark.parametrize('chosen', [
    {'FASTDDS_BUILTIN_TRANSPORTS': 'SHM'}, {PROFILES[0]: '/my.xml'},
    {'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp'}])
def test_a_choice_of_the_user_stays(chosen: dict[str, str]) -> None:
    given = {**chosen, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    use_udp(given)
    assert given == {**chosen, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}


def shares_memory(maps: Path) -> bool:
    return any('/dev/shm/fast' in line for line in maps.read_text().split('\n'))


def test_no_node_has_shared_memory(rig: Rig) -> None:
    rig.start('safety_gate')
    rig.wait_gate()
    assert not shares_memory(Path(f'/proc/{rig.processes["safety_gate"].pid}/maps'))
    assert shares_memory(Path('/proc/self/maps'))       # of whom nothing was changed
