"""Who administers the organisation."""
