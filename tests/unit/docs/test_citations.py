"""Every section of the design and every ADR that code, tests or documents cite is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT

FOLDERS = ("services", "shared", "simulator", "cli", "deploy", "docs", "tests", "benchmarks")
ENDINGS = {".py", ".md", ".toml", ".yaml", ".yml", ".html", ".js", ".css", ".sh"}
HEADING = re.compile(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", re.MULTILINE)
SECTION = re.compile(r"design(?:\.md)?,? §\s?(\d+(?:\.\d+)?)")
ADR = re.compile(r"\bADRs? (\d+)")


def texts() -> Iterator[tuple[str, str]]:
    """Path → text of everything that may cite."""
    here = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in ENDINGS]
    for path in [*here, *ROOT.glob("*.md"), ROOT / "pyproject.toml", ROOT / "Makefile"]:
        if path != Path(__file__):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def cited(pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Each citation and where it stands."""
    for path, text in texts():
        yield from ((found, path) for found in pattern.findall(text))


def test_every_section_of_the_design_that_is_cited_is_there() -> None:
    sections = set(HEADING.findall((ROOT / "docs" / "design.md").read_text()))
    citations = list(cited(SECTION))
    assert citations
    assert [each for each in citations if each[0] not in sections] == []


def test_a_section_sign_says_of_which_document_it_is() -> None:
    bare = [(path, line) for path, text in texts() for line in text.splitlines() if re.search(r"§\s?\d", line)]
    assert [each for each in bare if not SECTION.search(each[1]) and "RFC" not in each[1]] == []


def test_every_adr_that_is_cited_is_there() -> None:
    numbers = {int(path.name[:4]) for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")}
    citations = list(cited(ADR))
    assert citations
    assert [each for each in citations if int(each[0]) not in numbers] == []


def test_sections_are_numbered_without_gaps() -> None:
    chapters = [
        int(number) for number in HEADING.findall((ROOT / "docs" / "design.md").read_text()) if "." not in number
    ]
    assert chapters == list(range(1, len(chapters) + 1))


def test_every_adr_has_a_number_of_its_own() -> None:
    adrs = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    numbers = [int(path.name[:4]) for path in adrs]
    titles = [path.read_text().partition("\n")[0] for path in adrs]
    assert len(set(numbers)) == len(numbers)
    assert [title.split(".")[0] for title in titles] == [f"# {number}" for number in numbers]
