"""The table of promises stays a table of promises."""

from __future__ import annotations

import ast

import pytest

from tests.capabilities import marked, proofs, rows


def test_every_mark_names_a_row_of_the_table() -> None:
    assert proofs().keys() - rows().keys() == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("pytestmark = pytest.mark.proves('B20')", [("", "B20")]),
        ("pytestmark = [pytest.mark.kafka, pytest.mark.proves('B20', 'B21')]", [("", "B20"), ("", "B21")]),
        ("pytestmark: Any = (pytest.mark.proves('B20'),)", [("", "B20")]),
        ("pytestmark = pytest.mark.kafka\nother = pytest.mark.proves('B20')", []),
        ("@pytest.mark.proves('B20')\ndef test_a(): pass", [("test_a", "B20")]),
        ("@pytest.mark.proves('B20')\nasync def test_a(): pass", [("test_a", "B20")]),
        ("class TestA:\n  @pytest.mark.proves('B20')\n  def test_a(self): pass", [("test_a", "B20")]),
    ],
)
def test_marks_of_a_module_and_of_its_tests_count(source: str, found: list[tuple[str, str]]) -> None:
    assert list(marked(ast.parse(source))) == found
