"""Learning: never sees the simulator or an image, only worlds, words and episodes."""
