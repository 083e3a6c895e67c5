"""Only this machine is this machine, whatever a name begins with."""

from __future__ import annotations

import pytest

from shared.domain.hosts import is_loopback
from shared.runtime.settings import Settings

OURS = ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]"]
OTHERS = [
    "127.evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "127.", "127", "0.0.0.0", "::", "", "evil.test",
    "10.0.0.1", "[::1].evil.test", "::2", "localhost.", "xlocalhost",
]  # fmt: skip


@pytest.mark.parametrize("host", OURS)
def test_this_machine_is_known_by_its_addresses(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", OTHERS)
def test_whoever_has_a_similar_name_is_not_this_machine(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("url", ["http://127.evil.test/", "http://localhost.evil.test:8102"])
def test_settings_with_a_similar_name_are_not_this_machines(url: str) -> None:
    assert Settings(microsoft_login_url="http://127.0.0.1:1").loopback is False  # the providers' public defaults
    names = "microsoft_login_url microsoft_graph_url google_auth_url google_token_url google_calendar_url google_directory_url"
    local = dict.fromkeys(names.split(), "http://127.0.0.1:1")
    assert Settings(**local).loopback
    assert not Settings(**local, public_url=url).loopback
    assert not Settings(**local, kafka_bootstrap="127.evil.test:9092").loopback
