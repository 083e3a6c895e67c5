"""Rules that compile late write the addresses that werkzeug's own write."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.routing import Map, MapAdapter, Rule

from services.portal.frame.url_rules import LateRule

RULES: list[tuple[str, dict[str, Any]]] = [
    ("/rooms", {"endpoint": "rooms"}),
    ("/rooms/<name>", {"endpoint": "room"}),
    ("/rooms/<name>/days/<int:number>", {"endpoint": "day"}),
    ("/static/<path:filename>", {"endpoint": "static"}),
    ("/first", {"endpoint": "page", "defaults": {"rule": 1}}),
    ("/page/<int:rule>", {"endpoint": "page"}),
]


def _addresses(kind: type[Rule]) -> MapAdapter:
    return Map([kind(path, **options) for path, options in RULES]).bind("roomsync.test")


@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("rooms", {}),
        ("rooms", {"after": "a b&c", "self": "x"}),
        ("room", {"name": "Aare/Ost ü"}),
        ("day", {"name": "Birs", "number": 3, "append_unknown": "y"}),
        ("static", {"filename": "v/1/my rooms.js"}),
        ("page", {"rule": 1}),
        ("page", {"rule": 2, "of": ["a", "b"]}),
    ],
)
def test_an_address_is_the_one_that_werkzeug_writes(endpoint: str, values: dict[str, Any]) -> None:
    late, early = _addresses(LateRule), _addresses(Rule)
    for _ in range(2):  # the second time it is compiled already
        assert late.build(endpoint, values) == early.build(endpoint, values)
        assert late.build(endpoint, values, append_unknown=False) == early.build(endpoint, values, append_unknown=False)


def test_nothing_is_compiled_for_a_rule_whose_address_nobody_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    original = Rule._compile_builder

    def note(rule: Rule, append_unknown: bool = True) -> Any:
        compiled.append(rule.endpoint)
        return original(rule, append_unknown)

    monkeypatch.setattr(Rule, "_compile_builder", note)
    addresses = _addresses(LateRule)
    assert addresses.match("/rooms/Aare") == ("room", {"name": "Aare"})
    assert compiled == []
    addresses.build("room", {"name": "Aare"})
    addresses.build("room", {"name": "Birs"})
    assert compiled == ["room"]
