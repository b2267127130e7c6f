"""The qualities of service of all topics, by purpose."""

from __future__ import annotations

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy

SENSOR = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Subscriptions to a robot's sensors: they fit every publisher."""

LATEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
"""Velocities and waypoints: only the newest counts."""

EVENTS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
"""Stops, goals, reports: none may be lost."""

FLOOD = QoSProfile(depth=2000, reliability=ReliabilityPolicy.RELIABLE)
"""Commands: deep enough that a flood does not push a stop out."""

LATCHED = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE,
                     durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Statuses: who comes late hears the last ones."""

STATE = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                   durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""A state of which only the newest counts, also for who comes late."""

LIVELY = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE,
                    liveliness=LivelinessPolicy.MANUAL_BY_TOPIC,
                    liveliness_lease_duration=Duration(seconds=0.3))
"""The gate's sign of life for its standby; both ends are ours, so both may ask for a lease."""
