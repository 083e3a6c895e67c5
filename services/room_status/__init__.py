"""Observations in, states and declines out: decides, and nothing else."""
