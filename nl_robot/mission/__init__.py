"""The life of one command: what people hear of it, and what the robot does about it."""
