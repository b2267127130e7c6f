"""`nl_robot homes list|show|delete`: the homes that the robot knows."""

from nl_robot.cli.main import Command

COMMANDS = (
    Command('list', 'nl_robot.cli.homes_list', 'the homes that are known'),
    Command('show', 'nl_robot.cli.homes_show', 'what is known of one, with its map as a picture'),
    Command('delete', 'nl_robot.cli.homes_delete', 'forget one, and all that was learned there'),
)
