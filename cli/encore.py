"""After the story: one more meeting whose room says no, and a prompt left open for the person at the keyboard."""

from __future__ import annotations

from cli.cast import book, cast_of, tomorrow_at
from cli.stage import Say, Stage

TAKEN = "Aare 4.12"


def encore(stage: Stage, provider: str, say: Say) -> None:
    """Book Ada's second meeting in a room that Ben already has, and say where to look."""
    who = cast_of(stage, provider)
    book(stage, who, host="Ben", title="Another appointment", room=TAKEN, at=tomorrow_at(14), guests=[])
    book(stage, who, host="Ada", title="Your turn", room=TAKEN, at=tomorrow_at(14), guests=["Cleo"])
    name = "Microsoft" if provider == "microsoft" else "Google"
    say(f"\nYour turn: {stage.portal}/auth/login?provider={provider}")
    say(
        f"  sign in at {name} as {who.host['address']}; “Your turn” has asked for {TAKEN}, which Ben has: take another room"
    )
    say(f"  book, move or cancel more at {stage.simulator}")
