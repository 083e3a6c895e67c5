"""What the walk over the pages is there to find: faults that are planted in a page of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from tests.support.walk.keyboard import find_keyboard_faults
from tests.support.walk.visits import BROKEN, ENGLISH, QUOTED, WORDS

pytestmark = [pytest.mark.browser, pytest.mark.proves("S5", "P3")]
STYLE = "<style>:focus { outline: 3px solid blue } #plain:focus { outline: none } .link { cursor: pointer }</style>"


@pytest.fixture
def page(chromium: Chromium) -> Iterator[Page]:
    found = chromium.new_page()
    yield found
    found.close()


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ('<a href="#a">One</a> <button>Two</button> <input type="date" aria-label="Day"> <button>Three</button>', []),
        ('<button id="plain">One</button>', ["focus not shown: <button> One"]),
        ('<button>One</button> <div class="link">Two</div>', ["only for a mouse: <div> Two"]),
        (
            '<button>One</button><div style="position: fixed; inset: 0; background: white"></div>',
            ["covered while it has the focus: <button> One"],
        ),
        (
            '<main style="display: flex; flex-direction: column-reverse"><button>One</button><button>Two</button></main>',
            ["comes after what stands below it: <button> Two after <button> One"],
        ),
        (
            '<button onkeydown="event.preventDefault()">One</button><button>Two</button>',
            ["the focus does not get out of <button> One", "not reached: <button> Two"],
        ),
    ],
)
def test_each_fault_of_the_keyboard_is_found(page: Page, body: str, faults: list[str]) -> None:
    page.set_content(f"{STYLE}<main>{body}</main>")
    assert find_keyboard_faults(page) == faults


def test_english_words_are_found_outside_code_names_and_what_is_marked_as_english(page: Page) -> None:
    page.set_content(
        '<html lang="de"><p>Der Raum</p><p>See the rooms</p><code>the code</code><bdi>The Hub</bdi><p lang="en">the end</p>'
        "<p>Man sieht „Need the approval“.</p><p hidden>the hidden</p></html>"
    )
    assert [words for words in page.evaluate(WORDS) if ENGLISH.search(QUOTED.sub("", words))] == ["See the rooms"]


def test_words_of_labels_that_a_line_breaks_in_two_are_found(page: Page) -> None:
    style = "font-family: monospace; overflow-wrap: anywhere; width: 8ch; display: inline-block"
    page.set_content(
        f'<span class="badge" style="{style}">Ausstehend und mehr</span><span class="badge" style="{style}">Nicht bekannt</span>'
        f'<p style="{style}">Donaudampfschifffahrt</p>'
    )
    assert page.evaluate(BROKEN) == ["Ausstehend"]
