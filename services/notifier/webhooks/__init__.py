"""Sends organisations their events: signed requests to endpoints of theirs (Standard Webhooks)."""
