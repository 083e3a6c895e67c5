"""Makes what a message says, in the moment in which it is sent: the address, the rooms' names and the links. Nothing is kept."""

from __future__ import annotations

from collections.abc import Iterable

from services.notifier.channels.port import Notice, NoticeLine
from services.notifier.deciding.rungs import zone_of
from shared.contracts.rows import NotificationRow
from shared.crypto.links import Link, LinkPurpose, LinkSigner, link_path
from shared.domain.identity import Mailbox
from shared.grants.vault import ConsentVault
from shared.meetings.prompts import Prompt
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.registry import tables

UNNAMED = "A room"


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

    def write(self, message: str, mailbox: Mailbox, user: str, prompts: Iterable[Prompt]) -> Notice | None:
        """
        The notice of these prompts.

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
        stop = Link(LinkPurpose.STOP, mailbox.tenant, user)
        return Notice(
            id=message,
            address=address,
            lines=tuple(self._line(mailbox.tenant, user, each) for each in prompts),
            zone=zone_of(self.preferences(mailbox, user)),
            page=f"{self._public_url}/",
            stop=self._address(stop),
            at_ms=self._clock.now_ms(),
            may_act=self._may_act,
        )

    def _line(self, tenant: str, user: str, prompt: Prompt) -> NoticeLine:
        room = tables.rooms(self._engine.registry).get(tenant, prompt.room)
        link = self._address(Link(LinkPurpose.PROMPT, tenant, user, prompt.id))
        return NoticeLine(room.name if room else UNNAMED, prompt.start_ms, prompt.end_ms, link)

    def _address(self, link: Link) -> str:
        return f"{self._public_url}{link_path(self._signer.sign(link))}"
