"""Bounds what `requests` reads of an answer of OpenID Connect."""

from __future__ import annotations

import io
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from shared.domain.answer_body import ENCODING, IDENTITY_BYTES, BoundedBody

_PIECE = 64 * 1024


def bound(session: requests.Session) -> None:
    """Have every answer of `session` read by the adapter: its requests raise RetryableError for one that is too long."""
    for scheme in ("http://", "https://"):
        session.mount(scheme, BoundedAdapter())


class BoundedAdapter(HTTPAdapter):
    """Reads each answer whole, up to `IDENTITY_BYTES` decompressed or not, before anybody else sees it."""

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002  # the library's own signature
        *args: Any,
        **kwargs: Any,
    ) -> requests.Response:
        """Perform the request. Raises requests.RequestException, and RetryableError for an answer that is too long."""
        request.headers["Accept-Encoding"] = ENCODING
        response = super().send(request, True, *args, **kwargs)  # so that it reads nothing itself
        with response.raw as raw:
            content = _read(response, raw)
        response.raw = io.BytesIO(content)
        return response


def _read(response: requests.Response, raw: Any) -> bytes:
    body = BoundedBody(response.headers.pop("Content-Encoding", ""), IDENTITY_BYTES)
    try:
        return b"".join(body.feed(piece) for piece in raw.stream(_PIECE, decode_content=False))
    except HTTPError as error:
        raise requests.ConnectionError(error, response=response) from error
