"""What one administrator, or one back-end service, may do with the organisation's chat channels. Each act is written down."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from services.portal.admin.audit import entries
from services.portal.admin.chat.deciding.chat_form import read_chat_channel
from services.portal.admin.chat.deciding.presentation import (
    ChatChannelShape,
    ChatTestShape,
    channel_shape,
    test_shape,
)
from services.portal.deps import Deps
from services.portal.frame.problems import ProblemError
from services.portal.frame.provider_calls import waiting_for_chat
from services.portal.frame.service_callers import Caller
from shared.contracts.chat_message import ChatMessage, refuses_for_good
from shared.contracts.chat_rows import ChatChannel
from shared.errors import KeyDestroyedError, MalformedRecordError, RefusedError
from shared.language.deciding.sentences import say
from shared.organisations import chat_channels
from shared.runtime.chat_post import ChatPost
from shared.runtime.http_post import PostResult

_TEST_ID_BYTES = 16


class ChatChannelList:
    """Every method raises StoreUnavailableError."""

    def __init__(self, deps: Deps, caller: Caller, post: ChatPost) -> None:
        """Raise ProblemError (409) where this deployment posts nothing to chat."""
        if not deps.settings.posts_to_chat:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "chat-off",
                say("This deployment posts nothing to chat."),
                next_step=say("Ask whoever operates roomsync to set ROOMSYNC_CHAT_HOSTS."),
            )
        self._deps = deps
        self._caller = caller
        self._post = post
        self._registry = deps.engine.registry

    def all(self) -> list[ChatChannelShape]:
        """The channels, oldest first."""
        found = chat_channels.list_channels(self._registry, self._caller.tenant)
        return [channel_shape(each, self._address(each)) for each in found]

    def add(self, sent: Mapping[str, Any]) -> ChatChannelShape:
        """
        Add a channel. Its address is never shown whole again.

        Raises:
            ProblemError: 422; 409, there are as many as may be.
            KeyDestroyedError: the organisation has not switched the integration on.
        """
        new = read_chat_channel(sent, self._post.hosts, self._post.allowed)
        engine, now_ms = self._deps.engine, self._deps.clock.now_ms()
        try:
            added = chat_channels.add_channel(self._registry, engine.keyring, self._caller.tenant, new, now_ms)
        except RefusedError as error:
            raise _full() from error
        self._record("chat.added", added.id)
        return channel_shape(added, new.address)

    def remove(self, channel: str) -> None:
        """Remove a channel: nothing more is posted to it. Raises ProblemError: 404."""
        if not chat_channels.remove_channel(self._registry, self._caller.tenant, channel):
            raise _no_such_channel()
        self._record("chat.removed", channel)

    def test(self, channel: str) -> ChatTestShape:
        """
        Post a message that says nothing, now. Once it is taken, a channel that was refused is posted to again.

        Raises:
            ProblemError: 404; 503, too many are being tested.
            KeyDestroyedError, MalformedRecordError: its address cannot be read any more.
        """
        tenant = self._caller.tenant
        known = chat_channels.find_channel(self._registry, tenant, channel)
        if known is None:
            raise _no_such_channel()
        with waiting_for_chat(tenant):
            self._record("chat.tested", channel)
            result = self._post_test(known)
        if result.taken:
            chat_channels.note_taken(self._registry, tenant, channel)
        elif refuses_for_good(result.status):
            now_ms = self._deps.clock.now_ms()
            chat_channels.note_refusal(self._registry, tenant, channel, now_ms, str(result.status))
        return test_shape(result.status, result.fault, taken=result.taken)

    def _post_test(self, channel: ChatChannel) -> PostResult:
        address = chat_channels.open_address(self._deps.engine.keyring, self._caller.tenant, channel)
        message = ChatMessage(
            id=f"test-{secrets.token_hex(_TEST_ID_BYTES)}",
            heading="This is a test. When a room says no to a meeting, it is told here.",
        )
        return self._post.send(channel.product, address, message)

    def _address(self, channel: ChatChannel) -> str | None:
        try:
            return chat_channels.open_address(self._deps.engine.keyring, self._caller.tenant, channel)
        except (KeyDestroyedError, MalformedRecordError):
            return None

    def _record(self, act: str, channel: str) -> None:
        entries.record_for(self._deps, self._caller.tenant, self._caller.name, act, channel)


def _no_such_channel() -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "no-such-chat-channel",
        say("There is no such chat channel."),
        next_step=say("See /v1/chat-channels, or /admin/chat"),
    )


def _full() -> ProblemError:
    return ProblemError(
        HTTPStatus.CONFLICT,
        "chat-full",
        say("There are {most} chat channels already, and more are not kept.").format(most=chat_channels.MOST_CHANNELS),
        next_step=say("Remove one that is no longer used, then add this one."),
    )
