"""A Redis is gone: without the views decisions go on, without the registry hints wait; both end well by themselves."""

from __future__ import annotations

import pytest

from tests.e2e.outages.system import System, eventually, once_quiet

pytestmark = [pytest.mark.kafka, pytest.mark.alone, pytest.mark.filterwarnings("ignore::ResourceWarning")]


def shown(system: System) -> dict[str, str] | None:
    """Title → state on the pages of both people; None while one of them says that it is being rebuilt."""
    pages = [person.lines() for person in system.people]
    if any(page is None for page in pages):
        return None
    return {line.title: line.state for page in pages for line in page or ()}


@pytest.mark.proves("D4")
def test_without_the_views_declines_are_told_and_pages_say_that_they_are_being_rebuilt(system: System) -> None:
    eventually(lambda: shown(system) is not None)
    system.servers.view.kill()
    try:
        titles = system.refused_meetings(1)
        eventually(system.all_published)
        assert shown(system) is None
    finally:
        system.servers.view.restart()  # empty: nothing of it is on disk
    everything = {one["title"] for one in system.simulator.listed("meetings") if one["rooms"]}
    eventually(lambda: (shown(system) or {}).keys() == everything)
    assert {(shown(system) or {})[title] for title in titles} == {"declined"}
    assert system.nothing_twice()


@pytest.mark.proves("D4")
def test_without_the_registry_no_look_begins_and_the_hints_wait(system: System) -> None:
    eventually(system.all_published)
    told, hints = len(system.published()), len(system.hints())
    system.servers.registry.kill()
    try:
        calls = once_quiet(
            system.calendar_calls
        )  # a look that had begun may end: what an earlier gap made due, for one
        titles = system.refused_meetings(2)
        eventually(lambda: len(system.hints()) >= hints + len(titles))  # each was booked, and each was declined
        assert once_quiet(system.calendar_calls)[len(calls) :] == []
        assert len(system.published()) == told
    finally:
        system.servers.registry.restart()
    eventually(system.all_published)
    assert system.nothing_twice()
