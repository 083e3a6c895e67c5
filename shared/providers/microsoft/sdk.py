"""The names of msgraph-sdk that we use, imported in one place: its own modules warn about each other on import."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # kiota 1.16 raises its own DeprecationWarning while its builders load; nothing of ours can mend that.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kiota_abstractions.api_error import APIError
    from kiota_abstractions.authentication import AuthenticationProvider
    from kiota_abstractions.base_request_builder import BaseRequestBuilder
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from kiota_abstractions.method import Method
    from kiota_abstractions.request_information import RequestInformation
    from kiota_http.middleware.options import RedirectHandlerOption, RetryHandlerOption
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError
    from msgraph.generated.places.graph_room.graph_room_request_builder import GraphRoomRequestBuilder
    from msgraph.generated.places.places_request_builder import PlacesRequestBuilder
    from msgraph.generated.subscriptions.item.subscription_item_request_builder import SubscriptionItemRequestBuilder
    from msgraph.generated.subscriptions.subscriptions_request_builder import SubscriptionsRequestBuilder
    from msgraph.generated.users.item.calendar.calendar_request_builder import CalendarRequestBuilder
    from msgraph.generated.users.item.calendar.get_schedule.get_schedule_request_builder import (
        GetScheduleRequestBuilder,
    )
    from msgraph.generated.users.item.calendar_view.calendar_view_request_builder import CalendarViewRequestBuilder
    from msgraph.generated.users.item.calendar_view.delta.delta_request_builder import DeltaRequestBuilder
    from msgraph.generated.users.item.events.events_request_builder import EventsRequestBuilder
    from msgraph.generated.users.item.events.item.event_item_request_builder import EventItemRequestBuilder
    from msgraph.generated.users.item.events.item.instances.instances_request_builder import InstancesRequestBuilder
    from msgraph.generated.users.item.user_item_request_builder import UserItemRequestBuilder
    from msgraph.graph_request_adapter import GraphRequestAdapter, options
    from msgraph.graph_service_client import GraphServiceClient
    from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]

# The client would load these lazily, and they would warn then.
LOADED = (
    CalendarRequestBuilder,
    CalendarViewRequestBuilder,
    EventsRequestBuilder,
    GetScheduleRequestBuilder,
    GraphRoomRequestBuilder,
    InstancesRequestBuilder,
    PlacesRequestBuilder,
    SubscriptionItemRequestBuilder,
    SubscriptionsRequestBuilder,
    UserItemRequestBuilder,
)

__all__ = [
    "LOADED",
    "APIError",
    "AuthenticationProvider",
    "BaseRequestBuilder",
    "CalendarViewRequestBuilder",
    "DeltaRequestBuilder",
    "EventItemRequestBuilder",
    "GraphClientFactory",
    "GraphRequestAdapter",
    "GraphRoomRequestBuilder",
    "GraphServiceClient",
    "InstancesRequestBuilder",
    "Method",
    "ODataError",
    "RedirectHandlerOption",
    "RequestConfiguration",
    "RequestInformation",
    "RetryHandlerOption",
    "UserItemRequestBuilder",
    "options",
]
