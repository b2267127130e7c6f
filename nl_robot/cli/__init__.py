"""The one command `nl_robot` and its subcommands."""
