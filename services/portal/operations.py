"""What other programs of this product may use of the portal: one person's open prompts, and an organisation's switch."""

from __future__ import annotations

import secrets
from collections.abc import Container, Mapping
from dataclasses import dataclass

from services.portal.admin.integration.given_up_directory import give_up
from services.portal.admin.integration.switching import Consequences, consequences, switch_off
from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.sessions import Person
from services.portal.meetings.live_reader import LiveReader
from services.portal.meetings.personal_view import PersonalView
from services.portal.my_rooms.rebooking import Rebooking
from shared.crypto.meetings import StoredMeeting
from shared.domain.identity import Mailbox
from shared.domain.keys import TenantKeys
from shared.meetings.prompts import Prompt, Viewer, view_meeting
from shared.organisations.given_up_directory import Concerned, JoinedDirectory

__all__ = ["Consequences", "Deps", "OperatorSwitch", "ProblemError", "Viewing", "count_open_prompts"]

OPERATOR = "operator"
"""Who did it, in the record of acts: whoever has the machine."""


@dataclass(frozen=True, slots=True)
class Viewing:
    """One signed-in person at the pages, without a browser."""

    deps: Deps
    person: Person

    @classmethod
    def of(cls, deps: Deps, *, tenant: str, user: str, mailbox: Mailbox, provider: str) -> Viewing:
        """The person with these ids."""
        return cls(deps, Person(tenant=tenant, user=user, mailbox=mailbox, provider=provider, csrf="", session=""))

    def open_prompts(self) -> tuple[Prompt, ...]:
        """The prompts that the person is shown now."""
        desk = PersonalView(self.deps, self.person)
        return tuple(desk.board(desk.read_meetings().meetings.values()).open_prompts)

    def take(self, prompt_id: str, room: str) -> None:
        """Ask for `room` (its id) at a prompt. Raises ProblemError as the page would show it."""
        self._rebooking().take(prompt_id, room, secrets.token_hex(8))

    def dismiss(self, prompt_id: str) -> None:
        """Put a prompt away. Raises ProblemError as the page would show it."""
        self._rebooking().dismiss(prompt_id)

    def _rebooking(self) -> Rebooking:
        return Rebooking(self.deps, LiveReader(self.deps), self.person, PersonalView(self.deps, self.person))


@dataclass(frozen=True, slots=True)
class OperatorSwitch:
    """The switch of one organisation's integration, and its directories, in the hand of whoever has the machine."""

    deps: Deps
    tenant: str

    def count_what_ends(self) -> Consequences:
        """Count what switching off would end. Raises StoreUnavailableError."""
        return consequences(self.deps, self.tenant)

    def switch_off(self) -> None:
        """
        Switch the integration off; the act stands in the organisation's audit as the operator's.

        Raises:
            ProblemError: it is not on.
            LogUnavailableError: it is off; the workers will be told by their own sweep.
        """
        switch_off(self.deps, self._operator())

    def give_up(self, directory: JoinedDirectory) -> Concerned:
        """
        Give one of the organisation's directories up, which can be; the act stands in its audit as the operator's.

        Raises:
            LogUnavailableError: nobody is let in from it any more, and not everybody is disconnected yet: repeat it.
        """
        return give_up(self.deps, self._operator(), directory)

    def _operator(self) -> Person:
        return Person(self.tenant, OPERATOR, Mailbox(self.tenant, ""), provider="", csrf="", session="")


def count_open_prompts(
    meeting: StoredMeeting, keys: TenantKeys, *, now_ms: int, grace_ms: int, dismissed: Mapping[str, Container[str]]
) -> int:
    """
    Count the prompts of a meeting that somebody who may act on it is shown now.

    Args:
        meeting: Its record and its copies.
        keys: Its tenant's keys.
        now_ms: The present, in epoch milliseconds.
        grace_ms: How long the meeting's provider is given to replace a room by itself.
        dismissed: Mailbox → the declines whose prompts its person has put away.
    """
    shown: set[str] = set()
    for mailbox in meeting.copies:
        seen = view_meeting(meeting, keys, Viewer(mailbox, now_ms, grace_ms, dismissed.get(mailbox, ())))
        shown |= {prompt.id for prompt in seen.prompts if prompt.open}
    return len(shown)
