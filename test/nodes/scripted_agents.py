"""The scripted agent of `nl_robot.trials`, by the name that parameter files of tests know."""

from nl_robot.trials.scripted import agent, detector

__all__ = ['agent', 'detector']
