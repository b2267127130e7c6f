"""What a robot knows of the homes it lives in: places, trajectories, labels, versions, in words."""
