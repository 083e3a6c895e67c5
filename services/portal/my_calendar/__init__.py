"""Connecting one's own calendar and taking that back: profile and welcome."""
