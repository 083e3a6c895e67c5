"""Asks a token endpoint, once, with a deadline; `oauth` says what the answer means."""

from __future__ import annotations

import httpx

from shared.domain.retry_after import retry_after_s
from shared.grants.oauth import Busy, Outcome, TokenRequest, classify


class TokenEndpoint:
    """Thread-safe; one per process. No retries and no redirects: a secret goes to the configured address only."""

    def __init__(self, timeout_s: float) -> None:
        """`timeout_s` bounds each wait on the connection."""
        self._http = httpx.Client(timeout=timeout_s, follow_redirects=False)

    def ask(self, request: TokenRequest) -> Outcome:
        """Post the form. An endpoint that cannot be reached is `Busy`."""
        try:
            answer = self._http.post(request.url, data=dict(request.form), headers={"Accept": "application/json"})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Busy(f"token endpoint cannot be reached ({type(error).__name__}: {error})")
        return classify(request.provider, answer.status_code, answer.content, retry_after_s(answer.headers))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
