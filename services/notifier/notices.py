"""Makes what a message says, in the moment in which it is sent: the address, the rooms' names and the links. Nothing is kept."""

from __future__ import annotations

from collections.abc import Iterable

from services.notifier.channels.port import AlarmNotice, Notice, NoticeLine, PauseNotice
from services.notifier.deciding.rungs import zone_of
from shared.contracts.decline_incident import DeclineIncident
from shared.contracts.rows import NotificationRow, UserRow
from shared.crypto.links import Link, LinkPurpose, LinkSigner, link_path
from shared.domain.identity import Mailbox
from shared.domain.roles import Right, may
from shared.errors import RowRefusedError
from shared.grants.vault import ConsentVault
from shared.language.deciding.negotiation import Manner, choose_manner
from shared.language.deciding.sentences import say
from shared.meetings.prompts import Prompt
from shared.organisations.decline_incidents import INCIDENT_PAGE, describe_cause
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.ports.registry import Registry
from shared.registry import tables
from shared.runtime.refused_rows import log_refused_row

UNNAMED = say("A room")


class NoticeWriter:
    """Reads the registry and the keyring."""

    def __init__(
        self, engine: Engine, clock: Clock, signer: LinkSigner, public_url: str, *, may_act: bool = True
    ) -> None:
        """
        Read nothing yet.

        Args:
            public_url: Where people reach the portal, without a slash at its end.
            may_act: Whether its pages let them change a meeting.
        """
        self._may_act = may_act
        self._engine = engine
        self._clock = clock
        self._signer = signer
        self._public_url = public_url

    def user_of(self, mailbox: Mailbox) -> str | None:
        """The person of a mailbox; None when nobody is connected with it. Raises StoreUnavailableError."""
        row = tables.consents(self._engine.registry).get(mailbox.tenant, mailbox.id)
        return row.user if row else None

    def preferences(self, mailbox: Mailbox, user: str) -> NotificationRow:
        """How the person wants to be told. Raises StoreUnavailableError."""
        return tables.notifications(self._engine.registry).get(mailbox.tenant, user) or NotificationRow()

    def write(
        self,
        message: str,
        mailbox: Mailbox,
        user: str,
        prompts: Iterable[Prompt],
        stop: LinkPurpose = LinkPurpose.STOP,
    ) -> Notice | None:
        """
        The notice of these prompts; `stop` says what its link switches off.

        Returns:
            None when the person's address cannot be known: they are gone.

        Raises:
            KeyDestroyedError: the organisation was switched off for good.
            StoreUnavailableError: try again.
        """
        person = tables.users(self._engine.registry).get(mailbox.tenant, user)
        if person is None:
            return None
        address = ConsentVault(self._engine.keyring).mail_address_of(mailbox.tenant, user, person)
        return Notice(
            id=message,
            address=address,
            lines=tuple(self._line(mailbox.tenant, user, each) for each in prompts),
            zone=zone_of(self.preferences(mailbox, user)),
            page=f"{self._public_url}/",
            stop=self._address(Link(stop, mailbox.tenant, user)),
            at_ms=self._clock.now_ms(),
            may_act=self._may_act,
            manner=_manner_of(person),
        )

    def administrators(self, tenant: str, right: Right = Right.SEE_INTEGRATION) -> list[str]:
        """The users who have a right, by default to see the integration's state, and want mails. Raises StoreUnavailableError."""
        rows = tables.notifications(self._engine.registry)
        found = []
        for user, row in tables.users(self._engine.registry).scan_readable(tenant):
            if may(row.roles, right):
                try:
                    wanted = rows.get(tenant, user) or NotificationRow()
                except RowRefusedError as error:
                    log_refused_row(error)
                    continue
                found += [user] * (wanted.mail and not wanted.refused_at_ms)
        return found

    def write_alarm(self, message: str, tenant: str, user: str, incident: DeclineIncident) -> AlarmNotice | None:
        """The notice of an incident. Returns and raises as `write`."""
        person = tables.users(self._engine.registry).get(tenant, user)
        if person is None:
            return None
        cause = incident.cause
        return AlarmNotice(
            id=message,
            address=ConsentVault(self._engine.keyring).mail_address_of(tenant, user, person),
            declines=incident.declines,
            upcoming=incident.upcoming,
            cause=describe_cause(self._engine.registry, tenant, cause.kind, cause.about, cause.share),
            page=f"{self._public_url}{INCIDENT_PAGE}",
            profile=f"{self._public_url}/profile",
            stop=self._address(Link(LinkPurpose.STOP, tenant, user)),
            at_ms=self._clock.now_ms(),
            manner=_manner_of(person),
        )

    def write_pause(self, message: str, tenant: str, user: str, host: str, *, gone: bool) -> PauseNotice | None:
        """The notice of an endpoint at `host` that is paused. Returns and raises as `write`."""
        person = tables.users(self._engine.registry).get(tenant, user)
        if person is None:
            return None
        return PauseNotice(
            id=message,
            address=ConsentVault(self._engine.keyring).mail_address_of(tenant, user, person),
            host=host,
            gone=gone,
            page=f"{self._public_url}/admin/webhooks",
            profile=f"{self._public_url}/profile",
            stop=self._address(Link(LinkPurpose.STOP, tenant, user)),
            at_ms=self._clock.now_ms(),
            manner=_manner_of(person),
        )

    def _line(self, tenant: str, user: str, prompt: Prompt) -> NoticeLine:
        link = self._address(Link(LinkPurpose.PROMPT, tenant, user, prompt.id))
        return NoticeLine(
            name_of_room(self._engine.registry, tenant, prompt.room), prompt.begins_ms, prompt.ends_ms, link
        )

    def _address(self, link: Link) -> str:
        return f"{self._public_url}{link_path(self._signer.sign(link))}"


def name_of_room(registry: Registry, tenant: str, room: str) -> str:
    """How the organisation calls a room. Raises StoreUnavailableError, RowRefusedError."""
    row = tables.rooms(registry).get(tenant, room)
    return row.name if row else UNNAMED


def _manner_of(person: UserRow) -> Manner:
    """As they chose, else as their browser said when they last signed in: no browser asks for a mail."""
    return choose_manner(person.browser_language, person.language, person.clock, person.week)
