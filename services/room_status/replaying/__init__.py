"""Deciding recorded observations again, comparing the result with what was published, and repairing what is missing."""
