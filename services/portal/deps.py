"""What the portal is made of; `main.py` chooses each part, tests choose others."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import current_app

from shared.domain.identity import Provider
from shared.domain.proof import HookKeys
from shared.grants.broker import ConsentBroker
from shared.ports.calendar import CalendarProvider
from shared.ports.clock import Clock
from shared.ports.engine import Engine
from shared.runtime.settings import Settings

EXTENSION = "roomsync"


@dataclass(frozen=True, slots=True)
class Deps:
    """The stores, the providers, the time, and the key that names sessions."""

    settings: Settings
    engine: Engine
    clock: Clock
    broker: ConsentBroker
    providers: Mapping[Provider, CalendarProvider]
    session_key: bytes
    """32 bytes: names sessions and sign-ins at rest, and derives what a sign-in must keep to itself."""
    link_keys: Sequence[bytes] = ()
    """Sign the links in messages (`MasterKeys.link_keys`); none: no link is valid here."""
    hook_keys: HookKeys | None = None
    """Prove the notifications of the subscription that a test makes; None: no test can be run here."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the process ends: streams end themselves."""


def deps() -> Deps:
    """Those of the application that answers the current request."""
    found = current_app.extensions[EXTENSION]
    if not isinstance(found, Deps):
        message = "this application was not made by services.portal.app.create_app"
        raise TypeError(message)
    return found
