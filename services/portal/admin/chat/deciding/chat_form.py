"""What somebody enters of a chat channel, checked. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from services.portal.frame.deciding.forms import FieldError, read_form
from services.portal.frame.problems import ProblemError
from services.portal.my_day.deciding.zones import zone_from
from shared.contracts.chat_rows import ChatProduct
from shared.domain.chat_address import read_chat_url
from shared.domain.webhook_address import MAX_URL_CHARS, WebhookAddressError
from shared.language.deciding.sentences import join_sentences, say
from shared.organisations.chat_channels import NewChatChannel

MAX_NAME_CHARS = 60
MAX_ZONE_CHARS = 60


class ChatForm(msgspec.Struct, frozen=True):
    """A new channel as it is sent, by a form or as JSON."""

    product: ChatProduct
    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS)]
    url: Annotated[str, Meta(max_length=MAX_URL_CHARS)]
    zone: Annotated[str, Meta(max_length=MAX_ZONE_CHARS)] = ""
    reminders: bool = True


def read_chat_channel(sent: Mapping[str, Any], hosts: Collection[str], allowed: Collection[str]) -> NewChatChannel:
    """
    Read a new channel.

    Args:
        sent: The form, or the JSON object.
        hosts: Where its address may lead.
        allowed: Which of them may be private, and spoken to without TLS.

    Raises:
        ProblemError: 422, naming the field and what it must be.
    """
    try:
        form = read_form(sent, ChatForm)
        read_chat_url(form.url, hosts, allowed)
    except FieldError as error:
        raise _refuse(error.field, error.why) from error
    except WebhookAddressError as error:
        raise _refuse(field="url", why=error.why) from error
    if form.zone and zone_from(form.zone) is None:
        raise _refuse(field="zone")
    return NewChatChannel(form.product, form.name, form.url, form.zone, form.reminders)


_RULES = {
    "product": say("one of {choices}").format(choices=", ".join(ChatProduct)),
    "name": say("what you call the channel, at most {most} characters").format(most=MAX_NAME_CHARS),
    "url": say("the https:// address that the product gave you for this channel"),
    "zone": say("the name of a time zone: Europe/Zurich; none: hours are written in UTC"),
    "reminders": say("true or false"),
}
_WHATEVER = say("what the documentation says")


def _refuse(field: str, why: str = "") -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "chat-invalid",
        join_sentences(say("The {field} of the chat channel cannot be used.").format(field=field), why),
        next_step=say("Send as `{field}`: {rule}.").format(field=field, rule=_RULES.get(field, _WHATEVER)),
    )
