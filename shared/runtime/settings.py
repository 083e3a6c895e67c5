"""The one table of settings: `ROOMSYNC_*`, read once from the environment or from files it names, each with its meaning."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shared.domain.chat_address import KNOWN_CHAT_HOSTS
from shared.domain.hosts import is_loopback
from shared.domain.push_address import KNOWN_PUSH_HOSTS
from shared.errors import ConfigurationError
from shared.providers.catalogue import profile_of

PREFIX = "ROOMSYNC_"
_KAFKA_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_KAFKA_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_COUNTS = ("partitions", "kafka_replication", "connections_per_address", "audit_calls_per_minute")
MIN_WINDOW_DAYS, MAX_WINDOW_DAYS = 30, 400
_SPANS = ("reconcile_s", "pending_silent_s", "call_timeout_s", "test_flow_s")
_PORTS = ("health_port", "notifier_port", "receiver_port", "portal_port", "simulator_port")
_SMTP_SCHEMES = ("smtp", "smtps")
_LAST_PORT = 65535
_PUSH_PUBLIC_KEY = re.compile(r"B[A-Za-z0-9_-]{86}")
"""65 bytes in base64url, the first of which says that a point follows uncompressed."""
_PUSH_PRIVATE_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
NO_HOSTS = "none"
"""An empty value is the default, so that there has to be a word for it."""
_LOG_LEVELS = ("debug", "info", "warning", "error")


def _setting(default: Any, doc: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"doc": doc, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every knob of every service. `_s` is seconds, `_ms` milliseconds, `_url` an address without a trailing slash."""

    engine: str = _setting("embedded", "`embedded` (SQLite files under HOME) or `kafka` (Kafka and Redis)")
    home: Path = _setting(Path(".roomsync"), "data directory of the embedded engine, and of the generated master key")
    public_url: str = _setting("", "builds every external address; empty: the portal's own loopback address")
    hooks_url: str = _setting(
        "", "where providers reach the receiver, if not at PUBLIC_URL (no reverse proxy in front)"
    )
    master_key: str = _setting(
        "", "`id:key[,id:key]`, newest first; empty on loopback: made once under HOME", secret=True
    )
    hook_keys: str = _setting(
        "",
        "`id:key[,id:key]` as `roomsync keys hooks` prints them: all that the receiver needs; empty: from the master key",
        secret=True,
    )
    topic_prefix: str = _setting("", "put before every topic and group name")
    partitions: int = _setting(4, "partitions of every topic; fixed once they are made")
    kafka_bootstrap: str = _setting("", "host:port[,host:port] of the brokers")
    kafka_security_protocol: str = _setting(
        "PLAINTEXT", "`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`: how the brokers are spoken to"
    )
    kafka_sasl_mechanism: str = _setting("", "`PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`, with SASL")
    kafka_sasl_username: str = _setting("", "the service's own name at the brokers, with SASL: `sync-worker`")
    kafka_sasl_password: str = _setting("", "its password", secret=True)
    kafka_ca_file: str = _setting(
        "", "PEM file of the authority behind the brokers' certificates; empty: those that the system trusts"
    )
    kafka_replication: int = _setting(3, "replication factor when `roomsync topics` makes them")
    view_redis_url: str = _setting("", "Redis of the views: may be lost")
    registry_redis_url: str = _setting(
        "", "Redis of registry and keyring: another instance, appendfsync always, noeviction"
    )
    microsoft_client_id: str = _setting("", "application id at Entra")
    microsoft_client_secret: str = _setting("", "client secret at Entra", secret=True)
    microsoft_directory: str = _setting(
        "organizations",
        "whose accounts sign in at Entra: the id of one tenant, as an application that is registered for that tenant alone needs "
        "it, or `organizations`, for one that is registered for any",
    )
    microsoft_login_url: str = _setting("https://login.microsoftonline.com", "Entra's address")
    microsoft_graph_url: str = _setting("https://graph.microsoft.com/v1.0", "Graph's address, version included")
    google_client_id: str = _setting("", "OAuth client id at Google")
    google_client_secret: str = _setting("", "OAuth client secret at Google", secret=True)
    google_auth_url: str = _setting("https://accounts.google.com/o/oauth2/v2/auth", "Google's authorisation endpoint")
    google_token_url: str = _setting("https://oauth2.googleapis.com/token", "Google's token endpoint")
    google_calendar_url: str = _setting("https://www.googleapis.com/calendar/v3", "Calendar API, service path included")
    google_directory_url: str = _setting("https://admin.googleapis.com", "Directory API root")
    listen_host: str = _setting(
        "127.0.0.1", "address that every service listens on; `0.0.0.0` in a container, behind a reverse proxy"
    )
    trusted_proxies: str = _setting(
        "",
        "`address[,network]` of the reverse proxies in front, or `none`: many people come from these, so their connections are "
        "not counted by address, and their word on who the client is (`X-Forwarded-For`) counts; portal and receiver start "
        "without it on loopback only",
    )
    connections_per_address: int = _setting(
        100,
        "connections held of one peer, unless it is a trusted proxy or this machine; one more closes its oldest unfinished one",
    )
    security_contact: str = _setting(
        "mailto:security@roomsync.example",
        "whom to tell of a weakness, `mailto:` or `https://`: /.well-known/security.txt shows it",
    )
    health_port: int = _setting(0, "the workers' port for health and metrics; 0 takes a free one")
    notifier_port: int = _setting(0, "the notifier's port for health and metrics; 0 takes a free one")
    receiver_port: int = _setting(8101, "0 takes a free one")
    portal_port: int = _setting(8102, "0 takes a free one")
    simulator_port: int = _setting(8103, "0 takes a free one")
    smtp_url: str = _setting(
        "",
        "the mail server by which people are told of prompts: `smtp://user:password@host:587?starttls=require`, or `smtps://…`; "
        "empty: nobody is told outside their page",
        secret=True,
    )
    mail_from: str = _setting("", "whom mails come from, with SMTP_URL: `roomsync@corp.example`, or `Rooms <…>`")
    webhooks: str = _setting(
        "auto",
        "`on`: organisations may have their events sent to addresses of their own, and the notifier sends them; `off`; "
        "`auto`: on while every address is loopback",
    )
    webhook_allowed_hosts: str = _setting(
        "",
        "`name[,name]` of hosts to which webhooks may go although they are private, without TLS and at any port; "
        "all others have to be public and speak TLS",
    )
    chat_hosts: str = _setting(
        KNOWN_CHAT_HOSTS,
        "hosts of Slack, Microsoft Teams and Google Chat to which organisations may have chat messages posted; `*.` stands for any "
        "name below; `none`: nothing is posted to chat",
    )
    calendar_reminders: str = _setting(
        "off",
        "`on`: people may have an event in their own calendar remind them, and the notifier, which then needs the clients' ids and "
        "secrets, writes it with their grant; never with WRITES=off; `off`",
    )
    push_public_key: str = _setting(
        "",
        "the public key by which browsers' push services know this deployment, as `roomsync keys push` prints it: with it, people "
        "may have notices shown in their browsers; empty: nobody may",
    )
    push_private_key: str = _setting(
        "", "its private key, for the notifier alone: what is sent to browsers is signed with it", secret=True
    )
    push_contact: str = _setting(
        "", "whom a push service asks about what comes from here, with PUSH_PRIVATE_KEY: `mailto:` or `https://`"
    )
    push_hosts: str = _setting(
        KNOWN_PUSH_HOSTS,
        "hosts of push services to which notices for browsers may be sent; `*.` stands for any name below",
    )
    prompt_grace_s: float = _setting(
        -1.0,
        "seconds a decline must stand before its prompt; -1: Microsoft 0, Google 15 (it may replace the room itself)",
    )
    reconcile_s: float = _setting(900.0, "seconds without a look after which a mailbox is looked at anyway")
    audit_cycle_s: float = _setting(
        14400.0,
        "seconds within which every mailbox is compared with its whole calendar once; 0: none is, but for once a day",
    )
    audit_calls_per_minute: int = _setting(
        60, "calls that these comparisons may ask of the provider for one organisation; what does not fit takes longer"
    )
    window_days: int = _setting(
        180, "days ahead that calendars are looked at, 30 to 400; rooms are booked 180 days ahead by default"
    )
    pending_silent_s: float = _setting(600.0, "seconds a room may be pending before its mailbox is looked at again")
    call_timeout_s: float = _setting(10.0, "seconds one provider call may take")
    test_flow_s: float = _setting(
        300.0,
        "seconds the test of an integration waits for the provider's push, and again for the room's answer: either may take three"
        " minutes",
    )
    writes: str = _setting(
        "on",
        "`on`; `off`: only observe. People are asked for permission to read, no page offers to change a meeting, and no request "
        "that would change a calendar leaves the provider clients",
    )
    enrolment: str = _setting(
        "auto",
        "`open`: the first sign-in from an organisation switches it on; `closed`: an administrator does; "
        "`auto`: open while every address is loopback",
    )
    service_token: str = _setting(
        "",
        "the operator's bearer token on /v1/room-rejections: it reads every organisation on loopback, elsewhere only while there"
        " is one alone; others are made by `roomsync tokens`",
        secret=True,
    )
    unbound_rows: str = _setting(
        "read",
        "`refuse`: registry rows and sealed records that are bound to no place, as version 0.1.0 wrote them, are refused;"
        " `read`: until `roomsync keys rewrap` has bound the rows, and `roomsync doctor` counts no such record",
    )
    log_level: str = _setting("info", "`debug`, `info`, `warning` or `error`")
    test_clock: str = _setting("", "tests only: file of one integer, milliseconds since the epoch")
    crash_at: str = _setting(
        "", "tests only: `point:n`, SIGKILL at the n-th passing of a named point; `point:n:stop`, SIGSTOP"
    )
    test_without: str = _setting(
        "", "tests only: `transactions` or `tail-check`, the guard that the workers leave out: the other has to do"
    )

    @property
    def loopback(self) -> bool:
        """Whether every address that is not a provider's public default is one of this machine's own, known to it alone."""
        urls = (
            self.public_url, self.hooks_url, self.microsoft_login_url, self.microsoft_graph_url, self.google_auth_url,
            self.google_token_url, self.google_calendar_url, self.google_directory_url, self.view_redis_url,
            self.registry_redis_url, self.smtp_url,
        )  # fmt: skip
        hosts = [urlsplit(url).hostname or "" for url in urls if url]
        hosts.append(self.listen_host)
        hosts += [entry.rpartition(":")[0] for entry in self.kafka_bootstrap.split(",") if entry]
        return all(is_loopback(host) for host in hosts)

    @property
    def receiver_url(self) -> str:
        """Where providers reach the receiver."""
        return self.hooks_url or self.public_url or f"http://127.0.0.1:{self.receiver_port}"

    @property
    def portal_url(self) -> str:
        """Where people reach the portal."""
        return self.public_url or f"http://127.0.0.1:{self.portal_port}"

    @property
    def may_write(self) -> bool:
        """Whether people's calendars may be written to."""
        return self.writes == "on"

    @property
    def writes_reminders(self) -> bool:
        """Whether people may be reminded in their own calendars."""
        return self.may_write and self.calendar_reminders == "on"

    @property
    def shows_in_browsers(self) -> bool:
        """Whether people may have notices shown in their browsers."""
        return bool(self.push_public_key)

    @property
    def posts_to_chat(self) -> bool:
        """Whether chat channels of organisations may be told."""
        return self.chat_hosts not in {"", NO_HOSTS}

    @property
    def sends_webhooks(self) -> bool:
        """Whether organisations' events are sent to addresses of theirs."""
        return self.webhooks == "on" or (self.webhooks == "auto" and self.loopback)

    @property
    def open_enrolment(self) -> bool:
        """Whether the first sign-in from an organisation switches it on."""
        return self.enrolment == "open" or (self.enrolment == "auto" and self.loopback)

    def grace_ms(self, provider: str) -> int:
        """How long a decline must stand before its prompt, in milliseconds."""
        if self.prompt_grace_s >= 0:
            return int(self.prompt_grace_s * 1000)
        return profile_of(provider).traits.replaces_rooms_itself_ms

    def shown(self) -> dict[str, str]:
        """For the start-up log: every setting, secrets starred, passwords in URLs too."""
        return {
            item.name: _starred(str(getattr(self, item.name)), secret=item.metadata["secret"])
            for item in dataclasses.fields(self)
        }


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """
    Read the environment.

    Raises:
        ConfigurationError: lists every value that cannot be read and every contradiction, at once.
    """
    environ = os.environ if environ is None else environ
    faults: list[str] = []
    values: dict[str, Any] = {}
    for item in dataclasses.fields(Settings):
        default: Any = item.default
        try:
            raw = _given(environ, PREFIX + item.name.upper())
        except OSError as error:
            faults.append(f"{PREFIX}{item.name.upper()}_FILE cannot be read: {error}")
            continue
        if raw is None or (raw == "" and default != ""):
            continue
        try:
            value = type(default)(raw)
        except ValueError:
            faults.append(f"{PREFIX}{item.name.upper()}={raw!r}: must be {type(default).__name__}")
            continue
        values[item.name] = value.rstrip("/") if item.name.endswith("_url") else value
    settings = Settings(**values)
    faults += _contradictions(settings)
    if faults:
        raise ConfigurationError(*faults)
    return settings


def _given(environ: Mapping[str, str], name: str) -> str | None:
    """The variable itself, else the content of the file that `NAME_FILE` names: how containers are handed secrets."""
    path = environ.get(f"{name}_FILE")
    return Path(path).read_text().strip() if path and name not in environ else environ.get(name)


_CHOICES = {
    "engine": ("embedded", "kafka"),
    "enrolment": ("auto", "open", "closed"),
    "writes": ("on", "off"),
    "webhooks": ("auto", "on", "off"),
    "calendar_reminders": ("on", "off"),
}


def _contradictions(settings: Settings) -> list[str]:
    faults = [
        f"{PREFIX}{name.upper()}={getattr(settings, name)!r}: must be {', '.join(words[:-1])} or {words[-1]}"
        for name, words in _CHOICES.items()
        if getattr(settings, name) not in words
    ]
    if settings.engine == "kafka":
        faults += [
            f"{PREFIX}{name.upper()} is missing: ROOMSYNC_ENGINE=kafka needs it"
            for name in ("kafka_bootstrap", "view_redis_url", "registry_redis_url")
            if not getattr(settings, name)
        ]
        faults += _kafka_security_faults(settings)
    faults += _mail_faults(settings)
    faults += _push_faults(settings)
    faults += _out_of_range(settings)
    if not _is_contact(settings.security_contact):
        faults.append(
            f"{PREFIX}SECURITY_CONTACT={settings.security_contact!r}: must be one address, mailto:… or https://…"
        )
    if settings.test_without not in {"", "transactions", "tail-check"}:
        faults.append(f"ROOMSYNC_TEST_WITHOUT={settings.test_without!r}: must be transactions or tail-check")
    if (settings.test_clock or settings.crash_at or settings.test_without) and not settings.loopback:
        faults.append(
            "ROOMSYNC_TEST_CLOCK, ROOMSYNC_CRASH_AT and ROOMSYNC_TEST_WITHOUT are for tests: every address must be loopback"
        )
    return faults


def _out_of_range(settings: Settings) -> list[str]:
    """Numbers that can be read and not be meant: a wait of less than nothing asks the providers without a pause."""
    faults = [f"{PREFIX}{name.upper()} must be at least 1" for name in _COUNTS if getattr(settings, name) < 1]
    faults += [
        f"{PREFIX}{name.upper()}={getattr(settings, name):g}: must be a number of seconds above 0"
        for name in _SPANS
        if not 0 < getattr(settings, name) < math.inf
    ]
    faults += [
        f"{PREFIX}{name.upper()}={getattr(settings, name)}: must be a port, 0 to {_LAST_PORT}"
        for name in _PORTS
        if not 0 <= getattr(settings, name) <= _LAST_PORT
    ]
    if not MIN_WINDOW_DAYS <= settings.window_days <= MAX_WINDOW_DAYS:
        faults.append(
            f"{PREFIX}WINDOW_DAYS={settings.window_days}: must be {MIN_WINDOW_DAYS} to {MAX_WINDOW_DAYS} days"
        )
    if not 0 <= settings.audit_cycle_s < math.inf:
        faults.append(f"{PREFIX}AUDIT_CYCLE_S={settings.audit_cycle_s:g}: must be 0, or a number of seconds above it")
    if not (settings.prompt_grace_s == -1 or 0 <= settings.prompt_grace_s < math.inf):
        faults.append(f"{PREFIX}PROMPT_GRACE_S={settings.prompt_grace_s:g}: must be -1, or a number of seconds")
    if settings.unbound_rows not in {"read", "refuse"}:
        faults.append(f"{PREFIX}UNBOUND_ROWS={settings.unbound_rows!r}: must be read or refuse")
    if settings.log_level.lower() not in _LOG_LEVELS:
        faults.append(f"{PREFIX}LOG_LEVEL={settings.log_level!r}: must be one of {', '.join(_LOG_LEVELS)}")
    return faults


def _mail_faults(settings: Settings) -> list[str]:
    """The address of the mail server is a secret: a fault never repeats it."""
    if not settings.smtp_url:
        return []
    faults = []
    try:
        parts = urlsplit(settings.smtp_url)
        known = parts.scheme in _SMTP_SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known:
        faults.append(
            f"{PREFIX}SMTP_URL: must be smtp://host:port, with ?starttls=require where it has to, or smtps://host:port"
        )
    elif parts.query not in {"", "starttls=require"}:
        faults.append(f"{PREFIX}SMTP_URL: after the ? only `starttls=require` is known")
    if not _is_sender(settings.mail_from):
        faults.append(f"{PREFIX}MAIL_FROM={settings.mail_from!r}: must be an address, since {PREFIX}SMTP_URL is set")
    return faults


def _push_faults(settings: Settings) -> list[str]:
    """Whether the keys belong together is for the notifier to find, which has both. A fault repeats no private key."""
    faults = []
    if settings.push_public_key and not _PUSH_PUBLIC_KEY.fullmatch(settings.push_public_key):
        faults.append(f"{PREFIX}PUSH_PUBLIC_KEY: must be a public key as `roomsync keys push` prints it")
    if settings.push_private_key:
        if not _PUSH_PRIVATE_KEY.fullmatch(settings.push_private_key):
            faults.append(f"{PREFIX}PUSH_PRIVATE_KEY: must be a private key as `roomsync keys push` prints it")
        if not settings.push_public_key:
            faults.append(f"{PREFIX}PUSH_PUBLIC_KEY is missing: {PREFIX}PUSH_PRIVATE_KEY needs it")
        if not _is_contact(settings.push_contact):
            faults.append(
                f"{PREFIX}PUSH_CONTACT={settings.push_contact!r}: must be one address, mailto:… or https://…, "
                f"since {PREFIX}PUSH_PRIVATE_KEY is set"
            )
    return faults


def _is_contact(text: str) -> bool:
    return text.startswith(("mailto:", "https://")) and text.isascii() and text.isprintable() and " " not in text


def _is_sender(text: str) -> bool:
    address = parseaddr(text)[1]
    name, _, domain = address.rpartition("@")
    return bool(name and domain) and text.isprintable() and address.isascii() and " " not in address


def _kafka_security_faults(settings: Settings) -> list[str]:
    protocol, mechanism = settings.kafka_security_protocol, settings.kafka_sasl_mechanism
    name = f"{PREFIX}KAFKA_SECURITY_PROTOCOL={protocol}"
    if protocol not in _KAFKA_PROTOCOLS:
        return [f"{name}: must be one of {', '.join(_KAFKA_PROTOCOLS)}"]
    faults = []
    if protocol.startswith("SASL"):
        if mechanism not in _KAFKA_MECHANISMS:
            faults.append(f"{PREFIX}KAFKA_SASL_MECHANISM={mechanism!r}: must be one of {', '.join(_KAFKA_MECHANISMS)}")
        faults += [
            f"{PREFIX}{each.upper()} is missing: {name} needs it"
            for each in ("kafka_sasl_username", "kafka_sasl_password")
            if not getattr(settings, each)
        ]
        if (protocol, mechanism) == ("SASL_PLAINTEXT", "PLAIN") and not settings.loopback:
            faults.append(f"{name} with PLAIN sends the password in the clear: use SASL_SSL, or SCRAM-SHA-512")
    elif mechanism or settings.kafka_sasl_username or settings.kafka_sasl_password:
        faults.append(f"{PREFIX}KAFKA_SASL_… is set, and {name} logs in to nobody: use SASL_SSL, or take them out")
    if protocol.endswith("SSL"):
        if settings.kafka_ca_file and not Path(settings.kafka_ca_file).is_file():
            faults.append(f"{PREFIX}KAFKA_CA_FILE={settings.kafka_ca_file}: there is no such file")
    elif settings.kafka_ca_file:
        faults.append(f"{PREFIX}KAFKA_CA_FILE is set, and {name} checks no certificate: use SASL_SSL or SSL")
    return faults


def _starred(text: str, *, secret: bool) -> str:
    if secret:
        return "***" if text else ""
    password = urlsplit(text).password if "://" in text else None
    return text.replace(f":{password}@", ":***@") if password else text
