"""What `webhook-state` holds of one partition, opened: what each endpoint is still to get."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from services.notifier.webhooks.courier import EndpointName
from shared.contracts.webhook_records import BACKLOG_TYPE, EndpointBacklog, backlog_key
from shared.crypto.records import open_record, sealed_envelope
from shared.domain.keys import TenantKeys
from shared.errors import KeyDestroyedError, MalformedRecordError
from shared.ports.log import StateChange
from shared.runtime.logging import get_logger

logger = get_logger()


class Backlogs:
    """Changed only after a commit, so that it never holds what the log does not."""

    def __init__(self, state: Mapping[bytes, bytes], keys_of: Callable[[str], TenantKeys]) -> None:
        """Open the state as restored; what opens under no key is listed in `unreadable`."""
        self._known: dict[EndpointName, tuple[EndpointBacklog, str]] = {}
        self.unreadable: list[bytes] = []
        for key, value in state.items():
            tenant, _, endpoint = key.decode(errors="replace").partition("/")
            try:
                keys = keys_of(tenant)
                self._known[EndpointName(tenant, endpoint)] = open_record(key, value, keys, EndpointBacklog), keys.era
            except KeyDestroyedError:
                self.unreadable.append(key)
            except MalformedRecordError as error:
                logger.warning("state_unreadable", error=str(error))
                self.unreadable.append(key)

    def names(self) -> Iterable[EndpointName]:
        """The endpoints of which something is remembered."""
        return self._known.keys()

    def get(self, name: EndpointName) -> EndpointBacklog | None:
        """What the endpoint is still to get; None when nothing is remembered of it."""
        known = self._known.get(name)
        return known[0] if known else None

    def is_of(self, name: EndpointName, keys: TenantKeys) -> bool:
        """Whether what is remembered is of the keys as they stand: what earlier ones named is to be forgotten."""
        known = self._known.get(name)
        return known is not None and known[1] == keys.era

    def keep(self, name: EndpointName, backlog: EndpointBacklog, keys: TenantKeys) -> None:
        """Take over what was committed."""
        self._known[name] = backlog, keys.era

    def forget(self, name: EndpointName) -> None:
        """Take over that it was deleted."""
        self._known.pop(name, None)


def backlog_change(name: EndpointName, backlog: EndpointBacklog, keys: TenantKeys) -> StateChange:
    """A backlog as it is committed."""
    key = backlog_key(*name)
    return StateChange(key, sealed_envelope(keys, backlog, key=key, type=BACKLOG_TYPE, id=name.id))
