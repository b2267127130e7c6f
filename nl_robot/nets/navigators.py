"""The navigator that settings ask for."""

from __future__ import annotations

from nl_robot.nets.map_navigator import MapNavigator
from nl_robot.nets.navigator import Navigator, NavigatorSettings
from nl_robot.nets.recurrent import RecurrentNavigator


def navigator_of(settings: NavigatorSettings, outputs: int = 1) -> Navigator:
    """A navigator of that shape with fresh weights."""
    return (MapNavigator if settings.layers else RecurrentNavigator)(settings, outputs)
