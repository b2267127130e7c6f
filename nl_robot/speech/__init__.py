"""Speech: sound → words → a command, a question back, or nothing; all of it on this machine."""
