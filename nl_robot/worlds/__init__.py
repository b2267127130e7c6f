"""Worlds to act and learn in: the contract, and graph worlds of places and ways."""
