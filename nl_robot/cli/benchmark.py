"""`nl_robot benchmark <what>`: the measures, each a command of its own."""

from __future__ import annotations

from nl_robot.cli.main import Command

COMMANDS = (
    Command('homes', 'nl_robot.cli.benchmark_homes', 'success of the agent in generated homes'),
    Command('r2r', 'nl_robot.cli.benchmark_r2r', 'success on the instructions of Room-to-Room'),
    Command('methods', 'nl_robot.cli.benchmark_methods', 'all methods and ablations side by side'),
    Command('routes', 'nl_robot.cli.benchmark_routes',
            'success with a map: imagined routes, ranked before driving'),
    Command('adaptation', 'nl_robot.cli.benchmark_adaptation',
            'success in buildings never seen, before and after it taught itself them'),
    Command('explored', 'nl_robot.cli.benchmark_explored',
            'how much of a building has to be explored before planning pays'),
    Command('gate', 'nl_robot.cli.benchmark_gate',
            'what adaptation lets pass: learned from own words, or from shuffled ones'),
    Command('promises', 'nl_robot.cli.benchmark_promises', 'safety, with faults on purpose'),
    Command('speech', 'nl_robot.cli.benchmark_speech', 'how well spoken commands are understood'),
    Command('detector', 'nl_robot.cli.benchmark_detector', 'recall and precision of the detector'),
)
