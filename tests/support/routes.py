"""The one table of routes, docs/routes.toml, for tests that go through all of them."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass

from shared.domain.roles import Right
from tests.support.paths import ROOT

TABLE = ROOT / "docs/routes.toml"
ROLES = ("employee", "building-admin", "subscription-admin")
OTHERS = ("anonymous", "service", "proof", "inside", "provider-token")


@dataclass(frozen=True)
class Route:
    """A row: who may call a route at least, by which right, and whether it changes something."""

    method: str
    rule: str
    who: str
    right: str
    changes: bool

    @property
    def name(self) -> str:
        """`GET /v1/me`."""
        return f"{self.method} {self.rule}"

    def path(self, value: str = "x") -> str:
        """An address that the rule matches, with `value` for each of its parts that vary."""
        chosen = re.sub(r"<any\('?([^,')]+)[^>]*>", r"\1", self.rule)
        return re.sub(r"<[^>]+>", value, chosen)


def table() -> dict[str, list[Route]]:
    """Service name → its routes, in the order of the file."""
    read = tomllib.loads(TABLE.read_text())
    return {
        service: [
            Route(*name.split(" ", 1), who, right, effect == "changes") for name, (who, right, effect) in rows.items()
        ]
        for service, rows in read.items()
    }


def rights(prefix: str) -> dict[str, Right]:
    """Route of the portal → the right that it asks for, for those below `prefix`."""
    below = [route for route in table()["portal"] if f"{route.rule}/".startswith(f"{prefix}/")]
    return {route.name: Right(route.right) for route in below}
