"""Think before driving: routes over a map that is known are imagined, and ranked by the goal."""
