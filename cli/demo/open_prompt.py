"""Leaves a prompt open after the story, for the person at the keyboard: one more meeting whose room declines."""

from __future__ import annotations

import time

from cli.demo.organisations import (
    REFUSING,
    Organisation,
    book_meeting,
    ensure_decline,
    read_organisation,
    tomorrow_at,
)
from cli.demo.person import PortalSession
from cli.demo.processes import PrintLine, RunningSystem
from shared.providers.catalogue import profile_of

TITLE = "Your turn"
PROMPT_S = 60.0
_POLL_S = 0.2


def open_second_prompt(
    system: RunningSystem, provider: str, print_line: PrintLine, *, patience_s: float = PROMPT_S
) -> bool:
    """
    Book Ada's second meeting in a room that will decline, wait for its prompt, and print where to look.

    Returns:
        Whether Ada's page has the prompt. Otherwise the lines say that it has not come within `patience_s` seconds.
    """
    who = read_organisation(system, provider)
    why = ensure_decline(system, who, tomorrow_at(14))
    book_meeting(system, who, host="Ada", title=TITLE, room=REFUSING, at=tomorrow_at(14), guests=["Cleo"])
    found = _wait_prompted(system, who, patience_s)
    name, address = profile_of(provider).company, who.host["address"]
    print_line(f"\nYour turn: {system.portal}/auth/login?provider={provider}")
    if found:
        print_line(f"  sign in at {name} as {address}; “{TITLE}” has asked for {REFUSING}, {why}: take another room")
    else:
        print_line(
            f"  sign in at {name} as {address}; no prompt for “{TITLE}” within {patience_s:.0f} s: see {system.logs}"
        )
    print_line(f"  book, move or cancel more at {system.simulator}")
    return found


def _wait_prompted(system: RunningSystem, who: Organisation, patience_s: float) -> bool:
    """Return whether Ada is asked about the meeting within `patience_s` seconds."""
    person = PortalSession(system.portal, patience_s=patience_s)
    deadline = time.monotonic() + patience_s
    try:
        person.sign_in(who.provider, who.host["address"])
        while time.monotonic() < deadline:
            prompts = person.get("/v1/me/prompts")["prompts"]
            if any(prompt["open"] and prompt["title"] == TITLE for prompt in prompts):
                return True
            time.sleep(_POLL_S)
    finally:
        person.close()
    return False
