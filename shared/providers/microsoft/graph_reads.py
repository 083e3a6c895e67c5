"""Reading events at Graph: one by its id, the dates of a series, and links from page to page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from shared.contracts.envelope import read_json
from shared.domain.instants import to_rfc3339
from shared.domain.sighting import Access, Window
from shared.errors import RefusedError, RetryableError
from shared.providers.failures import Doing
from shared.providers.microsoft import wire
from shared.providers.microsoft.sdk import (
    BaseRequestBuilder,
    EventItemRequestBuilder,
    InstancesRequestBuilder,
    Method,
    RequestConfiguration,
    RequestInformation,
)
from shared.providers.microsoft.transport import GraphTransport

PAGE_SIZE = 100
_PREFER = ('IdType="ImmutableId"', 'outlook.timezone="UTC"')
_Query = EventItemRequestBuilder.EventItemRequestBuilderGetQueryParameters
_Instances = InstancesRequestBuilder.InstancesRequestBuilderGetQueryParameters


class GraphReads:
    """Reads of one person's events. Thread-safe; one per process."""

    def __init__(self, transport: GraphTransport) -> None:
        """Read through `transport`."""
        self._transport = transport
        self._events = transport.client.me.events

    def read_event(self, access: Access, event_id: str, fields: Sequence[str]) -> bytes:
        """Read one event, as Graph's JSON. Raises EventGoneError."""
        builder = self._events.by_event_id(event_id)
        query = _Query(select=list(fields))
        request = builder.to_get_request_information(RequestConfiguration(query_parameters=query))
        return self._transport.send(Doing.EVENT, access, with_prefer(request))

    def list_dates(self, access: Access, series: str, window: Window, fields: Sequence[str]) -> Iterator[bytes]:
        """
        List the dates of a series that touch `window`, as pages of Graph's JSON.

        Raises:
            EventGoneError: Graph knows no such series.
        """
        builder = self._events.by_event_id(series).instances
        query = _Instances(
            start_date_time=to_rfc3339(window.start_ms), end_date_time=to_rfc3339(window.end_ms),
            select=list(fields), top=PAGE_SIZE,
        )  # fmt: skip
        request = builder.to_get_request_information(RequestConfiguration(query_parameters=query))
        visited = set[str]()
        while True:
            body = self._transport.send(Doing.EVENT, access, with_prefer(request))
            yield body
            next_link = read_json(body, wire.NextLink).next_link
            if not next_link:
                return
            request = builder.with_url(self.follow(next_link, visited)).to_get_request_information()

    def follow(self, link: str, visited: set[str]) -> str:
        """
        Return `link` after it was found to be Graph's own and not in `visited`, and add it there.

        Raises:
            RefusedError: it leads to another address.
            RetryableError: it leads back to a page already read.
        """
        if not self._transport.owns(link):
            message = f"Graph's answer links to another address ({link.partition('?')[0][:120]}); not followed"
            raise RefusedError(message)
        if link in visited:
            message = "a delta round leads back to a page already read; looking again later"
            raise RetryableError(message)
        visited.add(link)
        return link


def build_request(method: Method, builder: BaseRequestBuilder, body: Mapping[str, Any]) -> RequestInformation:
    """Build a request of the builder's path with a body of ours: the SDK's models would cost 4 ms of CPU each."""
    request = RequestInformation(method, builder.url_template, builder.path_parameters)
    request.headers.try_add("Accept", "application/json")
    request.set_stream_content(msgspec.json.encode(body), "application/json")
    return with_prefer(request)


def with_prefer(request: RequestInformation, *more: str) -> RequestInformation:
    """Add what every request prefers: ids that outlive a move of the event, and times in UTC."""
    for value in (*_PREFER, *more):
        request.headers.add("Prefer", value)
    return request
