"""What every page says of itself once it is no longer what the service would show. Pure."""

from __future__ import annotations

from shared.language.deciding.sentences import say

STALE_WORDS = {
    "signedOut": say("You are signed out, so this page is no longer kept up to date."),
    "signIn": say("Sign in again"),
    "cutOff": say("This page cannot reach roomsync, so it may be out of date. It keeps trying by itself."),
    "forbidden": say("You may no longer see this page."),
    "away": say("roomsync cannot answer just now, so this page may be out of date. It keeps trying by itself."),
}
"""Handed to the script `page_state.js` as JSON."""
