"""Every path that the documents name is there, and every function that the tour names stands in its file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = ("services", "shared", "simulator", "cli", "deploy", "docs", "tests", "benchmarks")
DOCUMENTS = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(rf"^((?:{'|'.join(FOLDERS)})/[\w./-]*|[\w-]+\.(?:md|toml|lock))$")
EXAMPLE = re.compile(r"new_|NAME|XXXX|<|\.\.\.")
NAMED = re.compile(r"`((?:services|shared|cli|simulator)/[\w/]+\.py)` `(\w+)`")


def paths_in(document: Path) -> Iterator[Path]:
    """Links, relative to the document; and paths in code spans, relative to the project."""
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    yield from (document.parent / target for target in LINK.findall(text))
    for span in CODE.findall(text):
        path = span.partition("::")[0]
        if PATH.match(path) and not EXAMPLE.search(path):
            yield ROOT / path


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_path_that_a_document_names_is_there(document: Path) -> None:
    assert [path for path in paths_in(document) if not path.exists()] == []


def test_every_function_that_the_tour_names_stands_in_its_file() -> None:
    named = NAMED.findall((ROOT / "docs" / "tour.md").read_text())
    assert len(named) >= 12
    absent = [
        (path, name)
        for path, name in named
        if not re.search(rf"^\s*(def|class) {name}\b", (ROOT / path).read_text(), re.MULTILINE)
    ]
    assert absent == []


def test_the_tour_is_of_the_topics_that_there_are() -> None:
    from shared.contracts.topics import BY_NAME  # noqa: PLC0415

    text = (ROOT / "docs" / "tour.md").read_text()
    shown = re.findall(r"^([\w.-]+) \d+:\d+  ", text, re.MULTILINE)
    assert len(set(shown)) >= 7
    assert set(shown) <= BY_NAME.keys()
