"""Reads a mailbox at its provider, and changes it where its person asked for that."""
