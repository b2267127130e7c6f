"""The rig of `nl_robot.trials`, by the name that the tests of the nodes know."""

from nl_robot.mission.command import TERMINAL
from nl_robot.trials.rig import LATCHED, ROOT, SCRIPTED, Rig, wait_for

__all__ = ['LATCHED', 'ROOT', 'SCRIPTED', 'TERMINAL', 'Rig', 'wait_for']
