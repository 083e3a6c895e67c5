"""The `roomsync` command."""
