"""Tells an organisation's administrators of an incident, each once: intent, message, result, as people are told of prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from services.notifier.deciding.plan import retry_after_ms
from services.notifier.deciding.rungs import MAIL
from services.notifier.notices import NoticeWriter
from services.notifier.outbox import Dispatch, Outbox
from shared.contracts.decline_incident import DeclineIncident
from shared.contracts.notification import DeliveryState, RungDelivery
from shared.domain.identity import Mailbox
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError, StoreUnavailableError
from shared.runtime import metrics
from shared.runtime.logging import get_logger

MOST = 20
"""So many administrators are told at the most; the page tells all."""

logger = get_logger()


class AlarmSender:
    """Used by one partition's thread."""

    def __init__(self, writer: NoticeWriter, outbox: Outbox) -> None:
        """`outbox` is its own: what waits for people delays no alarm."""
        self._writer = writer
        self._outbox = outbox

    @property
    def outbox(self) -> Outbox:
        """What alarms are sent by."""
        return self._outbox

    def with_alarms(self, incident: DeclineIncident, keys: TenantKeys) -> DeclineIncident:
        """The incident with a mail for each administrator; none where no mail is sent. Raises StoreUnavailableError."""
        if MAIL not in self._outbox.channels:
            return incident
        told = sorted(self._writer.administrators(keys.tenant))[:MOST]
        alarms = {
            user: RungDelivery(state=DeliveryState.INTENT, message=keys.message(user, [f"{incident.id}/alarm"]))
            for user in told
        }
        return msgspec.structs.replace(incident, alarms=alarms)

    def intend(self, incident: DeclineIncident, now_ms: int) -> DeclineIncident | None:
        """The incident once it is decided which messages are sent now; None: none."""
        due = {
            user: msgspec.structs.replace(
                each,
                attempts=each.attempts + 1,
                begun_at_ms=each.begun_at_ms or now_ms,
                retry_at_ms=now_ms + retry_after_ms(each.attempts + 1),
            )
            for user, each in incident.alarms.items()
            if each.state is DeliveryState.INTENT
            and each.retry_at_ms <= now_ms
            and not self._outbox.is_sending(each.message)
        }
        return msgspec.structs.replace(incident, alarms={**incident.alarms, **due}) if due else None

    def send(self, tenant: str, before: DeclineIncident, intended: DeclineIncident) -> None:
        """Send what `intended` has and `before` had not."""
        for user, each in intended.alarms.items():
            if each == before.alarms.get(user):
                continue
            try:
                notice = self._writer.write_alarm(each.message, tenant, user, intended)
            except (StoreUnavailableError, KeyDestroyedError, MalformedRecordError) as error:
                logger.warning("alarm_not_written", message=each.message, error=str(error))
                continue  # the intent stands, and is tried again
            if notice is not None:
                self._outbox.send(Dispatch(each.message, Mailbox(tenant, user), user, ()), notice)

    def results(self) -> Iterator[tuple[str, Callable[[DeclineIncident], DeclineIncident]]]:
        """Organisation and how its incident is changed by what has ended since this was asked last."""
        for dispatch, attempt in self._outbox.results():
            metrics.MESSAGES.labels("mail", attempt.outcome).inc()
            logger.info("alarm_sent", message=dispatch.message, outcome=attempt.outcome, reason=attempt.reason)
            if attempt.outcome in {each.value for each in DeliveryState}:
                state = DeliveryState(attempt.outcome.value)
                yield dispatch.mailbox.tenant, partial(_settled, user=dispatch.user, state=state)


def _settled(incident: DeclineIncident, user: str, state: DeliveryState) -> DeclineIncident:
    if user not in incident.alarms:
        return incident
    told = msgspec.structs.replace(incident.alarms[user], state=state, retry_at_ms=0)
    return msgspec.structs.replace(incident, alarms={**incident.alarms, user: told})
