"""Asks a token endpoint, once, with a deadline; `oauth` says what the answer means."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from shared.domain.answer_body import IDENTITY_BYTES
from shared.domain.retry_after import retry_after_s
from shared.errors import RetryableError
from shared.grants.oauth import Busy, Outcome, TokenRequest, classify

if TYPE_CHECKING:
    import httpx


class TokenEndpoint:
    """
    Thread-safe; one per process. No retries and no redirects: a secret goes to the configured address only.

    The client and its library come with the first question: a process is ready sooner, and some never ask.
    """

    def __init__(self, timeout_s: float) -> None:
        """`timeout_s` bounds each wait on the connection."""
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None

    def ask(self, request: TokenRequest) -> Outcome:
        """Post the form. An endpoint that cannot be reached, or whose answer is too long, is `Busy`."""
        import httpx  # noqa: PLC0415 - see above

        try:
            answer = self._client().post(request.url, data=dict(request.form), headers={"Accept": "application/json"})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Busy(f"token endpoint cannot be reached ({type(error).__name__}: {error})")
        except RetryableError as error:
            return Busy(f"token endpoint: {error}")
        return classify(request.provider, answer.status_code, answer.content, retry_after_s(answer.headers))

    def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            self._http.close()

    def _client(self) -> httpx.Client:
        import httpx  # noqa: PLC0415 - see above

        from shared.providers.bounded_answers import HEADERS, bound_answer  # noqa: PLC0415 - imports it, too

        with self._lock:
            if self._http is None:
                self._http = httpx.Client(
                    timeout=self._timeout_s,
                    follow_redirects=False,
                    headers=HEADERS,
                    event_hooks={"response": [bound_answer(IDENTITY_BYTES)]},
                )
            return self._http
