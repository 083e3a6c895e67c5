"""Sentences: English for whoever just reads them, translated with what is filled in for whoever asks."""

from __future__ import annotations

from shared.language.deciding.sentences import join_sentences, say, say_many, translate, translate_all


class Shouting:
    """A catalogue that says everything loudly."""

    def gettext(self, message: str, /) -> str:
        return f"{message}!"

    def ngettext(self, one: str, many: str, count: int, /) -> str:
        return f"{one if count == 1 else many}!"


def test_a_sentence_is_its_english_text() -> None:
    assert say("{room} said no.").format(room="Aare") == "Aare said no."
    assert say_many("{count} day", "{count} days", 1) == "1 day"
    assert say_many("{count} day of {month}", "{count} days of {month}", 3, month="May") == "3 days of May"
    assert join_sentences("One.", "", "Two.") == "One. Two."


def test_what_is_filled_in_is_translated_as_well() -> None:
    asked = say("Send {rule}.").format(rule=say("a number"))
    assert translate(asked, Shouting()) == "Send a number!.!"
    assert translate(say_many("{count} day", "{count} days", 2), Shouting()) == "2 days!"
    assert translate(join_sentences(say("One."), "Aare"), Shouting()) == "One.! Aare"
    assert translate("Aare", Shouting()) == "Aare"


def test_answers_are_gone_through_and_other_values_stay() -> None:
    answer = {"words": say("Yes"), "rooms": [{"name": "Yes", "words": say("No")}], "count": 3, "none": None}
    assert translate_all(answer, Shouting()) == {
        "words": "Yes!", "rooms": [{"name": "Yes", "words": "No!"}], "count": 3, "none": None,
    }  # fmt: skip


def test_a_name_from_right_to_left_does_not_reorder_the_sentence() -> None:
    said = say("{room} said no.").format(room="חדר 4")
    assert translate(said, Shouting()) == "\u2068חדר 4\u2069 said no.!"
    assert translate(say("{room} said no.").format(room="Aare"), Shouting()) == "Aare said no.!"
