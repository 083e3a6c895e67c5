from __future__ import annotations

import pytest

from shared.runtime.health import Check, health_app


def fails() -> None:
    message = "no answer from redis://:hunter2@cache.example\nand a second line"
    raise ConnectionError(message)


def test_ready_when_every_check_holds() -> None:
    answer = health_app("a-service", {"log": lambda: None, "view": lambda: True}).test_client().get("/readyz")

    assert (answer.status_code, answer.json) == (200, {"ok": True, "checks": {"log": "ok", "view": "ok"}})


@pytest.mark.parametrize("check", [fails, lambda: False])
def test_not_ready_names_the_check_that_fails(check: Check) -> None:
    answer = health_app("a-service", {"log": lambda: None, "view": check}).test_client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["checks"]["log"] == "ok"
    assert answer.json["checks"]["view"] != "ok"
    assert "hunter2" not in answer.text


def test_alive_is_a_question_of_its_own() -> None:
    client = health_app("a-service", {"log": fails}, alive={"loop": lambda: None}).test_client()
    dead = health_app("a-service", {}, alive={"loop": lambda: False}).test_client()

    assert client.get("/livez").status_code == 200
    assert dead.get("/livez").status_code == 503


def test_version_names_the_service() -> None:
    answer = health_app("a-service", {}).test_client().get("/version")

    assert answer.json is not None
    assert answer.json["service"] == "a-service"


def test_metrics_are_prometheus_text() -> None:
    answer = health_app("a-service", {}).test_client().get("/metrics")

    assert answer.content_type.startswith("text/plain")
    assert "roomsync_hook_items_total" in answer.text
