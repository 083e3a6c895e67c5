"""The glossary is short, its words are those of the code, and words that it bans name nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
LISTED = re.compile(
    r"^\| (?P<word>[a-z]+) \| (?P<meaning>.+) \| `(?P<path>[\w/]+\.py)` `(?P<name>\w+)` \|$", re.MULTILINE
)
BANNED = re.compile(r"^\| ([a-z]+) \| [^|]+ \|$", re.MULTILINE)
PRODUCT = ("services", "shared", "simulator", "cli", "deploy")
EVERYTHING = (*PRODUCT, "docs", "benchmarks", "tests")
MOST_WORDS = 30


@cache
def names_in(folder: str) -> dict[str, list[str]]:
    """Path → the names of its module, classes and functions; sentences of tests are none."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        nodes = ast.walk(ast.parse(path.read_text()))
        defined = [
            each.name for each in nodes if isinstance(each, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        module = path.parent.name if path.name == "__init__.py" else path.stem
        found[path.relative_to(ROOT).as_posix()] = [name for name in (module, *defined) if not name.startswith("test_")]
    return found


def words_of(name: str) -> set[str]:
    """The words of an identifier, in lower case and without the plural's s."""
    return {word.lower().removesuffix("s") for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def banned_names() -> Iterator[str]:
    banned = {word.removesuffix("s") for word in BANNED.findall(GLOSSARY.partition("| not | but |\n")[2])}
    assert banned
    for folder in EVERYTHING:
        for path, names in names_in(folder).items():
            yield from (f"{path}: {name}" for name in names if words_of(name) & (banned | {f"{w}e" for w in banned}))


def test_glossary_has_at_most_thirty_words_each_once() -> None:
    words = [found["word"] for found in LISTED.finditer(GLOSSARY)]
    assert 0 < len(words) == len(set(words)) <= MOST_WORDS
    assert len(words) == GLOSSARY.partition("## Not used here")[0].count("\n| ") - 2, "a line is not as the others"


def test_every_word_is_used_in_names_of_the_product() -> None:
    used = {
        word for folder in PRODUCT for names in names_in(folder).values() for name in names for word in words_of(name)
    }
    fields = " ".join(path.read_text() for path in (ROOT / "shared" / "contracts").glob("*.py"))
    unused = [
        found["word"]
        for found in LISTED.finditer(GLOSSARY)
        if found["word"].removesuffix("s") not in used
        and not re.search(rf"^    {found['word']}\w*: ", fields, re.MULTILINE)
    ]
    assert unused == []


def test_every_word_stands_where_the_glossary_says() -> None:
    missing = []
    for found in LISTED.finditer(GLOSSARY):
        text = (ROOT / found["path"]).read_text()
        if not re.search(rf"^(class|def) {found['name']}\b|^{found['name']}\b.* = ", text, re.MULTILINE):
            missing.append(f"{found['path']}: {found['name']}")
    assert missing == []


def test_banned_words_name_nothing() -> None:
    assert list(banned_names()) == []


def test_no_class_name_of_the_product_is_defined_twice() -> None:
    places: dict[str, list[str]] = {}
    for folder in PRODUCT:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    places.setdefault(node.name, []).append(path.relative_to(ROOT).as_posix())
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}
