"""What every page says of itself once it is no longer what the service would show. Pure."""

from __future__ import annotations

STALE_WORDS = {
    "signedOut": "You are signed out, so this page is no longer kept up to date.",
    "signIn": "Sign in again",
    "cutOff": "This page cannot reach roomsync, so it may be out of date. It keeps trying by itself.",
    "forbidden": "You may no longer see this page.",
    "away": "roomsync cannot answer just now, so this page may be out of date. It keeps trying by itself.",
}
"""Handed to the script `page_state.js` as JSON."""
