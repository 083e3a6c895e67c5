"""W3C trace context in record headers, so that one journey can be followed from a push, or a wish, to a decline."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

HEADER = "traceparent"
_PATTERN = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.{0,512})?")
_FORBIDDEN_VERSION = "ff"
_OURS = "00"


@dataclass(frozen=True, slots=True)
class Trace:
    """A place in a journey: 32 hex digits for the journey, 16 for this step."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @property
    def traceparent(self) -> str:
        """As the header says it."""
        return f"{_OURS}-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"

    def child(self, name: str = "") -> Trace:
        """
        The next step of the same journey.

        Args:
            name: What the step is done upon: whoever does it again gives it the same id. "" makes a fresh one.
        """
        span_id = hashlib.sha256(f"{self.span_id}/{name}".encode()).hexdigest()[:16] if name else secrets.token_hex(8)
        return Trace(self.trace_id, span_id, self.sampled)


def make() -> Trace:
    """The first step of a new journey."""
    return Trace(secrets.token_hex(16), secrets.token_hex(8))


def parse(text: str) -> Trace | None:
    """
    Read a `traceparent`; None when it is not one (then a new journey begins).

    Source: https://www.w3.org/TR/trace-context/ : all-zero ids and version ff are invalid, later versions may say more.
    """
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == _FORBIDDEN_VERSION or (version == _OURS and more):
        return None
    if not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return Trace(trace_id, span_id, sampled=bool(int(flags, 16) & 1))


def continue_trace(text: str | None) -> Trace:
    """The next step of the journey that `text` names, or the first of a new one."""
    parent = parse(text) if text else None
    return parent.child() if parent else make()


def headers(trace: Trace) -> tuple[tuple[str, bytes], ...]:
    """As record headers."""
    return ((HEADER, trace.traceparent.encode()),)


def from_headers(found: Iterable[tuple[str, bytes]]) -> Trace | None:
    """The step that a record's headers name, if they do."""
    for name, value in found:
        if name.lower() == HEADER:
            return parse(value.decode("ascii", errors="replace"))
    return None
