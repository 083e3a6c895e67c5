"""Leaves a prompt open after the story, for the person at the keyboard: one more meeting whose room declines."""

from __future__ import annotations

from cli.demo.organisations import REFUSING, book_meeting, ensure_decline, read_organisation, tomorrow_at
from cli.demo.processes import PrintLine, RunningSystem
from shared.providers.catalogue import profile_of


def open_second_prompt(system: RunningSystem, provider: str, print_line: PrintLine) -> None:
    """Book Ada's second meeting in a room that will decline, and print where to look."""
    who = read_organisation(system, provider)
    why = ensure_decline(system, who, tomorrow_at(14))
    book_meeting(system, who, host="Ada", title="Your turn", room=REFUSING, at=tomorrow_at(14), guests=["Cleo"])
    name = profile_of(provider).company
    print_line(f"\nYour turn: {system.portal}/auth/login?provider={provider}")
    print_line(
        f"  sign in at {name} as {who.host['address']}; “Your turn” has asked for {REFUSING}, {why}: take another room"
    )
    print_line(f"  book, move or cancel more at {system.simulator}")
