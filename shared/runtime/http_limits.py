"""
How much one connection, one request and all requests together may cost; the same numbers stand in `deploy/`.

A provider's whole attempt takes three seconds and a few kilobytes, and a person's request not much more. Whoever needs more
than this is broken or hostile, and is told so or hung up on.
"""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB

HEADERS_DEADLINE_S = 5.0
"""From accept, or from a later request's first byte, to the end of the headers."""
BODY_DEADLINE_S = 10.0
"""From the end of the headers to the end of the body."""
IDLE_S = 60.0
"""Between an answer and the next request on the same connection: reverse proxies keep theirs."""
STALLED_ANSWER_S = 30.0
"""How long an answer may wait for a reader that takes none of it; until then it holds a thread if it is a stream."""
LINGER_S = 5.0
"""How long a refused sender is heard out, so that it reads the refusal instead of a reset connection."""
LINGER_BYTES = 64 * MIB

HEADERS_BYTES = 16 * KIB
REQUEST_LINE_BYTES = 8 * KIB
"""More than other control lines: a validation token of 2,048 characters is three times that in percent-encoding."""
FIELDS = 100
CHUNK_LINE_BYTES = KIB
TRAILERS_BYTES = 8 * KIB
CHUNKS = 8 * KIB
"""Chunks of one body. A million chunks of a byte each would cost the loop seconds; a MiB in chunks of 128 bytes passes."""

CONNECTIONS = 1000
CONNECTIONS_PER_ADDRESS = 100
UNFINISHED_BODIES_BYTES = 64 * MIB
"""Bodies in memory, over all connections: those that still arrive and those that wait for a thread."""
FREE_BODY_BYTES = 16 * KIB
"""Of each body, set aside for each connection: what real notifications need is never refused for the sake of large ones."""
