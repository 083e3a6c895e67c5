"""People's browsers: whoever asked for it is shown there what they are told of, by the browser's push service."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from http import HTTPStatus

import msgspec

from services.notifier.channels.port import Notice
from services.notifier.deciding.plan import Openness
from services.notifier.deciding.rungs import BROWSER, is_on
from services.notifier.notices import NoticeWriter
from services.notifier.outbox import Dispatch
from services.notifier.prompt_reader import PromptReader
from services.notifier.recipients import NoticeRecipient
from shared.contracts.browser_rows import NoticeBrowser
from shared.contracts.rows import NotificationRow
from shared.crypto.links import LinkPurpose
from shared.domain.identity import Mailbox
from shared.meetings.prompts import Prompt
from shared.organisations import notice_browsers
from shared.ports.engine import Engine

PREFIX = "b-"
"""How the ledger's name of a browser begins; the browser's id and, behind a hyphen, the mailbox's own id follow."""
GONE = frozenset({str(int(HTTPStatus.NOT_FOUND)), str(int(HTTPStatus.GONE))})
"""What a push service answers once it has forgotten a browser (RFC 8030 §7.3); other refusals are of the one message."""
_NOTHING = NotificationRow(mail=False, browser=False)


class BrowserRecipients:
    """The browsers of a deployment's people. See `Recipients` for what each method does."""

    channel = BROWSER

    def __init__(
        self, engine: Engine, reader: PromptReader, writer: NoticeWriter, available: Collection[str], key: str
    ) -> None:
        """
        Read nothing yet.

        Args:
            engine: The registry and the keyring.
            reader: Says whether prompts are open.
            writer: Makes what a message says.
            available: The channels by which this deployment can tell.
            key: Our public key; browsers that were told another one take nothing of us.
        """
        self._engine = engine
        self._reader = reader
        self._writer = writer
        self._available = available
        self._key = key

    def mailboxes(self, owner: Mailbox) -> list[Mailbox]:
        """The names under which the ledger keeps what each browser of a person was told. Raises as the others do."""
        if BROWSER not in self._available:
            return []
        user = self._writer.user_of(owner)
        if user is None or not is_on(self._wanted(owner, user), BROWSER):
            return []
        return [_named(owner, each.id) for each in self._list(owner.tenant, user) if self._is_reached(each)]

    def find(self, mailbox: Mailbox) -> NoticeRecipient:
        """The person, as long as they are connected and the browser is one of theirs."""
        owner = owner_of(mailbox)
        user = self._writer.user_of(owner)
        if user is None or BROWSER not in self._available or self._browser(mailbox, user) is None:
            return NoticeRecipient("", _NOTHING)
        return NoticeRecipient(user, self._wanted(owner, user))

    def look_up(self, mailbox: Mailbox, meeting: str, prompt: str) -> tuple[Openness, Prompt | None]:
        """As the protocol has it."""
        return self._reader.find(owner_of(mailbox), meeting, prompt)

    def write(self, dispatch: Dispatch, prompts: Iterable[Prompt]) -> Notice | None:
        """As the protocol has it; the person's address is not in it."""
        owner, tenant = owner_of(dispatch.mailbox), dispatch.mailbox.tenant
        browser = self._browser(dispatch.mailbox, dispatch.user)
        if browser is None:
            return None
        target = notice_browsers.open_target(self._engine.keyring, tenant, dispatch.user, browser)
        shown = list(prompts)
        notice = self._writer.write(dispatch.message, owner, dispatch.user, shown, LinkPurpose.STOP_BROWSERS)
        thread = shown[0].id if len(shown) == 1 else ""
        return replace(notice, address="", browser=target, thread=thread) if notice else None

    def note_refusal(self, dispatch: Dispatch, now_ms: int, reason: str) -> None:
        """A browser that is gone is told nothing more; its person's profile says so."""
        note = notice_browsers.note_end if reason in GONE else notice_browsers.note_refusal
        browser = _browser_id(dispatch.mailbox)
        note(self._engine.registry, dispatch.mailbox.tenant, dispatch.user, browser, now_ms, reason)

    def _wanted(self, owner: Mailbox, user: str) -> NotificationRow:
        """What the mail server refused says nothing of browsers."""
        return msgspec.structs.replace(self._writer.preferences(owner, user), refused_at_ms=0)

    def _browser(self, mailbox: Mailbox, user: str) -> NoticeBrowser | None:
        wanted = _browser_id(mailbox)
        found = (each for each in self._list(mailbox.tenant, user) if each.id == wanted and self._is_reached(each))
        return next(found, None)

    def _list(self, tenant: str, user: str) -> tuple[NoticeBrowser, ...]:
        return notice_browsers.list_browsers(self._engine.registry, tenant, user)

    def _is_reached(self, browser: NoticeBrowser) -> bool:
        return bool(browser.sealed) and browser.key == self._key


def is_browser(mailbox: Mailbox) -> bool:
    """Whether one of somebody's browsers is meant."""
    return mailbox.id.startswith(PREFIX)


def owner_of(mailbox: Mailbox) -> Mailbox:
    """The mailbox of the person whose browser it is."""
    return Mailbox(mailbox.tenant, mailbox.id.removeprefix(PREFIX).partition("-")[2])


def _named(owner: Mailbox, browser: str) -> Mailbox:
    return Mailbox(owner.tenant, f"{PREFIX}{browser}-{owner.id}")


def _browser_id(mailbox: Mailbox) -> str:
    return mailbox.id.removeprefix(PREFIX).partition("-")[0]
