"""One Google call at a time through google-api-python-client, each on a connection that no other call is using."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httplib2
import msgspec
from google.auth.exceptions import GoogleAuthError
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.errors import Error, HttpError
from httplib2.decode import DecodeLimitError

from shared.decoders import json_decoder
from shared.domain.answer_body import CALENDAR_BYTES, check_length, too_long
from shared.domain.sighting import Access
from shared.errors import ConfigurationError, RetryableError
from shared.providers.counted_calls import note_call
from shared.providers.failures import Doing
from shared.providers.google.failures import failure
from shared.providers.write_guard import HarmlessRequest, WriteGuard

HARMLESS = (
    HarmlessRequest("POST", re.compile(r"/freeBusy")),
    HarmlessRequest("POST", re.compile(r"/calendars/[^/]{1,1024}/events/watch")),
    HarmlessRequest("POST", re.compile(r"/channels/stop")),
)
"""
Requests that change no event although they are POSTs. All three are possible with scopes that only read: the reference pages of
`freebusy.query`, `events.watch` and `channels.stop` list them (developers.google.com/workspace/calendar/api/v3/reference).
"""


class GoogleTransport:
    """
    `service` builds requests and is shared; `send` performs them. Never retries, never sleeps, never refreshes.

    Raises ConfigurationError when the address is not one.
    """

    def __init__(self, base_url: str, timeout_s: float, directory_url: str = "", *, may_write: bool = True) -> None:
        """`base_url` includes the service path; `timeout_s` bounds each wait on the connection; `may_write`: see `send`."""
        if not urlsplit(base_url).netloc:
            message = f"ROOMSYNC_GOOGLE_CALENDAR_URL={base_url!r}: must be an address with scheme and host"
            raise ConfigurationError(message)
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._idle: list[httplib2.Http] = []
        self._directory_url = directory_url
        self._guard = WriteGuard(base_url, HARMLESS, may_write)
        self._directory: Any = None
        self.service: Any = _built("calendar", "v3", base_url, timeout_s)

    @property
    def directory(self) -> Any:
        """The Directory API, built when it is first asked for: only an administrator's import needs it."""
        with self._lock:
            if self._directory is None:
                self._directory = _built("admin", "directory_v1", self._directory_url, self._timeout_s)
            return self._directory

    def send(self, doing: Doing, access: Access, request: Any) -> Any:
        """
        Perform one request and return the decoded answer; "" or b"" when there is none.

        Raises:
            RetryableError, TokenRefusedError, CursorExpiredError, EventGoneError, SubscriptionGoneError,
            PreconditionFailedError, RefusedError: what the answer asks of us (`failures`).
            WritesOffError: it would change a calendar, and this client may not write; it was not sent.
        """
        self._guard.check(request.method, request.uri)
        note_call()
        with self._connection() as connection:
            # Without status codes to refresh on, a 401 comes back as an answer: refreshing is the broker's.
            grant: Any = Credentials  # untyped
            authorized = AuthorizedHttp(grant(access.token), http=connection, refresh_status_codes=())
            return _performed(doing, request, authorized)

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _connection(self) -> Iterator[httplib2.Http]:
        """One that nobody else is using: httplib2 mixes up answers when threads share one."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = _BoundedHttp(self._timeout_s)
        try:
            yield connection
        except RetryableError:
            connection.close()  # it may be half way through an answer
            raise
        finally:
            with self._lock:
                self._idle.append(connection)


class _Answer(http.client.HTTPResponse):
    """An answer that is read up to a bound, compressed or not."""

    def read(self, amt: int | None = None) -> bytes:
        """Read all of it. Raises RetryableError for one that is too long."""
        if amt is not None:
            return super().read(amt)
        if self.length is not None:
            check_length(self.length, CALENDAR_BYTES)
            return super().read()
        body = super().read(CALENDAR_BYTES + 1)  # in chunks, or up to the end of the connection
        check_length(len(body), CALENDAR_BYTES)
        return body


class _Connection(httplib2.HTTPConnectionWithTimeout):  # type: ignore[misc]  # untyped
    response_class = _Answer


class _TlsConnection(httplib2.HTTPSConnectionWithTimeout):  # type: ignore[misc]  # untyped
    response_class = _Answer


class _BoundedHttp(httplib2.Http):  # type: ignore[misc]  # untyped
    """Follows no redirect, and reads no answer beyond the bound."""

    def __init__(self, timeout_s: float) -> None:
        """
        Open nothing yet.

        The library bounds what it decompresses; its second bound, a ratio, is off: rows that repeat each other exceed it.
        """
        super().__init__(timeout=timeout_s, decode_limit_hard=CALENDAR_BYTES, decode_limit_ratio=0)
        self.follow_redirects = False

    def request(self, uri: str, *args: Any, **kwargs: Any) -> Any:
        """Perform one request, on a connection whose answers are bounded."""
        tls = urlsplit(uri).scheme == "https"
        return super().request(uri, *args, **kwargs | {"connection_type": _TlsConnection if tls else _Connection})


def _built(name: str, version: str, base_url: str, timeout_s: float) -> Any:
    return build(
        name,
        version,
        http=httplib2.Http(timeout=timeout_s),  # with one given, no default credentials are looked for
        static_discovery=True,  # the bundled document: no network
        client_options={"api_endpoint": base_url.rstrip("/") + "/"},
    )


def _performed(doing: Doing, request: Any, http_: AuthorizedHttp) -> Any:
    try:
        return request.execute(http=http_, num_retries=0)
    except HttpError as error:
        reasons, sentence = _reasons(error)
        raise failure(doing, error.status_code, reasons, sentence, dict(error.resp)) from error
    except (httplib2.HttpLib2Error, http.client.HTTPException, OSError, GoogleAuthError, Error) as error:
        message = f"{doing}: Google cannot be reached ({type(error).__name__}: {error})"
        raise RetryableError(message) from error
    except DecodeLimitError as error:
        raise too_long(CALENDAR_BYTES) from error
    except (ValueError, RecursionError) as error:
        message = f"{doing}: Google's answer is not JSON, or nested too deep ({error})"
        raise RetryableError(message) from error


def _reasons(error: HttpError) -> tuple[list[str], str]:
    """
    All reasons of an answer, and its message.

    The client keeps `details` or `errors`, whichever it finds first; the reason that decides may stand in the other.
    """
    try:
        body = json_decoder(_Body).decode(error.content).error
    except (msgspec.DecodeError, RecursionError):
        return [], str(error.reason or "")
    found = [each.reason for each in (*body.errors, *body.details) if each.reason]
    return list(dict.fromkeys(found)), body.message or str(error.reason or "")


class _Reason(msgspec.Struct, frozen=True):
    reason: str | None = None


class _Error(msgspec.Struct, frozen=True):
    errors: tuple[_Reason, ...] = ()
    details: tuple[_Reason, ...] = ()
    message: str = ""


class _Body(msgspec.Struct, frozen=True):
    error: _Error
