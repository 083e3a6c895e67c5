"""Trying beliefs on a provider's real service, as one person of one's own: the calls, the waiting, and the clearing away."""
