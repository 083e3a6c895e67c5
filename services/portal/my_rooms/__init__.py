"""The rooms of a person's meetings: page, JSON API, live stream, rebooking."""
