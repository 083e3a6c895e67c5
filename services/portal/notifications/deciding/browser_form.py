"""What a person's browser sends of itself so that notices are shown in it, checked. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from services.portal.frame.deciding.forms import FieldError, read_form
from services.portal.frame.problems import ProblemError
from shared.contracts.browser_rows import PushTarget
from shared.crypto.vapid import is_auth_secret, is_public_key
from shared.domain.push_address import read_push_url
from shared.domain.webhook_address import MAX_URL_CHARS, WebhookAddressError
from shared.language.deciding.sentences import say

PublicKey = Annotated[str, Meta(max_length=100, examples=["BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcx…"])]
AuthSecret = Annotated[str, Meta(max_length=40, examples=["BTBZMqHH6r4Tts7J_aSIgg"])]


class BrowserKeys(msgspec.Struct, frozen=True):
    """What messages to the browser are encrypted with (RFC 8291)."""

    p256dh: PublicKey
    """Its public key, in base64url."""
    auth: AuthSecret
    """The secret that it shares with us, in base64url."""


class BrowserForm(msgspec.Struct, frozen=True):
    """A browser, as its `PushSubscription` writes itself as JSON."""

    endpoint: Annotated[
        str, Meta(max_length=MAX_URL_CHARS, examples=["https://updates.push.services.mozilla.com/wpush/v2/…"])
    ]
    """The address at the browser's push service."""
    keys: BrowserKeys


def read_browser(sent: Mapping[str, Any], hosts: Collection[str], allowed: Collection[str]) -> PushTarget:
    """
    Read how a browser is reached.

    Args:
        sent: The JSON object.
        hosts: Where its endpoint may lead.
        allowed: Which of them may be private, and spoken to without TLS.

    Raises:
        ProblemError: 422, naming the field; nothing of its content is repeated.
    """
    try:
        form = read_form(sent, BrowserForm)
        read_push_url(form.endpoint, hosts, allowed)
    except FieldError as error:
        raise _refuse_field(error.field) from error
    except WebhookAddressError as error:
        raise _refuse_field(field="endpoint") from error
    if not is_public_key(form.keys.p256dh):
        raise _refuse_field(field="keys.p256dh")
    if not is_auth_secret(form.keys.auth):
        raise _refuse_field(field="keys.auth")
    return PushTarget(endpoint=form.endpoint, p256dh=form.keys.p256dh, auth=form.keys.auth)


def _refuse_field(field: str) -> ProblemError:
    elsewhere = field == "endpoint"
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "browser-invalid",
        say("The field {field} cannot be used.").format(field=field),
        next_step=_OTHER_SERVICE if elsewhere else _AS_GIVEN,
    )


_AS_GIVEN = say("Send what the browser's PushSubscription writes of itself as JSON.")
_OTHER_SERVICE = say(
    "Notices are sent to the push services that are known here alone: use another browser, or ask whoever operates roomsync to"
    " add your browser's to ROOMSYNC_PUSH_HOSTS."
)
