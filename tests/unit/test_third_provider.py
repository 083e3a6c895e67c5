"""A third provider is its own package, the catalogue, settings and documents: what else names a provider is listed here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT

NAME = re.compile(r"microsoft|google|(?<![a-z])graph(?![a-z])|outlook|(?<![a-z])entra(?![a-z])", re.IGNORECASE)
ITS_OWN = ("shared/providers/", "shared/runtime/settings.py")
"""Packages of providers with the catalogue; the table of settings."""
ALLOWED = {
    "cli/demo/organisations.py": "the demo's organisation at each simulated provider; a third one is a KeyError",
    "cli/demo/processes.py": "the addresses of the simulator, which is no product and simulates these two",
    "cli/doctor/checks/tools.py": "a browser's name",
    "cli/main.py": "a help text",
    "cli/scenario/answers.py": "a scenario holds raw answers, and each provider's are shaped in their own way",
    "cli/scenario/script.py": "words of the scenario file, which are fixed",
    "cli/tenants.py": "help texts",
    "cli/trigger/__init__.py": "branches with assert_never",
    "cli/trigger/notifications.py": "makes pushes as each provider shapes them",
    "deploy/images/locks.py": "extras of pyproject.toml",
    "services/portal/admin/chat/deciding/presentation.py": "chat products, which are no calendar providers",
    "services/portal/admin/rooms/deciding/remedy.py": "commands and switches of each calendar system; branches with assert_never",
    "services/portal/kept_data/deciding/kinds.py": "what is kept in each topic, and so in that of each push protocol",
    "services/portal/sign_in/openid.py": "reads each provider's claims; branches with assert_never",
    "services/portal/sign_in/openid_provider.py": "which issuers each provider signs as; branches with assert_never",
    "services/portal/sign_in/refusals.py": "advice to administrators",
    "services/portal/sign_in/tenant_consent.py": "a consent for everybody, which one provider has and answers in its own way",
    "services/portal/templates/_administrators.html": "what is said of that consent",
    "services/portal/templates/chat.html": "where each chat product gives an address",
    "services/portal/templates/consent_answer.html": "the page of its answer",
    "services/portal/templates/refused.html": "who administers a directory there",
    "services/portal/templates/tenant_consent.html": "the page of that consent",
    "services/portal/templates/test_explained.html": "leads to that page",
    "services/webhook_receiver/app.py": "branches with assert_never",
    "services/webhook_receiver/protocols/google.py": "the push protocol itself",
    "services/webhook_receiver/protocols/graph.py": "the push protocol itself",
    "shared/contracts/chat_message.py": "what each chat product takes, which are no calendar providers",
    "shared/contracts/chat_rows.py": "the enumeration of chat products, which are no calendar providers",
    "shared/contracts/meeting_state_version_1.py": "a frozen record of 0.1.0",
    "shared/contracts/published.py": "an example of a public record",
    "shared/contracts/rows.py": "the end of the addresses that one provider makes for resources alone, which proves a room",
    "shared/contracts/topics.py": "one topic for each push protocol, in the one table of topics",
    "shared/domain/chat_address.py": "hosts of chat products, which are no calendar providers",
    "shared/domain/identity.py": "the enumeration of providers, from which assert_never follows",
    "shared/domain/push_address.py": "hosts of browsers' push services, which are no calendar providers",
    "shared/domain/proof.py": "an error names whose limit it is",
}
"""Other files of the product that name one, and why."""


def named_outside_comments(path: Path) -> Iterator[str]:
    """Each name or text of a program in which a provider is named; comments and docstrings state facts and do nothing."""
    tree = ast.parse(path.read_text())
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def naming_files() -> set[str]:
    """Files of the product, outside its own places, that name a provider."""
    found = set()
    for folder in ("services", "shared", "cli", "deploy"):
        for path in (ROOT / folder).rglob("*.py"):
            if any(NAME.search(text) for text in named_outside_comments(path)):
                found.add(path.relative_to(ROOT).as_posix())
    for path in (ROOT / "services" / "portal").rglob("*"):
        if path.suffix in {".html", ".js"} and NAME.search(re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)):
            found.add(path.relative_to(ROOT).as_posix())
    return {path for path in found if not path.startswith(ITS_OWN)}


def test_no_other_file_names_a_provider() -> None:
    found = naming_files()
    assert found - ALLOWED.keys() == set(), (
        "take it from the provider's profile, or branch with assert_never and say why here"
    )
    assert ALLOWED.keys() - found == set(), "these name no provider any more: take them off the list"
