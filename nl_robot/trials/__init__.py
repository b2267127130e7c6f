"""Trials of the real nodes over real DDS: a fake robot, faults on purpose, and clocks on them."""
