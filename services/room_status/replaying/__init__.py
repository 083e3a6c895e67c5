"""Deciding recorded observations again, comparing the result with what was told, and repairing what is missing."""
