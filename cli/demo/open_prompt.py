"""After the story: one more meeting whose room says no, and a prompt left open for the person at the keyboard."""

from __future__ import annotations

from cli.demo.organisations import REFUSING, book, cast_of, refusing, tomorrow_at
from cli.demo.processes import Say, Stage
from shared.providers.catalogue import profile_of


def encore(stage: Stage, provider: str, say: Say) -> None:
    """Book Ada's second meeting in a room that will say no, and tell where to look."""
    who = cast_of(stage, provider)
    why = refusing(stage, who, tomorrow_at(14))
    book(stage, who, host="Ada", title="Your turn", room=REFUSING, at=tomorrow_at(14), guests=["Cleo"])
    name = profile_of(provider).company
    say(f"\nYour turn: {stage.portal}/auth/login?provider={provider}")
    say(f"  sign in at {name} as {who.host['address']}; “Your turn” has asked for {REFUSING}, {why}: take another room")
    say(f"  book, move or cancel more at {stage.simulator}")
