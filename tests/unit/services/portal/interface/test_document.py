"""The document of the interface beside the routes, the table of who may call them, and the codes that the source can make."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator

from services.portal.interface import problem_codes
from services.portal.interface.described_routes import UndescribedRouteError, template_of
from services.portal.interface.document import describe_interface
from services.portal.interface.operation import Audience, operation_of
from shared.domain.roles import Right
from tests.support.applications import applications
from tests.support.described_answers import DescribedInterface
from tests.support.paths import ROOT
from tests.support.routes import table

LISTED = [route for route in table()["portal"] if route.rule.startswith("/v1/")]
WHO = {"anonymous": Audience.ANYBODY, "service": Audience.SERVICE}
OF_PAGES = {
    "link-of-another", "link-only-read", "no-such-link", "no-code", "directory-refused", "other-organisation",
}  # fmt: skip
"""Codes that no route below `/v1` can answer: of links in messages, of forms, and of coming back from a provider."""


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    with applications(tmp_path_factory.mktemp("apps")) as found:
        yield found["portal"]


@pytest.fixture(scope="module")
def document(portal: Flask) -> dict[str, Any]:
    return describe_interface(portal.url_map.iter_rules(), portal.view_functions)


@pytest.mark.proves("B28")
def test_every_route_of_the_table_is_described_and_no_other(document: dict[str, Any]) -> None:
    described = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert described == {f"{route.method} {template_of(route.rule)}" for route in LISTED}


@pytest.mark.parametrize("route", LISTED, ids=lambda route: route.name)
def test_who_may_call_is_what_the_table_says(portal: Flask, route: Any) -> None:
    (rule,) = (
        rule for rule in portal.url_map.iter_rules() if rule.rule == route.rule and route.method in (rule.methods or ())
    )
    found = operation_of(portal.view_functions[rule.endpoint])
    assert found is not None
    asked = Right(route.right) if route.right else WHO.get(route.who, Audience.MEMBER)
    assert found.access == asked


def test_a_route_without_a_description_is_refused_with_what_to_do(portal: Flask) -> None:
    rules = [*portal.url_map.iter_rules(), _undescribed(portal)]
    with pytest.raises(UndescribedRouteError, match=r"GET /v1/me/new is not described: put @operation"):
        describe_interface(rules, {**portal.view_functions, "new": lambda: ""})


def _undescribed(portal: Flask) -> Any:
    rule = portal.url_rule_class("/v1/me/new", endpoint="new", methods=["GET"])
    rule.bind(portal.url_map.__class__())
    return rule


@pytest.mark.proves("B28")
def test_every_schema_is_one_and_every_example_fits_it(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("description") or "enum" in schema, f"{name} says nothing of itself"
    interface, examples = DescribedInterface(document), list(_examples(document))
    assert len(examples) > 60
    for where, schema, example in examples:
        assert [error.message for error in interface.validator(schema).iter_errors(example)] == [], where


def _examples(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            contents = [answer.get("content", {}) for answer in said["responses"].values()]
            contents.append(said.get("requestBody", {}).get("content", {}))
            for content in contents:
                for each in content.values():
                    if "example" in each:
                        yield f"{method} {path}", each["schema"], each["example"]
    for name, answer in document["components"]["responses"].items():
        for each in answer["content"].values():
            yield name, each["schema"], each["example"]


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [said["operationId"] for methods in document["paths"].values() for said in methods.values()]
    assert len(set(names)) == len(names)


def test_every_code_that_the_source_can_make_is_of_some_operation(document: dict[str, Any]) -> None:
    described = {code for name in document["components"]["responses"] for code in name.split(".")[1:]}
    known = {*problem_codes.STATUS_OF, *problem_codes.QUOTAS, *problem_codes.OF_HTTP}
    exact = {code for code in known if "*" not in code}
    assert exact - described - OF_PAGES == set(), (
        "name the code at the routes that answer it: @operation(…, problems=…)"
    )
    assert OF_PAGES.isdisjoint(described)


def test_nothing_below_v1_is_answered_beside_the_described_views() -> None:
    """A route that builds its own status or body would make the document guess."""
    for path in sorted((ROOT / "services/portal").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and _is_described(node):
                returned = ast.unparse(node.returns) if node.returns else ""
                assert not returned.startswith("tuple[Response"), f"{path.name}: {node.name} returns {returned}"


def _is_described(node: ast.FunctionDef) -> bool:
    return any(isinstance(each, ast.Call) and ast.unparse(each.func) == "operation" for each in node.decorator_list)


def test_no_test_asks_a_portal_whose_answers_nobody_checks() -> None:
    makers = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if "services.portal.app import create_app" in path.read_text() and path != Path(__file__)
    ]
    assert makers == ["tests/support/described_answers.py"], "make it with described_portal(…)"
