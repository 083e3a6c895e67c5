"""Which chat channels are told of rooms that say no."""
