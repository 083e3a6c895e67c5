"""The ten lines with which docs/subscribe.md checks a signature do so."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from tests.support.paths import ROOT

SECRETS = ("whsec_c2VjcmV0LW9mLXRoZS10ZXN0LTAxMjM0NTY3ODk=", "whsec_b3RoZXItc2VjcmV0LW9mLXRoZS10ZXN0LTAxMjM=")
BODY = '{"id": "d-1"}'


@pytest.fixture
def sample() -> Any:
    """The function of the document."""
    [code] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/subscribe.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["is_ours"]


def headers(at: datetime) -> dict[str, str]:
    signatures = [Webhook(secret).sign("d-1", at, BODY) for secret in SECRETS]
    return {
        "webhook-id": "d-1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@pytest.mark.proves("B21")
def test_the_sample_believes_what_was_signed_with_either_secret_and_nothing_else(sample: Any) -> None:
    now = datetime.now(UTC)
    assert all(sample(secret, headers(now), BODY.encode()) for secret in SECRETS)
    assert not sample(SECRETS[0], headers(now), b'{"id": "d-2"}')
    assert not sample("whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldCwgbG9uZw==", headers(now), BODY.encode())
    assert not sample(SECRETS[0], {**headers(now), "webhook-id": "d-2"}, BODY.encode())
    assert not sample(SECRETS[0], headers(datetime(2020, 1, 1, tzinfo=UTC)), BODY.encode())
