"""The handshake: an address must echo a token before anything is sent to it."""

from __future__ import annotations

import http.client
from urllib.parse import quote

from simulator.microsoft.errors import refuse
from simulator.world import http_post

TIMEOUT_S = 10.0
_OK = 200


def shake(url: str, guid: str) -> None:
    """
    Ask the address to echo a token that tests its decoding: spaces, a colon, a plus sign and a literal `%2B`.

    Raises GraphError 400 when the answer is not 200, text/plain and the token itself within ten seconds.
    """
    token = f"Validation: Testing client application + reachability %2B {guid}"
    encoded = quote(token, safe="").replace("%20", "+")
    target = f"{url}{'&' if '?' in url else '?'}validationToken={encoded}"
    try:
        status, body, kind = http_post(target, {"Content-Type": "text/plain; charset=utf-8"}, b"", TIMEOUT_S)
    except TimeoutError:
        refuse("Subscription validation request timed out.")
    except (OSError, http.client.HTTPException) as error:
        refuse(f"Subscription validation request failed. [{type(error).__name__}]")
    if status != _OK:
        reason = http.client.responses.get(status, str(status)).replace(" ", "")
        refuse(
            f"Subscription validation request failed. [HTTP status code is '{reason}'.] "
            "Notification endpoint must respond with 200 OK to validation request."
        )
    if not kind.lower().startswith("text/plain") or body != token.encode():
        refuse("Subscription validation request failed. Must respond with the token as plain text.")
