"""nl_robot: tell a household robot what to do in plain words."""

__version__ = '0.1.0'
