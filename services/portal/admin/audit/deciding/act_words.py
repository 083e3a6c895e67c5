"""What the acts in the audit are called. Pure."""

from __future__ import annotations

ACT_WORDS = {
    "integration.test-begun": "began a test of the integration",
    "integration.test-ended": "test of the integration ended",
    "integration.test-given-up": "gave up the test of the integration",
    "integration.directory-joined": "showed that they administer the directory: it is the organisation's",
    "integration.domains-joined": "had the calendar system list the organisation's domains",
    "integration.directory-left": "gave a directory of the organisation up",
    "integration.enabled": "enabled the integration",
    "integration.disabled": "switched the integration off",
    "integration.switched": "switched the integration off to change the provider",
    "integration.contact-changed": "changed whom people may ask",
    "incident.released": "sent what was held while many rooms said no",
    "role.offered": "named an address for a role",
    "role.given": "gave a role",
    "role.refused": "refused somebody a role",
    "role.taken": "took a role away",
    "room.entered": "entered a room",
    "room.changed": "changed a room",
    "room.removed": "removed a room",
    "room.paired": "paired a room",
    "room.unpaired": "unpaired a room",
    "rooms.imported": "imported rooms",
    "chat.added": "added a chat channel",
    "chat.removed": "removed a chat channel",
    "chat.tested": "tested a chat channel",
    "webhook.added": "added a webhook",
    "webhook.removed": "removed a webhook",
    "webhook.tested": "tested a webhook",
    "webhook.redelivered": "had events sent to a webhook again",
    "webhook.secret-added": "made another secret of a webhook",
    "webhook.secret-ended": "ended the older secret of a webhook",
    "webhook.paused": "paused a webhook that takes nothing",
    "webhook.resumed": "resumed a webhook",
    "rooms.entered": "entered rooms on their word, as whoever operates roomsync",
}
KIND_WORDS = {
    "integration": "The integration",
    "incident": "Many rooms at once",
    "role": "Roles",
    "room": "Rooms, one by one",
    "rooms": "Rooms, many at once",
    "chat": "Chat channels",
    "webhook": "Webhooks",
}
"""What stands before the dot of an act, for whoever looks for all acts of that kind."""
