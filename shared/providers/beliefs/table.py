"""The table of beliefs, and how it is written for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.domain.identity import Provider
from shared.providers.beliefs import google_calendar, google_service, microsoft_calendar, microsoft_service
from shared.providers.beliefs.belief import Belief
from shared.providers.catalogue import PROFILES

TABLE: Mapping[str, Belief] = {
    belief.key: belief
    for part in (microsoft_calendar, microsoft_service, google_calendar, google_service)
    for belief in part.BELIEFS
}
"""Key → belief, in the order of the document."""

_HEAD = (
    "| key | belief | evidence | who depends on it | where it does not hold | `roomsync probe` |\n"
    "| --- | --- | --- | --- | --- | --- |"
)


def beliefs_of(provider: Provider) -> list[Belief]:
    """Return the beliefs about one provider, in the order of the document."""
    return [belief for belief in TABLE.values() if belief.provider is provider]


def describe_beliefs() -> str:
    """Return the table as Markdown, a section a provider."""
    return "\n\n".join(_section(provider) for provider in PROFILES)


def _section(provider: Provider) -> str:
    rows = "\n".join(_row(belief) for belief in beliefs_of(provider))
    return f"## {PROFILES[provider].name}\n\n{_HEAD}\n{rows}"


def _row(belief: Belief) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in _cells(belief)) + " |"


def _cells(belief: Belief) -> Iterator[str]:
    yield f"`{belief.key}`"
    yield belief.text
    yield f"{belief.trust}: {belief.source}"
    yield ", ".join(f"`{path}`" for path in belief.dependents)
    yield belief.otherwise
    yield "tries it" if belief.is_tried else f"does not: {belief.not_tried}"
