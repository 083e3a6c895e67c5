"""
Tells an organisation's administrators that one of its endpoints is paused: each once a pause.

How far each mail has come stands in the endpoint's row, as the ledger has it of prompts: intent, mail, result. Several owners look
at one endpoint, one in each partition; whoever writes the next attempt into the row is the one that sends it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from services.notifier.channels.port import SendOutcome
from services.notifier.deciding.plan import retry_after_ms
from services.notifier.deciding.rungs import MAIL
from services.notifier.notices import NoticeWriter
from services.notifier.outbox import Dispatch, Outbox
from services.notifier.webhooks.courier import EndpointName
from shared.contracts.notification import DeliveryState, RungDelivery
from shared.contracts.webhook_rows import PauseReason, Webhook
from shared.domain.identity import Mailbox
from shared.domain.roles import Right
from shared.errors import KeyDestroyedError, MalformedRecordError, RowRefusedError
from shared.organisations import webhooks
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.runtime import metrics
from shared.runtime.crash_points import crash_point
from shared.runtime.logging import get_logger
from shared.runtime.refused_rows import log_refused_row

MOST = 20
"""So many administrators are told at the most; the page tells all."""

logger = get_logger()


class PauseMails:
    """Used by one partition's thread. Methods raise StoreUnavailableError."""

    def __init__(self, engine: Engine, clock: Clock, writer: NoticeWriter, outbox: Outbox) -> None:
        self._engine = engine
        self._clock = clock
        self._writer = writer
        self._outbox = outbox

    @property
    def outbox(self) -> Outbox:
        """What mails are sent by."""
        return self._outbox

    def send_due(self, name: EndpointName, webhook: Webhook) -> None:
        """Send those that are due of an endpoint that is paused. Costs a write only when one is."""
        if MAIL not in self._outbox.channels or not self._due(webhook):
            return
        begun: dict[str, RungDelivery] = {}
        administrators = sorted(self._writer.administrators(name.tenant, Right.MANAGE_WEBHOOKS))[:MOST]
        if not administrators and not webhook.pause_mails:
            return
        keys = self._engine.keyring.keys(name.tenant)

        def intend(row: Webhook) -> dict[str, RungDelivery]:
            nonlocal begun
            cause = f"{name.id}/{row.paused_at_ms}/paused"
            known = row.pause_mails or {
                user: RungDelivery(state=DeliveryState.INTENT, message=keys.message(user, [cause]))
                for user in administrators
            }
            now_ms = self._clock.now_ms()
            begun = {user: _attempt(each, now_ms) for user, each in known.items() if _is_due(each, now_ms)}
            return {**known, **begun}

        webhooks.change_pause_mails(self._engine.registry, name.tenant, name.id, intend)
        crash_point("webhooks.pause-intended")
        for user, mail in begun.items():
            self._send(name, webhook, user, mail.message)

    def record(self) -> None:
        """Write down what became of those that have ended."""
        for dispatch, attempt in self._outbox.results():
            metrics.MESSAGES.labels(MAIL, attempt.outcome).inc()
            logger.info("pause_mail_sent", message=dispatch.message, outcome=attempt.outcome, reason=attempt.reason)
            if attempt.outcome is not SendOutcome.LATER:
                self._settle(dispatch, DeliveryState(attempt.outcome.value))

    def _due(self, webhook: Webhook) -> bool:
        now_ms = self._clock.now_ms()
        return not webhook.pause_mails or any(_is_due(each, now_ms) for each in webhook.pause_mails.values())

    def _send(self, name: EndpointName, webhook: Webhook, user: str, message: str) -> None:
        mailbox = Mailbox(name.tenant, name.id)
        if self._outbox.is_full(MAIL, mailbox) or self._outbox.is_sending(message):
            return  # the intent stands, and is tried again
        gone = webhook.paused_because is PauseReason.GONE
        try:
            notice = self._writer.write_pause(message, name.tenant, user, self._host(name, webhook), gone=gone)
        except (KeyDestroyedError, MalformedRecordError) as error:
            logger.warning("pause_mail_not_written", message=message, error=str(error))
            return
        if notice is not None:
            self._outbox.send(Dispatch(message, mailbox, user, ()), notice)

    def _host(self, name: EndpointName, webhook: Webhook) -> str:
        try:
            return urlsplit(webhooks.open_target(self._engine.keyring, name.tenant, webhook).url).hostname or ""
        except (KeyDestroyedError, MalformedRecordError):
            return ""

    def _settle(self, dispatch: Dispatch, state: DeliveryState) -> None:
        def settled(row: Webhook) -> dict[str, RungDelivery]:
            known = row.pause_mails.get(dispatch.user)
            if known is None or known.message != dispatch.message:
                return row.pause_mails  # of an earlier pause
            done = msgspec.structs.replace(known, state=state, retry_at_ms=0)
            return {**row.pause_mails, dispatch.user: done}

        crash_point("webhooks.pause-accepted")
        try:
            webhooks.change_pause_mails(self._engine.registry, dispatch.mailbox.tenant, dispatch.mailbox.id, settled)
        except RowRefusedError as error:
            log_refused_row(error)


def _is_due(mail: RungDelivery, now_ms: int) -> bool:
    return mail.state is DeliveryState.INTENT and mail.retry_at_ms <= now_ms


def _attempt(mail: RungDelivery, now_ms: int) -> RungDelivery:
    return msgspec.structs.replace(
        mail,
        attempts=mail.attempts + 1,
        begun_at_ms=mail.begun_at_ms or now_ms,
        retry_at_ms=now_ms + retry_after_ms(mail.attempts + 1),
    )
