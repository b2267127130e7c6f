"""Torch modules, and the arrays that go into them; nothing else."""
