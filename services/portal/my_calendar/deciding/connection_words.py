"""The words for where a person's connection stands: the same on every page. Pure."""

from __future__ import annotations

from shared.language.deciding.sentences import say

CONNECTION_WORDS = {
    "none": say("Not connected"),
    "connecting": say("Connecting …"),
    "first-sync": say("First sync …"),
    "connected": say("Connected"),
    "failing": say("Trouble reaching your calendar"),
    "suspended": say("Your calendar system refuses us for now"),
    "revoked": say("Disconnected: permission taken back"),
    "sleeping": say("Switched off for your organisation"),
    "disconnecting": say("Disconnecting …"),
}
_ADVICE = {
    "none": say("Your calendar is not connected: nothing of it is read, and nothing can be said about your rooms."),
    "connecting": say("Your calendar system is being asked to tell us about changes."),
    "first-sync": say("Your calendar is being read for the first time. Nothing is announced for what happened before."),
    "connected": say("You hear of it when a room declines one of your meetings."),
    "failing": say("Your calendar system does not answer us at the moment. We keep trying; connecting again may help."),
    "sleeping": (
        say(
            "Nothing of your calendar is read. Your permission is kept locked away for five days after switching off; if it is "
            "switched on again by then, you are connected again without doing anything."
        )
    ),
    "disconnecting": say("Your calendar system is being told to stop; then your permission is deleted here."),
}
_SUSPENDED_ADVICE = {
    "person": (
        say(
            "Your calendar system wants to see you before it answers us again. Your permission is kept, and we go on trying for "
            "two weeks. Connecting again helps at once."
        )
    ),
    "administrator": (
        say(
            "Your calendar system says that a rule of your organisation forbids it at the moment. Your permission is kept, and we "
            "go on trying for two weeks: once your IT department allows it, you are connected again without doing anything."
        )
    ),
    "operator": (
        say(
            "Your calendar system refuses this service at the moment. Whoever runs it has to mend that; your permission is kept, "
            "and nothing is needed from you."
        )
    ),
}
_HELD_BACK_ADVICE = say(
    "Your calendar system refuses many people at once at the moment, so we ask it for nobody for a while. Your permission is "
    "kept, and we try again by ourselves: nothing is needed from you."
)
_REVOKED_ADVICE = {
    "person": say(
        "Your calendar system says that the permission is gone. Nothing is read any more. Connect again to go on."
    ),
    "administrator": (
        say(
            "Your calendar system says that a rule of your organisation forbids it now. Nothing is read any more. Your IT "
            "department has to allow it; then connect again."
        )
    ),
}


def advise(state: str, mends: str = "person", *, held_back: bool = False) -> str:
    """
    Say what follows from a state, and what to do.

    Args:
        state: A key of `CONNECTION_WORDS`.
        mends: Of a revoked or suspended connection, who can mend it: `person`, `administrator` or `operator`.
        held_back: Of a suspended connection: whether others were refused, and not this one.
    """
    if state == "suspended" and held_back and mends == "person":  # the others' sentences ask nothing of them as it is
        return _HELD_BACK_ADVICE
    refused = {"revoked": _REVOKED_ADVICE, "suspended": _SUSPENDED_ADVICE}.get(state)
    return refused.get(mends, refused["person"]) if refused else _ADVICE[state]


def helps_to_connect(state: str, mends: str = "person", *, held_back: bool = False) -> bool:
    """Whether their person can mend the connection by connecting, now or again; the arguments are those of `advise`."""
    if state == "suspended":
        return mends == "person" and not held_back
    return state in {"none", "failing", "revoked"}
