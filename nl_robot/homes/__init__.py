"""What a robot knows of the homes that it lives in: places, ways, sentences; no pictures."""
