"""Push channels: opened, told of changes with rising message numbers, stopped, and left to die without a word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

from simulator.google.access import ReachedCalendar
from simulator.google.errors import ApiError, invalid, required
from simulator.world import CalendarChange, Policy, Post, Principal, World
from simulator.world.ids import URL_SAFE

LONGEST_ID = 64
LONGEST_TOKEN = 256
DEFAULT_TTL_S = 604_800
MAX_TTL = "channelMaxTtlS"
AFTER_STOP = "deliverAfterStopMs"
UNWATCHABLE = "unwatchable"
SYNC_DELAY = "syncDelayMs"
_ID = re.compile(r"[A-Za-z0-9\-_+/=]+")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_LARGEST_GAP = 5000
_RETRIED = {500, 502, 503, 504}
_WAITS_S = (10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0)
_TIMEOUT_S = 10.0
POLICY = Policy(
    provider="google",
    first_timeout_s=_TIMEOUT_S,
    retry_timeout_s=_TIMEOUT_S,
    waits_s=_WAITS_S,
    retry=lambda status: status is None or status in _RETRIED,
)
"""Retried: no answer, 500, 502, 503, 504; anything else is dropped. The waits are ours, Google publishes none."""


@dataclass(slots=True)
class Channel:
    """One open channel; `number` is that of the last message."""

    id: str
    user_id: str
    client_id: str
    mailbox_id: str
    resource_id: str
    resource_uri: str
    address: str
    token: str | None
    expires_ms: int
    made_ms: int
    number: int = 0
    stopped_ms: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The `Channel` resource; `expiration` is a string, as the schema has it."""
        body = {
            "kind": "api#channel",
            "id": self.id,
            "resourceId": self.resource_id,
            "resourceUri": self.resource_uri,
            "expiration": str(self.expires_ms),
        }
        return body | ({"token": self.token} if self.token is not None else {})

    def headers(self, state: str) -> dict[str, str]:
        """The next message's headers, with the channel's current number."""
        found = {
            "Accept": "*/*",
            "Content-Type": "application/json; utf-8",
            "User-Agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
            "X-Goog-Channel-ID": self.id,
            "X-Goog-Channel-Expiration": formatdate(self.expires_ms / 1000, usegmt=True),
            "X-Goog-Resource-State": state,
            "X-Goog-Message-Number": str(self.number),
            "X-Goog-Resource-ID": self.resource_id,
            "X-Goog-Resource-URI": self.resource_uri,
        }
        return found | ({"X-Goog-Channel-Token": self.token} if self.token is not None else {})


class Channels:
    """Called inside the world's lock. One message per live channel and commit, whatever the commit changed."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._channels: dict[str, Channel] = {}
        self._dirty: dict[str, None] = {}
        faults = world.faults
        faults.declare(MAX_TTL, DEFAULT_TTL_S, "longest life of a channel in seconds")
        faults.declare(AFTER_STOP, 0, "a stopped channel goes on delivering for this long")
        faults.declare(UNWATCHABLE, [], "addresses of calendars that cannot be watched")
        faults.declare(SYNC_DELAY, 0, "the sync message comes this long after the channel was made (0: at once)")
        world.on_change(self._on_change)
        world.subscription_listings["google"] = self.list_all

    def watch(
        self, reached: ReachedCalendar, principal: Principal, sent: Mapping[str, Any], base_url: str
    ) -> dict[str, Any]:
        """
        Open a channel; its `sync` message leaves from another thread, possibly before this returns.

        Raises:
            ApiError: 400 for a malformed, used or too long value, or a calendar that cannot be watched.
        """
        self._check(reached, sent)
        now_ms = self._world.now_ms()
        channel = Channel(
            id=str(sent["id"]),
            user_id=reached.user.id,
            client_id=principal.client_id,
            mailbox_id=reached.mailbox.id,
            resource_id=self._world.ids.token(27, URL_SAFE, "resource", reached.user.id, reached.mailbox.id),
            resource_uri=f"{base_url}/calendars/{reached.addressed_as}/events?alt=json",
            address=str(sent["address"]),
            token=None if sent.get("token") is None else str(sent["token"]),
            expires_ms=self._expires_ms(sent, now_ms),
            made_ms=now_ms,
        )
        self._channels[channel.id] = channel
        self._world.scheduler.after(self._world.faults.get(SYNC_DELAY, "google"), lambda: self._send(channel, "sync"))
        return channel.as_dict()

    def stop(self, principal: Principal, sent: Mapping[str, Any]) -> None:
        """
        End a channel; only who made it may, through the same client.

        Raises:
            ApiError: 404 when unknown, expired or stopped, 403 for anybody else's.
        """
        channel = self._channels.get(str(sent.get("id")))
        if channel is None or channel.resource_id != sent.get("resourceId") or not self._is_live(channel):
            message = f"Channel '{sent.get('id')}' not found for project '424242424242'"
            raise ApiError(404, "notFound", message)
        if (channel.user_id, channel.client_id) != (principal.user_id, principal.client_id):
            raise ApiError(403, "forbidden", "Forbidden")
        channel.stopped_ms = self._world.now_ms()

    def list_all(self) -> list[dict[str, Any]]:
        """The live channels, for the control API."""
        with self._world.lock:
            return [
                {
                    "provider": "google",
                    "id": one.id,
                    "user": one.user_id,
                    "client": one.client_id,
                    "mailbox": one.mailbox_id,
                    "resourceId": one.resource_id,
                    "url": one.address,
                    "token": one.token,
                    "createdMs": one.made_ms,
                    "expiresMs": one.expires_ms,
                    "messages": one.number,
                }
                for one in self._channels.values()
                if self._is_live(one)
            ]

    def _check(self, reached: ReachedCalendar, sent: Mapping[str, Any]) -> None:
        channel_id, token, address = str(sent.get("id") or ""), sent.get("token"), str(sent.get("address") or "")
        if not channel_id:
            required("channel id")
        if len(channel_id) > LONGEST_ID or not _ID.fullmatch(channel_id):
            invalid("Channel id must match the pattern [A-Za-z0-9\\-_\\+/=]+ and have at most 64 characters.", "id")
        if channel_id in self._channels:
            raise ApiError(400, "channelIdNotUnique", f"Channel id {channel_id} not unique")
        if sent.get("type") not in {"web_hook", "webhook"}:
            raise ApiError(400, "channelUnknownType", "Unknown channel type", location="type")
        if token is not None and len(str(token)) > LONGEST_TOKEN:
            invalid("Channel token must have at most 256 characters.", "token")
        _check_address(address)
        if reached.mailbox.address in self._world.faults.get(UNWATCHABLE, "google"):
            message = "Push notifications are not supported by this resource."
            raise ApiError(400, "pushNotSupportedForRequestedResource", message)

    def _expires_ms(self, sent: Mapping[str, Any], now_ms: int) -> int:
        """The tightest of what is asked for, in either way, and the most that is given."""
        bad = f"Invalid ttl value for channel {sent['id']}"
        try:
            ttl = (sent.get("params") or {}).get("ttl")
            asked = [now_ms + int(ttl) * 1000] if ttl is not None else []
            asked += [int(sent["expiration"])] if sent.get("expiration") is not None else []
        except (TypeError, ValueError):
            invalid(bad, "ttl")
        if any(one <= now_ms for one in asked):
            raise ApiError(400, "channelInvalidTtl", bad)
        cap_ms = now_ms + int(self._world.faults.get(MAX_TTL, "google")) * 1000
        return min([cap_ms, *(asked or [now_ms + DEFAULT_TTL_S * 1000])])

    def _on_change(self, change: CalendarChange) -> None:
        """Changes made under one hold of the lock are one commit: the plan runs once the lock is free again."""
        if not self._dirty:
            self._world.scheduler.after(0, self._flush)
        self._dirty[change.mailbox_id] = None

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, {}
        for channel in list(self._channels.values()):
            if channel.mailbox_id in dirty and self._delivers(channel):
                self._send(channel, "exists")

    def _send(self, channel: Channel, state: str) -> None:
        if not self._delivers(channel):
            return
        step = self._world.ids.random("message number", channel.id, channel.number).randint(1, _LARGEST_GAP)
        channel.number = 1 if state == "sync" else max(channel.number, 1) + step
        self._world.delivery.send(
            Post(
                POLICY,
                channel.address,
                channel.headers(state),
                b"",
                subject=channel.id,
                still_wanted=lambda: self._delivers(channel),
            )
        )

    def _is_live(self, channel: Channel) -> bool:
        return channel.stopped_ms is None and channel.expires_ms > self._world.now_ms()

    def _delivers(self, channel: Channel) -> bool:
        if channel.stopped_ms is None:
            return self._is_live(channel)
        linger_ms = self._world.faults.get(AFTER_STOP, "google")
        return self._world.now_ms() < min(channel.stopped_ms + int(linger_ms), channel.expires_ms)


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if not parts.hostname:
        raise ApiError(400, "push.webhookUrlNoHostOrAddress", "WebHook callback must have a host.")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ApiError(400, "push.webhookUrlNotHttps", f"WebHook callback must be HTTPS: {address}")
