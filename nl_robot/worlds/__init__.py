"""Worlds to act and learn in: the contract, graph worlds, and the buildings of Room-to-Room."""
