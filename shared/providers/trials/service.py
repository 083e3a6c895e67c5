"""Plain calls of a provider's service as one person; whatever is answered comes back, refusals too."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import msgspec

from shared.decoders import json_decoder
from shared.domain.sighting import Access
from shared.providers.write_guard import WriteGuard

_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_TRIES = 4
_LONGEST_PAUSE_S = 30.0

Json = dict[str, Any]


class CannotTryError(Exception):
    """A belief cannot be tried; the message says why, for the report."""


class ServiceUnreachableError(Exception):
    """The service does not answer at all; the message names its address."""


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """What the service answered."""

    status: int
    body: Json
    """The JSON object; empty when there was none."""

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def refusal(self) -> str:
        """Status, code and reason of a refusal, for people."""
        error = self.body.get("error")
        named = error if isinstance(error, dict) else {}
        reasons = [str(one.get("reason")) for one in named.get("errors") or () if isinstance(one, dict)]
        code = named.get("code")
        return " ".join([str(self.status), *([code] if isinstance(code, str) else []), *reasons])


class Service:
    """One provider's API. A context manager: its connections are closed at the end."""

    def __init__(self, access: Access, guard: WriteGuard, timeout_s: float, headers: Mapping[str, str]) -> None:
        """
        Open nothing yet.

        Args:
            access: Whose token to send.
            guard: What may be sent; its `base_url` is where relative paths begin.
            timeout_s: Bounds one call.
            headers: Sent with each call, unless the call has others.
        """
        self._guard = guard
        self._http = httpx.Client(timeout=timeout_s, headers={**headers, "Authorization": f"Bearer {access.token}"})

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ServiceAnswer:
        """
        Make one call and return its answer. A service that says it is busy is asked again a few times, after its own pause.

        Args:
            method: In capitals.
            path: Below the address of the API, or a whole address that the API itself gave.
            query: Parameters to add.
            body: A JSON object to send.
            headers: In place of the usual ones of the same name.

        Raises:
            ServiceUnreachableError: no answer.
            CannotTryError: it stays busy, or the address is another server's.
            WritesOffError: it would change a calendar, and nothing may.
        """
        url = path if urlsplit(path).scheme else f"{self._guard.base_url}{path}"
        self._guard.check(method, url)
        for _ in range(_TRIES):
            answer = self._send(method, url, query, body, headers)
            if answer.status_code not in _BUSY:
                return ServiceAnswer(answer.status_code, _object(answer.content))
            time.sleep(_pause_s(answer.headers.get("Retry-After", "")))
        message = f"the service is busy ({answer.status_code}); try again later"
        raise CannotTryError(message)

    def demand(self, doing: str, method: str, path: str, **more: Any) -> Json:
        """
        Make a call that has to succeed, and return the JSON object of its answer.

        Args:
            doing: What for, in words for the report: "booking a meeting".
            method: As of `ask`.
            path: As of `ask`.
            more: As of `ask`.

        Raises:
            CannotTryError: it was refused, or as `ask`.
            ServiceUnreachableError, WritesOffError: as `ask`.
        """
        answer = self.ask(method, path, **more)
        if not answer.is_success:
            message = f"{doing} was refused: {answer.refusal}"
            raise CannotTryError(message)
        return answer.body

    def _send(
        self,
        method: str,
        url: str,
        query: Mapping[str, str | int] | None,
        body: Json | None,
        headers: Mapping[str, str] | None,
    ) -> httpx.Response:
        try:
            return self._http.request(method, url, params=query, json=body, headers=headers)
        except httpx.HTTPError as error:
            address = url.partition("?")[0]
            message = f"{address} does not answer ({type(error).__name__}: {error})"
            raise ServiceUnreachableError(message) from error


def _object(content: bytes) -> Json:
    try:
        return json_decoder(dict[str, Any]).decode(content)
    except msgspec.DecodeError:
        return {}


def _pause_s(retry_after: str) -> float:
    try:
        return min(max(float(retry_after), 0.1), _LONGEST_PAUSE_S)
    except ValueError:
        return 2.0
