"""Signing in by OpenID Connect, and who may."""
