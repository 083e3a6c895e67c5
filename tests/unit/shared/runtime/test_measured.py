"""What is measured and logged when many grants are refused at once."""

from __future__ import annotations

import structlog

from shared.grants.refusals import Opened
from shared.runtime import metrics
from shared.runtime.measured import refusal_circuits
from shared.runtime.redaction import redact_event


def test_the_log_says_whose_grants_are_refused_why_and_when_they_are_tried_again() -> None:
    with structlog.testing.capture_logs() as lines:
        refusal_circuits(
            "google", 2, [Opened("t-1", "admin_policy_enforced", 600_000), Opened("", "invalid_client", 1)]
        )
        assert metrics.REGISTRY.get_sample_value("roomsync_refusal_circuits_open", {"provider": "google"}) == 2
        refusal_circuits("google", 0, [])

    shown = [redact_event(None, "error", dict(line)) for line in lines]
    assert [(line["event"], line["tenant"], line["provider_error"], line["asked_again_in_s"]) for line in shown] == [
        ("grants_refused_at_once", "t-1", "admin_policy_enforced", 600),
        ("grants_refused_at_once", "all", "invalid_client", 0),
    ]
