"""Where the organisation's events are sent."""
