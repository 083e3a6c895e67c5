"""Pure: where a reader of the feed stands."""
