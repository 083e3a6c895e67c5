"""The kinds of values that stand in many answers, each with a description and an example, for the document of the interface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from msgspec import Meta

from shared.domain.identity import Provider

Instant = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$",
        examples=["2026-11-23T09:30:00.250Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
Day = Annotated[
    str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-11-23"], extra_json_schema={"format": "date"})
]
WallClock = Annotated[str, Meta(pattern=r"^[0-9]{2}:[0-9]{2}$", examples=["09:30"])]
Zone = Annotated[str, Meta(examples=["Europe/Zurich"], description="A time zone's name in the IANA database.")]
Address = Annotated[str, Meta(examples=["riverside@contoso.test"])]
Reference = Annotated[str, Meta(examples=["/v1/me/prompts"], extra_json_schema={"format": "uri-reference"})]

ProviderName = Annotated[
    str, Meta(description="A calendar system.", extra_json_schema={"examples": [each.value for each in Provider]})
]

RoomId = Annotated[str, Meta(examples=["r-c3u5x7z2b4d6f7h3j5l7n2p4r6"], description="The id of a room.")]
PromptId = Annotated[str, Meta(examples=["d-7n2qjv4k5m6p7r8s9t2u3v4w5x"], description="The id of a prompt.")]
DeclineId = Annotated[
    str, Meta(examples=["d-7n2qjv4k5m6p7r8s9t2u3v4w5x"], description="The id of a decline event, as events have it.")
]
TakeId = Annotated[
    str, Meta(examples=["k-5x7z2b4d6f7h3j5l7n2p4r6c3u"], description="The id of a request to take a room.")
]
MeetingRef = Annotated[
    str, Meta(examples=["m-a2c4e6g7i3k5m7o2q4s6u7w3y5"], description="A keyed hash that stands for a meeting.")
]
OccurrenceRef = Annotated[
    str,
    Meta(examples=["o-b3d5f7h2j4l6n7p3r5t7v2x4z6"], description="A keyed hash that stands for a date of a meeting."),
]
UserId = Annotated[str, Meta(examples=["u-2b4d6f7h3j5l7n2p"], description="Our id of a person.")]
PreviewId = Annotated[str, Meta(examples=["9CkY2aQ4mJr0V7xWb1sZtg"], description="The name of a preview of an import.")]
ChatChannelId = Annotated[str, Meta(examples=["c-4b6d8f0a2c4e6a8c0e2a"], description="The id of a chat channel.")]
NoticeBrowserId = Annotated[
    str, Meta(examples=["9f86d081884c7d65"], description="The id of a browser that shows notices.")
]
WebhookId = Annotated[str, Meta(examples=["w-3f5h7j2l4n6p"], description="The id of a webhook.")]
Count = Annotated[int, Meta(ge=0, examples=[3])]


class ChangeToken(TypedDict):
    """What a program sends with every change, as pages do."""

    csrf: Annotated[str, Meta(examples=["pQ3…"])]
    """The token that every change carries."""
    csrfHeader: Annotated[str, Meta(examples=["X-CSRF-Token"])]
    """The name of the header for it."""


class Nothing(TypedDict):
    """Nothing beside the status of the answer."""


PATH_FIELDS: Mapping[str, Any] = {
    "room_id": RoomId,
    "prompt_id": PromptId,
    "take_id": TakeId,
    "decline_id": DeclineId,
    "meeting": MeetingRef,
    "occurrence": OccurrenceRef,
    "user": UserId,
    "endpoint": WebhookId,
    "day": Day,
    "browser": NoticeBrowserId,
    "preview": PreviewId,
    "row_id": Annotated[
        str, Meta(examples=["u-2b4d6f7h3j5l7n2p"], description="Of a person, or of an appointment: see the list.")
    ],
    "role": Annotated[str, Meta(examples=["building-admin"], description="A role that can be given.")],
}
"""Name of a variable part in a route's address → what it is; others are text."""
