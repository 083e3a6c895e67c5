"""One Graph call at a time through msgraph-sdk: its paths, auth, middleware and error types, and bytes out of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import httpx

from shared.domain.answer_body import CALENDAR_BYTES
from shared.domain.sighting import Access
from shared.errors import RefusedError, RetryableError
from shared.providers.bounded_answers import HEADERS, bound_answer_async
from shared.providers.counted_calls import note_call
from shared.providers.failures import Doing
from shared.providers.microsoft.failures import failure
from shared.providers.microsoft.loop import BackgroundLoop
from shared.providers.microsoft.sdk import (
    APIError,
    AuthenticationProvider,
    GraphClientFactory,
    GraphRequestAdapter,
    GraphServiceClient,
    ODataError,
    RedirectHandlerOption,
    RequestInformation,
    RetryHandlerOption,
    options,
)
from shared.providers.write_guard import HarmlessRequest, WriteGuard

HARMLESS = (
    HarmlessRequest(
        "POST", re.compile(r"/(me|users/me-token-to-replace)/calendar/getSchedule")
    ),  # as the SDK writes `/me` until it is sent
    HarmlessRequest("POST", re.compile(r"/subscriptions")),
    HarmlessRequest("PATCH", re.compile(r"/subscriptions/[^/]{1,1024}")),
    HarmlessRequest("DELETE", re.compile(r"/subscriptions/[^/]{1,1024}")),
)
"""
Requests that change no event although their methods could. `Calendars.Read` is enough for the subscriptions to events, and
`Calendars.ReadBasic` for the schedule (learn.microsoft.com/graph/api: *subscription-post-subscriptions*, *calendar-getschedule*).
"""
_BACKSTOP_S = 2.0  # over the call's own deadline: only a stuck loop gets there
_IDLE_CONNECTION_S = 30.0
_Transports = tuple[httpx.AsyncBaseTransport, ...]
_token: ContextVar[str] = ContextVar("graph_access_token")


class _TokenOfThisCall(AuthenticationProvider):
    """Puts the calling task's token on a request, so that one client serves every person."""

    async def authenticate_request(
        self,
        request: RequestInformation,
        additional_authentication_context: dict[str, Any] | None = None,  # noqa: ARG002 - the base class fixes the name
    ) -> None:
        request.headers.add("Authorization", f"Bearer {_token.get()}")


class GraphTransport:
    """
    One client per process, on one background loop. Never retries, never sleeps, never leaves Graph's own address.

    `client` builds requests (`client.me...to_get_request_information()`); `send` performs them.
    """

    def __init__(self, base_url: str, timeout_s: float, *, may_write: bool = True) -> None:
        """
        Build the client; nothing is opened before the first call.

        Args:
            base_url: Graph's address, version included.
            timeout_s: Bounds one request.
            may_write: False: what would change a calendar raises WritesOffError and is not sent.
        """
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._guard = WriteGuard(self._base_url, HARMLESS, may_write)
        self._loop = BackgroundLoop()
        self._live: tuple[asyncio.AbstractEventLoop, GraphRequestAdapter, _Transports] | None = None
        self.client = GraphServiceClient(request_adapter=self._new_adapter()[0])

    def send(self, doing: Doing, access: Access, request: RequestInformation) -> bytes:
        """
        Perform one request and return the body, b"" when there is none.

        Raises:
            RetryableError, TokenRefusedError, CursorExpiredError, EventGoneError, SubscriptionGoneError,
            PreconditionFailedError, RefusedError: what the answer asks of us (`failures`).
            WritesOffError: it would change a calendar, and this client may not write; it was not sent.
        """
        note_call()
        return self._loop.run(self._send(doing, access, request), self._timeout_s + _BACKSTOP_S)

    def owns(self, link: str) -> bool:
        """Whether a next or delta link points at Graph itself: a token goes nowhere else."""
        base, other = urlsplit(self._base_url), urlsplit(link)
        return (base.scheme, base.netloc.lower()) == (other.scheme, other.netloc.lower()) and other.path.startswith(
            base.path
        )

    def close(self) -> None:
        """Close the connections and stop the background loop."""
        if self._live is not None:
            self._loop.run(self._disconnect(), _BACKSTOP_S)
        self._loop.close()

    async def _disconnect(self) -> None:
        live, self._live = self._live, None
        if live is not None and live[0] is asyncio.get_running_loop():
            for transport in live[2]:
                await transport.aclose()
            await asyncio.sleep(0)  # the sockets close in the loop's next round

    async def _send(self, doing: Doing, access: Access, request: RequestInformation) -> bytes:
        _token.set(access.token)  # a task has a context of its own
        adapter = self._adapter_of_this_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                body = await adapter.send_primitive_async(request, "bytes", {"XXX": ODataError})
        except APIError as error:
            raise _translated(doing, error) from error
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            message = f"{doing}: Graph cannot be reached ({type(error).__name__}: {error})"
            raise RetryableError(message) from error
        except RecursionError as error:
            message = f"{doing}: Graph's answer is nested too deep ({error})"
            raise RetryableError(message) from error
        except httpx.InvalidURL as error:
            message = f"{doing}: Graph's address is not one ({error})"
            raise RefusedError(message) from error
        return body if isinstance(body, bytes) else b""

    async def _not_written(self, request: httpx.Request) -> None:
        """The last step before a request leaves."""
        self._guard.check(request.method, str(request.url))

    def _adapter_of_this_loop(self) -> GraphRequestAdapter:
        loop = asyncio.get_running_loop()
        if self._live is None or self._live[0] is not loop:
            self._live = (loop, *self._new_adapter())
        return self._live[1]

    def _new_adapter(self) -> tuple[GraphRequestAdapter, _Transports]:
        inner = httpx.AsyncClient(
            timeout=httpx.Timeout(self._timeout_s),
            limits=httpx.Limits(keepalive_expiry=_IDLE_CONNECTION_S),
            headers=HEADERS,
            event_hooks={
                "request": [self._not_written],
                "response": [_not_elsewhere, bound_answer_async(CALENDAR_BYTES)],
            },
        )
        # The SDK wraps these, and its wrapper closes nothing.
        opened = (inner._transport, *filter(None, inner._mounts.values()))  # noqa: SLF001
        off = {
            # The handler would sleep inside our worker, and repeat a POST: appointments are the caller's.
            RetryHandlerOption.get_key(): RetryHandlerOption(max_retries=0, should_retry=False),
            RedirectHandlerOption.get_key(): RedirectHandlerOption(max_redirect=0, should_redirect=False),
        }
        http = GraphClientFactory.create_with_default_middleware(client=inner, options={**options, **off})
        adapter = GraphRequestAdapter(_TokenOfThisCall(), client=http)
        adapter.base_url = self._base_url
        return adapter, opened


async def _not_elsewhere(response: httpx.Response) -> None:
    """The SDK takes a redirect that it may not follow for success."""
    if response.is_redirect:
        message = f"redirected to {response.headers['Location'][:120]}; not followed"
        raise httpx.TooManyRedirects(message)


def _translated(doing: Doing, error: APIError) -> Exception:
    main = getattr(error, "error", None)
    headers: Mapping[str, str] = error.response_headers or {}
    return failure(
        doing,
        error.response_status_code or 0,
        getattr(main, "code", None) or "",
        getattr(main, "message", None) or "",
        dict(headers),
    )
