"""Words in: cleaning a command, control words, text features, and the grammar of commands."""
