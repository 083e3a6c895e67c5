"""What the acts in the audit, and what became of them, are called. Pure."""

from __future__ import annotations

import re

from shared.language.deciding.sentences import say, say_many

ACT_WORDS = {
    "integration.test-begun": say("began a test of the integration"),
    "integration.test-ended": say("test of the integration ended"),
    "integration.test-given-up": say("gave up the test of the integration"),
    "integration.directory-joined": say("showed that they administer the directory: it is the organisation's"),
    "integration.domains-joined": say("had the calendar system list the organisation's domains"),
    "integration.directory-left": say("gave a directory of the organisation up"),
    "integration.enabled": say("enabled the integration"),
    "integration.disabled": say("switched the integration off"),
    "integration.switched": say("switched the integration off to change the provider"),
    "integration.contact-changed": say("changed whom people may ask"),
    "incident.released": say("sent what was held while many rooms said no"),
    "role.offered": say("named an address for a role"),
    "role.given": say("gave a role"),
    "role.refused": say("refused somebody a role"),
    "role.taken": say("took a role away"),
    "room.entered": say("entered a room"),
    "room.changed": say("changed a room"),
    "room.removed": say("removed a room"),
    "room.paired": say("paired a room"),
    "room.unpaired": say("unpaired a room"),
    "rooms.imported": say("imported rooms"),
    "chat.added": say("added a chat channel"),
    "chat.removed": say("removed a chat channel"),
    "chat.tested": say("tested a chat channel"),
    "webhook.added": say("added a webhook"),
    "webhook.removed": say("removed a webhook"),
    "webhook.tested": say("tested a webhook"),
    "webhook.redelivered": say("had events sent to a webhook again"),
    "webhook.secret-added": say("made another secret of a webhook"),
    "webhook.secret-ended": say("ended the older secret of a webhook"),
    "webhook.paused": say("paused a webhook that takes nothing"),
    "webhook.resumed": say("resumed a webhook"),
    "rooms.entered": say("entered rooms on their word, as whoever operates roomsync"),
}
KIND_WORDS = {
    "integration": say("The integration"),
    "incident": say("Many rooms at once"),
    "role": say("Roles"),
    "room": say("Rooms, one by one"),
    "rooms": say("Rooms, many at once"),
    "chat": say("Chat channels"),
    "webhook": say("Webhooks"),
}
"""What stands before the dot of an act, for whoever looks for all acts of that kind."""
_OUTCOME_WORDS = {
    "done": say("done"),
    "refused": say("refused"),
}
_COUNTED = (
    (
        re.compile(r"(?P<people>\d{1,9}) people, (?P<connected>\d{1,9}) disconnected"),
        say("{people} people, {connected} disconnected"),
    ),
    (re.compile(r"(?P<new>\d{1,9}) new, (?P<changed>\d{1,9}) changed"), say("{new} new, {changed} changed")),
    (
        re.compile(r"(?P<joined>\d{1,9}) joined, (?P<others>\d{1,9}) of another organisation"),
        say("{joined} joined, {others} of another organisation"),
    ),
)
_ROOMS = re.compile(r"(\d{1,9}) rooms")


def describe_outcome(outcome: str) -> str:
    """What became of an act, in words; "" for a role or a code. `outcome`: as it stands in the audit."""
    if outcome in _OUTCOME_WORDS:
        return _OUTCOME_WORDS[outcome]
    if found := _ROOMS.fullmatch(outcome):
        return say_many("{count} room", "{count} rooms", int(found[1]))
    for form, words in _COUNTED:
        if found := form.fullmatch(outcome):
            return words.format(**found.groupdict())
    return ""
