"""What an administrator of the calendar system enters to mend a room: a command or a switch, by provider. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, TypedDict, assert_never

from msgspec import Meta

from services.portal.meetings.deciding.health import Health, RoomCheck
from shared.domain.identity import Provider
from shared.language.deciding.sentences import say

_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")
"""PowerShell ends a literal string at each of these (`about_Quoting_Rules`), and reads two of them as one."""


class RoomRemedy(TypedDict):
    """One thing to enter in the calendar system."""

    words: Annotated[str, Meta(examples=["Let it answer by itself:"])]
    """What it changes or shows."""
    command: Annotated[
        str, Meta(examples=["Set-CalendarProcessing -Identity 'riverside@contoso.test' -AutomateProcessing AutoAccept"])
    ]
    """To be copied whole; "" where there is a switch and no command."""


def remedies_for(provider: Provider, address: str, health: Health) -> tuple[RoomRemedy, ...]:
    """
    Say how to mend what `health` shows to be wrong.

    Commands are those of Exchange Online PowerShell
    (https://learn.microsoft.com/powershell/module/exchange/set-calendarprocessing); the settings of a resource calendar at Google
    have switches (https://support.google.com/a/answer/1033925).
    """
    if not address.isprintable():
        return ()
    match provider:
        case Provider.MICROSOFT:
            return tuple(_microsoft(_quote(address), health))
        case Provider.GOOGLE:
            return tuple(_google(health))
        case _:
            assert_never(provider)


def _microsoft(room: str, health: Health) -> Iterator[RoomRemedy]:
    if health.answers is RoomCheck.NO:
        yield RoomRemedy(
            words=say("Let it answer by itself:"),
            command=f"Set-CalendarProcessing -Identity {room} -AutomateProcessing AutoAccept",
        )
    if health.bookable is RoomCheck.NO:
        yield RoomRemedy(
            words=say("See its booking rules:"), command=f"Get-CalendarProcessing -Identity {room} | Format-List"
        )
        yield RoomRemedy(
            words=say("Let everybody book it within those rules:"),
            command=f"Set-CalendarProcessing -Identity {room} -AllBookInPolicy $true",
        )
    if health.visible is RoomCheck.NO:
        yield RoomRemedy(
            words=say("Show its free/busy to everybody in the organisation:"),
            command=f"Set-MailboxFolderPermission -Identity {_quote_folder(room)} -User Default -AccessRights AvailabilityOnly",
        )


def _google(health: Health) -> Iterator[RoomRemedy]:
    if health.answers is RoomCheck.NO:
        yield RoomRemedy(
            words=say(
                "In the settings of the room's calendar, under “Auto-accept invitations”, choose to accept those that do not"
                " conflict."
            ),
            command="",
        )
    if health.bookable is RoomCheck.NO:
        yield RoomRemedy(
            words=say(
                "In the settings of the room's calendar, under “Access permissions”, make it available for your organisation with"
                " “See all event details”: a room that shows free/busy alone may decline everybody."
            ),
            command="",
        )
    if health.visible is RoomCheck.NO:
        yield RoomRemedy(
            words=say(
                "In the settings of the room's calendar, under “Access permissions”, switch on “Make available for” your"
                " organisation, with “See only free/busy” at least."
            ),
            command="",
        )


def _quote(text: str) -> str:
    """A literal string of PowerShell, in which nothing is expanded and nothing ends it."""
    return "'" + _QUOTES.sub(r"\1\1", text) + "'"


def _quote_folder(room: str) -> str:
    return room[:-1] + ":\\Calendar'"
