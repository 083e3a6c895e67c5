"""Hints and commands in, observations out: makes each mailbox right."""
