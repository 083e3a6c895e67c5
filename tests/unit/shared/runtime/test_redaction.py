from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.logging import configure, get_logger
from shared.runtime.redaction import MASK, is_hidden, mask_text, redact

ADDRESS = "ada.lovelace@office.example"
SECRET = "s3cr3t-value-0123456789"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the process would write to stderr."""
    before, handlers, level = structlog.get_config(), logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    configure("a-service", "debug", stream=stream)
    yield stream
    structlog.configure(**before)
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def fail(message: str) -> None:
    raise ValueError(message)


def only_line(stream: io.StringIO) -> dict[str, Any]:
    [line] = stream.getvalue().splitlines()
    read: dict[str, Any] = json.loads(line)
    return read


@pytest.mark.parametrize(
    "key",
    [
        "token", "access_token", "refreshToken", "refresh_sealed", "clientSecret", "client_secret", "Authorization",
        "password", "client_state", "clientState", "code", "code_verifier", "Set-Cookie", "master_key", "address",
        "organizer_address", "email", "displayName", "login_hint", "title", "X-Goog-Channel-Token",
    ],
)  # fmt: skip
def test_a_field_that_names_a_secret_or_a_person_is_hidden(key: str) -> None:
    assert is_hidden(key)
    assert redact({key: SECRET}) == {key: MASK}
    assert redact({"deep": [{key: {"inner": SECRET}}]}) == {"deep": [{key: MASK}]}


@pytest.mark.parametrize(
    "key", ["status_code", "mailbox", "tenant", "service", "google_token_url", "expires_at_ms", "key_id"]
)
def test_a_field_that_helps_is_shown(key: str) -> None:
    assert redact({key: "value"}) == {key: "value"}


@pytest.mark.parametrize(
    "text",
    [
        f"refused for {ADDRESS}",
        f"GET /users/{ADDRESS.replace('@', '%40')}/events",
        f"Authorization: Bearer {SECRET}",
        f"https://login.example/token?client_secret={SECRET}&x=1",
        f"/auth/callback?state={SECRET}&code={SECRET}",
        f'{{"refresh_token": "{SECRET}"}}',
        f"{{'clientState': '{SECRET}'}}",
        f"redis://:{SECRET}@cache.example:6379/0",
        f"eyJhbGciOiJSUzI1NiJ9.{SECRET}.{SECRET}",
        f"ya29.{SECRET} and 1//{SECRET}",
        "1.k33d5.t-synthetic.u-0000.uAr9rILmGtmntJ1dyJFPtcgd",
    ],
)
def test_text_that_looks_like_a_secret_or_a_person_is_masked(text: str) -> None:
    shown = mask_text(text)

    assert MASK in shown
    for hidden in (SECRET, ADDRESS, "uAr9rILmGtmntJ1dyJFPtcgd", "lovelace"):
        assert hidden not in shown


@pytest.mark.parametrize(
    "text",
    ["http://127.0.0.1:8101/hooks/graph", "HTTP status code: 410", "partition 3 of sync-worker was claimed by another"],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert mask_text(text) == text


@given(
    st.recursive(
        st.text() | st.binary() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_whatever_is_logged_becomes_json(value: object) -> None:
    json.dumps(redact(value))


@given(st.text(), st.text())
def test_an_address_never_gets_through_whatever_surrounds_it(before: str, after: str) -> None:
    assert "lovelace@office" not in mask_text(f"{before} {ADDRESS} {after}")


def test_exception_text_is_redacted_too(lines: io.StringIO) -> None:
    try:
        fail(f"token={SECRET} refused for {ADDRESS}")
    except ValueError:
        get_logger().exception("look_failed", tenant="t-1")

    line = only_line(lines)
    assert (line["event"], line["tenant"], line["service"], line["level"]) == (
        "look_failed",
        "t-1",
        "a-service",
        "error",
    )
    assert "ValueError" in line["exception"]
    assert SECRET not in lines.getvalue()
    assert ADDRESS not in lines.getvalue()


def test_library_logs_pass_the_same_way(lines: io.StringIO) -> None:
    try:
        fail(ADDRESS)
    except ValueError:
        logging.getLogger("httpx").exception("Authorization: Bearer %s for %s", SECRET, ADDRESS)

    line = only_line(lines)
    assert (line["logger"], line["service"]) == ("httpx", "a-service")
    assert "exception" in line
    assert SECRET not in lines.getvalue()
    assert ADDRESS not in lines.getvalue()


def test_configuring_again_does_not_double_lines(lines: io.StringIO) -> None:
    configure("a-service", "info", stream=lines)
    logging.getLogger("kafka").warning("once")

    assert only_line(lines)["event"] == "once"


def test_libraries_stay_silent_below_a_warning_unless_debugging(lines: io.StringIO) -> None:
    configure("a-service", "info", stream=lines)
    logging.getLogger("kafka").info("chatter")
    get_logger().info("ours")

    assert only_line(lines)["event"] == "ours"
