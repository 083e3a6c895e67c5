from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import trace

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_traceparent_is_read_and_said_again() -> None:
    read = trace.parse(PARENT)

    assert read is not None
    assert read.traceparent == PARENT


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", PARENT + "-more", PARENT.replace("00-", "ff-", 1), PARENT.upper(),
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    ],
)  # fmt: skip
def test_what_is_no_traceparent_is_none(text: str) -> None:
    assert trace.parse(text) is None


def test_a_later_version_may_say_more() -> None:
    assert trace.parse(PARENT.replace("00-", "01-", 1) + "-more") is not None


def test_a_child_goes_on_with_the_same_journey_under_another_step() -> None:
    step = trace.continue_trace(PARENT)

    assert step.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert step.span_id != "00f067aa0ba902b7"


def test_without_a_parent_a_new_journey_begins() -> None:
    assert trace.continue_trace(None).trace_id != trace.continue_trace("garbage").trace_id


@given(st.booleans())
def test_headers_carry_a_step_there_and_back(sampled: bool) -> None:
    made = trace.make()
    step = trace.Trace(made.trace_id, made.span_id, sampled)

    assert trace.from_headers(trace.headers(step)) == step


@given(st.text(), st.binary())
def test_foreign_headers_never_break_a_reader(name: str, value: bytes) -> None:
    trace.from_headers(((name, value), ("traceparent", value)))
