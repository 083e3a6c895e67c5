"""The browsers in which a person asked for notices: added, found, removed, and ended by their push service."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from shared.contracts.browser_rows import NoticeBrowser, NoticeBrowsersRow, PushTarget
from shared.crypto.sealing import seal, unseal
from shared.decoders import json_decoder
from shared.errors import MalformedRecordError
from shared.ports.keyring import Keyring
from shared.ports.registry import Registry
from shared.registry import tables
from shared.registry.listed_items import change_item

MOST_BROWSERS = 5
"""Of one person: the oldest goes when one more is added."""
ID_CHARS = 16


@dataclass(frozen=True, slots=True)
class NewNoticeBrowser:
    """A browser as its person's page sends it."""

    target: PushTarget
    key: str
    """Our public key that it was told to take messages of."""
    name: str
    system: str


def browser_id(endpoint: str) -> str:
    """The id of the browser with this endpoint: a page that knows its own subscription finds itself by it."""
    return hashlib.sha256(endpoint.encode()).hexdigest()[:ID_CHARS]


def list_browsers(registry: Registry, tenant: str, user: str) -> tuple[NoticeBrowser, ...]:
    """The person's browsers, oldest first. Raises StoreUnavailableError, RowRefusedError."""
    row = tables.notice_browsers(registry).get(tenant, user)
    return row.browsers if row else ()


def open_target(keyring: Keyring, tenant: str, user: str, browser: NoticeBrowser) -> PushTarget:
    """
    Where a browser is reached.

    Raises:
        KeyDestroyedError: the organisation was switched off for good.
        MalformedRecordError: it was sealed for another person or browser, is damaged, or has ended.
    """
    text = unseal(keyring.consent_key(tenant), browser.sealed, purpose=_purpose(tenant, user, browser.id))
    try:
        return json_decoder(PushTarget).decode(text)
    except msgspec.DecodeError as error:
        message = f"no browser is reached by this: {error}"
        raise MalformedRecordError(message) from error


def add_browser(
    registry: Registry, keyring: Keyring, tenant: str, user: str, new: NewNoticeBrowser, now_ms: int
) -> NoticeBrowser:
    """
    Add a browser, or put one that is known in its own place anew; with one too many the oldest goes.

    Raises:
        KeyDestroyedError: the organisation was switched off for good.
    """
    browser = browser_id(new.target.endpoint)
    key, purpose = keyring.consent_key(tenant), _purpose(tenant, user, browser)
    added = NoticeBrowser(
        id=browser,
        sealed=seal(key, msgspec.json.encode(new.target), purpose=purpose),
        key=new.key,
        name=new.name,
        system=new.system,
        made_at_ms=now_ms,
    )

    def with_it(row: NoticeBrowsersRow | None) -> NoticeBrowsersRow:
        others = [each for each in (row.browsers if row else ()) if each.id != browser]
        return NoticeBrowsersRow(browsers=(*others[-(MOST_BROWSERS - 1) :], added))

    tables.notice_browsers(registry).change(tenant, user, with_it)
    return added


def remove_browser(registry: Registry, tenant: str, user: str, browser: str) -> bool:
    """Remove a browser: nothing more is shown in it. Returns whether there was one."""
    return _change(registry, tenant, user, browser, lambda _: None)


def remove_every_browser(registry: Registry, tenant: str, user: str) -> None:
    """Remove all browsers of a person. Idempotent."""
    tables.notice_browsers(registry).delete(tenant, user)


def note_end(registry: Registry, tenant: str, user: str, browser: str, now_ms: int, refusal: str) -> bool:
    """The push service has forgotten the browser: how it is reached goes, and the person sees that. Returns whether it is known."""

    def ended(known: NoticeBrowser) -> NoticeBrowser:
        return msgspec.structs.replace(known, sealed=b"", ended_at_ms=known.ended_at_ms or now_ms, refusal=refusal)

    return _change(registry, tenant, user, browser, ended)


def note_refusal(registry: Registry, tenant: str, user: str, browser: str, now_ms: int, refusal: str) -> bool:
    """The push service refused one message for good, and the browser stays. Returns whether it is known."""

    def refused(known: NoticeBrowser) -> NoticeBrowser:
        return msgspec.structs.replace(known, refused_at_ms=now_ms, refusal=refusal)

    return _change(registry, tenant, user, browser, refused)


def _change(
    registry: Registry,
    tenant: str,
    user: str,
    browser: str,
    decide: Callable[[NoticeBrowser], NoticeBrowser | None],
) -> bool:
    """Whether there is such a browser."""
    known = False

    def changed(row: NoticeBrowsersRow | None) -> NoticeBrowsersRow | None:
        nonlocal known
        browsers = change_item(row.browsers if row else (), browser, decide)
        known = browsers is not None
        return None if browsers is None else NoticeBrowsersRow(browsers=browsers)

    tables.notice_browsers(registry).change(tenant, user, changed)
    return known


def _purpose(tenant: str, user: str, browser: str) -> str:
    return f"notice-browser/{tenant}/{user}/{browser}"
