"""Fast DDS over UDP alone, since shared memory does not forgive a process that was killed.

What such a process held in shared memory is never given back (Fast-DDS issues 2790, 5053, 5308):
soon there is no room for pictures, and every camera falls silent for everybody, for good.
"""

from __future__ import annotations

from collections.abc import MutableMapping

from nl_robot.settings import shared_dir

TRANSPORTS, RANGE = 'FASTDDS_BUILTIN_TRANSPORTS', 'ROS_AUTOMATIC_DISCOVERY_RANGE'
LOCALHOST_ONLY = 'ROS_LOCALHOST_ONLY'
PROFILES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')  # Jazzy, Kilted
FAST_DDS = ('', 'rmw_fastrtps_cpp', 'rmw_fastrtps_dynamic_cpp')


def use_udp(environment: MutableMapping[str, str]) -> None:
    """Set what Fast DDS reads when the first participant is made; a choice of the user stays.

    For discovery on this machine alone rmw_fastrtps makes transports of its own, shared memory
    among them, whatever FASTDDS_BUILTIN_TRANSPORTS says: there a profile does the same without.
    """
    profile = str(shared_dir('config') / 'fastdds_localhost.xml')
    chosen = {environment.get(name, '') for name in (TRANSPORTS, *PROFILES)} - {'', profile}
    if chosen or environment.get('RMW_IMPLEMENTATION', '') not in FAST_DDS:
        return
    alone = (environment.get(RANGE, '').upper() == 'LOCALHOST'
             or environment.get(LOCALHOST_ONLY) == '1')
    if not alone:
        environment[TRANSPORTS] = 'UDPv4'
        return
    environment.update({name: profile for name in PROFILES})
    environment[RANGE] = 'SYSTEM_DEFAULT'
    environment.pop(LOCALHOST_ONLY, None)
