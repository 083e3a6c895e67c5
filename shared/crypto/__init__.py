"""Sealing and the master key: `cryptography` behind two small modules."""
