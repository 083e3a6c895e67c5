"""The routes below `/v1` with what each says of itself, and the codes of problems that follow from it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from werkzeug.routing import Rule

from services.portal.interface.operation import Audience, Operation, operation_of
from services.portal.interface.problem_codes import by_status
from shared.domain.roles import Right

PREFIX = "/v1/"
PART = re.compile(r"<(?:(?P<kind>any)\((?P<words>[^)]{1,200})\):)?(?P<name>[a-z_]{1,50})>")
OF_SERVER = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""What the server answers in a line of text to whatever breaks HTTP or is too large (`shared/runtime/http_parser.py`)."""
_READING = ("GET",)
_EVERYWHERE = ("address-too-long", "bad-address", "bad-characters", "internal", "rebuilding", "row-refused")
_SIGNED_IN = ("not-signed-in", "not-enabled")
_CHANGING = ("csrf", "too-many-requests", "log-unavailable", "request-entity-too-large")


class UndescribedRouteError(ValueError):
    """A route of the interface says nothing of itself."""

    def __init__(self, method: str, rule: str) -> None:
        """Say what to do about the route."""
        super().__init__(
            f"{method} {rule} is not described: put @operation(…) of services/portal/interface/operation.py between the route and"
            " its view, give the view a docstring, and annotate what it returns with a TypedDict; the routes beside it show how"
        )


@dataclass(frozen=True, slots=True)
class DescribedRoute:
    """One method of one address, with what was said of it."""

    method: str
    rule: str
    operation: Operation

    @property
    def changes(self) -> bool:
        """Whether it does more than read."""
        return self.method not in _READING

    @property
    def codes(self) -> set[str]:
        """Every code that it can answer."""
        found = {*_EVERYWHERE, *self.operation.problems}
        if self.operation.access is Audience.SERVICE:
            found |= {"service-token"}
        elif self.operation.access is not Audience.ANYBODY:
            found |= {*_SIGNED_IN, *(_CHANGING if self.changes else ())}
        if self.operation.tokens:
            found |= {"service-token"}
        if isinstance(self.operation.access, Right) and self.operation.access is not Right.OWN_CALENDAR:
            found |= {"not-allowed"}
        return found | ({"not-found"} if "<" in self.rule else set())

    @property
    def problems(self) -> dict[HTTPStatus, list[str]]:
        """Status → the codes that it can answer with it; none where the server answers by itself, before the application."""
        return {**{status: [] for status in OF_SERVER}, **by_status(self.codes)}

    @property
    def tag(self) -> str:
        """Its subject."""
        return self.rule.removeprefix(PREFIX).split("/")[0]

    @property
    def operation_id(self) -> str:
        """`getMePromptsByPromptIdChoices`: it changes with the address alone."""
        parts = re.findall(r"<[^>]{1,300}>|[a-z0-9-]{1,100}", self.rule.removeprefix(PREFIX))
        words = [f"By-{part.rpartition(':')[2].strip('<>')}" if part.startswith("<") else part for part in parts]
        return self.method.lower() + "".join(
            word[:1].upper() + word[1:] for part in words for word in re.split(r"[-_]", part)
        )

    def path_parts(self) -> Iterator[tuple[str, list[str]]]:
        """Name of each variable part of the address, and the words that it can be; none for any."""
        for part in PART.finditer(self.rule):
            words = [word.strip(" '\"") for word in (part["words"] or "").split(",")]
            yield part["name"], words if part["kind"] else []


def template_of(rule: str) -> str:
    """The address of a route as the document names it: `/v1/me/prompts/{prompt_id}/take`."""
    return PART.sub(r"{\g<name>}", rule)


def read_routes(rules: Iterable[Rule], views: Mapping[str, Callable[..., Any]]) -> Iterator[DescribedRoute]:
    """The routes below `/v1`, by address. Raises UndescribedRouteError."""
    listed = [rule for rule in rules if rule.rule.startswith(PREFIX) or rule.rule == PREFIX.rstrip("/")]
    for rule in sorted(listed, key=lambda rule: (rule.rule, sorted(rule.methods or ()))):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found = operation_of(views[rule.endpoint])
            if found is None:
                raise UndescribedRouteError(method, rule.rule)
            yield DescribedRoute(method, rule.rule, found)
