"""One Google call at a time through google-api-python-client, with a connection of its own per thread."""

from __future__ import annotations

import http.client
import threading
from typing import Any
from urllib.parse import urlsplit

import httplib2
from google.auth.exceptions import GoogleAuthError
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.errors import Error, HttpError

from shared.domain.sighting import Access
from shared.errors import ConfigurationError, RetryableError
from shared.providers.google.failures import Doing, failure


class GoogleTransport:
    """
    `service` builds requests and is shared; `send` performs them. Never retries, never sleeps, never refreshes.

    Raises ConfigurationError when the address is not one.
    """

    def __init__(self, base_url: str, timeout_s: float) -> None:
        """`base_url` includes the service path; `timeout_s` bounds each wait on the connection."""
        if not urlsplit(base_url).netloc:
            message = f"ROOMSYNC_GOOGLE_CALENDAR_URL={base_url!r}: must be an address with scheme and host"
            raise ConfigurationError(message)
        self._timeout_s = timeout_s
        self._threads = threading.local()
        self.service: Any = build(
            "calendar",
            "v3",
            http=httplib2.Http(timeout=timeout_s),  # with one given, no default credentials are looked for
            static_discovery=True,  # the bundled document: no network
            client_options={"api_endpoint": base_url.rstrip("/") + "/"},
        )

    def send(self, doing: Doing, access: Access, request: Any) -> Any:
        """
        Perform one request and return the decoded answer; "" or b"" when there is none.

        Raises:
            RetryableError, ConsentRevokedError, CursorExpiredError, EventGoneError, SubscriptionGoneError,
            PreconditionFailedError, RefusedError: what the answer asks of us (`failures`).
        """
        # Without status codes to refresh on, a 401 comes back as an answer: refreshing is the broker's.
        grant: Any = Credentials  # untyped
        authorized = AuthorizedHttp(grant(access.token), http=self._connection(), refresh_status_codes=())
        try:
            return request.execute(http=authorized, num_retries=0)
        except HttpError as error:
            reason, message = _said(error)
            raise failure(doing, error.status_code, reason, message, dict(error.resp)) from error
        except (httplib2.HttpLib2Error, http.client.HTTPException, OSError, GoogleAuthError, Error) as error:
            self._connection().close()  # it may be half way through an answer
            message = f"{doing}: Google cannot be reached ({type(error).__name__}: {error})"
            raise RetryableError(message) from error
        except ValueError as error:
            message = f"{doing}: Google's answer is not JSON ({error})"
            raise RetryableError(message) from error

    def close(self) -> None:
        """Close the calling thread's connection; those of other threads go with their threads."""
        self._connection().close()

    def _connection(self) -> httplib2.Http:
        """This thread's own: httplib2 mixes up answers when threads share one."""
        connection = getattr(self._threads, "http", None)
        if connection is None:
            connection = self._threads.http = httplib2.Http(timeout=self._timeout_s)
            connection.follow_redirects = False
        return connection


def _said(error: HttpError) -> tuple[str, str]:
    details = error.error_details
    first = details[0] if isinstance(details, list) and details and isinstance(details[0], dict) else {}
    return str(first.get("reason") or ""), str(error.reason or first.get("message") or "")
