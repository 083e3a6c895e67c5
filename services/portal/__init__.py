"""Everything people touch: sign-in, pages, JSON API, server-sent events."""
