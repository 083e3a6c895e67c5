"""Google Calendar: response shapes, a pure parser, and the client on google-api-python-client."""
